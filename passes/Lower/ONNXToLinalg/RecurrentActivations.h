//===- RecurrentActivations.h - Activations of GRU, LSTM and RNN ----------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_RECURRENTACTIVATIONS_H
#define PASSES_LOWER_ONNXTOLINALG_RECURRENTACTIVATIONS_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// A function of ONNX by name, with its parameters.
struct RecurrentActivation {
  llvm::StringRef name;
  double alpha = 0, beta = 0;
};

/// The activations of all directions that the attributes of a recurrent op say; `defaults` are those
/// of one direction. Fails after an error.
llvm::FailureOr<llvm::SmallVector<RecurrentActivation>> readActivations(mlir::Operation *op, int64_t directions,
                                                                        llvm::ArrayRef<llvm::StringRef> defaults);

/// The activation of a float.
mlir::Value emitActivation(mlir::ImplicitLocOpBuilder &b, const RecurrentActivation &activation, mlir::Value value);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_RECURRENTACTIVATIONS_H
