//===- ElementTypes.h - Element types of operators' results ---------------===//
#ifndef LIB_FRONTEND_ELEMENTTYPES_H
#define LIB_FRONTEND_ELEMENTTYPES_H

#include "lib/Frontend/OnnxProto.h"
#include "mlir/IR/BuiltinTypes.h"

namespace lathe {

/// The element type that the ONNX specification gives result `index` of a node in the form of the
/// newest opset. `operands` are the operands' element types, null for absent ones. Null if the
/// attributes name a type that is not supported or if an operand that tells the type is missing.
/// Ops with subgraphs are not asked.
mlir::Type getResultElementType(const ::onnx::NodeProto &node, unsigned index,
                                llvm::ArrayRef<mlir::Type> operands, mlir::MLIRContext *context);

} // namespace lathe

#endif // LIB_FRONTEND_ELEMENTTYPES_H
