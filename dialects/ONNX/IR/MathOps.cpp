//===- MathOps.cpp - Operators of ONNX's Math family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/MathOps.cpp.inc"

void ONNXDialect::registerMathOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/MathOps.cpp.inc"
      >();
  attachMathShapes(getContext());
}
