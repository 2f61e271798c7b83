//===- NNVerify.cpp - What verifiers of nn ops share ----------------------===//
#include "dialects/NN/IR/NNVerify.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::nn;

void nn::getKernelEffects(Operation *op, Value destination, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (operand.get() != destination)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

Type nn::expressedType(Type type) {
  if (auto quantized = dyn_cast<quant::QuantizedType>(type))
    return quantized.getExpressedType();
  return type;
}

LogicalResult nn::verifyEpilogueRegion(Operation *op, Region &epilogue, OperandRange extras, Type element) {
  if (epilogue.empty()) {
    if (!extras.empty())
      return op->emitOpError("has extras but no epilogue that reads them");
    return success();
  }
  Block &body = epilogue.front();
  if (body.getNumArguments() != extras.size() + 1)
    return op->emitOpError("expected an epilogue of ")
           << extras.size() + 1 << " arguments, but got " << body.getNumArguments();
  for (auto [argument, extra] : llvm::zip(body.getArguments().drop_front(), extras)) {
    Type extraElement = expressedType(cast<ShapedType>(extra.getType()).getElementType());
    if (argument.getType() != extraElement)
      return op->emitOpError("expected an epilogue argument of type ")
             << extraElement << ", but got " << argument.getType();
  }
  auto yield = dyn_cast_or_null<YieldOp>(body.empty() ? nullptr : &body.back());
  if (!yield)
    return op->emitOpError("expected the epilogue to end with nn.yield");
  if (yield.getValue().getType() != element)
    return op->emitOpError("expected the epilogue to yield ") << element << ", but got " << yield.getValue().getType();
  return success();
}
