//===- Sequences.h - Sequences and optionals known at compile time --------===//
#ifndef PASSES_IMPORT_SEQUENCES_H
#define PASSES_IMPORT_SEQUENCES_H

#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"

namespace lathe {

/// Whether values of the type are sequences or optionals.
bool isContainer(mlir::Type type);

/// The tensors of a sequence that SequenceConstruct or SequenceEmpty makes; nullopt of others.
std::optional<llvm::SmallVector<mlir::Value>> getSequence(mlir::Value sequence);

/// Writes ops on sequences and optionals of known elements by SequenceConstruct and Optional, or by
/// their elements. Asks `shapes` for positions and sizes. Returns whether it changed anything,
/// after which `shapes` no longer holds.
bool resolveSequences(mlir::Block &block, const SymbolicShapes &shapes);

/// Gives the function a result for each element of a sequence that it returns, `name_0` and so on,
/// and removes what made sequences. Fails after an error for each op whose sequence is only known
/// at run time.
llvm::LogicalResult removeSequences(mlir::func::FuncOp function);

} // namespace lathe

#endif // PASSES_IMPORT_SEQUENCES_H
