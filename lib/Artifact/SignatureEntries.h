//===- SignatureEntries.h - Entries of a model's signature ----------------===//
#ifndef LIB_ARTIFACT_SIGNATUREENTRIES_H
#define LIB_ARTIFACT_SIGNATUREENTRIES_H

#include "lathe/rt_abi.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/STLExtras.h"

namespace lathe {

// The entries of a module's inputs, outputs and dimensions, as `codegen-signature` leaves them.

inline llvm::StringRef getName(mlir::DictionaryAttr entry) {
  return mlir::cast<mlir::StringAttr>(entry.get("name")).getValue();
}

/// Whether the run tells the sizes of an output.
inline bool dependsOnData(mlir::DictionaryAttr tensor) {
  return llvm::is_contained(mlir::cast<mlir::DenseI64ArrayAttr>(tensor.get("shape")).asArrayRef(), LATHE_SIZE_OF_DATA);
}

} // namespace lathe

#endif // LIB_ARTIFACT_SIGNATUREENTRIES_H
