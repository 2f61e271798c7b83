//===- QuantOps.cpp - Operators of ONNX's Quant family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/QuantOps.cpp.inc"

void ONNXDialect::registerQuantOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/QuantOps.cpp.inc"
      >();
  attachQuantShapes(getContext());
}
