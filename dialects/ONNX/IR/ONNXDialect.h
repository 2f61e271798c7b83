//===- ONNXDialect.h - The onnx dialect -----------------------------------===//
#ifndef DIALECTS_ONNX_IR_ONNXDIALECT_H
#define DIALECTS_ONNX_IR_ONNXDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/ONNX/IR/ONNXDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/ONNX/IR/ONNXTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ONNXOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/MathOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/NNOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/TensorOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ReduceOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/LogicOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/QuantOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/RNNOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ControlOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/SequenceOps.h.inc"

#endif // DIALECTS_ONNX_IR_ONNXDIALECT_H
