//===- Instructions.cpp - What kernels ask of the target's family ---------===//
#include "passes/Codegen/Common/Instructions.h"
#include "dialects/NN/IR/NNDepthwise.h"
#include "lib/Target/TargetFamily.h"

using namespace mlir;
using namespace lathe;

bool codegen::multipliesByLane(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family && family->multipliesByLane(target);
}

bool codegen::splitsVectors(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family && family->splitsVectors(target);
}

nn::TargetAttr codegen::withHalfVectors(nn::TargetAttr target) {
  return nn::TargetAttr::get(target.getContext(), target.getTriple(), target.getCpu(), target.getFeatures(),
                             target.getVectorBits() / 2, target.getVectorRegisters(), target.getDotProduct(),
                             target.getL1Bytes(), target.getL2Bytes(), target.getBf16Product());
}

nn::TargetAttr codegen::fitPanels(nn::TargetAttr target, int64_t width) {
  bool isWhole = width * 32 % target.getVectorBits() == 0;
  return isWhole || !splitsVectors(target) ? target : withHalfVectors(target);
}

const DotProduct &codegen::getDotProduct(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getDotProduct(target) : getPortableDotProduct();
}

const DotProduct *codegen::getBf16DotProduct(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getBf16DotProduct(target) : nullptr;
}

const HalfProduct *codegen::getHalfProduct(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getHalfProduct(target) : nullptr;
}

const PairProduct *codegen::getPairProduct(nn::TargetAttr target, Type element) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getPairProduct(target, element) : nullptr;
}

const TileUnit *codegen::getTileUnit(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getTileUnit(target) : nullptr;
}

int64_t codegen::maxTileRows(nn::TargetAttr target, int64_t vectors) {
  int64_t registers = target.getVectorRegisters();
  // Beside the accumulators and the columns, each row keeps its operand through as many steps as that has lanes.
  if (multipliesByLane(target))
    return std::max<int64_t>((registers - 2 - vectors) / (vectors + 1), 1);
  return std::max<int64_t>((registers - 4) / vectors, 1);
}

int64_t codegen::maxIntegerTileRows(nn::TargetAttr target, int64_t vectors) {
  const DotProduct &dot = getDotProduct(target);
  if (dot.takesLanes())
    return maxTileRows(target, vectors);
  int64_t free = int64_t(target.getVectorRegisters()) - 4 - dot.getExtraRegisters();
  return std::max<int64_t>(free / dot.getAccumulatorsPerVector() / vectors, 1);
}

int64_t codegen::maxHalfTileRows(nn::TargetAttr target, int64_t vectors) {
  // Beside both sums and the columns, a row keeps its operand where multiply-adds take it from a lane.
  int64_t halves = llvm::divideCeil(vectors, 2), operands = multipliesByLane(target) ? 1 : 0;
  int64_t free = int64_t(target.getVectorRegisters()) - halves - (operands ? 1 : 2);
  return std::max<int64_t>(free / (vectors + halves + operands), 1);
}

int64_t codegen::maxDepthwisePixels(nn::TargetAttr target) { return target.getVectorRegisters() >= 32 ? 8 : 4; }

int64_t codegen::maxGroupedPixels(nn::TargetAttr target) { return target.getVectorRegisters() >= 32 ? 14 : 7; }

bool codegen::hasGroupsInVectors(nn::ConvOp op, nn::TargetAttr target) {
  auto weight = cast<ShapedType>(op.getWeight().getType()), input = cast<ShapedType>(op.getInput().getType());
  if (weight.getRank() != 4 || !weight.hasStaticShape() || !weight.getElementType().isF32() ||
      !input.getElementType().isF32())
    return false;
  int64_t lanes = target.getVectorBits() / 32, size = weight.getDimSize(2), group = op.getGroup();
  if (group == 1 || size == 1 || 2 * size > lanes || lanes % size != 0 || weight.getDimSize(3) != group * size)
    return false;
  // A shuffle for `width` multiply-adds, where neighbours share pixels, against `lanes / size` of them for one.
  int64_t width = weight.getDimSize(1), stride = std::min<int64_t>(op.getStrides()[1], width);
  return lanes * width > size * (width + stride);
}

bool codegen::skipsPadding(nn::ConvOp op, nn::TargetAttr target) {
  auto weight = cast<ShapedType>(op.getWeight().getType()), input = cast<ShapedType>(op.getInput().getType());
  ShapedType result = op.getResultShapedType();
  auto isKnown = [](ShapedType image) { return llvm::none_of(image.getShape().drop_front(), ShapedType::isDynamic); };
  // Lines of a tile's own: shorter ones share tiles.
  constexpr int64_t leastPixels = 16;
  if (!nn::isDepthwise(op))
    return !hasGroupsInVectors(op, target) && input.getElementType().isF32() && op.getPads()[1] == 0 &&
           op.getPads()[3] == 0 && op.getPadValue() == 0 && result.getDimSize(2) >= leastPixels;
  return isa<FloatType>(input.getElementType()) && weight.hasStaticShape() && isKnown(input) && isKnown(result) &&
         result.getDimSize(2) <= maxDepthwisePixels(target);
}
