//===- DataTypes.h - Element types and ONNX's numbers of them -------------===//
#ifndef DIALECTS_ONNX_IR_DATATYPES_H
#define DIALECTS_ONNX_IR_DATATYPES_H

#include "mlir/IR/BuiltinTypes.h"

namespace lathe::onnx {

/// The element type that a number of ONNX's TensorProto.DataType says: signed integers are signless, bool is i1. Null for
/// strings, complex and unknown numbers.
mlir::Type getOnnxElementType(mlir::MLIRContext *context, int64_t dataType);

/// The number of an element type in TensorProto.DataType; 0 if it has none.
int32_t getOnnxDataType(mlir::Type elementType);

/// Whether it is an integer of 2 or 4 bits or a float of at most 8 bits: a type that ONNX converts and moves, but does not
/// compute with.
bool isNarrow(mlir::Type elementType);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_DATATYPES_H
