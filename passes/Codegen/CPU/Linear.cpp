//===- Linear.cpp - nn.linear as register tiles ---------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

bool cpu::addsUpInDestination(nn::LinearOp op) {
  return splitsReduction(op.getInput(), op.getWeight(), op.getInit(), nn::getTarget(op));
}

LogicalResult cpu::emitLinear(nn::LinearOp op) {
  KernelBuilder k(op);
  Value input = op.getInput(), out = op.getInit();
  if (!hasUnitInnermostStride(out))
    return op.emitOpError("expected a destination with contiguous rows, but got ") << out.getType();
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), out);
  // One long matrix rather than many: tiles run over the seams.
  int64_t rank = cast<MemRefType>(input.getType()).getRank();
  if (rank > 2)
    if (Value rows = k.collapse(input, 0, rank - 2))
      if (epilogue.collapse(0, rank - 2))
        input = rows;
  return emitMatrixProduct(k, op, input, op.getWeight(), epilogue,
                           {op.getScales(), op.getOffsets(), int64_t(op.getBits())});
}
