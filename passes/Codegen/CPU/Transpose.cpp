//===- Transpose.cpp - linalg.transpose in blocks of registers ------------===//
#include "passes/Codegen/CPU/KernelBuilder.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Blocks of more lanes would leave no registers for what is between two shuffles.
static constexpr int64_t kMostLanes = 16;
static constexpr int64_t kLineBytes = 64;
/// So many lines beside each other are read from each row; their columns are as many streams that are written.
static constexpr int64_t kStripeLines = 4;
/// Rows of one stripe that are an item of work.
static constexpr int64_t kItemRows = 256;

/// Dimensions whose size is not one.
static SmallVector<int64_t> findWideDims(MemRefType type) {
  SmallVector<int64_t> wide;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (size != 1)
      wide.push_back(i);
  return wide;
}

static bool isContiguous(MemRefType type, int64_t dim) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) && strides[dim] == 1;
}

bool cpu::hasTransposeKernel(linalg::TransposeOp op) {
  auto input = dyn_cast<MemRefType>(op.getInput().getType()), out = dyn_cast<MemRefType>(op.getInit().getType());
  if (!input || !out || !input.getElementType().isIntOrFloat())
    return false;
  unsigned bits = input.getElementTypeBitWidth();
  SmallVector<int64_t> wideIn = findWideDims(input), wideOut = findWideDims(out);
  if (bits < 8 || bits > 64 || !llvm::isPowerOf2_32(bits) || wideIn.size() < 2)
    return false;
  if (!isContiguous(input, wideIn.back()) || !isContiguous(out, wideOut.back()))
    return false;
  // The last dimension before and after, with those that stay before it.
  SmallVector<int64_t> places = llvm::map_to_vector(
      wideOut, [&](int64_t dim) -> int64_t { return llvm::find(wideIn, op.getPermutation()[dim]) - wideIn.begin(); });
  auto countLast = [&](size_t end) {
    int64_t count = 1;
    for (size_t i = end; i-- > 0 && !ShapedType::isDynamic(count);) {
      int64_t size = out.getDimSize(wideOut[i]);
      count = ShapedType::isDynamic(size) ? size : count * size;
      if (i > 0 && places[i - 1] + 1 != places[i])
        break;
    }
    return count;
  };
  size_t lastColumn = llvm::find(places, int64_t(wideIn.size()) - 1) - places.begin();
  if (lastColumn + 1 == places.size())
    return false;
  // LLVM interleaves few rows as well, other than two or three long ones, and takes few columns of narrow elements
  // apart as well.
  int64_t rows = countLast(places.size()), columns = countLast(lastColumn + 1);
  bool isLong = ShapedType::isDynamic(columns) || columns >= 256;
  return (ShapedType::isDynamic(rows) || rows >= 8 || (rows <= 3 && isLong)) &&
         (ShapedType::isDynamic(columns) || columns >= 8 || (columns >= 4 && bits >= 32));
}

/// The memref without its dimensions of size one.
static Value dropUnits(KernelBuilder &k, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> wide = findWideDims(type);
  if (int64_t(wide.size()) == type.getRank())
    return memref;
  SmallVector<OpFoldResult> zeros(type.getRank(), k.builder.getIndexAttr(0)),
      ones(type.getRank(), k.builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(k.builder, k.loc, memref);
  SmallVector<int64_t> shape = llvm::map_to_vector(wide, [&](int64_t dim) { return type.getDimSize(dim); });
  MemRefType reduced = memref::SubViewOp::inferRankReducedResultType(shape, type, zeros, sizes, ones);
  return memref::SubViewOp::create(k.builder, k.loc, reduced, memref, zeros, sizes, ones);
}

/// Lanes of a block along a dimension of `size` elements: a power of two.
static int64_t blockLanes(int64_t size, int64_t most) {
  return ShapedType::isDynamic(size) ? most : int64_t(llvm::bit_floor(uint64_t(std::min(size, most))));
}

/// Rows become columns: R vectors of C lanes in, C of R lanes out, both powers of two.
static SmallVector<Value> transposeBlock(KernelBuilder &k, ArrayRef<Value> rows) {
  int64_t height = rows.size(), width = cast<VectorType>(rows.front().getType()).getNumElements();
  SmallVector<Value> squares(rows);
  // The squares of a high block are put beside each other.
  for (int64_t lanes = width; int64_t(squares.size()) > width; lanes *= 2) {
    SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, 2 * lanes));
    SmallVector<Value> joined;
    for (size_t first = 0; first < squares.size(); first += 2 * width)
      for (int64_t i = first; i < int64_t(first) + width; ++i)
        joined.push_back(vector::ShuffleOp::create(k.builder, k.loc, squares[i], squares[i + width], both));
    squares = std::move(joined);
  }
  k.transpose(squares);
  if (height >= width)
    return squares;
  // Those of a broad block lie under each other in the result.
  SmallVector<Value> columns;
  for (int64_t first = 0; first < width; first += height)
    for (Value row : squares)
      columns.push_back(vector::ExtractStridedSliceOp::create(k.builder, k.loc, row, {first}, {height}, {1}));
  return columns;
}

/// The elements of three vectors by turns. Machines have stores that do it, or LLVM makes shuffles of pairs.
static Value interleave(KernelBuilder &k, ArrayRef<Value> rows) {
  int64_t width = cast<VectorType>(rows.front().getType()).getNumElements();
  SmallVector<int64_t> joined = llvm::to_vector(llvm::seq<int64_t>(0, 2 * width)), turns;
  for (int64_t i = 0; i < width; ++i)
    turns.append({i, width + i, 2 * width + i});
  Value first = vector::ShuffleOp::create(k.builder, k.loc, rows[0], rows[1], joined);
  Value last = vector::ShuffleOp::create(k.builder, k.loc, rows[2], rows[2], joined);
  return vector::ShuffleOp::create(k.builder, k.loc, first, last, turns);
}

namespace {

/// Emits one transpose. Of the input's matrices the last dimension are the columns; the rows are what becomes the last
/// dimension of the result.
class TransposeEmitter {
public:
  TransposeEmitter(KernelBuilder &k, linalg::TransposeOp op)
      : k(k), input(dropUnits(k, op.getInput())), out(dropUnits(k, op.getInit())) {
    SmallVector<int64_t> wide = findWideDims(cast<MemRefType>(op.getInput().getType()));
    for (int64_t dim : findWideDims(cast<MemRefType>(op.getInit().getType())))
      permutation.push_back(llvm::find(wide, op.getPermutation()[dim]) - wide.begin());
    mergeNeighbours();
  }

  void emit() {
    auto type = cast<MemRefType>(input.getType());
    int64_t rank = type.getRank(), rowDim = permutation.back(), elementBytes = type.getElementTypeBitWidth() / 8;
    int64_t most = std::min<int64_t>(kMostLanes, k.target.getVectorBits() / 8 / elementBytes);
    int64_t line = kLineBytes / elementBytes, stripe = kStripeLines * line;
    blockRows = blockLanes(type.getDimSize(rowDim), most);
    blockColumns = blockLanes(type.getDimSize(rank - 1), most);
    if (type.getDimSize(rowDim) == 3 && permutation.end()[-2] == rank - 1 &&
        (pixels = k.collapse(out, rank - 2, rank - 1)))
      blockRows = 3;
    rows = k.dim(input, rowDim);
    columns = k.dim(input, rank - 1);

    SmallVector<Value> counts; // of outer indices, stripes and parts of their rows
    SmallVector<int64_t> outer;
    for (int64_t i = 0; i + 1 < rank; ++i)
      if (permutation[i] != rank - 1) {
        outer.push_back(i);
        counts.push_back(k.dim(out, i));
      }
    counts.push_back(k.ceilDiv(columns, stripe));
    counts.push_back(k.ceilDiv(rows, kItemRows));
    Value items = k.index(1);
    for (Value count : counts)
      items = k.mul(items, count);
    int64_t elements = std::min(kItemRows, constantOr(rows, kItemRows)) * std::min(stripe, constantOr(columns, stripe));
    k.parallelItems(items, 4 * codegen::kWorkPerElement * elements, [&](Value item) {
      SmallVector<Value> at = k.delinearize(item, counts);
      from.assign(rank, Value());
      for (auto [dim, index] : llvm::zip(outer, at))
        from[permutation[dim]] = index;
      emitItem({k.mul(at.back(), kItemRows), kItemRows, rows}, {k.mul(at.end()[-2], stripe), stripe, columns}, line);
    });
  }

private:
  /// Part of a dimension: `size` elements from `begin` on, or fewer where `total` ends.
  struct Part {
    Value begin;
    int64_t size;
    Value total;
  };

  /// Dimensions that are neighbours before and after become one, where layouts allow it.
  void mergeNeighbours() {
    for (size_t i = 0; i + 1 < permutation.size();) {
      int64_t dim = permutation[i];
      Value merged = permutation[i + 1] == dim + 1 ? k.collapse(input, dim, dim + 1) : Value();
      Value mergedOut = merged ? k.collapse(out, i, i + 1) : Value();
      if (!mergedOut) {
        ++i;
        continue;
      }
      input = merged;
      out = mergedOut;
      permutation.erase(permutation.begin() + i + 1);
      for (int64_t &other : permutation)
        other -= other > dim;
    }
  }

  void forEach(Part part, int64_t step, function_ref<void(Value)> body) {
    if (step == part.size)
      return body(part.begin);
    Value end = k.add(part.begin, part.size);
    int64_t total = constantOr(part.total);
    k.loop(part.begin, total >= 0 && total % part.size == 0 ? end : k.min(end, part.total), step, body);
  }

  /// Tiles of as many rows as fill a line of the result: each line is left when all of it was read or written.
  void emitItem(Part rowPart, Part columnPart, int64_t line) {
    auto tiles = [&] {
      forEach(rowPart, line, [&](Value tile) {
        forEach(columnPart, blockColumns, [&](Value column) {
          forEach({tile, line, rows}, std::min(line, blockRows), [&](Value row) { emitBlock(row, column); });
        });
      });
    };
    if (constantOr(rows) >= 0 && constantOr(columns) >= 0)
      return tiles();
    OpBuilder::InsertionGuard guard(k.builder);
    Value fits = arith::AndIOp::create(k.builder, k.loc, isAtLeast(rows, blockRows), isAtLeast(columns, blockColumns));
    auto branch = scf::IfOp::create(k.builder, k.loc, fits, /*withElseRegion=*/true);
    k.builder.setInsertionPointToStart(branch.thenBlock());
    tiles();
    k.builder.setInsertionPointToStart(branch.elseBlock());
    forEach(columnPart, 1, [&](Value column) {
      forEach(rowPart, 1, [&](Value row) {
        Value element = k.loadScalar(input, inputIndices(row, column));
        memref::StoreOp::create(k.builder, k.loc, element, out, outIndices(row, column));
      });
    });
  }

  Value isAtLeast(Value size, int64_t least) {
    return arith::CmpIOp::create(k.builder, k.loc, arith::CmpIPredicate::sge, size, k.index(least));
  }

  /// Where a block begins that would begin at `start`, but must end with the dimension.
  Value inside(Value start, int64_t size, Value total) {
    int64_t constant = constantOr(total);
    return constant >= 0 && constant % size == 0 ? start : k.min(start, k.sub(total, k.index(size)));
  }

  /// The last blocks of a dimension overlap: what was moved is moved again.
  void emitBlock(Value row, Value column) {
    Type element = cast<MemRefType>(input.getType()).getElementType();
    // Shuffles of floats that the target cannot compute on would be shuffles of something else.
    Type moved = element.isIntOrFloat() && element.getIntOrFloatBitWidth() == 16 ? k.builder.getI16Type() : element;
    auto vectorOf = [](int64_t lanes, Type type) { return VectorType::get({lanes}, type); };
    row = inside(row, blockRows, rows);
    column = inside(column, blockColumns, columns);
    SmallVector<Value> block;
    for (int64_t i = 0; i < blockRows; ++i) {
      Value loaded = vector::LoadOp::create(k.builder, k.loc, vectorOf(blockColumns, element), input,
                                            inputIndices(k.add(row, i), column));
      block.push_back(k.builder.createOrFold<vector::BitCastOp>(k.loc, vectorOf(blockColumns, moved), loaded));
    }
    if (pixels) { // three channels, such as colours, beside each other
      SmallVector<Value> indices = outIndices(row, k.mul(column, blockRows));
      indices.pop_back();
      Value result = k.builder.createOrFold<vector::BitCastOp>(k.loc, vectorOf(blockRows * blockColumns, element),
                                                               interleave(k, block));
      vector::StoreOp::create(k.builder, k.loc, result, pixels, indices);
      return;
    }
    for (auto [i, turned] : llvm::enumerate(transposeBlock(k, block))) {
      Value result = k.builder.createOrFold<vector::BitCastOp>(k.loc, vectorOf(blockRows, element), turned);
      vector::StoreOp::create(k.builder, k.loc, result, out, outIndices(row, k.add(column, i)));
    }
  }

  SmallVector<Value> inputIndices(Value row, Value column) {
    SmallVector<Value> indices = from;
    indices[permutation.back()] = row;
    indices.back() = column;
    return indices;
  }

  SmallVector<Value> outIndices(Value row, Value column) {
    SmallVector<Value> indices = inputIndices(row, column);
    return llvm::map_to_vector(permutation, [&](int64_t dim) { return indices[dim]; });
  }

  KernelBuilder &k;
  Value input, out;
  Value pixels;                     ///< the result with its columns' rows in one dimension, where there are three
  SmallVector<int64_t> permutation; ///< dimension i of the result is this one of the input
  Value rows, columns;
  int64_t blockRows, blockColumns;
  SmallVector<Value> from; ///< indices of the current matrix, of the input's outer dimensions
};

} // namespace

LogicalResult cpu::emitTranspose(linalg::TransposeOp op) {
  KernelBuilder k(op);
  TransposeEmitter(k, op).emit();
  return success();
}
