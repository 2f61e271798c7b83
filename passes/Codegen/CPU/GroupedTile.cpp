//===- GroupedTile.cpp - Products with a weight that has scales of groups -===//
#include "passes/Codegen/CPU/Contraction.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Registers for the stored elements and for the constants that take them apart.
static constexpr int64_t kUnpackRegisters = 12;

int64_t cpu::maxGroupedTileRows(nn::TargetAttr target, int64_t vectors) {
  // Of each vector of columns the stored elements, a scale and an offset are in registers, too.
  return std::max<int64_t>((int64_t(target.getVectorRegisters()) - 4) / vectors - 3, 1);
}

namespace {

/// The loop nest over groups and over chunks of their rows. A few rows of the input keep sums for the group, which are
/// scaled at its end; many rows meet columns that are scaled at once.
class GroupedReduction {
public:
  GroupedReduction(KernelBuilder &k, const GroupedTile &tile);
  SmallVector<Value> run();

private:
  using Carried = KernelBuilder::Carried;

  Carried sumGroup(Value group, ValueRange accumulators);
  Carried scaleGroup(Value group, ValueRange accumulators);
  Value parameter(Value memref, Value group, int64_t v) {
    return k.load(memref, {tile.panel, group, k.index(v * k.lanes())});
  }

  /// Calls body(i, number(v)) for the rows of a chunk.
  void forRows(Value group, Value chunk, llvm::function_ref<void(int64_t i, ArrayRef<Value> columns)> body);
  Value column(ArrayRef<Value> words, int64_t i);
  Value broadcastLhs(int64_t row, Value group, Value chunk, int64_t i) {
    return k.broadcast(tile.lhs(row, k.add(k.add(k.mul(group, groupRows), k.mul(chunk, chunkRows)), i)));
  }
  Value fma(Value a, Value b, Value c) { return vector::FMAOp::create(k.builder, k.loc, a, b, c); }
  Value splatInt(int64_t value) { return k.splat(k.builder.getI32Type(), double(value)); }

  KernelBuilder &k;
  const GroupedTile &tile;
  int64_t bits, size, groupRows, chunkRows, sets = 1;
  Value groups, zero;
};

GroupedReduction::GroupedReduction(KernelBuilder &k, const GroupedTile &tile)
    : k(k), tile(tile), bits(tile.scales.bits), size(tile.rows * tile.vectors) {
  int64_t stored = cast<MemRefType>(tile.weight.getType()).getDimSize(1);
  groups = k.dim(tile.scales.scales, 1);
  groupRows = (bits ? stored * 32 / bits : stored) / constantOr(groups);
  // The fewest rows whose elements are whole words; of bytes a few, to have a body of some length.
  chunkRows = bits ? 32 / (bits & -bits) : std::min<int64_t>(groupRows & -groupRows, 4);
  zero = k.splat(k.builder.getF32Type(), 0);
  // Few accumulators would wait for each other.
  int64_t free = int64_t(k.target.getVectorRegisters()) - kUnpackRegisters;
  while (sets < 4 && 2 * sets * size <= 8 && (2 * sets + 1) * size <= free)
    sets *= 2;
}

SmallVector<Value> GroupedReduction::run() {
  int64_t free = int64_t(k.target.getVectorRegisters()) - kUnpackRegisters;
  bool sums = (sets + 1) * size <= free || tile.rows == 1;
  return k.loop(k.index(0), groups, 1, Carried(size, zero), [&](Value group, ValueRange accumulators) {
    return sums ? sumGroup(group, accumulators) : scaleGroup(group, accumulators);
  });
}

KernelBuilder::Carried GroupedReduction::sumGroup(Value group, ValueRange accumulators) {
  // With offsets the sums of the input are carried, too, in all lanes.
  int64_t inputs = tile.scales.offsets ? tile.rows : 0;
  Carried init(sets * size + inputs, zero);
  Carried sums = k.loop(k.index(0), k.index(groupRows / chunkRows), 1, init, [&](Value chunk, ValueRange carried) {
    Carried current(carried);
    forRows(group, chunk, [&](int64_t i, ArrayRef<Value> columns) {
      for (int64_t row = 0; row < tile.rows; ++row) {
        Value scalar = broadcastLhs(row, group, chunk, i);
        for (int64_t v = 0; v < tile.vectors; ++v) {
          Value &sum = current[(i % sets) * size + row * tile.vectors + v];
          sum = fma(scalar, columns[v], sum);
        }
        if (inputs) {
          Value &sum = current[sets * size + row];
          sum = arith::AddFOp::create(k.builder, k.loc, sum, scalar);
        }
      }
    });
    return current;
  });
  Carried result(accumulators);
  for (int64_t width = sets / 2; width >= 1; width /= 2)
    for (int64_t i = 0; i < width * size; ++i)
      sums[i] = arith::AddFOp::create(k.builder, k.loc, sums[i], sums[i + width * size]);
  for (int64_t v = 0; v < tile.vectors; ++v) {
    Value scale = parameter(tile.scales.scales, group, v);
    Value offset = inputs ? parameter(tile.scales.offsets, group, v) : Value();
    for (int64_t row = 0; row < tile.rows; ++row) {
      Value &accumulator = result[row * tile.vectors + v];
      accumulator = fma(sums[row * tile.vectors + v], scale, accumulator);
      if (inputs)
        accumulator = fma(sums[sets * size + row], offset, accumulator);
    }
  }
  return result;
}

KernelBuilder::Carried GroupedReduction::scaleGroup(Value group, ValueRange accumulators) {
  SmallVector<Value> scales, offsets;
  for (int64_t v = 0; v < tile.vectors; ++v) {
    scales.push_back(parameter(tile.scales.scales, group, v));
    if (tile.scales.offsets)
      offsets.push_back(parameter(tile.scales.offsets, group, v));
  }
  return k.loop(k.index(0), k.index(groupRows / chunkRows), 1, accumulators, [&](Value chunk, ValueRange carried) {
    Carried current(carried);
    forRows(group, chunk, [&](int64_t i, ArrayRef<Value> columns) {
      SmallVector<Value> scaled;
      for (int64_t v = 0; v < tile.vectors; ++v)
        scaled.push_back(tile.scales.offsets
                             ? fma(columns[v], scales[v], offsets[v])
                             : arith::MulFOp::create(k.builder, k.loc, columns[v], scales[v]).getResult());
      for (int64_t row = 0; row < tile.rows; ++row) {
        Value scalar = broadcastLhs(row, group, chunk, i);
        for (int64_t v = 0; v < tile.vectors; ++v) {
          Value &sum = current[row * tile.vectors + v];
          sum = fma(scalar, scaled[v], sum);
        }
      }
    });
    return current;
  });
}

void GroupedReduction::forRows(Value group, Value chunk,
                               llvm::function_ref<void(int64_t, ArrayRef<Value>)> body) {
  // Rows of the memref: words, or bytes.
  int64_t storedRows = bits ? chunkRows * bits / 32 : chunkRows;
  Value first = k.mul(k.add(k.mul(group, groupRows / chunkRows), chunk), storedRows);
  auto load = [&](int64_t v, int64_t i) {
    return k.load(tile.weight, {tile.panel, k.add(first, i), k.index(v * k.lanes())});
  };
  SmallVector<SmallVector<Value>> words(tile.vectors);
  if (bits)
    for (int64_t v = 0; v < tile.vectors; ++v)
      for (int64_t i = 0; i < storedRows; ++i)
        words[v].push_back(load(v, i));
  for (int64_t i = 0; i < chunkRows; ++i) {
    SmallVector<Value> columns;
    for (int64_t v = 0; v < tile.vectors; ++v)
      columns.push_back(bits ? column(words[v], i) : k.widen(load(v, i)));
    body(i, columns);
  }
}

/// Row `i` of the stream of bits in `words`, as f32. Its bits become the low ones of a mantissa whose exponent makes
/// them whole numbers: 2^(23 - o) + n, if they are at bit o. Subtracting what is known leaves n, exactly.
Value GroupedReduction::column(ArrayRef<Value> words, int64_t i) {
  // Four rows share one shift; none of their bits reaches the exponent.
  int64_t start = i / 4 * 4 * bits, word = start / 32, shift = start % 32, at = i % 4 * bits;
  Value quad = words[word];
  if (shift)
    quad = arith::ShRUIOp::create(k.builder, k.loc, quad, splatInt(shift));
  if (shift + 4 * bits > 32)
    quad = arith::OrIOp::create(k.builder, k.loc, quad,
                                arith::ShLIOp::create(k.builder, k.loc, words[word + 1], splatInt(32 - shift)));
  Value masked = arith::AndIOp::create(k.builder, k.loc, quad, splatInt(((1 << bits) - 1) << at));
  Value number = arith::OrIOp::create(k.builder, k.loc, masked, splatInt((127 + 23 - at) << 23));
  VectorType floats = k.vectorOf(k.builder.getF32Type());
  number = vector::BitCastOp::create(k.builder, k.loc, floats, number);
  double known = double(int64_t(1) << (23 - at)) + (tile.scales.offsets ? 0 : 1 << (bits - 1));
  return arith::SubFOp::create(k.builder, k.loc, number, k.splat(floats.getElementType(), known));
}

} // namespace

SmallVector<Value> cpu::emitGroupedTile(KernelBuilder &k, const GroupedTile &tile) {
  return GroupedReduction(k, tile).run();
}
