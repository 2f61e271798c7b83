//===- ControlOps.cpp - Operators of ONNX's Control family ---===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ControlOps.cpp.inc"

void ONNXDialect::registerControlOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/ControlOps.cpp.inc"
      >();
  attachControlShapes(getContext());
}
