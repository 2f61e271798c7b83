//===- NNPrecision.h - How exactly contractions are computed --------------===//
#ifndef DIALECTS_NN_IR_NNPRECISION_H
#define DIALECTS_NN_IR_NNPRECISION_H

#include "mlir/IR/Operation.h"

namespace lathe::nn {

/// Unit attribute of a contraction of f32: its kernel may round the operands to tf32, which has the range of f32 and 10
/// bits of mantissa, where that is faster. Sums stay f32.
inline constexpr llvm::StringLiteral kTF32Attr = "nn.tf32";

/// Unit attribute of an nn.attention of f32: its query, key and value may be rounded to bf16, too.
inline constexpr llvm::StringLiteral kBF16Attr = "nn.bf16";

/// Steps of a reduction of f16 whose products kernels for CPUs add up in f16 before they add the sum to one of f32.
inline constexpr int64_t kHalfBlock = 16;

inline bool allowsTF32(mlir::Operation *op) { return op->hasAttr(kTF32Attr); }
inline bool allowsBF16(mlir::Operation *op) { return op->hasAttr(kBF16Attr); }

} // namespace lathe::nn

#endif // DIALECTS_NN_IR_NNPRECISION_H
