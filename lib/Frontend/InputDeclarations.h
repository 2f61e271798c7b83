//===- InputDeclarations.h - What a caller says of a model's inputs -------===//
#ifndef LIB_FRONTEND_INPUTDECLARATIONS_H
#define LIB_FRONTEND_INPUTDECLARATIONS_H

#include "lib/Frontend/Tensors.h"

namespace lathe {

/// Gives a tensor the shape that the caller says, of numbers and names of symbolic dimensions. An
/// error if the model declares another one.
llvm::Error declareShape(DeclaredType &type, llvm::ArrayRef<std::string> shape);

/// The value of a tensor of rank 0 or 1 that is declared to have these elements: numbers, "true" or
/// "false". Errors for other ranks, another number of elements, and what its type cannot hold.
llvm::Expected<mlir::ElementsAttr> makeConstant(const DeclaredType &type, llvm::ArrayRef<std::string> elements);

} // namespace lathe

#endif // LIB_FRONTEND_INPUTDECLARATIONS_H
