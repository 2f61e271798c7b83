//===- OpSchemas.h - The operators the onnx dialect has -------------------===//
#ifndef LIB_FRONTEND_OPSCHEMAS_H
#define LIB_FRONTEND_OPSCHEMAS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace lathe {

/// An attribute of an operator; `kind` is the name of the AttributeProto type, e.g. "INTS".
struct AttributeSchema {
  llvm::StringRef name, kind;
};

/// An operator of domain "" in the form that the onnx dialect has. Operands and results are strings
/// with one letter for each: `s` single and required, `o` optional, `v` variadic and last.
struct OpSchema {
  llvm::StringRef name;
  int64_t since; ///< the opset that brought this form
  llvm::StringRef operands, results;
  llvm::SmallVector<AttributeSchema> attributes;

  const AttributeSchema *findAttribute(llvm::StringRef attribute) const;
  /// The smallest number of operands or results that satisfies `kinds`, and the largest.
  static unsigned getMinCount(llvm::StringRef kinds);
  static unsigned getMaxCount(llvm::StringRef kinds);
};

/// All operators, sorted by name.
llvm::ArrayRef<OpSchema> getOpSchemas();

/// The operator's schema; null if the onnx dialect does not have it. Older names that the opset
/// translation rewrites (Upsample, Scatter) and Constant are not in the table.
const OpSchema *findOpSchema(llvm::StringRef name);

} // namespace lathe

#endif // LIB_FRONTEND_OPSCHEMAS_H
