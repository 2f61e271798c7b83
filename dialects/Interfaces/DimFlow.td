//===- DimFlow.td - Where the dimensions of an op's operands go -----------===//
#ifndef DIALECTS_INTERFACES_DIMFLOW_TD
#define DIALECTS_INTERFACES_DIMFLOW_TD

include "mlir/IR/OpBase.td"

def DimFlowOpInterface : OpInterface<"DimFlowOpInterface"> {
  let cppNamespace = "::lathe";
  let description = [{
    For each dimension of each tensor operand: what becomes of it in the results. Channel
    pruning walks it to find what must be removed together, token merging to find how far
    the token dimension reaches, layout assignment to move transposes to the edges.

    Operands and results are counted as in `getOperand` and `getResult`, and are ranked: shapes
    are known. Contractions of two equal partners (MatMul, attention) reduce both; of a
    weight, which belongs to the op alone, the reduced dimensions are None. What the IR does not
    tell (an axis that is no constant) is answered with Mixed. The destination of an `nn` op flows
    as its result does; in memref form it is the result.
  }];
  let methods = [InterfaceMethod<
    "Where dimension `dim` of operand `operand` appears in result `result`.",
    "::lathe::DimFlow", "getDimFlow", (ins "unsigned":$operand, "unsigned":$dim, "unsigned":$result)>];
}

#endif // DIALECTS_INTERFACES_DIMFLOW_TD
