//===- Passes.td - Passes of the import phase ----------------===//
#ifndef PASSES_IMPORT_PASSES_TD
#define PASSES_IMPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

def ImportUnrollControl : Pass<"import-unroll-control", "mlir::func::FuncOp"> {
  let summary = "Inlines branches and unrolls loops whose course is known at compile time";
  let description = [{
    Of an If the branch that is taken is left. Where the condition is only known at run time, the If
    stays: constants that its branches use are copied into them, and other values from outside become
    arguments of both. Branches of at most eight elementwise ops and views in all are computed both, and
    Where chooses, or an If that only yields between unlike sizes. Loop and Scan become their iterations
    one after the other, and Concat for what they collect: of a Loop the trip count must be known, or what
    the model declares that it collects. A Loop of which it is not, or of more than 1,024 ops in all whose
    carried values keep their shapes, stays; constants that its body uses are copied into it, and
    other values from outside become carried ones. Shapes are inferred as far as they are needed.
    Run it before `import-infer-shapes`.

    Sequences and optionals go, too: what is taken out of one takes the op's place, SequenceMap
    becomes its body for each element, and a sequence that the function returns is a result for
    each element, `name_0` and so on. Where that is not known at compile time, it is an error.

        %y = "onnx.If"(%condition) ({ ... onnx.Yield %a }, { ... onnx.Yield %b })

    becomes

        %y = "onnx.Where"(%condition, %b, %a)
  }];
  let options = [Option<"computeBoth", "compute-both", "bool", /*default=*/"false",
                        "Compute both branches of every If without loops: for machines that cannot decide in a run">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def ImportInferShapes : Pass<"import-infer-shapes", "mlir::func::FuncOp"> {
  let summary = "Gives every tensor the type that follows from the model's inputs";
  let description = [{
    Runs `SymbolicShapes` and writes what it found into the types of all values and of the
    function's results; `?` stays where a size depends on a symbolic dimension. Small
    tensors whose elements are known become `onnx.Constant`, and ops without uses go, so
    that exporters' shape arithmetic is gone afterwards; that of floats is computed as
    a run would. Every op without a shape is one error, except for those that depend on
    another one.

    Where shapes hold only if two symbolic sizes are equal, or one is at least as large as
    another, what this demands of one dimension becomes its bounds (`onnx.dim_bounds`), and
    the rest `onnx.size_conditions`: a map from the symbolic dimensions to numbers that must
    not be negative, which a run checks.

        func.func @main(%x: tensor<?x3x4xf32> {onnx.dims = ["batch", "", ""]}) -> tensor<*xf32> {
          %shape = "onnx.Shape"(%x) {start = 1 : i64} : (tensor<?x3x4xf32>) -> tensor<*xi64>
          %y = "onnx.Expand"(%x, %shape) : (tensor<?x3x4xf32>, tensor<*xi64>) -> tensor<*xf32>

    becomes

        func.func @main(%x: tensor<?x3x4xf32> {onnx.dims = ["batch", "", ""]}) -> tensor<?x3x4xf32> {
          %shape = onnx.Constant dense<[3, 4]> : tensor<2xi64>
          %y = "onnx.Expand"(%x, %shape) : (tensor<?x3x4xf32>, tensor<2xi64>) -> tensor<?x3x4xf32>
  }];
  let options = [Option<"annotate", "annotate", "bool", /*default=*/"false",
                        "Write the shapes in symbolic dimensions on ops with `?`, as the attribute onnx.shape">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def ImportSpecializeDims : Pass<"import-specialize-dims", "mlir::func::FuncOp"> {
  let summary = "Fixes symbolic dimensions of the model, or bounds them";
  let description = [{
    `batch=1` makes a symbolic dimension a constant in the types of the arguments and drops
    its name; `seq=1..512` bounds it in `onnx.dim_bounds`. A dimension that the model does
    not have is an error. Run it before `import-infer-shapes`. With `dims="batch=1"`

        func.func @main(%x: tensor<?x3xf32> {onnx.dims = ["batch", ""]})

    becomes

        func.func @main(%x: tensor<1x3xf32> {onnx.dims = ["", ""]})
  }];
  let options = [ListOption<"dims", "dims", "std::string", "NAME=SIZE or NAME=LOWER..UPPER">];
}

def ImportResolveOperands : Pass<"import-resolve-operands", "mlir::func::FuncOp"> {
  let summary = "Gives ops whose shapes depend on data the static shapes that the model declares";
  let description = [{
    A Reshape to a target that is only known at run time, a reduction of axes that are an input
    of the model: their results have no shape that could be inferred, but the model may declare
    one, which `import-infer-shapes` takes. Where it is static, the operand adds nothing (Reshape,
    Squeeze, Unsqueeze, Expand, Tile, ConstantOfShape, OneHot, TopK, Split, CenterCropPad, Resize
    by sizes) and a constant takes its place; Slice and Pad become gathers at computed places;
    CumSum, CumProd and reductions are computed for each axis that fits, and the one asked for is taken.
    Run it after `import-infer-shapes`.

        %y = "onnx.Reshape"(%x, %shape) : (tensor<4x2xf32>, tensor<1xi64>) -> tensor<8xf32>

    becomes

        %0 = onnx.Constant dense<8> : tensor<1xi64>
        %y = "onnx.Reshape"(%x, %0) : (tensor<4x2xf32>, tensor<1xi64>) -> tensor<8xf32>
  }];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def ImportDecompose : Pass<"import-decompose", "mlir::func::FuncOp"> {
  let summary = "Writes operators by simpler ones where nothing is lost";
  let description = [{
    Afterwards there is no Identity and no Dropout of inference, no CastLike to types of 8 bits or
    more, no GlobalAveragePool and GlobalMaxPool, no ReduceL1, ReduceSumSquare, and of floats no ReduceL2, ReduceLogSum and
    ReduceLogSumExp; Sum and Mean are Add and Div, Min and Max have two operands.
    BatchNormalization stays unless `batch-norm` is set. Products of quantized tensors are
    integer products between Cast and QuantizeLinear. Of static shapes, Einsum is made of matrix
    products, DFT and STFT are products with constant matrices, windows are constants, and there
    is no Hardmax, GlobalLpPool, AffineGrid, CenterCropPad, BatchNormalization of training and
    Resize with antialias. ConvTranspose of f32 without groups is Conv, Reshape, Transpose and Slice; the batch may be
    dynamic. Run it after `import-infer-shapes`.

        %y = "onnx.GlobalAveragePool"(%x) : (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>

    becomes

        %axes = onnx.Constant dense<[2, 3]> : tensor<2xi64>
        %y = "onnx.ReduceMean"(%x, %axes) <{keepdims = 1}> : ... -> tensor<1x8x1x1xf32>
  }];
  let options = [Option<"batchNorm", "batch-norm", "bool", /*default=*/"false",
                        "Write BatchNormalization as Mul and Add, too">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def ImportSimplify : Pass<"import-simplify", "mlir::func::FuncOp"> {
  let summary = "Removes data movement that undoes itself or does nothing";
  let description = [{
    Transposes of transposes are one, or none; of several Reshape, Flatten, Squeeze and
    Unsqueeze in a row only the last is left; Cast, Reshape, Expand, Slice, Pad, Tile and
    Transpose that change nothing go, as do Concat and Split of one part and Where of a
    constant condition. Run it after `import-infer-shapes`.

        %1 = "onnx.Transpose"(%0) <{perm = array<i64: 0, 2, 1>}> : ...
        %2 = "onnx.Transpose"(%1) <{perm = array<i64: 0, 2, 1>}> : ...

    becomes `%0`.
  }];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def ImportFoldConstants : Pass<"import-fold-constants", "mlir::ModuleOp"> {
  let summary = "Folds what depends on constants only, by running it";
  let description = [{
    Moves pure ops whose operands are all constants into a module with a function
    `@main() -> (results)`, has it compiled and run by the evaluator that the pass was made
    with, and puts constants in the results' places. There is one run for each function, and
    only values that other ops use are results of it. Left alone are results of more than
    64 KiB that are more than four times as large as their operands (an Expand of a scalar),
    random numbers, and DequantizeLinear, which says how its operand is stored. A Reshape of a
    constant only gets another type and needs no evaluator; without one, nothing else is done.
    It works on `onnx` as well as on `linalg` and `tensor`. An `onnx` op whose results have no
    elements becomes constants whatever its operands are.

        %w = onnx.Constant dense_resource<w> : tensor<4x8xf32>
        %t = "onnx.Transpose"(%w) : (tensor<4x8xf32>) -> tensor<8x4xf32>
        %y = "onnx.MatMul"(%x, %t) : ...

    becomes

        %t = onnx.Constant dense_resource<folded> : tensor<8x4xf32>
        %y = "onnx.MatMul"(%x, %t) : ...
  }];
  let options = [Option<"release", "release", "bool", /*default=*/"false",
                        "Free the bytes of constants that the module no longer uses; others must not share them">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::mlir::arith::ArithDialect"];
}

#endif // PASSES_IMPORT_PASSES_TD
