//===- SequenceOps.cpp - Operators of ONNX's Sequence family ---===//
#include "dialects/ONNX/IR/ONNXDialect.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/IR/SequenceOps.cpp.inc"

void ONNXDialect::registerSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/SequenceOps.cpp.inc"
      >();
}
