//===- SparseLinear.cpp - nn.sparse_linear over transposed rows -----------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/SparseCost.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;
using namespace lathe::cpu;

namespace {

/// A tile of rows is transposed once, so that one stored weight multiplies a vector of rows (Elsen et al. 2020, "Fast
/// Sparse ConvNets"); each column's values then run over the transposed tile, and the sums are turned back to rows for
/// the epilogue. A last row on its own is read in place, by scalars.
class SparseLinear {
public:
  explicit SparseLinear(nn::SparseLinearOp op)
      : k(op), epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit()), input(op.getInput()),
        values(op.getValues()), coordinates(op.getCoordinates()), positions(op.getPositions()), lanes(k.lanes()) {
    channels = cast<MemRefType>(input.getType()).getShape().back();
    nonzeros = cast<MemRefType>(values.getType()).getNumElements();
    columns = cast<MemRefType>(positions.getType()).getNumElements() - 1;
    tileRows = getSparseTileRows(channels, k.target);
  }

  void emit();

private:
  /// Rows that one piece of code computes, more than `above` up to `most`: `vectors` of them, or one by scalars if that
  /// is 0.
  struct Variant {
    int64_t vectors, above, most;
  };

  void collapseRows();
  SmallVector<Variant> listVariants();
  void emitTile(Value row, ArrayRef<Variant> variants);
  bool isAlwaysFull(const Variant &variant);
  void emitVectors(Value row, Value left, const Variant &variant);
  void emitScalars(Value row);
  void transposeRows(Value row, int64_t vectors, bool whole);
  void storeBlock(Value row, Value left, int64_t vectors, Value column);
  SmallVector<Value> sumColumn(Value column, int64_t vectors, ArrayRef<Value> outer = {});

  /// Runs `body` for each block of `lanes` columns of the task.
  void forEachBlock(function_ref<void(Value column)> body) {
    k.loop(firstBlock, endBlock, 1, [&](Value block) { body(k.mul(block, lanes)); });
  }
  /// Runs `body` for each column of the block at `column`, by its place in the block.
  void forEachColumn(Value column, function_ref<void(Value place)> body) {
    Value count = columns % lanes == 0 ? k.index(lanes) : k.min(k.index(lanes), k.sub(k.index(columns), column));
    k.loop(k.index(0), count, 1, body);
  }
  Value maskFrom(Value column) {
    return columns % lanes == 0 ? Value() : k.maskBelow(k.sub(k.index(columns), column));
  }
  Value loadIndex(Value memref, Value at) {
    Value element = k.loadScalar(memref, at);
    return arith::IndexCastUIOp::create(k.builder, k.loc, k.builder.getIndexType(), element);
  }

  KernelBuilder k;
  Epilogue epilogue;
  Value input, values, coordinates, positions;
  int64_t lanes, channels, nonzeros, columns;
  /// Rows are counted through all dimensions but the last, of the input and of the destination.
  SmallVector<Value> inputSizes, outSizes;
  Value rows;
  int64_t tileRows;
  /// Of the current task: its column blocks, the tile [channels, rows], a block of sums [columns, rows], and the same
  /// turned to rows.
  Value firstBlock, endBlock, tile, sums, turned;
};

} // namespace

/// Fewer dimensions, where layouts allow it: the rows then follow each other without divisions.
void SparseLinear::collapseRows() {
  int64_t rank = cast<MemRefType>(input.getType()).getRank();
  SmallVector<Value> sizes;
  rows = k.index(1);
  for (int64_t i = 0; i + 1 < rank; ++i) {
    sizes.push_back(k.dim(input, i));
    rows = k.mul(rows, sizes.back());
  }
  inputSizes = outSizes = sizes;
  if (rank <= 2)
    return;
  if (Value flat = k.collapse(input, 0, rank - 2)) {
    input = flat;
    inputSizes = {rows};
  }
  if (epilogue.collapse(0, rank - 2))
    outSizes = {rows};
}

/// The sizes of tiles that occur: those of a static number of rows, or the whole range of a dynamic one.
SmallVector<SparseLinear::Variant> SparseLinear::listVariants() {
  SmallVector<Variant> variants = {{0, 0, 1}};
  for (int64_t most = lanes; most <= tileRows; most *= 2)
    variants.push_back({most / lanes, variants.back().most, most});
  int64_t constant = constantOr(rows);
  if (constant >= 0)
    llvm::erase_if(variants, [&](const Variant &variant) {
      auto holds = [&](int64_t count) { return count > variant.above && count <= variant.most; };
      return !(constant >= tileRows && holds(tileRows)) && !holds(constant % tileRows);
    });
  return variants;
}

void SparseLinear::emit() {
  collapseRows();
  SmallVector<Variant> variants = listVariants();
  if (variants.empty())
    return;
  // A sum takes twice the time of one in registers; in a row alone, as much as a vector of them.
  bool transposes = variants.back().vectors > 0;
  int64_t work = transposes ? tileRows * (2 * nonzeros + kWorkPerElement * (channels + columns)) : lanes * nonzeros;
  work = std::max<int64_t>(work, 1);
  Value tiles = k.ceilDiv(rows, tileRows);
  int64_t count = constantOr(tiles), budget = workPerTask(count > 0 ? work * count : -1);
  int64_t tilesPerTask = std::max<int64_t>(budget / work, 1), blocks = llvm::divideCeil(columns, lanes), parts = 1;
  if (count > 0)
    tilesPerTask = taskBlock(count, tilesPerTask);
  // Columns are divided, too, where the rows make few tasks, but not so that transposing the rows for each part counts.
  if (count < 16)
    parts = std::min<int64_t>(llvm::divideCeil(work, budget), transposes ? nonzeros / (40 * channels) : blocks);
  int64_t blocksPerTask = llvm::divideCeil(blocks, std::clamp<int64_t>(parts, 1, blocks));
  Value rowTasks = k.ceilDiv(tiles, tilesPerTask), columnTasks = k.ceilDiv(k.index(blocks), blocksPerTask);

  k.parallel(k.mul(rowTasks, columnTasks), [&](Value task) {
    SmallVector<Value> part = k.delinearize(task, {rowTasks, columnTasks});
    firstBlock = k.mul(part[1], blocksPerTask);
    endBlock = k.min(k.add(firstBlock, blocksPerTask), k.index(blocks));
    Type f32 = k.builder.getF32Type();
    turned = k.scratch({lanes, lanes}, f32);
    if (int64_t width = variants.back().vectors * lanes) {
      tile = k.scratch({int64_t(llvm::alignTo(channels, lanes)), width}, f32);
      sums = k.scratch({lanes, width}, f32);
    }
    k.inBlock(part[0], tilesPerTask, tiles, [&](Value index) { emitTile(k.mul(index, tileRows), variants); });
  });
}

void SparseLinear::emitTile(Value row, ArrayRef<Variant> variants) {
  Value left = k.sub(rows, row);
  for (const Variant &variant : variants) {
    Value fits = arith::ConstantIntOp::create(k.builder, k.loc, 1, 1);
    auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) {
      Value holds = k.builder.createOrFold<arith::CmpIOp>(k.loc, predicate, left, k.index(bound));
      fits = k.builder.createOrFold<arith::AndIOp>(k.loc, fits, holds);
    };
    if (&variant != &variants.front())
      compare(arith::CmpIPredicate::sgt, variant.above);
    if (&variant != &variants.back())
      compare(arith::CmpIPredicate::sle, variant.most);
    k.branch(fits, [&] {
      if (variant.vectors == 0)
        emitScalars(row);
      else
        emitVectors(row, left, variant);
    });
  }
}

/// True where no tile of this size has fewer rows than it could.
bool SparseLinear::isAlwaysFull(const Variant &variant) {
  int64_t constant = constantOr(rows);
  if (constant < 0)
    return false;
  int64_t rest = constant % tileRows;
  return rest <= variant.above || rest == variant.most;
}

void SparseLinear::emitVectors(Value row, Value left, const Variant &variant) {
  transposeRows(row, variant.vectors, isAlwaysFull(variant));
  forEachBlock([&](Value column) {
    forEachColumn(column, [&](Value place) {
      SmallVector<Value> sum = sumColumn(k.add(column, place), variant.vectors);
      for (int64_t v = 0; v < variant.vectors; ++v)
        k.store(sum[v], sums, {place, k.index(v * lanes)});
    });
    storeBlock(row, left, variant.vectors, column);
  });
}

/// Copies `vectors` of rows to `tile`. Rows after the last one repeat it unless all are `whole`: their sums are not
/// stored.
void SparseLinear::transposeRows(Value row, int64_t vectors, bool whole) {
  Value last = k.sub(rows, k.index(1));
  k.loop(k.index(0), k.index(vectors), 1, [&](Value v) {
    Value place = k.mul(v, lanes), first = k.add(row, place);
    SmallVector<SmallVector<Value>> outer;
    for (int64_t i = 0; i < lanes; ++i) {
      Value index = k.add(first, i);
      outer.push_back(k.delinearize(whole ? index : k.min(index, last), inputSizes));
    }
    k.vectors(k.index(channels), [&](Value channel, Value mask) {
      SmallVector<Value> block;
      for (SmallVector<Value> &indices : outer) {
        indices.push_back(channel);
        block.push_back(k.loadAny(input, indices, mask));
        indices.pop_back();
      }
      k.transpose(block);
      for (int64_t i = 0; i < lanes; ++i)
        k.store(block[i], tile, {k.add(channel, i), place});
    });
  });
}

/// The sums of one column for `vectors` of the tile, or, if that is 0, for the row at `outer` of the input. Independent
/// sets of sums take turns where few would wait for each other.
SmallVector<Value> SparseLinear::sumColumn(Value column, int64_t vectors, ArrayRef<Value> outer) {
  int64_t width = std::max<int64_t>(vectors, 1), sets = std::max<int64_t>(4 / width, 1);
  Type f32 = k.builder.getF32Type();
  Value begin = loadIndex(positions, column), end = loadIndex(positions, k.add(column, 1));
  auto add = [&](Value at, ValueRange before, int64_t set) {
    KernelBuilder::Carried result(before);
    Value weight = k.loadScalar(values, at), channel = loadIndex(coordinates, at);
    if (vectors == 0) {
      SmallVector<Value> indices(outer);
      indices.push_back(channel);
      result[set] = math::FmaOp::create(k.builder, k.loc, weight, k.loadScalar(input, indices), result[set]);
      return result;
    }
    Value all = k.broadcast(weight);
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = result[set * vectors + v];
      sum = vector::FMAOp::create(k.builder, k.loc, all, k.load(tile, {channel, k.index(v * lanes)}), sum);
    }
    return result;
  };
  KernelBuilder::Carried carried(sets * width, vectors ? k.splat(f32, 0) : k.scalar(f32, 0));
  Value main = k.add(begin, k.mul(k.div(k.sub(end, begin), k.index(sets)), sets));
  carried = k.loop(begin, main, sets, carried, [&](Value at, ValueRange before) {
    KernelBuilder::Carried current(before);
    for (int64_t set = 0; set < sets; ++set)
      current = add(k.add(at, set), current, set);
    return current;
  });
  if (sets > 1)
    carried = k.loop(main, end, 1, carried, [&](Value at, ValueRange before) { return add(at, before, 0); });
  for (int64_t set = 1; set < sets; ++set)
    for (int64_t v = 0; v < width; ++v)
      carried[v] = arith::AddFOp::create(k.builder, k.loc, carried[v], carried[set * width + v]);
  carried.truncate(width);
  return carried;
}

/// Turns a block of sums to rows and stores those that are left.
void SparseLinear::storeBlock(Value row, Value left, int64_t vectors, Value column) {
  Value mask = maskFrom(column);
  k.loop(k.index(0), k.index(vectors), 1, [&](Value v) {
    Value place = k.mul(v, lanes);
    SmallVector<Value> block;
    for (int64_t i = 0; i < lanes; ++i)
      block.push_back(k.load(sums, {k.index(i), place}));
    k.transpose(block);
    for (int64_t i = 0; i < lanes; ++i)
      k.store(block[i], turned, {k.index(i), k.index(0)});
    Value count = k.min(k.index(lanes), k.sub(left, place));
    k.loop(k.index(0), count, 1, [&](Value i) {
      SmallVector<Value> outer = k.delinearize(k.add(k.add(row, place), i), outSizes);
      epilogue.store(k.load(turned, {i, k.index(0)}), outer, column, mask);
    });
  });
}

void SparseLinear::emitScalars(Value row) {
  SmallVector<Value> from = k.delinearize(row, inputSizes), to = k.delinearize(row, outSizes);
  Value zero = k.index(0);
  forEachBlock([&](Value column) {
    forEachColumn(column, [&](Value place) {
      Value sum = sumColumn(k.add(column, place), /*vectors=*/0, from).front();
      memref::StoreOp::create(k.builder, k.loc, sum, turned, ValueRange{zero, place});
    });
    epilogue.store(k.load(turned, {zero, zero}), to, column, maskFrom(column));
  });
}

LogicalResult cpu::emitSparseLinear(nn::SparseLinearOp op) {
  if (!hasUnitInnermostStride(op.getInit()))
    return op.emitOpError("expected a destination with contiguous rows, but got ") << op.getInit().getType();
  int64_t channels = cast<MemRefType>(op.getInput().getType()).getShape().back();
  if (getSparseTileRows(channels, nn::getTarget(op)) == 0)
    return op.emitOpError("has too many input channels for a tile of rows: ") << channels;
  SparseLinear(op).emit();
  return success();
}
