//===- ReduceOps.cpp - Operators of ONNX's Reduce family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ReduceOps.cpp.inc"

void ONNXDialect::registerReduceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/ReduceOps.cpp.inc"
      >();
  attachReduceShapes(getContext());
}
