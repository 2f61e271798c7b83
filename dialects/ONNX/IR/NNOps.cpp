//===- NNOps.cpp - Operators of ONNX's NN family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/NNOps.cpp.inc"

void ONNXDialect::registerNNOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/NNOps.cpp.inc"
      >();
  attachNNShapes(getContext());
}
