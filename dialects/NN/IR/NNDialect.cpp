//===- NNDialect.cpp - The nn dialect -------------------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe::nn;

#include "dialects/NN/IR/NNDialect.cpp.inc"
#include "dialects/NN/IR/NNEnums.cpp.inc"
#include "dialects/NN/IR/NNInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/NN/IR/NNAttrs.cpp.inc"

namespace {
/// Keeps the constants of an epilogue inside it: code generation clones the region and captures nothing.
struct EpilogueFold : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const final { return true; }
};
} // namespace

void NNDialect::initialize() {
  addInterfaces<EpilogueFold>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/NN/IR/NNAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/NN/IR/NNOps.cpp.inc"
      >();
}

TargetAttr lathe::nn::getTarget(Operation *op) {
  MLIRContext *context = op->getContext();
  for (; op; op = op->getParentOp())
    if (auto target = op->getAttrOfType<TargetAttr>(kTargetAttr))
      return target;
  return TargetAttr::get(context, "x86_64-linux-gnu", "x86-64-v4", "+avx512vnni", /*vector_bits=*/512,
                         /*vector_registers=*/32, "avx512vnni", /*l1_bytes=*/32 << 10, /*l2_bytes=*/1 << 20,
                         /*bf16_product=*/"none");
}
