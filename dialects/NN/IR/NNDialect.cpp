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

TuningAttr lathe::nn::getTuning(Operation *op) { return op->getAttrOfType<TuningAttr>(kTuningAttr); }

LogicalResult TuningAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t winograd, int64_t fuse,
                                 int64_t panelWidth, int64_t tileRows, int64_t kernelRows, StringRef share,
                                 int64_t tasks) {
  if (winograd != -1 && winograd != 0 && winograd != 2 && winograd != 4)
    return emitError() << "expected winograd to be 0, 2 or 4, but got " << winograd;
  if (fuse != -1 && fuse != 0 && fuse != 1)
    return emitError() << "expected fuse to be 0 or 1, but got " << fuse;
  for (auto [name, value] : {std::pair<StringRef, int64_t>{"panel_width", panelWidth},
                             {"tile_rows", tileRows},
                             {"kernel_rows", kernelRows},
                             {"tasks", tasks}})
    if (value != -1 && value < 1)
      return emitError() << "expected " << name << " to be positive, but got " << value;
  if (!share.empty() && share != "rows" && share != "columns")
    return emitError() << "expected share to be \"rows\" or \"columns\", but got \"" << share << "\"";
  return success();
}

LogicalResult NNDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kTuningAttr && (!isa<TuningAttr>(attribute.getValue()) || !isa<KernelOpInterface>(op)))
    return op->emitOpError("expected '") << kTuningAttr << "' to be a tuning of an op of this dialect, but got "
                                         << attribute.getValue();
  return success();
}
