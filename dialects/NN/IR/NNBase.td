//===- NNBase.td - The nn dialect and the base of its ops -----------------===//
#ifndef DIALECTS_NN_IR_NNBASE_TD
#define DIALECTS_NN_IR_NNBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Interfaces/ShapeInference.td"
include "dialects/Interfaces/DimFlow.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::lathe::nn";
  let summary = "What the compiler knows about a network";
  let description = [{
    Only what ONNX cannot say: channels-last convolutions, matrix products and attention whose
    elementwise neighbours have moved into an epilogue.

    Each op but `nn.yield` has two forms. On tensors it is pure; before bufferisation it gets
    an `outs` operand, the destination. On memrefs it has no result and writes `outs`.

    The epilogue is a region on scalars: its arguments are the accumulator and one element of
    each operand in `extras`, which broadcast to the result as in NumPy (a bias is `tensor<N>`);
    it yields the result's element. An empty region stores the accumulator as it is.

    Element types: the accumulator of f32, bf16 or f16 operands is f32; an epilogue may extend extras of bf16 or f16
    and round its result to them, and an `nn.norm` or `nn.attention` has any of the types in memory. Quantized operands have
    `!quant.uniform` types and an epilogue over the expressed f32 values; the `lower` phase
    rewrites them to storage: weight `i8` that is signed, accumulator `i32`, and the input as the target multiplies it: `i8`
    that is unsigned, `i8` that is signed and less 128, or the unsigned bytes in `i16`. Scales, zero points and
    requantization are spelled out in the epilogue.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

def NN_TargetAttr : AttrDef<NN_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "What code generation needs to know of the machine: attribute `nn.target` of the module";
  let description = [{
    `vector_bits` and `vector_registers` bound register tiles; `dot_product` names the widest 8-bit dot product, "none" where
    bytes are widened: on x86-64 "avx2" (vpmaddwd on widened pairs) or "avx512vnni" (vpdpbusd), on AArch64 "dotprod" (SDOT) or
    "i8mm" (SMMLA), in WebAssembly "dot_i16x8" (i32x4.dot_i16x8_s). `bf16_product` tells what multiplies pairs of bf16 and adds them
    up in f32, if that is faster than f32 itself: "none", "avx512bf16" (vdpbf16ps), "amx" (tdpbf16ps on tiles of 16x32),
    "bfmmla" (of AArch64) or "mma" (mma.sync of a GPU's tensor cores, for f16 and tf32, too). Cache sizes are in bytes.
  }];
  let parameters = (ins StringRefParameter<>:$triple, StringRefParameter<>:$cpu, StringRefParameter<>:$features,
                        "unsigned":$vector_bits, "unsigned":$vector_registers, StringRefParameter<>:$dot_product,
                        "int64_t":$l1_bytes, "int64_t":$l2_bytes,
                        StringRefParameter<"", "\"none\"">:$bf16_product);
  let assemblyFormat = "`<` struct(params) `>`";
}

def NN_TuningAttr : AttrDef<NN_Dialect, "Tuning"> {
  let mnemonic = "tuning";
  let summary = "What is to be chosen for an op where a cost model would else choose: its attribute `nn.tuning`";
  let description = [{
    Set by `lower-apply-tuning` from a file of measurements, read by the passes that choose. Each parameter may be left out,
    and the cost model then decides; one that the op or the target cannot have is ignored, and a remark says why.

    - `winograd`: output pixels of a side of a tile of Winograd's algorithm, 2 or 4; 0 for the direct convolution
    - `fuse`: 1 if a depthwise convolution is computed together with the 1x1 convolution that expands its input, 0 if not
    - `panel_width`: columns of a panel of the packed weight
    - `tile_rows`: rows of a register tile
    - `kernel_rows`: rows of a convolution's kernel in one pass over the image
    - `share`: what a task has of the product, "rows" (some of them, all columns) or "columns" (some of them, as many rows
      as the tasks allow)
    - `tasks`: how many of them there are to be
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "-1">:$winograd, DefaultValuedParameter<"int64_t", "-1">:$fuse,
                        DefaultValuedParameter<"int64_t", "-1">:$panel_width,
                        DefaultValuedParameter<"int64_t", "-1">:$tile_rows,
                        DefaultValuedParameter<"int64_t", "-1">:$kernel_rows,
                        StringRefParameter<"", "\"\"">:$share, DefaultValuedParameter<"int64_t", "-1">:$tasks);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def NN_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

/// Shared by codegen and bufferisation: where the result goes.
def NN_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::lathe::nn";
  let description = "An op that computes one tensor, in tensor form or in memref form.";
  let methods = [
    InterfaceMethod<"The destination; null before it was attached.", "::mlir::Value", "getDestination", (ins),
      [{}], [{ return $_op.getInit(); }]>,
    InterfaceMethod<"Attaches the destination to a tensor op.", "void", "setDestination", (ins "::mlir::Value":$destination),
      [{}], [{ $_op.getInitMutable().assign(destination); }]>,
    InterfaceMethod<"Multiply-adds of one run, or -1 if a dimension is dynamic.", "int64_t", "getMacs", (ins)>];
}

class NN_Op<string mnemonic, list<Trait> traits = []> : Op<NN_Dialect, mnemonic, traits>;

class NN_KernelOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat(traits, [
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<NN_KernelOpInterface, ["getMacs"]>,
        DeclareOpInterfaceMethods<ShapeInferenceOpInterface>,
        DeclareOpInterfaceMethods<DimFlowOpInterface>])> {
  let results = (outs Optional<AnyRankedTensor>:$result);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Type of what is computed: the result's, or the destination's in memref form.
    ::mlir::ShapedType getResultShapedType() {
      return ::llvm::cast<::mlir::ShapedType>(getResult() ? getResult().getType() : getInit().getType());
    }
  }];
}

#endif // DIALECTS_NN_IR_NNBASE_TD
