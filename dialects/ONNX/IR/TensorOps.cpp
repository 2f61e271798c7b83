//===- TensorOps.cpp - Operators of ONNX's Tensor family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/TensorOps.cpp.inc"

void ONNXDialect::registerTensorOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/TensorOps.cpp.inc"
      >();
  attachTensorShapes(getContext());
  attachRandomShapes(getContext());
}
