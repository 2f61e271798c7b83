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
  }];
  let methods = [InterfaceMethod<
    "Where dimension `dim` of operand `operand` appears in result `result`.",
    "::lathe::DimFlow", "getDimFlow", (ins "unsigned":$operand, "unsigned":$dim, "unsigned":$result)>];
}

#endif // DIALECTS_INTERFACES_DIMFLOW_TD
