//===- IsolateBodies.h - Bodies that use nothing from around them ---------===//
#ifndef PASSES_IMPORT_ISOLATEBODIES_H
#define PASSES_IMPORT_ISOLATEBODIES_H

#include "dialects/ONNX/IR/ONNXDialect.h"

namespace lathe {

/// What the branches use from around them become arguments of both; constants are copied. Passes that look at the ops
/// of a value then see one block.
void isolateBodies(onnx::IfOp op);

/// The same for a body, whose loop is replaced by one that carries what the body used.
void isolateBody(onnx::LoopOp loop);

} // namespace lathe

#endif // PASSES_IMPORT_ISOLATEBODIES_H
