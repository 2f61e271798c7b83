//===- Epilogue.h - Applies an op's epilogue to vectors of accumulators ---===//
#ifndef PASSES_CODEGEN_CPU_EPILOGUE_H
#define PASSES_CODEGEN_CPU_EPILOGUE_H

#include "passes/Codegen/CPU/KernelBuilder.h"

namespace lathe::cpu {

/// What happens to an accumulator before it is stored: the region of an nn op, cloned on vectors.
class Epilogue {
public:
  /// `extras` broadcast to `out` as in NumPy; both may be views with fewer dimensions than the op's operands.
  Epilogue(KernelBuilder &k, mlir::Region &region, mlir::ValueRange extras, mlir::Value out);

  /// Fails, with a reason, where the region holds an op that has no form on vectors.
  static mlir::LogicalResult check(mlir::Operation *op, mlir::Region &region);

  /// Whether all that the region does with an accumulator of f32 or i32 is to add a bias to it, one element for each
  /// column: sums can then start from that instead of zero.
  bool addsBias() const { return bias; }
  /// The bias of `lanes()` columns, with which sums start: from now on, `apply` expects that they did.
  mlir::Value startFromBias(mlir::Value column, mlir::Value mask);

  /// What the region makes of `accumulator`, `lanes()` neighbours along the last dimension at `outer` x `column`; lanes
  /// without mask are not read.
  mlir::Value apply(mlir::Value accumulator, mlir::ValueRange outer, mlir::Value column, mlir::Value mask);

  /// Asks for the operands of `vectors` registers of columns that differ from row to row, such as residuals, where they
  /// come from beyond the second cache. For before the accumulators are computed: it is too late when they are there.
  void prefetch(int64_t vectors, mlir::ValueRange outer, mlir::Value column);

  /// Applies the region and stores the result; lanes without mask are not written.
  void store(mlir::Value accumulator, mlir::ValueRange outer, mlir::Value column, mlir::Value mask);

  /// Whether the results of two registers of accumulators fill one, as integers of 16 bits do.
  bool storesPairs() const;
  /// The same as two calls of `store` for neighbours, without masks.
  void storePair(mlir::Value low, mlir::Value high, mlir::ValueRange outer, mlir::Value column);
  /// Whether two rows can share a register so, too: their operands are the same.
  bool storesRowPairs() const;
  /// The same as two calls of `store` for two rows, without masks.
  void storeRowPair(mlir::Value first, mlir::Value second, mlir::ValueRange firstOuter, mlir::ValueRange secondOuter,
                    mlir::Value column);

  /// Merges dimensions [first, last] of the destination and of all extras; false, with nothing changed, where a
  /// layout or a broadcast extra forbids it.
  bool collapse(unsigned first, unsigned last);

  mlir::Value getOut() const { return out; }
  const mlir::SmallVector<mlir::Value> &getExtras() const { return extras; }
  /// Whether the destination is an operand, too: nothing else may be stored there before.
  bool isInPlace() const { return inPlace; }

private:
  mlir::Value loadExtra(mlir::Value extra, mlir::ValueRange outer, mlir::Value column, mlir::Value mask);
  mlir::SmallVector<mlir::Value> getPlace(mlir::Value extra, mlir::ValueRange outer, mlir::Value column);

  KernelBuilder &k;
  mlir::Region &region;
  mlir::SmallVector<mlir::Value> extras;
  mlir::Value out;
  bool inPlace;
  mlir::Operation *bias = nullptr; ///< the addition; null where there is none
  unsigned biasExtra = 0;          ///< which of the extras it adds
  bool startsFromBias = false;
  bool repeatsExtras = false; ///< whether a vector holds the same columns of two rows
};

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_EPILOGUE_H
