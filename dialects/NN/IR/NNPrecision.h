//===- NNPrecision.h - How exactly contractions are computed --------------===//
#ifndef DIALECTS_NN_IR_NNPRECISION_H
#define DIALECTS_NN_IR_NNPRECISION_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace lathe::nn {

/// Unit attribute of a contraction of f32: its kernel may round the operands to tf32, which has the range of f32 and 10
/// bits of mantissa, where that is faster. Sums stay f32.
inline constexpr llvm::StringLiteral kTF32Attr = "nn.tf32";

/// Unit attribute of an nn.linear or nn.conv with kTF32Attr: its weight holds numbers of tf32 only.
inline constexpr llvm::StringLiteral kTF32WeightAttr = "nn.tf32_weight";

/// Type attribute of an nn.attention of f32: its query, key and value may be rounded to this type, bf16 or f16, too.
inline constexpr llvm::StringLiteral kNarrowAttr = "nn.narrow";

/// Steps of a reduction of f16 whose products kernels for CPUs add up in f16 before they add the sum to one of f32.
inline constexpr int64_t kHalfBlock = 16;

inline bool allowsTF32(mlir::Operation *op) { return op->hasAttr(kTF32Attr); }
inline bool hasTF32Weight(mlir::Operation *op) { return op->hasAttr(kTF32WeightAttr); }

/// Whether the type is in kNarrowAttr.
inline bool allowsNarrow(mlir::Operation *op, mlir::Type type) {
  auto narrow = op->getAttrOfType<mlir::TypeAttr>(kNarrowAttr);
  return narrow && narrow.getValue() == type;
}

/// Whether the target multiplies bf16, f16 and tf32 on a GPU's tensor cores, and adds the products up in f32.
inline bool hasTensorCores(TargetAttr target) { return target.getBf16Product() == "mma"; }

} // namespace lathe::nn

#endif // DIALECTS_NN_IR_NNPRECISION_H
