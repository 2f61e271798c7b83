//===- ShapeInference.td - Shapes of results from shapes of operands ------===//
#ifndef DIALECTS_INTERFACES_SHAPEINFERENCE_TD
#define DIALECTS_INTERFACES_SHAPEINFERENCE_TD

include "mlir/IR/OpBase.td"

def ShapeInferenceOpInterface : OpInterface<"ShapeInferenceOpInterface"> {
  let cppNamespace = "::lathe";
  let description = [{
    How an op's result shapes follow from its operands, in symbolic dimensions: see
    `SymbolicShapes`. An op whose result is a small integer tensor also gives its elements,
    so that shape arithmetic (Shape, Gather, Concat, Reshape) resolves at compile time.
  }];
  let methods = [InterfaceMethod<[{
      Records the dimensions of the arguments of the op's bodies, before those are computed and `inferShapes` is asked.
      Fails after an error emitted on the op.
    }], "::llvm::LogicalResult", "inferBodies", (ins "::lathe::SymbolicShapes &":$shapes),
    /*methodBody=*/"", /*defaultImplementation=*/"return ::llvm::success();">, InterfaceMethod<[{
      Records dimensions (and element type) of every result in `shapes`, and the elements of
      small integer results. Fails after an error emitted on the op: operands that contradict
      each other, or a size that is known only at run time.
    }], "::llvm::LogicalResult", "inferShapes", (ins "::lathe::SymbolicShapes &":$shapes)>];
}

#endif // DIALECTS_INTERFACES_SHAPEINFERENCE_TD
