//===- Instructions.cpp - What kernels ask of the target's family ---------===//
#include "passes/Codegen/Common/Instructions.h"
#include "lib/Target/TargetFamily.h"

using namespace lathe;

bool codegen::multipliesByLane(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family && family->multipliesByLane(target);
}

const DotProduct &codegen::getDotProduct(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getDotProduct(target) : getPortableDotProduct();
}

const DotProduct *codegen::getBf16DotProduct(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? family->getBf16DotProduct(target) : nullptr;
}

int64_t codegen::maxTileRows(nn::TargetAttr target, int64_t vectors) {
  int64_t registers = target.getVectorRegisters();
  // Beside the accumulators and the columns, each row keeps its operand through as many steps as that has lanes.
  if (multipliesByLane(target))
    return std::max<int64_t>((registers - 2 - vectors) / (vectors + 1), 1);
  return std::max<int64_t>((registers - 4) / vectors, 1);
}
