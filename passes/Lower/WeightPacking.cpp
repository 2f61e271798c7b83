//===- WeightPacking.cpp - The layouts of weights that kernels read -------===//
#include "passes/Lower/WeightPacking.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "passes/Codegen/Common/Bf16Layout.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/Tuning.h"

using namespace mlir;
using namespace lathe;

using Sizes = SmallVector<OpFoldResult>;

int64_t lathe::mostPanelVectors(Value input, Value weight, nn::TargetAttr target) {
  bool inTileRegisters = getElementTypeOrSelf(input).isBF16() && getElementTypeOrSelf(weight).isBF16() &&
                         codegen::hasTileRegisters(target);
  return inTileRegisters ? 2 : codegen::kMostPanelVectors;
}

int64_t lathe::stepsPerProduct(Value input, Value weight) {
  Type element = getElementTypeOrSelf(input);
  if (element.isF32() || element.isF16() || element.isBF16() != getElementTypeOrSelf(weight).isBF16())
    return 1;
  return 32 / element.getIntOrFloatBitWidth();
}

int64_t lathe::stepsPerProduct(Operation *op, Value input, Value weight, int64_t size, int64_t groups) {
  int64_t steps = stepsPerProduct(input, weight);
  ArrayRef<int64_t> shape = cast<ShapedType>(op->getResult(0).getType()).getShape();
  bool isRow = llvm::all_of(shape.drop_back(), [](int64_t extent) { return extent == 1; });
  if (steps == 1 || isRow || !codegen::getPairProduct(nn::getTarget(op), getElementTypeOrSelf(input)))
    return steps;
  // Half of the products would be of zeros where one word has all steps.
  int64_t pairSteps = kPairBits / getElementTypeOrSelf(input).getIntOrFloatBitWidth();
  return size > steps && (groups == 1 || size % pairSteps == 0) ? pairSteps : steps;
}

static Sizes getSizes(OpBuilder &builder, ArrayRef<int64_t> shape) {
  return llvm::map_to_vector(shape, [&](int64_t size) -> OpFoldResult { return builder.getIndexAttr(size); });
}

static Value createEmpty(ImplicitLocOpBuilder &builder, RankedTensorType type) {
  return tensor::EmptyOp::create(builder, type, ValueRange());
}

Value lathe::packTiles(ImplicitLocOpBuilder &builder, Value value, ArrayRef<int64_t> outerPermutation,
                       ArrayRef<int64_t> positions, ArrayRef<int64_t> tiles) {
  auto innerTiles = llvm::map_to_vector(tiles, [&](int64_t t) -> OpFoldResult { return builder.getIndexAttr(t); });
  Value destination = linalg::PackOp::createDestinationTensor(builder, builder.getLoc(), value, innerTiles, positions,
                                                              outerPermutation);
  Value zero = arith::ConstantOp::create(builder, builder.getZeroAttr(getElementTypeOrSelf(value)));
  auto packOp = linalg::PackOp::create(builder, value, destination, positions, innerTiles, zero, outerPermutation);
  IRRewriter rewriter(builder);
  rewriter.setInsertionPoint(packOp);
  FailureOr<linalg::LowerPackResult> lowered =
      linalg::lowerPack(rewriter, packOp, /*lowerPadLikeWithInsertSlice=*/false);
  if (failed(lowered))
    return packOp->getResult(0);
  return lowered->transposeOp ? Value(lowered->transposeOp->getResult(0)) : Value(lowered->expandShapeOp.getResult());
}

Value lathe::packFilters(ImplicitLocOpBuilder &builder, Value weight, int64_t group, int64_t width, int64_t steps) {
  SmallVector<int64_t> tiles{width};
  if (steps > 1)
    tiles.push_back(steps);
  if (group == 1)
    return packTiles(builder, weight, {3, 0, 1, 2}, ArrayRef<int64_t>{3, 2}.take_front(tiles.size()), tiles);
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int64_t> split(type.getShape().drop_back());
  split.append({group, type.getShape().back() / group});
  Value packed = tensor::ExpandShapeOp::create(builder, type.clone(split), weight,
                                               ArrayRef<ReassociationIndices>{{0}, {1}, {2}, {3, 4}});
  packed = packTiles(builder, packed, {3, 4, 0, 1, 2}, ArrayRef<int64_t>{4, 2}.take_front(tiles.size()), tiles);
  SmallVector<ReassociationIndices> merge = {{0, 1}};
  for (int64_t i = 2; i < cast<RankedTensorType>(packed.getType()).getRank(); ++i)
    merge.push_back({i});
  return tensor::CollapseShapeOp::create(builder, packed, merge);
}

/// Neighbours along `dimension` of a part of a depthwise weight, which begins at `line`, side by side.
static Value interleavePairs(ImplicitLocOpBuilder &builder, Value weight, int64_t line, ArrayRef<int64_t> shape,
                             int64_t dimension) {
  if (llvm::is_contained(shape, 0))
    return weight;
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t rank = shape.size();
  Sizes begin(rank, builder.getIndexAttr(0)), ones(rank, builder.getIndexAttr(1));
  begin[0] = builder.getIndexAttr(line);
  Value part =
      tensor::ExtractSliceOp::create(builder, type.clone(shape), weight, begin, getSizes(builder, shape), ones);
  SmallVector<int64_t> split(shape), swapped(shape), order;
  split[dimension] = swapped[dimension] = shape[dimension] / 2;
  split.insert(split.begin() + dimension + 1, 2);
  swapped.push_back(2);
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i)
    groups.push_back({i < dimension ? i : i + 1});
  groups[dimension].insert(groups[dimension].begin(), dimension);
  for (int64_t i = 0; i <= rank; ++i)
    if (i != dimension + 1)
      order.push_back(i);
  order.push_back(dimension + 1);
  auto allOf = [](int64_t dimensions) {
    return SmallVector<ReassociationIndices>{llvm::to_vector<2>(llvm::seq<int64_t>(0, dimensions))};
  };
  part = tensor::ExpandShapeOp::create(builder, type.clone(split), part, groups);
  part = linalg::TransposeOp::create(builder, part, createEmpty(builder, type.clone(swapped)), order)->getResult(0);
  part = tensor::CollapseShapeOp::create(builder, part, allOf(rank + 1));
  part = tensor::ExpandShapeOp::create(builder, type.clone(shape), part, allOf(rank));
  return tensor::InsertSliceOp::create(builder, part, weight, begin, getSizes(builder, shape), ones);
}

Value lathe::interleaveLines(ImplicitLocOpBuilder &builder, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (!type.hasStaticShape())
    return weight;
  SmallVector<int64_t> lines(type.getShape()), columns(type.getShape());
  lines[0] = type.getDimSize(0) / 2 * 2;
  columns[0] = type.getDimSize(0) % 2;
  columns[1] = type.getDimSize(1) / 2 * 2;
  weight = interleavePairs(builder, weight, /*line=*/0, lines, /*dimension=*/0);
  return interleavePairs(builder, weight, /*line=*/lines[0], columns, /*dimension=*/1);
}

Value lathe::shiftLastChunk(ImplicitLocOpBuilder &builder, Value input, Value weight, int64_t dimension,
                            nn::TargetAttr target) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (!getElementTypeOrSelf(input).isBF16() || !type.getElementType().isBF16() || !codegen::hasTileRegisters(target))
    return weight;
  codegen::ChunkedReduction reduction(llvm::alignTo(type.getDimSize(dimension), 2));
  int64_t rest = type.getDimSize(dimension) - reduction.wholeChunks() * reduction.chunk;
  if (rest <= 0)
    return weight;
  SmallVector<int64_t> shape(type.getShape());
  shape[dimension] = reduction.stored();
  Value zero = arith::ConstantOp::create(builder, builder.getZeroAttr(type.getElementType()));
  Value result = linalg::FillOp::create(builder, ValueRange{zero}, ValueRange{createEmpty(builder, type.clone(shape))})
                     .getResult(0);
  // The chunk's rows end where the left operand's elements do, padded or not.
  int64_t whole = type.getDimSize(dimension) - rest, shifted = reduction.stored() - (reduction.size - whole);
  for (auto [from, to, count] : {std::tuple{int64_t(0), int64_t(0), whole}, std::tuple{whole, shifted, rest}}) {
    SmallVector<int64_t> sizes(type.getShape());
    sizes[dimension] = count;
    Sizes offsets(shape.size(), builder.getIndexAttr(0)), strides(shape.size(), builder.getIndexAttr(1));
    offsets[dimension] = builder.getIndexAttr(from);
    Value part =
        tensor::ExtractSliceOp::create(builder, type.clone(sizes), weight, offsets, getSizes(builder, sizes), strides);
    offsets[dimension] = builder.getIndexAttr(to);
    result = tensor::InsertSliceOp::create(builder, part, result, offsets, getSizes(builder, sizes), strides);
  }
  return result;
}
