//===- Tuning.cpp - Measured choices in the place of estimated ones -------===//
#include "passes/Codegen/Common/Tuning.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;

std::optional<int64_t> codegen::takeTuned(Operation *op, StringRef parameter, int64_t value, StringRef obstacle) {
  if (value == -1)
    return std::nullopt;
  if (obstacle.empty())
    return value;
  auto function = op->getParentOfType<FunctionOpInterface>();
  remark::missed(op->getLoc(), remark::RemarkOpts::name("Tuning").category("tuning").function(
                                   function ? function.getName() : StringRef()))
      << remark::reason("{0} = {1} cannot be had: {2}", parameter, value, obstacle);
  return std::nullopt;
}

int64_t codegen::choosePanelWidth(Operation *op, int64_t columns, int64_t mostVectors) {
  int64_t lanes = nn::getTarget(op).getVectorBits() / 32, wide = 2 * lanes;
  if (nn::TuningAttr tuning = nn::getTuning(op)) {
    int64_t width = tuning.getPanelWidth();
    StringRef obstacle = width % lanes != 0            ? "a panel has whole vectors of columns"
                         : width > mostVectors * lanes ? "so many columns leave no registers for rows"
                                                       : "";
    if (std::optional<int64_t> tuned = takeTuned(op, "panel_width", width, obstacle))
      return *tuned;
  }
  int64_t narrowWork = llvm::alignTo(columns, lanes), wideWork = llvm::alignTo(columns, wide);
  return 10 * wideWork > 11 * narrowWork ? lanes : wide;
}
