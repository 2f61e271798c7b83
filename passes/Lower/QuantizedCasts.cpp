//===- QuantizedCasts.cpp - Casts to and from quantized types -------------===//
#include "passes/Lower/QuantizedCasts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Lower/QuantizedScalars.h"

using namespace mlir;
using namespace lathe;

/// An elementwise linalg.generic from one tensor to another element type.
static Value createMap(OpBuilder &builder, Location loc, Value input, Type element,
                       function_ref<Value(OpBuilder &, Location, Value)> body) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, input);
  Value init = tensor::EmptyOp::create(builder, loc, sizes, element);
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  auto generic =
      linalg::GenericOp::create(builder, loc, TypeRange{init.getType()}, ValueRange{input}, ValueRange{init}, maps,
                                iterators, [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
                                  linalg::YieldOp::create(nested, nestedLoc, body(nested, nestedLoc, arguments[0]));
                                });
  return generic.getResult(0);
}

/// Stores bytes that nobody else reads in `wide` where they are computed; false where they are not narrowed there.
static bool storeWide(Value bytes, Type wide) {
  auto producer = bytes.getDefiningOp<linalg::GenericOp>();
  if (!producer || !bytes.hasOneUse() || producer->getNumResults() != 1 ||
      !producer.getBody()->getArguments().back().use_empty())
    return false;
  Operation *yield = producer.getBody()->getTerminator();
  auto narrowed = yield->getOperand(0).getDefiningOp<arith::TruncIOp>();
  auto init = producer.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
  if (!init || !narrowed || !narrowed->hasOneUse() ||
      !bitEnumContainsAll(narrowed.getOverflowFlags(), arith::IntegerOverflowFlags::nuw) ||
      narrowed.getIn().getType().getIntOrFloatBitWidth() <= wide.getIntOrFloatBitWidth())
    return false;
  OpBuilder builder(producer);
  auto type = cast<RankedTensorType>(bytes.getType()).clone(wide);
  Value empty = tensor::EmptyOp::create(builder, producer.getLoc(),
                                        tensor::getMixedSizes(builder, producer.getLoc(), init), wide);
  producer.getDpsInitsMutable()[0].set(empty);
  producer.getBody()->getArguments().back().setType(wide);
  builder.setInsertionPoint(yield);
  auto fits = arith::IntegerOverflowFlags::nuw | arith::IntegerOverflowFlags::nsw;
  yield->setOperand(0, arith::TruncIOp::create(builder, narrowed.getLoc(), wide, narrowed.getIn(), fits));
  narrowed.erase();
  bytes.setType(type);
  return true;
}

void lathe::lowerStoredCast(quant::StorageCastOp op) {
  OpBuilder builder(op);
  Type from = getElementTypeOrSelf(op.getInput()), to = getElementTypeOrSelf(op.getType());
  if (from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth() && storeWide(op.getInput(), to)) {
    op.replaceAllUsesWith(op.getInput());
    op.erase();
    return;
  }
  Value cast =
      createMap(builder, op.getLoc(), op.getInput(), to, [&](OpBuilder &b, Location loc, Value value) -> Value {
        if (from != to)
          return from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth()
                     ? arith::ExtUIOp::create(b, loc, to, value).getResult()
                     : arith::TruncIOp::create(b, loc, to, value).getResult();
        return arith::XOrIOp::create(b, loc, value, arith::ConstantIntOp::create(b, loc, to, -128));
      });
  op.replaceAllUsesWith(cast);
  op.erase();
}

void lathe::lowerCast(Operation *op, quant::UniformQuantizedType type) {
  OpBuilder builder(op);
  Value lowered;
  if (isa<quant::QuantizeCastOp>(op))
    lowered = createMap(builder, op->getLoc(), op->getOperand(0), type.getStorageType(),
                        [&](OpBuilder &b, Location loc, Value value) {
                          return createQuantize(b, loc, value, type, createQuantizeScalars(b, loc, type), isWide(type));
                        });
  else
    lowered = createMap(builder, op->getLoc(), op->getOperand(0), builder.getF32Type(),
                        [&](OpBuilder &b, Location loc, Value value) {
                          return createDequantize(b, loc, value, type, createDequantizeScalars(b, loc, type));
                        });
  op->getResult(0).replaceAllUsesWith(lowered);
  op->erase();
}
