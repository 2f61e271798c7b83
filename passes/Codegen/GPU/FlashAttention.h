//===- FlashAttention.h - nn.attention on tensor cores --------------------===//
#ifndef PASSES_CODEGEN_GPU_FLASHATTENTION_H
#define PASSES_CODEGEN_GPU_FLASHATTENTION_H

#include "dialects/NN/IR/NNDialect.h"
#include "passes/Codegen/GPU/SplitSteps.h"
#include "passes/Codegen/GPU/WarpBuilder.h"
#include "llvm/Support/MathExtras.h"

namespace lathe::simt {

/// The output of 64 or 128 queries of one head, sixteen or twice sixteen for each warp. Scores never leave registers
/// (Dao et al. 2022, "FlashAttention"; Dao 2023, "FlashAttention-2"): their softmax is online, and as a fragment of
/// sums they are one of a left operand.
class BlockAttention {
public:
  BlockAttention(WarpBuilder &k, nn::AttentionOp op, TensorFormat format)
      : k(k), b(k.builder), op(op), format(format), f32(b.getF32Type()), bytes(format.elementBytes()) {
    queries = k.dim(op.getQuery(), op.getHeadsFirst() ? 2 : 1);
    heads = k.dim(op.getQuery(), op.getHeadsFirst() ? 1 : 2);
    keys = k.dim(op.getValue(), op.getKvHeadsFirst() ? 2 : 1);
    groupSize = k.div(heads, k.dim(op.getValue(), op.getKvHeadsFirst() ? 1 : 2));
    depth = mlir::cast<mlir::MemRefType>(op.getQuery().getType()).getDimSize(3);
    rowBytes = llvm::alignTo(depth * bytes, 128);
    chooseShape();
    double perUnit = op.getScale().convertToDouble() * llvm::numbers::log2e;
    isFused = !op.getMask() && perUnit > 0 && perUnit <= 1;
    exponentFactor = isFused ? perUnit : llvm::numbers::log2e;
  }

  void emit();

private:
  /// A pair of values for each thread: of its rows `lane / 4` and eight further down.
  using Pair = std::array<mlir::Value, 2>;
  using Carried = codegen::LoopBuilder::Carried;

  /// A tile of keys and values is in memory of the block while the next one comes, in chunks that are copied at once.
  static constexpr int64_t kStages = 2, kChunkBytes = 16;

  void chooseShape();
  bool fits(const Multiprocessors &processors);
  int64_t blockQueries() const { return 64 * rowTiles; }
  int64_t queryBytes() const { return blockQueries() * rowBytes; }
  int64_t tileBytes() const { return kStages * 2 * tileKeys * rowBytes; }
  /// Of a block: queries that are not kept lie behind the tiles, others pass through their memory.
  int64_t sharedBytes() const {
    return keepsQueries ? std::max(tileBytes(), queryBytes()) : tileBytes() + queryBytes();
  }
  void emitBlock(mlir::Value batchIndex, mlir::Value headIndex, mlir::Value first, mlir::Value threadIndex,
                 mlir::Value shared);
  mlir::SmallVector<mlir::Value> place(bool headsFirst, mlir::Value headIndex, mlir::Value row, mlir::Value channel) {
    return headsFirst ? mlir::SmallVector<mlir::Value>{batch, headIndex, row, channel}
                      : mlir::SmallVector<mlir::Value>{batch, row, headIndex, channel};
  }
  /// Where chunk `first + chunk` of a row lies, in other banks than that of the seven rows around. `chunk` does not
  /// reach the next multiple of eight: offsets of eight chunks further on differ in a constant.
  mlir::Value offsetOf(mlir::Value row, mlir::Value chunk, int64_t first = 0) {
    mlir::Value in = k.add(k.exclusiveOr(k.add(chunk, first % 8), k.rem(row, k.index(8))), first / 8 * 8);
    return k.add(k.mul(row, rowBytes / bytes), k.mul(in, kChunkBytes / bytes));
  }
  /// Where key or value `row` of a tile lies: the two times two that a thread has scores of, of each sixteen, are
  /// neighbours in memory and two pairs, eight lines apart, in that of the block. Of the row's bits, 1 goes to place 3.
  mlir::Value placeKey(mlir::Value row) {
    mlir::Value pair = k.mul(k.rem(k.div(row, k.index(2)), k.index(2)), 8);
    mlir::Value inPairs = k.mul(k.rem(k.div(row, k.index(4)), k.index(4)), 2);
    mlir::Value sixteens = k.mul(k.div(row, k.index(16)), 16);
    return k.add(k.add(sixteens, pair), k.add(inPairs, k.rem(row, k.index(2))));
  }
  void copyRows(mlir::Value memref, bool headsFirst, mlir::Value headIndex, mlir::Value firstRow, mlir::Value rows,
                int64_t count, mlir::Value begin, llvm::function_ref<mlir::Value(mlir::Value)> place);
  void copyTile(mlir::Value tile);
  Carried attend(mlir::Value tile, mlir::ValueRange carried, bool isWhole);
  mlir::SmallVector<mlir::Value> loadQuery(int64_t rowTile, int64_t group);
  mlir::Value queryBegin() { return k.index(keepsQueries ? 0 : tileBytes() / bytes); }
  Carried score(mlir::Value begin);
  /// The first of the output's channels that this thread has, two neighbours of each eight.
  mlir::Value firstChannel() { return k.mul(k.rem(lane, k.index(4)), 2); }
  /// The first of a tile's keys that this thread has scores of, four neighbours of each sixteen.
  mlir::Value firstKey() { return k.mul(k.rem(lane, k.index(4)), 4); }
  mlir::Value countVisible(mlir::Value tile, mlir::Value row);
  mlir::SmallVector<mlir::Value> loadMask(mlir::Value tile, int64_t key, mlir::Value row, bool isWhole);
  mlir::Value maskScore(mlir::Value sum, int64_t key, mlir::Value bias, mlir::Value visible);
  void weigh(mlir::Value tile, const Pair &rows, mlir::MutableArrayRef<mlir::Value> scores,
             mlir::MutableArrayRef<mlir::Value> state, mlir::MutableArrayRef<mlir::Value> sums, bool isWhole);
  mlir::Value findWeight(mlir::Value score, mlir::Value shift);
  void addValues(mlir::Value begin, mlir::ArrayRef<mlir::Value> weights, mlir::MutableArrayRef<mlir::Value> sums);
  mlir::SmallVector<mlir::Value> toLeft(mlir::ArrayRef<mlir::Value> weights, int64_t step);
  mlir::Value countWholeTiles(mlir::Value tiles);
  void store(mlir::ValueRange results);

  mlir::Value reduce(mlir::Value value, llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine) {
    for (int64_t mask : {1, 2}) // the four threads of a row
      value = combine(value, k.shuffleXor(value, mask));
    return value;
  }
  mlir::Value larger(mlir::Value x, mlir::Value y) { return mlir::arith::MaximumFOp::create(b, k.loc, x, y); }
  mlir::Value rounded(mlir::Value word) { return format.isTF32() ? k.roundToTF32(word) : word; }
  int64_t depthTiles() const { return llvm::divideCeil(depth, 8); }
  int64_t numScores() const { return tileKeys / 8 * 4; } ///< of a thread's two rows
  int64_t numSums() const { return depthTiles() * 4; }
  int64_t depthGroups() const { return llvm::divideCeil(depth, 8 * format.perWord()); }
  mlir::Value stageBegin(mlir::Value tile) {
    return k.mul(k.rem(tile, k.index(kStages)), 2 * tileKeys * rowBytes / bytes);
  }

  WarpBuilder &k;
  mlir::OpBuilder &b;
  nn::AttentionOp op;
  TensorFormat format;
  mlir::Type f32;
  int64_t bytes, depth, rowBytes, tileKeys;
  int64_t rowTiles;  ///< sixteens of queries of a warp, which share the fragments of keys and values
  bool keepsQueries; ///< in registers; else their fragments are loaded for each tile
  /// A weight is two to the difference of score and peak times `exponentFactor`; fused, of scores that are not scaled.
  bool isFused;
  double exponentFactor;
  mlir::Value queries, heads, keys, groupSize;
  mlir::Value batch, head, kvHead, firstQuery, thread, lane, warpRow, array, end;
  mlir::SmallVector<Pair> rows;                                               ///< of each row tile
  mlir::SmallVector<mlir::SmallVector<mlir::SmallVector<mlir::Value>>> query; ///< fragments of each row tile and group
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_FLASHATTENTION_H
