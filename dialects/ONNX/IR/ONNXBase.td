//===- ONNXBase.td - The onnx dialect and the base of its ops -------------===//
#ifndef DIALECTS_ONNX_IR_ONNXBASE_TD
#define DIALECTS_ONNX_IR_ONNXBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::lathe::onnx";
  let summary = "What an ONNX model says, in the form of the newest opset";
  let description = [{
    One op for each ONNX operator, named as ONNX names it. The importer translates
    older opsets on the way in, so no pass asks for a version. Optional inputs that a
    node leaves out are absent operands. Unsigned elements are `ui8`..`ui64`, signed ones
    signless. Inputs and outputs of a model are arguments and results of `func.func`, with
    `onnx.name` and, where a dimension is symbolic, `onnx.dims = ["batch", "", ...]` on them.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    // One for each family, in its own file, which bounds the cost of compiling them.
    void registerMathOps();
    void registerNNOps();
    void registerTensorOps();
    void registerReduceOps();
    void registerLogicOps();
    void registerQuantOps();
    void registerRNNOps();
    void registerControlOps();
    void registerSequenceOps();
  }];
}

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_AnyTensor : TensorOf<[AnyType]>;

#endif // DIALECTS_ONNX_IR_ONNXBASE_TD
