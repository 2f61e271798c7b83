//===- MatrixProducts.cpp - Products without an nn kernel, determinants ---===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/ONNXToLinalg/SequentialLoop.h"

using namespace mlir;
using namespace lathe;

Type lathe::getProductType(Type element) {
  return isa<Float16Type, BFloat16Type>(element) ? Float32Type::get(element.getContext()) : element;
}

Value lathe::emitMultiplyAdd(ImplicitLocOpBuilder &b, ValueRange x) {
  ScalarBuilder s{b, b.getLoc()};
  Type wide = x[2].getType();
  auto widen = [&](Value value) { return createScalarCast(b, b.getLoc(), value, false, wide, false); };
  return s.add(x[2], s.mul(widen(x[0]), widen(x[1])));
}

Value lathe::emitContraction(Lowering &lowering, ArrayRef<AffineExpr> dims, unsigned reductions, Type element,
                             ValueRange inputs, ArrayRef<AffineMap> inputMaps) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  Type wide = getProductType(element);
  unsigned loops = dims.size() + reductions;
  SmallVector<AffineMap> maps(inputMaps);
  SmallVector<AffineExpr> kept;
  for (unsigned dim = 0; dim < dims.size(); ++dim)
    kept.push_back(lowering.dim(dim));
  maps.push_back(AffineMap::get(loops, 0, kept, builder.getContext()));
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  iterators.append(reductions, utils::IteratorType::reduction);
  Value zero = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(wide)));
  Value init = lowering.filled(dims, zero);
  Value sum = linalg::GenericOp::create(builder, init.getType(), inputs, init, maps, iterators,
                                        [&](OpBuilder &nested, Location loc, ValueRange x) {
                                          ImplicitLocOpBuilder b(loc, nested);
                                          linalg::YieldOp::create(b, emitMultiplyAdd(b, x));
                                        })
                  .getResult(0);
  if (wide == element)
    return sum;
  return lowering.map(dims, element, sum, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    return createScalarCast(b, b.getLoc(), x[0], false, element, false);
  });
}

/// NumPy's matmul: the last two dimensions are matrices, the others broadcast.
static LogicalResult lowerMatMul(Lowering &lowering, onnx::MatMulOp op) {
  SmallVector<AffineExpr> a(lowering.shapes.getDims(op.getA())), b(lowering.shapes.getDims(op.getB()));
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getY());
  bool isRow = a.size() == 1, isColumn = b.size() == 1;
  // Vectors are matrices of one row or column, which the result does not have.
  SmallVector<AffineExpr> dims(resultDims);
  if (isRow)
    dims.insert(dims.end() - (isColumn ? 0 : 1), lowering.constantExpr(1));
  if (isColumn)
    dims.push_back(lowering.constantExpr(1));
  Value lhs = lowering.get(op.getA()), rhs = lowering.get(op.getB());
  unsigned rank = dims.size(), inner = rank;
  auto mapOf = [&](ArrayRef<AffineExpr> operand, bool isLeft) {
    SmallVector<AffineExpr> exprs;
    if (operand.size() > 2) {
      AffineMap batch = lowering.broadcastMap(operand.drop_back(2), ArrayRef<AffineExpr>(dims).drop_back(2));
      exprs.append(batch.getResults().begin(), batch.getResults().end());
    }
    if (operand.size() > 1)
      exprs.push_back(isLeft ? lowering.dim(rank - 2) : lowering.dim(inner));
    exprs.push_back(isLeft || operand.size() == 1 ? lowering.dim(inner) : lowering.dim(rank - 1));
    return AffineMap::get(rank + 1, 0, exprs, op.getContext());
  };
  Value product = emitContraction(lowering, dims, 1, lowering.elementType(op.getY()), {lhs, rhs},
                                  {mapOf(a, true), mapOf(b, false)});
  lowering.set(op.getY(), lowering.reshape(product, dims, resultDims));
  return success();
}

/// alpha * A * B + beta * C, either matrix transposed.
static LogicalResult lowerGemm(Lowering &lowering, onnx::GemmOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  Type element = lowering.elementType(op.getY()), wide = getProductType(element);
  AffineExpr row = lowering.dim(0), column = lowering.dim(1), inner = lowering.dim(2);
  SmallVector<AffineExpr> a = {row, inner}, b = {inner, column};
  if (op.getTransA())
    std::swap(a[0], a[1]);
  if (op.getTransB())
    std::swap(b[0], b[1]);
  Value product = emitContraction(lowering, dims, 1, wide, {lowering.get(op.getA()), lowering.get(op.getB())},
                                  {AffineMap::get(3, 0, a, op.getContext()), AffineMap::get(3, 0, b, op.getContext())});
  SmallVector<Value> inputs = {product};
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(2)};
  if (op.getC()) {
    inputs.push_back(lowering.get(op.getC()));
    maps.push_back(lowering.broadcastMap(lowering.shapes.getDims(op.getC()), dims));
  }
  double alpha = op.getAlpha().convertToDouble(), beta = op.getBeta().convertToDouble();
  Type scaled = isa<FloatType>(wide) ? wide : lowering.builder.getF64Type(); // factors may be fractions
  lowering.set(op.getY(), lowering.generic(dims, element, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    bool isUnsigned = lowering.isUnsigned(op.getY()), isPlain = alpha == 1 && beta == 1;
    Type type = isPlain ? wide : scaled;
    Value sum = createScalarCast(b, b.getLoc(), x[0], isUnsigned, type, false);
    if (alpha != 1)
      sum = s.mul(sum, s.constant(type, alpha));
    if (x.size() > 1) {
      Value addend = createScalarCast(b, b.getLoc(), x[1], isUnsigned, type, false);
      sum = s.add(sum, beta == 1 ? addend : s.mul(addend, s.constant(type, beta)));
    }
    return createScalarCast(b, b.getLoc(), sum, isUnsigned, element, isUnsigned);
  }));
  return success();
}

//===----------------------------------------------------------------------===//
// Det
//===----------------------------------------------------------------------===//

/// One step of Gaussian elimination with row exchanges in matrix `batch` of a tensor [batches, n, n], and the next
/// factor of its determinant.
static SmallVector<Value> emitElimination(ImplicitLocOpBuilder &b, Value batch, Value step, Value size, ValueRange state) {
  ScalarBuilder s{b, b.getLoc()};
  Type type = state[1].getType();
  Value lowest = s.constant(type, -1);
  SmallVector<Value> pivot =
      emitSequentialLoop(b, size, {step, lowest}, [&](ImplicitLocOpBuilder &c, Value row, ValueRange best) -> SmallVector<Value> {
        ScalarBuilder t{c, c.getLoc()};
        Value size = t.make<math::AbsFOp>({tensor::ExtractOp::create(c, state[0], ValueRange{batch, row, step})});
        Value take = t.make<arith::AndIOp>({t.lessOrEqual(step, row), t.less(best[1], size)});
        return {t.select(take, row, best[0]), t.select(take, size, best[1])};
      });
  Value row = pivot[0];
  Value matrix = emitSequentialLoop(b, size, state[0], [&](ImplicitLocOpBuilder &c, Value column, ValueRange inner) -> SmallVector<Value> {
                   Value here[] = {batch, step, column}, there[] = {batch, row, column};
                   Value a = tensor::ExtractOp::create(c, inner[0], here), d = tensor::ExtractOp::create(c, inner[0], there);
                   Value first = tensor::InsertOp::create(c, d, inner[0], here);
                   return {tensor::InsertOp::create(c, a, first, there)};
                 }).front();
  Value head = tensor::ExtractOp::create(b, matrix, ValueRange{batch, step, step});
  Value sign = s.select(s.equal(row, step), s.constant(type, 1), s.constant(type, -1));
  Value isZero = s.equal(head, s.constant(type, 0)), divisor = s.select(isZero, s.constant(type, 1), head);
  matrix = emitSequentialLoop(b, size, matrix, [&](ImplicitLocOpBuilder &c, Value below, ValueRange outer) -> SmallVector<Value> {
             ScalarBuilder t{c, c.getLoc()};
             Value factor = t.div(tensor::ExtractOp::create(c, outer[0], ValueRange{batch, below, step}), divisor);
             factor = t.select(t.less(step, below), factor, t.constant(type, 0));
             return emitSequentialLoop(c, size, outer[0], [&](ImplicitLocOpBuilder &d, Value column, ValueRange inner) -> SmallVector<Value> {
               ScalarBuilder u{d, d.getLoc()};
               Value place[] = {batch, below, column};
               Value old = tensor::ExtractOp::create(d, inner[0], place);
               Value above = tensor::ExtractOp::create(d, inner[0], ValueRange{batch, step, column});
               return {tensor::InsertOp::create(d, u.sub(old, u.mul(factor, above)), inner[0], place)};
             });
           }).front();
  return {matrix, s.mul(state[1], s.mul(sign, head))};
}

static LogicalResult lowerDet(Lowering &lowering, onnx::DetOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX()), resultDims = lowering.shapes.getDims(op.getY());
  Type element = lowering.elementType(op.getX()), wide = getProductType(element);
  AffineExpr batches = lowering.constantExpr(1);
  for (AffineExpr dim : dims.drop_back(2))
    batches = lowering.shapes.simplify(batches * dim);
  SmallVector<AffineExpr> matrixDims = {batches, dims[dims.size() - 2], dims.back()};
  Value matrices = lowering.reshape(lowering.get(op.getX()), dims, matrixDims);
  matrices = lowering.map(matrixDims, wide, matrices, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    return createScalarCast(b, b.getLoc(), x[0], false, wide, false);
  });
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value size = lowering.sizeValue(dims.back());
  Value products = emitSequentialLoop(builder, lowering.sizeValue(batches), {matrices, lowering.empty(batches, wide)},
                            [&](ImplicitLocOpBuilder &b, Value batch, ValueRange state) -> SmallVector<Value> {
                              Value one = ScalarBuilder{b, b.getLoc()}.constant(wide, 1);
                              SmallVector<Value> done = emitSequentialLoop(
                                  b, size, {state[0], one}, [&](ImplicitLocOpBuilder &c, Value step, ValueRange inner) {
                                    return emitElimination(c, batch, step, size, inner);
                                  });
                              return {done[0], tensor::InsertOp::create(b, done[1], state[1], batch)};
                            })[1];
  Value result = lowering.map(batches, element, products, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    return createScalarCast(b, b.getLoc(), x[0], false, element, false);
  });
  lowering.set(op.getY(), lowering.reshape(result, batches, resultDims));
  return success();
}

void lathe::addMatrixProductLowerings(LoweringTable &table) {
  table.add<onnx::MatMulOp, lowerMatMul>();
  table.add<onnx::GemmOp, lowerGemm>();
  table.add<onnx::DetOp, lowerDet>();
}
