//===- Tensors.h - Tensors and types of ONNX to attributes and types ------===//
#ifndef LIB_FRONTEND_TENSORS_H
#define LIB_FRONTEND_TENSORS_H

#include "lib/Frontend/ModelFile.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace lathe {

/// Integer constants of at most this many elements are `dense`: shape arithmetic reads them.
inline constexpr int64_t kMaxDenseElements = 1024;
/// The same for floating point, e.g. the scales of Resize.
inline constexpr int64_t kMaxDenseFloats = 16;

/// The name of a TensorProto data type, also of those that libonnx does not know; "type 99" for
/// others.
std::string getDataTypeName(int32_t dataType);

/// The element type: signed integers are signless, bool is i1. An error for strings, complex
/// numbers and what else the onnx dialect does not have.
llvm::Expected<mlir::Type> convertDataType(int32_t dataType, mlir::MLIRContext *context);

/// What a graph says about one of its tensors.
struct DeclaredType {
  mlir::Type elementType;
  bool hasRank = false;
  llvm::SmallVector<int64_t> shape;        ///< kDynamic where the file gives no number
  llvm::SmallVector<std::string> dimNames; ///< names of symbolic dimensions, "" for others

  /// Ranked if the file has a shape.
  mlir::TensorType getType() const;
};

/// Errors for types other than tensors, negative dimensions and element types that are not
/// supported.
llvm::Expected<DeclaredType> convertType(const ::onnx::TypeProto &type, mlir::MLIRContext *context);

/// The type that a graph declares of any value: a tensor, or a sequence or optional of the onnx
/// dialect.
llvm::Expected<mlir::Type> convertValueType(const ::onnx::TypeProto &type,
                                            mlir::MLIRContext *context);

/// The type of a value whose elements are of `elementType`: an unranked tensor. Sequences and
/// optionals are their own.
mlir::Type getUnrankedType(mlir::Type elementType);

/// The value of a tensor: `dense` for few elements, otherwise
/// `dense_resource` that points into the mapped file. Bytes that are not aligned to the element,
/// and data in typed fields, are copied once.
llvm::Expected<mlir::ElementsAttr> convertTensor(const ::onnx::TensorProto &tensor, ModelFile &file,
                                                 mlir::MLIRContext *context);

} // namespace lathe

#endif // LIB_FRONTEND_TENSORS_H
