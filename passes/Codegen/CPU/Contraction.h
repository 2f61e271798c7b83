//===- Contraction.h - The register tile and the loops around it ----------===//
#ifndef PASSES_CODEGEN_CPU_CONTRACTION_H
#define PASSES_CODEGEN_CPU_CONTRACTION_H

#include "lib/Target/DotProduct.h"
#include "passes/Codegen/CPU/Epilogue.h"
#include <functional>

namespace lathe::cpu {

/// How products are added up. The narrow forms take several reduction steps at once: an i32 that holds four unsigned
/// bytes, two i16 or two bf16, of the left operand against as many signed bytes (i8 or, for two, i16), or bf16, for
/// each column of the right one; the target's DotProduct emits them. Pairs are of rows and columns, and an i64 holds
/// the steps of each: see PairProduct. Tile registers are no register tile: see MatrixTile.h. Products of f16 are added
/// up in f16, a block at a time: see emitHalfTile.
enum class Product { F32, F16, Bf16Dot, Bf16Pairs, Bf16Tiles, Int8, Int8Pairs, Int16 };

inline bool isPairs(Product product) { return product == Product::Int8Pairs || product == Product::Bf16Pairs; }
inline bool isInteger(Product product) {
  return product == Product::Int8 || product == Product::Int8Pairs || product == Product::Int16;
}

/// The form for operands of this element type, the right one with `packedSteps` neighbouring steps of each column;
/// failure, with a reason, where there is none.
mlir::FailureOr<Product> chooseProduct(mlir::Operation *op, mlir::Type lhs, mlir::Type rhs, int64_t packedSteps = 1);

/// Reduction steps that one product takes at once.
inline int64_t stepsPerProduct(Product product) {
  switch (product) {
  case Product::F32:
  case Product::F16:
    return 1;
  case Product::Bf16Dot:
  case Product::Int16:
    return 2;
  case Product::Bf16Tiles:
    return 32;
  case Product::Int8:
  case Product::Bf16Pairs:
    return 4;
  case Product::Int8Pairs:
    return 8;
  }
  return 1;
}

/// Whether a sum is one register through all of the reduction, which may begin with a bias.
inline bool startsFromBias(Product product) { return product == Product::F32 || product == Product::Int16; }

/// Bytes of a row that one product takes.
inline int64_t bytesPerProduct(Product product) {
  return isPairs(product) ? kPairBits / 8 : product == Product::F16 ? 2 : 4;
}

/// `rows` x `vectors` accumulators, carried through the reduction loops in registers.
struct RegisterTile {
  int64_t rows, vectors;
  Product product = Product::F32;
  /// Trip counts of the reduction loops, outermost first, in units of `stepsPerProduct`.
  mlir::SmallVector<mlir::Value> bounds;
  /// The scalar of a row: f32, f16, or an i32 (of pairs: i64) of several steps.
  std::function<mlir::Value(int64_t row, mlir::ValueRange ivs)> lhs;
  /// The vector of columns, of several steps for each where a product takes as many.
  std::function<mlir::Value(int64_t vector, mlir::ValueRange ivs)> rhs;
  /// Where not null, a vector of a row's scalars: of `ivs` and of the steps of the innermost loop that follow. Machines
  /// that multiply by a lane of a vector read these at once.
  std::function<mlir::Value(int64_t row, mlir::ValueRange ivs)> lhsSteps = {};
  /// Where not null, the scalars of rows 2 * pair and 2 * pair + 1 in a vector: see StagedPairs.
  std::function<mlir::Value(int64_t pair, mlir::ValueRange ivs)> lhsPair = {};
  /// Where not null, the innermost loop is cut in blocks of `stageSteps`, of which its bound is a multiple, and this
  /// runs before each block: it may copy the block of the left operand to where `lhs` reads it.
  std::function<void(mlir::ValueRange outer, mlir::Value start)> stage = {};
  int64_t stageSteps = 0;
  /// Where not null, runs before each step of the reduction, or before `steps` of the innermost loop at once: it may
  /// ask for memory that later steps read.
  std::function<void(mlir::ValueRange ivs, int64_t steps)> prefetch = {};
  /// What the accumulators (f32 only) start from, row by row; zeros where it is empty.
  mlir::SmallVector<mlir::Value> init = {};
};

/// Emits the reduction and returns the accumulators, row by row.
mlir::SmallVector<mlir::Value> emitRegisterTile(KernelBuilder &k, const RegisterTile &tile);

/// The same for products of pairs.
mlir::SmallVector<mlir::Value> emitPairTile(KernelBuilder &k, const RegisterTile &tile);

/// The same for products of f16: of nn::kHalfBlock steps each, sums of f16 are added to f32. `rhs` and `lhsSteps` give
/// vectors of f16 that fill a register (`KernelBuilder::withRegisters`), so that `rhs` counts half as many.
mlir::SmallVector<mlir::Value> emitHalfTile(KernelBuilder &k, const RegisterTile &tile);

/// The rows of a tile, two by two as products of pairs take them, for all panels that meet them.
class StagedPairs {
public:
  /// Emits the copy of what `tile` reads.
  void stage(KernelBuilder &k, const RegisterTile &tile);
  /// Lets `tile`, of the same rows, read the copy.
  void attach(KernelBuilder &k, RegisterTile &tile) const;

private:
  mlir::Value words; ///< i64 [steps, rows], an even number of rows
};

/// A panel of bytes, each in the 16 bits that products take, for the tiles of a task that meet it one after the other.
class WidenedPanel {
public:
  /// Whether a panel of `panels`, [panels, ...], would be widened by every tile, and a copy of it stays in the cache.
  static bool pays(Product product, mlir::Value panels, nn::TargetAttr target);
  /// Emits the copy of a panel.
  void stage(KernelBuilder &k, mlir::Value panels, mlir::Value panel);
  /// The copy, of the shape of `panels` but for one panel.
  mlir::Value getWords() const { return words; }

private:
  mlir::Value words;
};

/// Lets `tile` read its left operand, f32, f16, bf16, i8 or i16, from `lhs`: at(row, ivs) gives the indices of a row's
/// scalar. Steps of the innermost loop follow each other in the last dimension.
void readLhs(KernelBuilder &k, RegisterTile &tile, mlir::Value lhs,
             std::function<mlir::SmallVector<mlir::Value>(int64_t row, mlir::ValueRange ivs)> at);

/// Lets `tile` read its left operand through a scratch buffer if the rows are `rowBytes` apart, so far that they would
/// push each other out of the first cache: at(row, ivs) gives a row's indices in `lhs`.
void stageDistantRows(KernelBuilder &k, RegisterTile &tile, mlir::Value lhs, int64_t rowBytes,
                      std::function<mlir::SmallVector<mlir::Value>(int64_t row, mlir::ValueRange ivs)> at);

/// A tile's turn among those that meet one panel of the right operand, one after the other.
struct PanelTurn {
  mlir::Value part;
  int64_t parts; ///< how many there are; 0 if that is not known
  /// Elements from a panel to the next one, if it does not begin where this one ends.
  int64_t distance = 0;
};

/// Lets `tile` ask ahead for its packed right operand, of static shape, if that does not stay in the cache between
/// runs. `first` are the indices of its panel's first element; the panels follow each other in memory. Of several tiles
/// that meet the panel each asks for a part of the next one, so that memory is read evenly.
void prefetchPanels(KernelBuilder &k, RegisterTile &tile, mlir::Value rhs, mlir::ArrayRef<mlir::Value> first,
                    const PanelTurn &turn);

/// Most rows of a tile of `vectors` columns that fits the registers.
int64_t maxTileRows(nn::TargetAttr target, int64_t vectors, Product product);

struct TilePlace;

/// What a contraction computes: `outer` independent matrices of `rows` x (`panels` of `vectors` registers each).
struct ContractionSpace {
  mlir::Value outer, rows, panels;
  int64_t vectors;
  Product product = Product::F32;
  /// Multiply-adds of one output, an estimate where it is dynamic.
  int64_t reduction;
  /// Rows of the largest tile, if fewer than the registers allow; and if fewer are best, as far as no measurement says
  /// otherwise.
  int64_t mostRows = 1024, usualRows = 1024;
  /// Tiles have a multiple of so many rows, of which `rows` is one.
  int64_t rowMultiple = 1;
  /// Where not null, panels that meet the same rows in a task may follow each other, and this then runs before the
  /// first of them: it may copy what they read of the left operand.
  std::function<void(const TilePlace &place)> stageRows = {};
  /// Where not null, runs before the first of many tiles that meet a panel one after the other: it may copy the panel.
  std::function<void(mlir::Value panel)> stagePanel = {};
  /// Where not null, run in each task: before its first tile, with the number of tiles that a panel meets (0 if that is
  /// not known), and after its last one.
  std::function<void(int64_t tiles)> beginTask = {};
  std::function<void()> endTask = {};
  /// Parts of the reduction, one after the other for all tiles of a panel in a task, of which there are `mostTiles`
  /// unless a unit alone has more. Only where sizes are static.
  int64_t parts = 1, mostTiles = INT64_MAX;
  /// A tile has all rows.
  bool wholeRows = false;
  /// The panels of a task meet a tile one after the other, and not the tiles a panel: where neighbouring panels read
  /// neighbouring channels of the same pixels, not all of them.
  bool panelsInside = false;
  /// The op, whose tuning may say how the space is cut; null where it may not.
  mlir::Operation *op = nullptr;
};

/// The bias with which the sums of a tile start, as `RegisterTile::init`; none where the epilogue adds none first.
/// Columns end at `columns`.
mlir::SmallVector<mlir::Value> startTile(KernelBuilder &k, Epilogue &epilogue, int64_t rows, int64_t vectors,
                                         mlir::Value column, mlir::Value columns);

/// Columns that a tile takes of a right operand that is not packed: two vectors, or one where that is all; or as many
/// as the tuning of `op` says. `columns` is negative where it is not known.
int64_t chooseTileColumns(mlir::Operation *op, int64_t columns, const KernelBuilder &k);

/// A tile of the space: rows [row, row + rows) of `unit`, columns of `panel`.
struct TilePlace {
  mlir::Value unit, row;
  int64_t rows;
  mlir::Value panel;
  PanelTurn turn;
  /// Where not null, rows end here, before `row + rows`: tile registers take any number of rows at the same cost.
  mlir::Value end = {};
  mlir::Value reductionPart = {};
  bool isStaged = false;      ///< `stageRows` ran for these rows
  bool isPanelStaged = false; ///< `stagePanel` ran for this panel
};

using TileEmitter = llvm::function_ref<void(const TilePlace &place)>;

/// Cuts the space into tiles and the tiles into tasks of about equal work. Within a task the rows run innermost, so
/// that a panel of the weight stays in cache.
void emitContraction(KernelBuilder &k, const ContractionSpace &space, TileEmitter tile);

/// What turns a quantized weight to f32, packed as the weight is; see nn.linear.
struct WeightScales {
  mlir::Value scales, offsets;
  int64_t bits = 0; ///< of an element that lies in words; 0 for bytes
};

/// `rows` x `vectors` accumulators of products with a quantized weight that has scales for groups of rows.
struct GroupedTile {
  int64_t rows, vectors;
  /// The weight, `[panels, K, n0]` of i8 or `[panels, K/32 * bits, n0]` of i32, and the panel to read.
  mlir::Value weight, panel;
  WeightScales scales;
  /// The scalar of a row at position `step` of the reduction.
  std::function<mlir::Value(int64_t row, mlir::Value step)> lhs;
};

/// Emits the reduction and returns the accumulators, row by row.
mlir::SmallVector<mlir::Value> emitGroupedTile(KernelBuilder &k, const GroupedTile &tile);

/// Most rows of a grouped tile of `vectors` columns that fits the registers.
int64_t maxGroupedTileRows(nn::TargetAttr target, int64_t vectors);

/// out[m, n] = lhs[m, :] . rhs for a left matrix `[..., M, K]` and a packed `[panels, K, n0]` (with several steps s at
/// once `[panels, K/s, n0, s]`) or plain `[K, N]` right matrix; shared by linear and 1x1 convolutions.
mlir::LogicalResult emitMatrixProduct(KernelBuilder &k, mlir::Operation *op, mlir::Value lhs, mlir::Value rhs,
                                      Epilogue epilogue, const WeightScales &scales = {});

/// Whether `emitMatrixProduct` lets partial sums wait in `out`, as far as can be told before: of a left operand of any
/// rank, and a right one packed for f32, `[panels, ..., K, n0]`.
bool splitsReduction(mlir::Value lhs, mlir::Value rhs, mlir::Value out, nn::TargetAttr target);

/// Stores the accumulators of a tile: `outer(row)` gives the indices of all dimensions but the last.
void storeTile(KernelBuilder &k, Epilogue &epilogue, mlir::ArrayRef<mlir::Value> accumulators, int64_t rows,
               int64_t vectors, mlir::Value column, mlir::Value columns,
               llvm::function_ref<mlir::SmallVector<mlir::Value>(int64_t row)> outer);

/// Loads such a tile of f32.
mlir::SmallVector<mlir::Value> loadTile(KernelBuilder &k, mlir::Value memref, int64_t rows, int64_t vectors,
                                        mlir::Value column, mlir::Value columns,
                                        llvm::function_ref<mlir::SmallVector<mlir::Value>(int64_t row)> outer);

/// The `bits`, 32 or 64, at `indices` of a memref of i8, i16 or bf16, as an integer.
mlir::Value loadWord(KernelBuilder &k, mlir::Value memref, mlir::ValueRange indices, int64_t bits = 32);
/// `steps` elements for each of `lanes()` columns, from the innermost (merged) dimension.
mlir::Value loadColumns(KernelBuilder &k, mlir::Value memref, mlir::ValueRange indices, int64_t steps);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_CONTRACTION_H
