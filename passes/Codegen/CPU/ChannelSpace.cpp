//===- ChannelSpace.cpp - Convolutions a vector of channels at a time -----===//
#include "passes/Codegen/CPU/ChannelSpace.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

ChannelSpace::ChannelSpace(KernelBuilder &k, nn::ConvOp op)
    : k(k), op(op), out(op.getInit()), channels(cast<MemRefType>(op.getWeight().getType()).getDimSize(3)),
      outerSizes{k.dim(out, 0), k.dim(out, 1)} {}

ContractionSpace ChannelSpace::makeSpace() const {
  ContractionSpace space;
  space.op = op;
  space.outer = k.mul(outerSizes[0], outerSizes[1]);
  space.rows = k.dim(out, 2);
  space.panels = k.ceilDiv(k.index(channels), k.lanes());
  space.vectors = 1;
  return space;
}

ChannelSpace::Place ChannelSpace::locate(const TilePlace &tile) const {
  Place place;
  place.line = k.delinearize(tile.unit, outerSizes);
  place.channel = k.mul(tile.panel, k.lanes());
  if (channels % k.lanes() != 0)
    place.mask = k.maskBelow(k.sub(k.index(channels), place.channel));
  return place;
}

void ChannelSpace::store(Epilogue &epilogue, ValueRange sums, const TilePlace &tile, const Place &place,
                         int64_t first) const {
  auto at = [&](size_t i) {
    return SmallVector<Value>{place.line[0], place.line[1], k.add(tile.row, first + int64_t(i))};
  };
  size_t i = 0;
  for (; i + 1 < sums.size() && !place.mask && epilogue.storesRowPairs(); i += 2)
    epilogue.storeRowPair(sums[i], sums[i + 1], at(i), at(i + 1), place.channel);
  for (; i < sums.size(); ++i)
    epilogue.store(sums[i], at(i), place.channel, place.mask);
}

LogicalResult cpu::verifyContiguousChannels(nn::ConvOp op) {
  for (Value operand : {op.getInput(), op.getWeight(), op.getInit()})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");
  return success();
}
