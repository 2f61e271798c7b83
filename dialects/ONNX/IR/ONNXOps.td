//===- ONNXOps.td - Ops of the onnx dialect that are written by hand ------===//
#ifndef DIALECTS_ONNX_IR_ONNXOPS_TD
#define DIALECTS_ONNX_IR_ONNXOPS_TD

include "dialects/ONNX/IR/ONNXBase.td"

def ONNX_ConstantOp : ONNX_Op<"Constant", [Pure, ConstantLike]> {
  let summary = "A tensor known at compile time: an initialiser or a Constant node";
  let description = [{
    Large values are `dense_resource` attributes that point into the mapped model file;
    small integer ones, which shape arithmetic reads, are `dense`.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs ONNX_AnyTensor:$output);
  let hasCustomAssemblyFormat = 1;
  let hasFolder = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
}

def ONNX_YieldOp : ONNX_Op<"Yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Ends the body of If, Loop, Scan and SequenceMap";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // DIALECTS_ONNX_IR_ONNXOPS_TD
