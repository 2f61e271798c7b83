//===- RNNOps.cpp - Operators of ONNX's RNN family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/RNNOps.cpp.inc"

void ONNXDialect::registerRNNOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/RNNOps.cpp.inc"
      >();
  attachRNNShapes(getContext());
}
