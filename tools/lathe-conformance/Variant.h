//===- Variant.h - Models of cases, changed -------------------------------===//
#ifndef TOOLS_LATHE_CONFORMANCE_VARIANT_H
#define TOOLS_LATHE_CONFORMANCE_VARIANT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace lathe {

/// What is different from a case's own model: bits of a set, by position. The outputs have to be the same.
enum class Variant {
  kDynamic,    ///< sizes of inputs above 1 are symbols, one for each size, and those of outputs are not declared
  kConstant,   ///< inputs are initialisers, so that everything folds
  kUndeclared, ///< no shape is declared but those of inputs: sizes that depend on data are known at run time only
  kParameters, ///< the same of all inputs but the first, as weights are
};

/// Names of sizes begin with this: "size_4" is 4 in the case's data.
inline constexpr char kSizePrefix[] = "size_";

/// Writes a variant of `model.onnx` of a folder to `to`; values of inputs come from the folder's first set of data.
/// Inputs that are sequences or optionals stay as they are.
llvm::Error writeVariant(llvm::StringRef folder, unsigned variants, llvm::StringRef to);

} // namespace lathe

#endif // TOOLS_LATHE_CONFORMANCE_VARIANT_H
