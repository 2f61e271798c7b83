//===- Choice.h - If ops that only choose among values ----------*- C++ -*-===//
#ifndef DIALECTS_ONNX_IR_CHOICE_H
#define DIALECTS_ONNX_IR_CHOICE_H

#include "dialects/ONNX/IR/ONNXDialect.h"

namespace lathe::onnx {

/// Whether the branches of an If only choose among values that are computed before it: what becomes of one at import
/// whose condition only a run knows.
bool isChoice(IfOp op);
/// What the branches of a choice have for a result, the one where the condition holds first.
std::pair<mlir::Value, mlir::Value> getChoice(IfOp op, unsigned result);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_CHOICE_H
