//===- Creation.cpp - Onnx ops whose values come from sizes or nothing ----===//
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"
#include "passes/Lower/ONNXToLinalg/Signless.h"

using namespace mlir;
using namespace lathe;

static LogicalResult lowerConstant(Lowering &lowering, onnx::ConstantOp op) {
  if (!isa<IntegerType, FloatType>(op.getValue().getElementType()))
    return op.emitOpError("has elements that are not supported: ") << op.getValue().getElementType();
  // A weight format's elements have the format's width.
  bool isStorage = llvm::any_of(op->getUsers(), [](Operation *user) { return isa<quant::StorageCastOp>(user); });
  ElementsAttr value = isStorage ? op.getValue() : getSignless(op.getValue());
  lowering.set(op.getOutput(), arith::ConstantOp::create(lowering.builder, cast<TypedAttr>(value)));
  return success();
}

/// The first element of a lowered tensor of one element.
static Value extractScalar(Lowering &lowering, Value onnxValue) {
  SmallVector<Value> zeros(lowering.rank(onnxValue), lowering.index(0));
  return tensor::ExtractOp::create(lowering.builder, lowering.get(onnxValue), zeros);
}

static LogicalResult lowerConstantOfShape(Lowering &lowering, onnx::ConstantOfShapeOp op) {
  TypedAttr value = lowering.builder.getF32FloatAttr(0);
  if (auto given = op.getValue()) {
    auto dense = dyn_cast<DenseElementsAttr>(getSignless(*given));
    if (!dense || !dense.isSplat())
      return op.emitOpError("expected a value of one element");
    value = cast<TypedAttr>(dense.getSplatValue<Attribute>());
  }
  readConstantOfShapeSizes(lowering, op);
  Value scalar = arith::ConstantOp::create(lowering.builder, value);
  lowering.set(op.getOutput(), lowering.filled(lowering.shapes.getDims(op.getOutput()), scalar));
  return success();
}

static LogicalResult lowerRange(Lowering &lowering, onnx::RangeOp op) {
  readRangeSize(lowering, op);
  Type element = lowering.elementType(op.getOutput()), wide = getProductType(element);
  ImplicitLocOpBuilder &builder = lowering.builder;
  auto read = [&](Value onnxValue) {
    return createScalarCast(builder, builder.getLoc(), extractScalar(lowering, onnxValue), false, wide, false);
  };
  Value start = read(op.getStart()), delta = read(op.getDelta());
  lowering.set(op.getOutput(), lowering.generic(lowering.shapes.getDims(op.getOutput()), element, {}, {},
                                                [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                                                  ScalarBuilder s{b, b.getLoc()};
                                                  Value i = arith::IndexCastOp::create(b, b.getI64Type(),
                                                                                       linalg::IndexOp::create(b, 0));
                                                  i = createScalarCast(b, b.getLoc(), i, false, wide, false);
                                                  return createScalarCast(b, b.getLoc(), s.add(start, s.mul(i, delta)),
                                                                          false, element, false);
                                                }));
  return success();
}

static LogicalResult lowerEyeLike(Lowering &lowering, onnx::EyeLikeOp op) {
  Type element = lowering.elementType(op.getOutput());
  int64_t diagonal = op.getK();
  lowering.set(op.getOutput(), lowering.generic(lowering.shapes.getDims(op.getOutput()), element, {}, {},
                                                [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                                                  ScalarBuilder s{b, b.getLoc()};
                                                  Value row = linalg::IndexOp::create(b, 0);
                                                  Value column = linalg::IndexOp::create(b, 1);
                                                  Value k = arith::ConstantIndexOp::create(b, diagonal);
                                                  return s.select(s.equal(s.add(row, k), column),
                                                                  s.constant(element, 1), s.constant(element, 0));
                                                }));
  return success();
}

static LogicalResult lowerOneHot(Lowering &lowering, onnx::OneHotOp op) {
  readOneHotSize(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value values = lowering.get(op.getValues());
  Value off = tensor::ExtractOp::create(builder, values, lowering.index(0));
  Value on = tensor::ExtractOp::create(builder, values, lowering.index(1));
  Value depth = lowering.sizeValue(dims[axis]);
  SmallVector<AffineExpr> source;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis)
      source.push_back(lowering.dim(dim));
  bool isUnsigned = lowering.isUnsigned(op.getIndices());
  lowering.set(op.getOutput(),
               lowering.generic(dims, lowering.elementType(op.getOutput()), lowering.get(op.getIndices()),
                                AffineMap::get(rank, 0, source, op.getContext()),
                                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                  ScalarBuilder s{b, b.getLoc()};
                                  Value index =
                                      createScalarCast(b, b.getLoc(), x[0], isUnsigned, b.getI64Type(), false);
                                  index = arith::IndexCastOp::create(b, b.getIndexType(), index);
                                  Value zero = arith::ConstantIndexOp::create(b, 0);
                                  index = s.select(s.less(index, zero), s.add(index, depth), index);
                                  return s.select(s.equal(index, linalg::IndexOp::create(b, axis)), on, off);
                                }));
  return success();
}

void lathe::addCreationLowerings(LoweringTable &table) {
  table.add<onnx::ConstantOp, lowerConstant>();
  table.add<onnx::ConstantOfShapeOp, lowerConstantOfShape>();
  table.add<onnx::RangeOp, lowerRange>();
  table.add<onnx::EyeLikeOp, lowerEyeLike>();
  table.add<onnx::OneHotOp, lowerOneHot>();
}
