//===- Tuning.cpp - Measured choices in the place of estimated ones -------===//
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Codegen/Common/Instructions.h"

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

/// Whether a vector register holds twice as many columns as of f32.
static bool multipliesF16(Operation *op) {
  auto isF16 = [](Value operand) { return getElementTypeOrSelf(operand.getType()).isF16(); };
  return op->getNumOperands() > 1 && isF16(op->getOperand(0)) && isF16(op->getOperand(1));
}

int64_t codegen::choosePanelWidth(Operation *op, int64_t columns, int64_t mostVectors, bool areWhole) {
  int64_t lanes = nn::getTarget(op).getVectorBits() / 32;
  if (nn::TuningAttr tuning = nn::getTuning(op)) {
    int64_t width = tuning.getPanelWidth();
    StringRef obstacle = width % lanes != 0                 ? "a panel has whole vectors of columns"
                         : width > mostVectors * lanes      ? "so many columns leave no registers for rows"
                         : areWhole && columns % width != 0 ? "a group has whole panels"
                                                            : "";
    if (std::optional<int64_t> tuned = takeTuned(op, "panel_width", width, obstacle))
      return *tuned;
  }
  int64_t narrow = multipliesF16(op) ? 2 * lanes : lanes, wide = 2 * narrow;
  int64_t narrowWork = llvm::alignTo(columns, narrow), wideWork = llvm::alignTo(columns, wide);
  return 10 * wideWork > 11 * narrowWork || (areWhole && columns % wide != 0) ? narrow : wide;
}

int64_t codegen::chooseSplitPanelWidth(Operation *op, int64_t columns, int64_t mostVectors) {
  int64_t usual = choosePanelWidth(op, columns, mostVectors), best = usual;
  nn::TargetAttr target = nn::getTarget(op);
  auto isF32 = [](Value operand) { return getElementTypeOrSelf(operand.getType()).isF32(); };
  nn::TuningAttr tuning = nn::getTuning(op);
  if (!splitsVectors(target) || !llvm::all_of(op->getOperands().take_front(2), isF32) ||
      (tuning && tuning.getPanelWidth() != -1))
    return usual;
  // Few rows are bound by memory, which whole vectors read faster.
  constexpr int64_t leastRows = 8;
  auto result = cast<ShapedType>(op->getResult(0).getType());
  if (result.hasStaticShape() && result.getNumElements() < leastRows * result.getShape().back())
    return usual;
  // A tile of one vector is bound by its left operand.
  int64_t half = target.getVectorBits() / 64;
  for (int64_t width : {3 * half, 5 * half})
    if (width <= mostVectors * 2 * half && llvm::alignTo(columns, width) < llvm::alignTo(columns, best))
      best = width;
  return columns <= half ? half : best;
}
