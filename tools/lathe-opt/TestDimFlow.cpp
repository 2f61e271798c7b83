//===- TestDimFlow.cpp - Shows what DimFlowOpInterface answers ------------===//
#include "dialects/Interfaces/DimFlow.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace lathe;

namespace {

/// Emits one remark for each pair of operand and result of an op: what becomes of each dimension,
/// outermost first.
struct TestDimFlow : PassWrapper<TestDimFlow, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestDimFlow)

  StringRef getArgument() const final { return "test-dim-flow"; }
  StringRef getDescription() const final { return "show where dimensions flow, as remarks"; }

  void runOnOperation() final {
    getOperation()->walk([](DimFlowOpInterface op) {
      for (OpOperand &operand : op->getOpOperands()) {
        auto type = dyn_cast<ShapedType>(operand.get().getType());
        if (!type || !type.hasRank() || type.getRank() == 0)
          continue;
        for (unsigned result = 0, e = std::max(1u, op->getNumResults()); result < e; ++result)
          show(op, operand.getOperandNumber(), type.getRank(), result);
      }
    });
  }

  static void show(DimFlowOpInterface op, unsigned operand, unsigned rank, unsigned result) {
    InFlightDiagnostic remark = op->emitRemark()
                                << "operand " << operand << " to result " << result << ":";
    for (unsigned dim = 0; dim < rank; ++dim) {
      DimFlow flow = op.getDimFlow(operand, dim, result);
      remark << " " << stringifyDimFlowKind(flow.kind);
      if (flow.kind != DimFlow::Kind::None && flow.kind != DimFlow::Kind::Reduced)
        remark << "(" << flow.dim << ")";
    }
  }
};

} // namespace

namespace lathe {
void registerTestDimFlow() { PassRegistration<TestDimFlow>(); }
} // namespace lathe
