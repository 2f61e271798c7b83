//===- ONNXTypes.td - Types of the onnx dialect that are no tensors -------===//
#ifndef DIALECTS_ONNX_IR_ONNXTYPES_TD
#define DIALECTS_ONNX_IR_ONNXTYPES_TD

include "dialects/ONNX/IR/ONNXBase.td"

class ONNX_Type<string name> : TypeDef<ONNX_Dialect, name> {
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def ONNX_SequenceType : ONNX_Type<"Sequence"> {
  let mnemonic = "sequence";
  let summary = "A list of tensors of one element type";
  let description = [{
    The tensors may have different shapes. `import-unroll-control` finds out which tensors a
    sequence has; nothing after it knows the type.
  }];
}

def ONNX_OptionalType : ONNX_Type<"Optional"> {
  let mnemonic = "optional";
  let summary = "A tensor or sequence that may be absent";
  let description = [{
    `elementType` is that of the tensor, or the type of the sequence. `import-unroll-control`
    finds out whether it is there; nothing after it knows the type.
  }];
}

#endif // DIALECTS_ONNX_IR_ONNXTYPES_TD
