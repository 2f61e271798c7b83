//===- QuantizedConstants.h - Constants of quantized types as storage -----===//
#ifndef PASSES_LOWER_QUANTIZEDCONSTANTS_H
#define PASSES_LOWER_QUANTIZEDCONSTANTS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe {

/// Scales and zero points of a type with one for each slice or block, in the order of the blocks.
struct QuantizationParameters {
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int64_t> zeroPoints;

  bool isSymmetric() const;
};
QuantizationParameters readParameters(mlir::quant::QuantizedType type);

/// The constant behind a `quant.scast`; null where there is none.
mlir::ElementsAttr getStoredConstant(mlir::Value quantized);

/// The elements of a constant of at most 8 bits, a byte for each, signed; nullopt where they are not there.
std::optional<llvm::SmallVector<int8_t>> readElements(mlir::ElementsAttr constant);

/// A constant of these elements, a resource where `like` is one.
template <typename T>
mlir::ElementsAttr makeConstant(mlir::ElementsAttr like, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values,
                                llvm::StringRef name);

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDCONSTANTS_H
