//===- DeformConv.cpp - Convolutions at shifted places --------------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/Interpolation.h"
#include "passes/Lower/ONNXToLinalg/SlidingWindows.h"

using namespace mlir;
using namespace lathe;

namespace {

/// Emits the elements that the windows read, interpolated at shifted places, and their product with
/// the weight (Dai et al., "Deformable Convolutional Networks", 2017; with masks Zhu et al.,
/// "Deformable ConvNets v2", 2018).
class DeformConvolution {
public:
  DeformConvolution(Lowering &lowering, onnx::DeformConvOp op, SlidingWindows windows)
      : lowering(lowering), op(op), windows(std::move(windows)),
        element(lowering.elementType(op.getX())), wide(getProductType(element)) {}

  void emit();

private:
  using Dims = SmallVector<AffineExpr>;

  Value sample(ArrayRef<AffineExpr> dims);
  Value contract(Value columns, ArrayRef<AffineExpr> columnDims, ArrayRef<AffineExpr> resultDims);

  Lowering &lowering;
  onnx::DeformConvOp op;
  SlidingWindows windows;
  Type element, wide;
};

} // namespace

/// [N, C, window..., result's places...], of which an element is the sum of its neighbours in the
/// input by their distances.
Value DeformConvolution::sample(ArrayRef<AffineExpr> dims) {
  size_t rank = windows.rank();
  ArrayRef<AffineExpr> inputDims = lowering.shapes.getDims(op.getX());
  int64_t groups = op.getOffsetGroup();
  SmallVector<Value> sizes;
  for (AffineExpr dim : inputDims.drop_front(2))
    sizes.push_back(lowering.sizeValue(dim));
  Value groupSize = lowering.sizeValue(lowering.shapes.simplify(inputDims[1].floorDiv(groups)));
  Value input = lowering.get(op.getX()), offset = lowering.get(op.getOffset());
  Value mask = op.getMask() ? lowering.get(op.getMask()) : Value();
  return lowering.generic(dims, element, {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
    ScalarBuilder s{b, b.getLoc()};
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    auto read = [&](Value tensor, ValueRange position) {
      return createScalarCast(b, b.getLoc(), tensor::ExtractOp::create(b, tensor, position), false,
                              wide, false);
    };
    Value batch = linalg::IndexOp::create(b, 0), channel = linalg::IndexOp::create(b, 1);
    // The window's element, counted over all groups of channels that share offsets.
    Value place = s.make<arith::DivSIOp>({channel, groupSize});
    for (size_t i = 0; i < rank; ++i)
      place = s.add(s.mul(place, constant(windows.kernel[i])), linalg::IndexOp::create(b, 2 + i));
    SmallVector<Value> where = {batch, Value()};
    for (size_t i = 0; i < rank; ++i)
      where.push_back(linalg::IndexOp::create(b, 2 + rank + i));
    SmallVector<SmallVector<Tap>> taps;
    for (size_t i = 0; i < rank; ++i) {
      Value start =
          s.sub(s.mul(where[2 + i], constant(windows.strides[i])), constant(windows.before[i]));
      start =
          s.add(start, s.mul(linalg::IndexOp::create(b, 2 + i), constant(windows.dilations[i])));
      where[1] = s.add(s.mul(place, constant(rank)), constant(i));
      Value x = s.add(createFloat(b, start, wide), read(offset, where)),
            floor = s.make<math::FloorOp>({x});
      Value fraction = s.sub(x, floor), one = s.constant(wide, 1);
      taps.push_back({createTap(b, floor, sizes[i], s.sub(one, fraction)),
                      createTap(b, s.add(floor, one), sizes[i], fraction)});
    }
    SmallVector<Value> position = {batch, channel};
    Value value =
        createTapSum(b, taps, Value(), position, wide, [&] { return read(input, position); });
    if (mask) {
      where[1] = place;
      value = s.mul(value, read(mask, where));
    }
    return createScalarCast(b, b.getLoc(), value, false, element, false);
  });
}

/// The sum over channels and windows of products with the weight.
Value DeformConvolution::contract(Value columns, ArrayRef<AffineExpr> columnDims,
                                  ArrayRef<AffineExpr> resultDims) {
  size_t rank = windows.rank();
  ArrayRef<AffineExpr> weightDims = lowering.shapes.getDims(op.getW());
  AffineExpr groups = lowering.constantExpr(op.getGroup()), depth = weightDims[1];
  AffineExpr filters = lowering.shapes.simplify(weightDims[0].floorDiv(int64_t(op.getGroup())));
  auto split = [&](ArrayRef<AffineExpr> dims, unsigned at, AffineExpr inner) {
    Dims result(dims);
    result[at] = groups;
    result.insert(result.begin() + at + 1, inner);
    return result;
  };
  Dims splitColumns = split(columnDims, 1, depth), splitWeight = split(weightDims, 0, filters),
       splitResult = split(resultDims, 1, filters);
  // Loops: n, group, filter, result's places..., depth, window...
  AffineExpr inner = lowering.dim(3 + rank);
  Dims columnMap = {lowering.dim(0), lowering.dim(1), inner},
       weightMap = {lowering.dim(1), lowering.dim(2), inner};
  for (size_t i = 0; i < rank; ++i) {
    columnMap.push_back(lowering.dim(4 + rank + i));
    weightMap.push_back(lowering.dim(4 + rank + i));
  }
  for (size_t i = 0; i < rank; ++i)
    columnMap.push_back(lowering.dim(3 + i));
  unsigned loops = 4 + 2 * rank;
  MLIRContext *context = op.getContext();
  Value product = emitContraction(
      lowering, splitResult, 1 + rank, element,
      {lowering.reshape(columns, columnDims, splitColumns),
       lowering.reshape(lowering.get(op.getW()), weightDims, splitWeight)},
      {AffineMap::get(loops, 0, columnMap, context), AffineMap::get(loops, 0, weightMap, context)});
  return lowering.reshape(product, splitResult, resultDims);
}

void DeformConvolution::emit() {
  Dims resultDims(lowering.shapes.getDims(op.getY())),
      columnDims(lowering.shapes.getDims(op.getX()).take_front(2));
  for (int64_t size : windows.kernel)
    columnDims.push_back(lowering.constantExpr(size));
  columnDims.append(resultDims.begin() + 2, resultDims.end());
  Value result = contract(sample(columnDims), columnDims, resultDims);
  if (op.getB()) {
    SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(resultDims.size()),
                                   AffineMap::get(resultDims.size(), 0, lowering.dim(1))};
    result = lowering.generic(resultDims, element, {result, lowering.get(op.getB())}, maps,
                              [](ImplicitLocOpBuilder &b, ValueRange x) {
                                return ScalarBuilder{b, b.getLoc()}.add(x[0], x[1]);
                              });
  }
  lowering.set(op.getY(), result);
}

static LogicalResult lowerDeformConv(Lowering &lowering, onnx::DeformConvOp op) {
  SmallVector<int64_t> kernel;
  for (AffineExpr size : lowering.shapes.getDims(op.getW()).drop_front(2))
    kernel.push_back(cast<AffineConstantExpr>(size).getValue());
  FailureOr<SlidingWindows> windows = getSlidingWindows(lowering, op, op.getX(), kernel);
  if (failed(windows))
    return failure();
  DeformConvolution(lowering, op, *windows).emit();
  return success();
}

void lathe::addDeformConvLowerings(LoweringTable &table) {
  table.add<onnx::DeformConvOp, lowerDeformConv>();
}
