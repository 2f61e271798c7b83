//===- MatrixTile.h - Products of bf16 in tile registers ------------------===//
#ifndef PASSES_CODEGEN_CPU_MATRIXTILE_H
#define PASSES_CODEGEN_CPU_MATRIXTILE_H

#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/Common/Bf16Layout.h"

namespace lathe::cpu {

/// Rows and columns of the accumulators in one tile register.
inline constexpr int64_t kTileRows = 16, kTileColumns = 16;
/// A part of the reduction has so many chunks at most, of which a panel's columns (2 KB each) leave half of the first
/// cache to rows; and meets so many tiles, whose sums (4 KB each) wait for the next part.
inline constexpr int64_t kPartChunks = 10, kPartTiles = 8;

/// The byte address of an element, as an index.
mlir::Value addressOf(KernelBuilder &k, mlir::Value memref, mlir::ValueRange indices);
/// Bytes from one element of a dimension to the next, as an index.
mlir::Value strideBytesOf(KernelBuilder &k, mlir::Value memref, unsigned dimension);

/// The tile registers of a task, and memory for sums.
class TileRegisters {
public:
  /// Tiles have `height` rows, 1 to 16, and take `chunk` steps of the reduction at once. There is room for the sums of
  /// `blocks` blocks of 2x2 tiles.
  TileRegisters(mlir::Value height, int64_t chunk, int64_t blocks = 1) : height(height), chunk(chunk), blocks(blocks) {}

  /// Emits what a task needs before its first and after its last tile.
  void begin(KernelBuilder &k);
  void end(KernelBuilder &k);

  mlir::Value height;
  int64_t chunk, blocks;
  mlir::Value sums; ///< f32 [32 * blocks, 32]: row i of tile (r, c) is row 16 r + i of a block, from column 16 c on
};

/// A product of up to two tiles of rows and two of columns, at addresses in bytes.
struct MatrixTile {
  int64_t rowTiles, columnTiles;
  /// Trip counts of reduction loops around the innermost one.
  mlir::SmallVector<mlir::Value> bounds;
  codegen::ChunkedReduction reduction{2};
  /// Where the first row of a row tile begins in the left operand, for an iteration of the loops of `bounds`; its rows
  /// are `rowStride` bytes apart.
  std::function<mlir::Value(int64_t rowTile, mlir::ValueRange outer)> lhs;
  mlir::Value rowStride;
  /// Where the reduction begins in the packed weight, [steps / 2, 16 * columnTiles, 2].
  std::function<mlir::Value(mlir::ValueRange outer)> rhs;
  /// Where not null, runs before each chunk, with its number, or before several at once; see RegisterTile.
  std::function<void(mlir::ValueRange ivs, int64_t chunks)> prefetch = {};
  /// The first row of the block of sums.
  mlir::Value sumsRow;
  /// Which part of the reduction this is, if there are several: the first begins with sums of zero, others with those
  /// of the one before. Parts are of `partChunks` chunks of the innermost reduction, or, where that is 0, what `lhs`
  /// and `rhs` make of them.
  mlir::Value part;
  int64_t parts = 1, partChunks = 0;
};

/// Emits the product; the sums are in `registers.sums`.
void emitMatrixTile(KernelBuilder &k, const TileRegisters &registers, const MatrixTile &tile);

/// `count` rows of sums from `sumsRow` on that belong to rows of the result from `row` on.
struct TileRows {
  mlir::Value row, sumsRow, count;
};

/// Applies the epilogue to rows of sums and stores them: `outer(row)` gives the indices of all dimensions but the last.
void storeTileRows(KernelBuilder &k, Epilogue &epilogue, const TileRegisters &registers, const TileRows &rows,
                   int64_t vectors, mlir::Value column, mlir::Value columns,
                   llvm::function_ref<mlir::SmallVector<mlir::Value>(mlir::Value row)> outer);

/// emitMatrixProduct for bf16 operands in tile registers; the right one is packed.
mlir::LogicalResult emitTiledProduct(KernelBuilder &k, mlir::Operation *op, mlir::Value lhs, mlir::Value rhs,
                                     Epilogue &epilogue);
/// nn.conv, with any window, for bf16 operands in tile registers.
mlir::LogicalResult emitTiledConv(nn::ConvOp op);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_MATRIXTILE_H
