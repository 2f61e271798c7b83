//===- ONNXDialect.cpp - The onnx dialect and its constants ---------------===//
#include "dialects/ONNX/IR/DimFlowHelpers.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe::onnx;

#include "dialects/ONNX/IR/ONNXDialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/IR/ONNXOps.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/ONNX/IR/ONNXTypes.cpp.inc"

void ONNXDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/ONNX/IR/ONNXTypes.cpp.inc"
      >();
}

void ONNXDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/IR/ONNXOps.cpp.inc"
      >();
  registerTypes();
  registerMathOps();
  registerNNOps();
  registerTensorOps();
  registerReduceOps();
  registerLogicOps();
  registerQuantOps();
  registerRNNOps();
  registerControlOps();
  registerSequenceOps();
  attachElementwiseDimFlow(getContext());
  attachContractionDimFlow(getContext());
  attachNNDimFlow(getContext());
  attachTensorDimFlow(getContext());
}

Operation *ONNXDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  ElementsAttr value;
  if (parser.parseAttribute(value) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.getOrAddProperties<Properties>().value = value;
  result.addTypes(value.getType());
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getValue();
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
}
