//===- LogicOps.cpp - Operators of ONNX's Logic family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/LogicOps.cpp.inc"

void ONNXDialect::registerLogicOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/LogicOps.cpp.inc"
      >();
  attachLogicShapes(getContext());
}
