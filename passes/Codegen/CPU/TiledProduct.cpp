//===- TiledProduct.cpp - Products with one right matrix, in tile registers ===//
#include "passes/Codegen/CPU/MatrixTile.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

LogicalResult cpu::emitTiledProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue &epilogue) {
  auto lhsType = cast<MemRefType>(lhs.getType()), rhsType = cast<MemRefType>(rhs.getType());
  int64_t rank = lhsType.getRank(), size = lhsType.getDimSize(rank - 1);
  codegen::ChunkedReduction reduction(size);
  if (rhsType.getRank() != 4 || !rhsType.hasStaticShape() || ShapedType::isDynamic(size) || size % 2 ||
      rhsType.getDimSize(1) * 2 != reduction.stored() || rhsType.getDimSize(3) != 2)
    return op->emitOpError("expected a weight [panels, K/2, n0, 2] packed for tile registers, but got ") << rhsType;
  if (!hasUnitInnermostStride(lhs))
    return op->emitOpError("expected contiguous rows, but got ") << lhsType;
  int64_t width = rhsType.getDimSize(2);
  if (width != kTileColumns && width != 2 * kTileColumns)
    return op->emitOpError("expected panels of one or two tiles of columns, but got ") << width;
  Value panels = k.collapse(rhs, 2, 3);
  if (!panels)
    return op->emitOpError("expected a contiguous weight, but got ") << rhsType;

  ContractionSpace space;
  space.vectors = width / kTileColumns;
  space.product = Product::Bf16Tiles;
  space.rows = rank >= 2 ? k.dim(lhs, rank - 2) : k.index(1);
  space.outer = k.index(1);
  SmallVector<Value> outerSizes;
  for (int64_t i = 0; i + 2 < rank; ++i) {
    outerSizes.push_back(k.dim(lhs, i));
    space.outer = k.mul(space.outer, outerSizes.back());
  }
  space.panels = k.index(rhsType.getDimSize(0));
  space.reduction = reduction.stored();
  Value out = epilogue.getOut();
  Value columns = k.dim(out, cast<MemRefType>(out.getType()).getRank() - 1);

  // Columns of a panel that tiles read again and again are to stay in the first cache, beside rows that pass.
  int64_t partChunks = evenBlock(reduction.chunks(), kPartChunks);
  if (constantOr(space.rows) > 2 * kTileRows && constantOr(space.outer) == 1 && reduction.chunks() > partChunks) {
    space.parts = llvm::divideCeil(reduction.chunks(), partChunks);
    space.mostTiles = kPartTiles;
  } else {
    partChunks = 0;
  }

  Value most = k.index(kTileRows), height = k.max(k.min(space.rows, most), k.index(1));
  std::optional<TileRegisters> registers;
  space.beginTask = [&](int64_t tiles) {
    registers.emplace(height, reduction.chunk, space.parts > 1 ? tiles : 1).begin(k);
  };
  space.endTask = [&] { registers->end(k); };
  auto indicesOf = [&](const TilePlace &place, Value row) {
    SmallVector<Value> indices = k.delinearize(place.unit, outerSizes);
    if (rank >= 2)
      indices.push_back(row);
    return indices;
  };
  auto storeRows = [&](const TilePlace &place, ArrayRef<Value> starts, Value firstSums) {
    Value end = place.end ? place.end : k.add(place.row, place.rows);
    for (auto [i, start] : llvm::enumerate(starts)) {
      Value row = k.add(place.row, i * kTileRows), count = k.min(k.sub(end, row), most);
      Value sumsRow = k.add(k.add(firstSums, k.sub(row, start)), i * kTileRows);
      storeTileRows(k, epilogue, *registers, {row, sumsRow, count}, space.vectors, k.mul(place.panel, width), columns,
                    [&](Value at) { return indicesOf(place, at); });
    }
  };
  emitContraction(k, space, [&](const TilePlace &place) {
    MatrixTile tile;
    tile.rowTiles = llvm::divideCeil(place.rows, kTileRows);
    tile.columnTiles = space.vectors;
    tile.reduction = reduction;
    // A last tile that is not full begins earlier: it computes rows again that are not stored again.
    SmallVector<Value> starts;
    for (int64_t i = 0; i < tile.rowTiles; ++i) {
      Value start = k.add(place.row, i * kTileRows);
      bool isFull = (i + 1) * kTileRows <= place.rows && !place.end;
      starts.push_back(isFull ? start : k.min(start, k.sub(space.rows, height)));
    }
    tile.lhs = [&](int64_t i, ValueRange) {
      SmallVector<Value> indices = indicesOf(place, starts[i]);
      indices.push_back(k.index(0));
      return addressOf(k, lhs, indices);
    };
    tile.rowStride = rank >= 2 ? strideBytesOf(k, lhs, rank - 2) : k.index(0);
    tile.rhs = [&](ValueRange) { return addressOf(k, panels, {place.panel, k.index(0), k.index(0)}); };
    tile.part = place.reductionPart;
    tile.parts = space.parts;
    tile.partChunks = partChunks;
    tile.sumsRow = space.parts > 1 ? k.mul(place.turn.part, 2 * kTileRows) : k.index(0);
    Value chunks = k.index(partChunks ? partChunks : reduction.chunks());
    RegisterTile ahead{place.rows, space.vectors, space.product, {chunks}, {}, {}};
    PanelTurn turn = place.turn;
    turn.distance = rhsType.getDimSize(1) * rhsType.getDimSize(2) * 2;
    Value firstPair = k.mul(place.reductionPart, partChunks * reduction.chunk / 2);
    prefetchPanels(k, ahead, panels, {place.panel, firstPair, k.index(0)}, turn);
    tile.prefetch = ahead.prefetch;
    emitMatrixTile(k, *registers, tile);

    k.branch(k.equal(place.reductionPart, k.index(space.parts - 1)), [&] { storeRows(place, starts, tile.sumsRow); });
  });
  return success();
}
