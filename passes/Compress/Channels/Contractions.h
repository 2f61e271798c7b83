//===- Contractions.h - Products with constant weights ----------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CONTRACTIONS_H
#define PASSES_COMPRESS_CHANNELS_CONTRACTIONS_H

#include "dialects/NN/IR/NNDialect.h"
#include <optional>
#include <vector>

namespace lathe {

/// `nn.linear` or `nn.conv` in the form after `fuse`, seen as taps (positions of the window) of matrices `[K, N]`: the
/// weight is `[taps, K, N]`, K = 1 for a depthwise filter.
class Contraction {
public:
  /// Nullopt for other ops and packed weights.
  static std::optional<Contraction> match(mlir::Operation *op);

  mlir::Operation *getOperation() const { return op; }
  mlir::OpOperand &getInputOperand() const { return op->getOpOperand(0); }
  mlir::OpOperand &getWeightOperand() const { return op->getOpOperand(1); }
  mlir::Value getInput() const { return op->getOperand(0); }
  mlir::Value getResult() const { return op->getResult(0); }
  mlir::OperandRange getExtras() const { return op->getOperands().drop_front(2); }
  mlir::Block *getEpilogue() const;

  /// Dimensions of the weight.
  unsigned getInputDim() const { return isConv() ? 2 : 0; }
  unsigned getOutputDim() const { return isConv() ? 3 : 1; }
  int64_t getTaps() const { return isConv() ? getSize(0) * getSize(1) : 1; }
  int64_t getInputs() const { return getSize(getInputDim()); }
  int64_t getOutputs() const { return getSize(getOutputDim()); }

  bool isConv() const { return llvm::isa<nn::ConvOp>(op); }
  /// Each output reads all inputs.
  bool isDense() const { return getGroup() == 1; }
  /// Each output reads the input of its own number.
  bool isDepthwise() const;
  /// Whether windows reach into zeros around the input.
  bool isPadded() const;
  /// Whether the weight is a constant of f32 whose bytes are there.
  bool readsFloats() const;

  /// The weight's elements; empty unless `readsFloats`. The view is valid while `storage` and the weight are.
  llvm::ArrayRef<float> getWeight(std::vector<float> &storage) const;
  /// Replaces the weight by a constant of these elements.
  void setWeight(llvm::ArrayRef<float> elements) const;
  /// Adds a number to the accumulator of each output: to the bias that the epilogue adds first, or by a new one.
  void addToAccumulator(llvm::ArrayRef<float> numbers) const;

private:
  explicit Contraction(mlir::Operation *op) : op(op) {}
  int64_t getGroup() const;
  int64_t getSize(unsigned dim) const;

  mlir::Operation *op;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CONTRACTIONS_H
