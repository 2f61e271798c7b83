//===- NNBufferization.cpp - How nn ops become ops on memrefs -------------===//
#include "passes/Codegen/Common/NNBufferization.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace lathe;

/// Numbers of the operands that the results are written to, in order.
template <typename OpT>
static SmallVector<unsigned> getDestinations(OpT op) {
  SmallVector<unsigned> numbers;
  for (OpOperand &operand : op.getInitMutable())
    numbers.push_back(operand.getOperandNumber());
  if constexpr (std::is_same_v<OpT, nn::TokenMergeOp> || std::is_same_v<OpT, nn::TokenPruneOp>)
    for (OpOperand &operand : op.getSizesInitMutable())
      numbers.push_back(operand.getOperandNumber());
  return numbers;
}

namespace {

template <typename OpT>
struct KernelModel : BufferizableOpInterface::ExternalModel<KernelModel<OpT>, OpT> {
  /// The result that `operand` is the destination of, or nullopt. It is found by its place: the same tensor may be an
  /// input, too.
  static std::optional<unsigned> getDestined(Operation *op, OpOperand &operand) {
    for (auto [index, number] : llvm::enumerate(getDestinations(cast<OpT>(op))))
      if (number == operand.getOperandNumber())
        return index;
    return std::nullopt;
  }

  static bool isDestination(Operation *op, OpOperand &operand) { return getDestined(op, operand).has_value(); }

  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !isDestination(op, operand);
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return isDestination(op, operand);
  }

  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    if (std::optional<unsigned> index = getDestined(op, operand))
      return {{op->getResult(*index), BufferRelation::Equivalent}};
    return {};
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    if (!cast<OpT>(op).getInit())
      return op->emitOpError("expected a destination before bufferisation");
    SmallVector<Value> operands, destinations(op->getNumResults());
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isa<TensorType>(value.getType())) {
        FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        value = *buffer;
      }
      operands.push_back(value);
      if (std::optional<unsigned> index = getDestined(op, operand))
        destinations[*index] = value;
    }
    OperationState newOp(op->getLoc(), op->getName(), operands, TypeRange(), op->getAttrs());
    for (Region &region : op->getRegions())
      newOp.addRegion()->takeBody(region);
    rewriter.create(newOp);
    replaceOpWithBufferizedValues(rewriter, op, destinations);
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
    attachModels<nn::LinearOp, nn::SparseLinearOp, nn::MatMulOp, nn::ConvOp, nn::PoolOp, nn::AttentionOp,
                 nn::NormOp, nn::SoftmaxOp, nn::TokenMergeOp, nn::TokenPruneOp, nn::WinogradInputOp,
                 nn::WinogradConvOp, nn::ExpandDepthwiseOp>(context);
  });
}
