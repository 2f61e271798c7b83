//===- Attention.h - nn.attention with an online softmax ------------------===//
#ifndef PASSES_CODEGEN_CPU_ATTENTION_H
#define PASSES_CODEGEN_CPU_ATTENTION_H

#include "passes/Codegen/CPU/Contraction.h"

namespace lathe::cpu {

/// The kernel of one nn.attention: see Attention.cpp.
class Attention {
public:
  explicit Attention(nn::AttentionOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), query(op.getQuery()), key(op.getKey()), value(op.getValue()),
        mask(op.getMask()), out(op.getInit()),
        hasBias(mask && !mlir::cast<mlir::MemRefType>(mask.getType()).getElementType().isInteger(1)) {}

  mlir::LogicalResult prepare();
  void emit();

private:
  nn::AttentionOp op;
  KernelBuilder k;
  mlir::OpBuilder &b;
  mlir::Type f32;
  mlir::Value query, key, value, mask, out;
  bool hasBias;      ///< the mask is added to scores
  bool prefetches;   ///< operands and results do not stay in the second cache
  bool channelLanes; ///< vectors of the output are channels of a query, and not queries of a channel
  mlir::Value heads, groupSize, queries, keys;
  int64_t depth, valueDepth, vectors, blockQueries, groupBlocks, blockKeys;

  /// What a task computes: a group of blocks of queries of one head, from `firstBlock` on.
  struct Task {
    mlir::Value batch, head, firstBlock;
  };
  /// Rows [row, end) of a head in memory.
  struct RowPlace {
    bool headsFirst;
    mlir::Value batch, head, row, end;
  };
  /// Rows [row, row + rows) and vectors [vector, vector + vectors) of the output of a block, in the order of its
  /// scratch.
  struct ValueTile {
    mlir::Value row, vector;
    int64_t rows, vectors;
  };
  // Of the current task. Rows of keys and values are those of the scratch where it exists.
  Task task, next; ///< the task after it, or itself if there is none
  mlir::Value kvHead, keyEnd;
  mlir::Value queryScratch, scoreScratch, outScratch, stateScratch, peakScratch, factorScratch, keyScratch,
      valueScratch;
  // Of the current block of queries: its number in the group.
  mlir::Value queryBlock, firstQuery;

  unsigned sequence(bool headsFirst) { return headsFirst ? 2 : 1; }
  unsigned headDim(bool headsFirst) { return headsFirst ? 1 : 2; }

  mlir::SmallVector<mlir::Value> position(bool headsFirst, mlir::Value batch, mlir::Value head, mlir::Value row,
                                          mlir::Value channel) {
    if (headsFirst)
      return {batch, head, row, channel};
    return {batch, row, head, channel};
  }
  /// Of the current task: in `head`, which is one of queries or of keys.
  mlir::SmallVector<mlir::Value> position(bool headsFirst, mlir::Value head, mlir::Value row, mlir::Value channel) {
    return position(headsFirst, task.batch, head, row, channel);
  }

  void emitTask(mlir::Value blocks);
  void startBlock();
  void packQueries();
  void channelBlocks(int64_t channels, llvm::function_ref<void(mlir::Value, int64_t)> block);
  void keyBlock(mlir::Value firstKey, mlir::Value count, mlir::Value blocks);
  void prefetch(mlir::Value from, const RowPlace &place, int64_t count, mlir::Value turn, int64_t turns, bool isWrite);
  void prefetchKeys(mlir::Value from, mlir::Value firstKey, mlir::Value tile, int64_t tiles);
  void prefetchQueries(mlir::Value from, const Task &task, mlir::Value firstKey, mlir::Value tile, int64_t tiles,
                       bool isWrite);
  void copyRows(mlir::Value from, mlir::Value to, mlir::Value firstKey, mlir::Value count, int64_t channels);
  mlir::Value makeRowScratch(mlir::Value from, int64_t channels);
  mlir::SmallVector<mlir::Value> keyPosition(mlir::Value scratch, mlir::Value firstKey, mlir::Value row,
                                             mlir::Value channel);
  void eachSize(llvm::function_ref<void()> body);
  void updateBlock(mlir::Value firstKey, mlir::Value count);
  void scores(mlir::Value firstKey, mlir::Value row, int64_t rows);
  mlir::Value weigh(mlir::Value score, mlir::Value peak);
  mlir::Value masked(mlir::Value score, mlir::Value key, int64_t vector);
  bool choosesChannelLanes();
  int64_t countRows();
  void startOutput();
  void addValues(mlir::Value firstKey, mlir::Value count);
  void emitValueTile(const ValueTile &tile, mlir::Value firstKey, mlir::Value count);
  void storeOutput();
  void storeQueries();
  void storeTransposed(mlir::Value factor, int64_t vector);
  mlir::Value queryIndices(int64_t vector);
  mlir::Value clampedQuery(int64_t lane);
};

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_ATTENTION_H
