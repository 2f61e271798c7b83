//===- PairTile.cpp - Register tiles of two rows by two columns -----------===//
//
// An accumulator holds a 2x2 block, row by row. A vector of columns has its blocks beside each other, so that a row of
// the tile is every other half of them.
//
//===----------------------------------------------------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/Common/Instructions.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// The operands that an i64 of each of two rows, or of each of two columns, is.
Type elementOf(KernelBuilder &k, Product product) {
  return isInteger(product) ? Type(k.builder.getI8Type()) : Type(k.builder.getBF16Type());
}

class PairReduction {
public:
  PairReduction(KernelBuilder &k, const RegisterTile &tile)
      : k(k), tile(tile), element(elementOf(k, tile.product)), product(*codegen::getPairProduct(k.target, element)),
        pairs(llvm::divideCeil(tile.rows, 2)), blocks(k.lanes() / 2) {}

  SmallVector<Value> run() {
    Type sum = isInteger(tile.product) ? Type(k.builder.getI32Type()) : Type(k.builder.getF32Type());
    KernelBuilder::Carried init(pairs * tile.vectors * blocks, k.splat(sum, 0));
    KernelBuilder::Carried sums = level({}, init);
    SmallVector<Value> rows;
    for (int64_t row = 0; row < tile.rows; ++row)
      for (int64_t v = 0; v < tile.vectors; ++v)
        rows.push_back(rowOf(ArrayRef<Value>(sums).slice((row / 2 * tile.vectors + v) * blocks, blocks), row % 2));
    return rows;
  }

private:
  KernelBuilder::Carried level(ArrayRef<Value> outer, ValueRange carried) {
    return k.loop(k.index(0), tile.bounds[outer.size()], 1, carried, [&](Value iv, ValueRange values) {
      SmallVector<Value> ivs(outer);
      ivs.push_back(iv);
      return ivs.size() < tile.bounds.size() ? level(ivs, values) : step(ivs, values);
    });
  }

  KernelBuilder::Carried step(ArrayRef<Value> ivs, ValueRange carried) {
    ImplicitLocOpBuilder b(k.loc, k.builder);
    if (tile.prefetch)
      tile.prefetch(ivs, 1);
    int64_t elements = 2 * stepsPerProduct(tile.product);
    SmallVector<Value> columns;
    for (int64_t v = 0; v < tile.vectors; ++v) {
      Value vector = tile.rhs(v, ivs);
      for (int64_t block = 0; block < blocks; ++block)
        columns.push_back(vector::ExtractStridedSliceOp::create(b, vector, ArrayRef<int64_t>{block * elements},
                                                                ArrayRef<int64_t>{elements}, ArrayRef<int64_t>{1}));
    }
    KernelBuilder::Carried sums(carried);
    for (int64_t pair = 0; pair < pairs; ++pair) {
      Value rows = emitBitcast(b, rowsOf(pair, ivs), element);
      for (auto [column, sum] :
           llvm::zip(columns, MutableArrayRef<Value>(sums).slice(pair * columns.size(), columns.size())))
        sum = product.accumulate(b, rows, column, sum);
    }
    return sums;
  }

  /// The scalars of two rows. A last row that is alone meets the columns twice.
  Value rowsOf(int64_t pair, ArrayRef<Value> ivs) {
    if (tile.lhsPair)
      return tile.lhsPair(pair, ivs);
    Value first = tile.lhs(2 * pair, ivs), second = 2 * pair + 1 < tile.rows ? tile.lhs(2 * pair + 1, ivs) : first;
    auto type = VectorType::get({2}, k.builder.getI64Type());
    return vector::FromElementsOp::create(k.builder, k.loc, type, ValueRange{first, second});
  }

  /// A vector of a row from two blocks for each of its halves.
  Value rowOf(ArrayRef<Value> sums, int64_t row) {
    int64_t first = 2 * row;
    return vector::ShuffleOp::create(k.builder, k.loc, sums[0], sums[1],
                                     ArrayRef<int64_t>{first, first + 1, 4 + first, 5 + first});
  }

  KernelBuilder &k;
  const RegisterTile &tile;
  Type element;
  const PairProduct &product;
  int64_t pairs, blocks;
};

/// Runs `body` for all iterations of the loops around the innermost one.
void outerLoops(KernelBuilder &k, ArrayRef<Value> bounds, SmallVector<Value> ivs, function_ref<void(ValueRange)> body) {
  if (ivs.size() + 1 == bounds.size())
    return body(ivs);
  k.loop(k.index(0), bounds[ivs.size()], 1, [&](Value iv) {
    SmallVector<Value> inner(ivs);
    inner.push_back(iv);
    outerLoops(k, bounds, inner, body);
  });
}

/// The number of an iteration among those of all loops.
Value numberOf(KernelBuilder &k, ArrayRef<Value> bounds, ValueRange ivs) {
  Value number = k.index(0);
  for (auto [iv, bound] : llvm::zip(ivs, bounds))
    number = k.add(k.mul(number, bound), iv);
  return number;
}

} // namespace

SmallVector<Value> cpu::emitPairTile(KernelBuilder &k, const RegisterTile &tile) {
  return PairReduction(k, tile).run();
}

void StagedPairs::stage(KernelBuilder &k, const RegisterTile &tile) {
  int64_t rows = llvm::alignTo(tile.rows, 2), steps = 1;
  for (Value bound : tile.bounds)
    steps *= constantOr(bound);
  Type i64 = k.builder.getI64Type();
  words = k.scratch({steps, rows}, i64);
  Value bound = tile.bounds.back(), twos = k.mul(k.div(bound, k.index(2)), 2);
  outerLoops(k, tile.bounds, {}, [&](ValueRange outer) {
    SmallVector<Value> ivs(outer);
    ivs.push_back(k.index(0));
    // Two steps of two rows become two vectors.
    k.loop(k.index(0), twos, 2, [&](Value iv) {
      ivs.back() = iv;
      Value number = numberOf(k, tile.bounds, ivs);
      for (int64_t row = 0; row < rows; row += 2) {
        Value first = tile.lhsSteps(row, ivs), second = row + 1 < tile.rows ? tile.lhsSteps(row + 1, ivs) : first;
        for (int64_t step = 0; step < 2; ++step) {
          Value pair = vector::ShuffleOp::create(k.builder, k.loc, first, second, ArrayRef<int64_t>{step, 2 + step});
          k.store(pair, words, {k.add(number, step), k.index(row)});
        }
      }
    });
    k.loop(twos, bound, 1, [&](Value iv) {
      ivs.back() = iv;
      Value number = numberOf(k, tile.bounds, ivs);
      for (int64_t row = 0; row < rows; ++row)
        memref::StoreOp::create(k.builder, k.loc, tile.lhs(std::min(row, tile.rows - 1), ivs), words,
                                ValueRange{number, k.index(row)});
    });
  });
}

void StagedPairs::attach(KernelBuilder &k, RegisterTile &tile) const {
  tile.lhsPair = [&k, words = words, bounds = tile.bounds](int64_t pair, ValueRange ivs) -> Value {
    auto type = VectorType::get({2}, k.builder.getI64Type());
    return vector::LoadOp::create(k.builder, k.loc, type, words,
                                  ValueRange{numberOf(k, bounds, ivs), k.index(2 * pair)});
  };
}
