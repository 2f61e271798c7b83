//===- HalfTile.cpp - Register tiles of products of f16 -------------------===//
//
// A multiply-add of f16 takes twice as many columns as one of f32, but rounds to 11 bits. The reduction is cut in
// blocks of nn::kHalfBlock steps: a block is added up in f16, and its sum to an accumulator of f32. With r = 2^-11, the
// rounding of f16, a product is rounded at most once for each step of its block, so that a result differs from that of
// the same operands in exact arithmetic by kHalfBlock * r of the sum of its products' magnitudes at most. Rounding the
// operands to f16 costs 2 * r of it. Where products are independent numbers around zero, their sum grows as the square
// root of the steps: the errors then add up to a standard deviation about twice that of rounding the operands.
// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 4.2 and 4.3, of sums in blocks.)
//
// Accumulators of both kinds and the operands lie in registers together, which leaves a tile half the rows of f32's.
//
//===----------------------------------------------------------------------===//
#include "dialects/NN/IR/NNPrecision.h"
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/Common/Instructions.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

class HalfReduction {
public:
  HalfReduction(KernelBuilder &k, const RegisterTile &tile)
      : k(k), tile(tile), product(*codegen::getHalfProduct(k.target)), halves(llvm::divideCeil(tile.vectors, 2)) {}

  SmallVector<Value> run() {
    Carried sums(tile.rows * tile.vectors, k.splat(k.builder.getF32Type(), 0));
    llvm::copy(tile.init, sums.begin());
    return level({}, sums);
  }

private:
  using Carried = KernelBuilder::Carried;

  Carried level(ArrayRef<Value> outer, ValueRange carried);
  Carried block(ArrayRef<Value> outer, Value start, int64_t steps, ValueRange carried);
  Carried addHalves(ArrayRef<Value> sums, ValueRange carried);

  /// The f32 vectors that vector `half` of f16 covers: two, or one where their number is odd.
  int64_t registersOf(int64_t half) const { return std::min<int64_t>(tile.vectors - 2 * half, 2); }
  Value column(int64_t half, ArrayRef<Value> ivs);

  KernelBuilder &k;
  const RegisterTile &tile;
  const HalfProduct &product;
  int64_t halves;
};

KernelBuilder::Carried HalfReduction::level(ArrayRef<Value> outer, ValueRange carried) {
  Value bound = tile.bounds[outer.size()];
  if (outer.size() + 1 < tile.bounds.size())
    return k.loop(k.index(0), bound, 1, carried, [&](Value iv, ValueRange values) {
      SmallVector<Value> ivs(outer);
      ivs.push_back(iv);
      return level(ivs, values);
    });
  Value whole = k.mul(k.div(bound, k.index(nn::kHalfBlock)), nn::kHalfBlock);
  Carried sums = k.loop(k.index(0), whole, nn::kHalfBlock, carried,
                        [&](Value start, ValueRange values) { return block(outer, start, nn::kHalfBlock, values); });
  int64_t steps = constantOr(bound);
  if (steps < 0)
    return k.loop(whole, bound, 1, sums, [&](Value iv, ValueRange values) { return block(outer, iv, 1, values); });
  int64_t rest = steps % nn::kHalfBlock;
  return rest ? block(outer, whole, rest, sums) : sums;
}

Value HalfReduction::column(int64_t half, ArrayRef<Value> ivs) {
  Value columns;
  bool isWhole = registersOf(half) == 2;
  k.withRegisters(isWhole ? 2 : 1, [&] { columns = tile.rhs(isWhole ? half : 2 * half, ivs); });
  return columns;
}

/// `steps` steps from `start` on, added up in f16 and then to the accumulators in `carried`.
KernelBuilder::Carried HalfReduction::block(ArrayRef<Value> outer, Value start, int64_t steps, ValueRange carried) {
  SmallVector<Value> ivs(outer);
  ivs.push_back(start);
  if (tile.prefetch)
    tile.prefetch(ivs, steps);
  // Few sums would wait for each other: independent sets take turns.
  int64_t size = tile.rows * halves, sets = 1;
  while (sets < 4 && 2 * sets * size <= 8 && 2 * sets <= steps)
    sets *= 2;
  bool readsSteps = tile.lhsSteps && codegen::multipliesByLane(k.target);
  int64_t atOnce = 2 * k.lanes(), firstLane = 0;
  SmallVector<Value> sums(sets * size), rows(tile.rows);
  for (int64_t step = 0; step < steps; ++step) {
    ivs.back() = k.add(start, step);
    bool isVector = readsSteps && step / atOnce < steps / atOnce;
    if (isVector && step % atOnce == 0) {
      // LLVM would pair the loads of a row's vectors, and the second would take the place of an accumulator. A fence
      // for this thread alone is no instruction, but keeps them apart.
      if (step > 0)
        LLVM::FenceOp::create(k.builder, k.loc, LLVM::AtomicOrdering::seq_cst, "singlethread");
      firstLane = step;
      k.withRegisters(2, [&] {
        for (int64_t row = 0; row < tile.rows; ++row)
          rows[row] = tile.lhsSteps(row, ivs);
      });
    }
    SmallVector<Value> columns;
    for (int64_t half = 0; half < halves; ++half)
      columns.push_back(column(half, ivs));
    for (int64_t row = 0; row < tile.rows; ++row) {
      Value scalar = isVector ? Value(vector::ExtractOp::create(k.builder, k.loc, rows[row], step - firstLane))
                              : tile.lhs(row, ivs);
      for (int64_t half = 0; half < halves; ++half) {
        Value &sum = sums[step % sets * size + row * halves + half];
        Value repeated = vector::BroadcastOp::create(k.builder, k.loc, columns[half].getType(), scalar);
        sum = sum ? Value(vector::FMAOp::create(k.builder, k.loc, repeated, columns[half], sum))
                  : Value(arith::MulFOp::create(k.builder, k.loc, repeated, columns[half]));
      }
    }
  }
  for (int64_t width = sets / 2; width >= 1; width /= 2)
    for (int64_t i = 0; i < width * size; ++i)
      sums[i] = arith::AddFOp::create(k.builder, k.loc, sums[i], sums[i + width * size]);
  return addHalves(ArrayRef<Value>(sums).take_front(size), carried);
}

/// The accumulators in `carried` and one vector of f16 for each two of a row.
KernelBuilder::Carried HalfReduction::addHalves(ArrayRef<Value> sums, ValueRange carried) {
  ImplicitLocOpBuilder b(k.loc, k.builder);
  Carried accumulators(carried);
  MutableArrayRef<Value> all(accumulators);
  for (int64_t row = 0; row < tile.rows; ++row)
    for (int64_t half = 0; half < halves; ++half)
      product.addTo(b, sums[row * halves + half], all.slice(row * tile.vectors + 2 * half, registersOf(half)));
  return accumulators;
}

} // namespace

SmallVector<Value> cpu::emitHalfTile(KernelBuilder &k, const RegisterTile &tile) {
  return HalfReduction(k, tile).run();
}
