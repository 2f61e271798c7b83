//===- QuantCasts.cpp - quant.qcast and quant.dcast to linalg -------------===//
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/QuantizedScalars.h"

using namespace mlir;
using namespace lathe;

/// What is quantized stays so for its readers: a storage cast, which `lower-quant` removes, stands between.
static LogicalResult lowerQuantize(Lowering &lowering, quant::QuantizeCastOp op) {
  auto type = dyn_cast<quant::UniformQuantizedType>(op.getQuantizedType());
  if (!type || !type.getExpressedType().isF32())
    return op.emitOpError("expected one scale for the tensor and f32 elements, but got ") << op.getResult().getType();
  bool isNarrowed = codegen::getDotProduct(nn::getTarget(op)).getLhsBits() > 8;
  Value stored = lowering.map(lowering.shapes.getDims(op.getInput()), type.getStorageType(),
                              lowering.get(op.getInput()), [&](ImplicitLocOpBuilder &b, ValueRange inputs) {
                                return createQuantize(b, b.getLoc(), inputs[0], type,
                                                      createQuantizeScalars(b, b.getLoc(), type), isNarrowed);
                              });
  lowering.set(op.getResult(), quant::StorageCastOp::create(lowering.builder, op.getResult().getType(), stored));
  return success();
}

static LogicalResult lowerDequantize(Lowering &lowering, quant::DequantizeCastOp op) {
  auto type = dyn_cast<quant::UniformQuantizedType>(op.getQuantizedType());
  if (!type || !type.getExpressedType().isF32())
    return op.emitOpError("expected one scale for the tensor and f32 elements, but got ") << op.getInput().getType();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  Value stored = quant::StorageCastOp::create(lowering.builder, lowering.type(dims, type.getStorageType()),
                                              lowering.get(op.getInput()));
  lowering.set(op.getResult(),
               lowering.map(dims, type.getExpressedType(), stored, [&](ImplicitLocOpBuilder &b, ValueRange inputs) {
                 return createDequantize(b, b.getLoc(), inputs[0], type, createDequantizeScalars(b, b.getLoc(), type));
               }));
  return success();
}

void lathe::addQuantCastLowerings(LoweringTable &table) {
  table.add<quant::QuantizeCastOp, lowerQuantize>();
  table.add<quant::DequantizeCastOp, lowerDequantize>();
}
