//===- NNBufferization.cpp - How nn ops become ops on memrefs -------------===//
#include "passes/Codegen/Common/NNBufferization.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace lathe;

namespace {

template <typename OpT>
struct KernelModel : BufferizableOpInterface::ExternalModel<KernelModel<OpT>, OpT> {
  /// The destination is found by its place: the same tensor may be an input, too.
  static bool isDestination(Operation *op, OpOperand &operand) {
    MutableOperandRange init = cast<OpT>(op).getInitMutable();
    return !init.empty() && init[0].getOperandNumber() == operand.getOperandNumber();
  }

  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !isDestination(op, operand);
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return isDestination(op, operand);
  }

  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    if (isDestination(op, operand))
      return {{op->getResult(0), BufferRelation::Equivalent}};
    return {};
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    if (!cast<OpT>(op).getInit())
      return op->emitOpError("expected a destination before bufferisation");
    SmallVector<Value> operands;
    Value destination;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isa<TensorType>(value.getType())) {
        FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        value = *buffer;
      }
      operands.push_back(value);
      if (isDestination(op, operand))
        destination = value;
    }
    OperationState newOp(op->getLoc(), op->getName(), operands, TypeRange(), op->getAttrs());
    for (Region &region : op->getRegions())
      newOp.addRegion()->takeBody(region);
    rewriter.create(newOp);
    replaceOpWithBufferizedValues(rewriter, op, destination);
    return success();
  }
};

} // namespace

template <typename... OpTs>
static void attachModels(MLIRContext *context) {
  (OpTs::template attachInterface<KernelModel<OpTs>>(*context), ...);
}

void codegen::registerNNBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    attachModels<nn::LinearOp, nn::MatMulOp, nn::ConvOp, nn::PoolOp, nn::AttentionOp, nn::NormOp,
                 nn::SoftmaxOp>(context);
  });
}
