//===- RegisterTile.cpp - Accumulators in registers through a reduction ---===//
#include "passes/Codegen/CPU/MatrixTile.h"
#include "passes/Codegen/Common/Instructions.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

FailureOr<Product> cpu::chooseProduct(Operation *op, Type lhs, Type rhs, int64_t packedSteps) {
  if (lhs.isF32() && (rhs.isF32() || isNarrowFloat(rhs)))
    return Product::F32;
  if (lhs.isF16() && rhs.isF16()) {
    if (codegen::getHalfProduct(nn::getTarget(op)))
      return Product::F16;
    return op->emitOpError("expected a target that multiplies f16");
  }
  if (lhs.isBF16() && rhs.isBF16()) {
    nn::TargetAttr target = nn::getTarget(op);
    if (codegen::hasTileRegisters(target))
      return Product::Bf16Tiles;
    if (packedSteps == stepsPerProduct(Product::Bf16Pairs) && codegen::getPairProduct(target, lhs))
      return Product::Bf16Pairs;
    if (codegen::getBf16DotProduct(target))
      return Product::Bf16Dot;
    return op->emitOpError("expected a target that multiplies bf16");
  }
  unsigned lhsBits = codegen::getDotProduct(nn::getTarget(op)).getLhsBits();
  if (!lhs.isInteger(lhsBits) || !(rhs.isInteger(8) || rhs.isInteger(lhsBits)))
    return op->emitOpError("expected operands of f32 (bf16 or f16 for a weight), bf16, f16, or i")
           << lhsBits << " and i8, but got " << lhs << " and " << rhs;
  if (packedSteps == stepsPerProduct(Product::Int8Pairs) && codegen::getPairProduct(nn::getTarget(op), lhs))
    return Product::Int8Pairs;
  return lhsBits == 16 ? Product::Int16 : Product::Int8;
}

int64_t cpu::maxTileRows(nn::TargetAttr target, int64_t vectors, Product product) {
  if (product == Product::Bf16Tiles)
    return 2 * kTileRows;
  if (product == Product::F16)
    return codegen::maxHalfTileRows(target, vectors);
  // Beside the sums, each two rows keep their operand, and each column its own.
  if (isPairs(product))
    return 2 * std::max<int64_t>((int64_t(target.getVectorRegisters()) - 2 - 2 * vectors) / (2 * vectors + 1), 1);
  return isInteger(product) ? codegen::maxIntegerTileRows(target, vectors) : codegen::maxTileRows(target, vectors);
}

void cpu::readLhs(KernelBuilder &k, RegisterTile &tile, Value lhs,
                  std::function<SmallVector<Value>(int64_t row, ValueRange ivs)> at) {
  bool isElement = tile.product == Product::F32 || tile.product == Product::F16;
  int64_t bits = isElement ? 0 : 8 * bytesPerProduct(tile.product);
  tile.lhs = [&k, lhs, at, bits](int64_t row, ValueRange ivs) {
    return bits ? loadWord(k, lhs, at(row, ivs), bits) : k.loadScalar(lhs, at(row, ivs));
  };
  if (!hasUnitInnermostStride(lhs))
    return;
  tile.lhsSteps = [&k, lhs, at, bits](int64_t row, ValueRange ivs) -> Value {
    if (!bits)
      return k.load(lhs, at(row, ivs));
    Type element = cast<MemRefType>(lhs.getType()).getElementType();
    Value loaded = loadColumns(k, lhs, at(row, ivs), 32 / element.getIntOrFloatBitWidth());
    auto type = VectorType::get({32 * k.lanes() / bits}, k.builder.getIntegerType(bits));
    return vector::BitCastOp::create(k.builder, k.loc, type, loaded);
  };
}

void cpu::stageDistantRows(KernelBuilder &k, RegisterTile &tile, Value lhs, int64_t rowBytes,
                           std::function<SmallVector<Value>(int64_t, ValueRange)> at) {
  constexpr int64_t ways = 8, setBytes = 4096; // of first caches since 2008
  int64_t bound = constantOr(tile.bounds.back());
  if (tile.product != Product::F32 || tile.rows <= ways || rowBytes <= 0 || rowBytes % setBytes != 0)
    return;
  // Lines are copied whole, each one once.
  int64_t steps = bound % 64 == 0 ? 64 : 16;
  if (bound <= 0 || bound % steps != 0)
    return;
  Value scratch = k.scratch({tile.rows, steps}, k.builder.getF32Type());
  auto begin = std::make_shared<Value>();
  tile.stageSteps = steps;
  tile.stage = [&k, lhs, scratch, begin, at, steps, rows = tile.rows](ValueRange outer, Value start) {
    *begin = start;
    SmallVector<Value> ivs(outer);
    ivs.push_back(start);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < steps; i += k.lanes()) {
        ivs.back() = k.add(start, i);
        k.store(k.load(lhs, at(row, ivs)), scratch, {k.index(row), k.index(i)});
      }
  };
  readLhs(k, tile, scratch, [&k, begin](int64_t row, ValueRange ivs) {
    return SmallVector<Value>{k.index(row), k.sub(ivs.back(), *begin)};
  });
}

static Value loadElements(KernelBuilder &k, Value memref, ValueRange indices, int64_t count) {
  auto type = VectorType::get({count}, cast<MemRefType>(memref.getType()).getElementType());
  return vector::LoadOp::create(k.builder, k.loc, type, memref, indices);
}

Value cpu::loadWord(KernelBuilder &k, Value memref, ValueRange indices, int64_t bits) {
  auto word = VectorType::get({1}, k.builder.getIntegerType(bits));
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value loaded = loadElements(k, memref, indices, bits / element.getIntOrFloatBitWidth());
  Value cast = vector::BitCastOp::create(k.builder, k.loc, word, loaded);
  return vector::ExtractOp::create(k.builder, k.loc, cast, int64_t(0));
}

Value cpu::loadColumns(KernelBuilder &k, Value memref, ValueRange indices, int64_t steps) {
  return loadElements(k, memref, indices, k.lanes() * steps);
}

void cpu::prefetchPanels(KernelBuilder &k, RegisterTile &tile, Value rhs, ArrayRef<Value> first,
                         const PanelTurn &turn) {
  auto type = cast<MemRefType>(rhs.getType());
  int64_t elementBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  // What is smaller stays in the second cache.
  if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
      type.getNumElements() * elementBytes < k.target.getL2Bytes() / 2)
    return;
  int64_t steps = 1, stepElements = tile.vectors * k.lanes() * stepsPerProduct(tile.product);
  for (Value bound : tile.bounds)
    steps *= std::max<int64_t>(constantOr(bound), 0);
  // Hardware follows a stream to the end of its page; a tile alone asks for what comes behind. Several tiles share the
  // panel that comes next, or a stream that memory keeps waiting would hold up the first of them.
  constexpr int64_t lineBytes = 64, distanceBytes = 8192;
  int64_t distance = turn.distance ? turn.distance : steps * stepElements, share = stepElements;
  Value begin = k.index(0);
  if (turn.parts > 1) {
    share = llvm::divideCeil(stepElements, turn.parts);
    begin = k.mul(turn.part, steps * stepElements / turn.parts);
  } else {
    distance = std::min(distance, distanceBytes / elementBytes);
  }
  int hint = steps * stepElements * elementBytes <= k.target.getL1Bytes() / 2 ? 3 : 2;
  SmallVector<Value> indices(first);
  tile.prefetch = [=, &k, &tile](ValueRange ivs, int64_t atOnce) {
    Value step = k.index(0);
    for (auto [iv, bound] : llvm::zip(ivs, tile.bounds))
      step = k.add(k.mul(step, bound), iv);
    SmallVector<Value> at(indices);
    Value offset = k.add(k.add(begin, k.mul(step, share)), distance);
    for (int64_t line = 0, lines = llvm::divideCeil(atOnce * share * elementBytes, lineBytes); line < lines; ++line) {
      at.back() = k.add(offset, line * lineBytes / elementBytes);
      memref::PrefetchOp::create(k.builder, k.loc, rhs, at, /*isWrite=*/false, hint, /*isDataCache=*/true);
    }
  };
}

namespace {

/// One way of adding products to accumulators. `prepare*` run once for each loaded operand, `accumulate` for each pair.
class Accumulation {
public:
  Accumulation(KernelBuilder &k, Product product) : k(k), isInteger(cpu::isInteger(product)) {
    if (isInteger)
      dot = &codegen::getDotProduct(k.target);
    else if (product == Product::Bf16Dot)
      dot = codegen::getBf16DotProduct(k.target);
  }

  int64_t accumulatorsPerVector() const { return dot ? dot->getAccumulatorsPerVector() : 1; }
  Type elementType() const { return isInteger ? Type(k.builder.getI32Type()) : Type(k.builder.getF32Type()); }

  bool takesLanes() const { return dot ? dot->takesLanes() : codegen::multipliesByLane(k.target); }

  /// A row's scalar, ready to meet all vectors.
  SmallVector<Value> prepareLhs(Value scalar) {
    ImplicitLocOpBuilder b(k.loc, k.builder);
    return dot ? dot->prepareLhs(b, scalar, k.lanes()) : SmallVector<Value>{k.broadcast(scalar)};
  }

  SmallVector<Value> prepareRhs(Value columns) {
    ImplicitLocOpBuilder b(k.loc, k.builder);
    return dot ? dot->prepareRhs(b, columns, k.lanes()) : SmallVector<Value>{columns};
  }

  /// Adds the products to `accumulators`, `accumulatorsPerVector` of them.
  void accumulate(ArrayRef<Value> lhs, ArrayRef<Value> rhs, MutableArrayRef<Value> accumulators) {
    ImplicitLocOpBuilder b(k.loc, k.builder);
    if (dot)
      dot->accumulate(b, lhs, rhs, accumulators);
    else
      accumulators[0] = vector::FMAOp::create(b, lhs[0], rhs[0], accumulators[0]);
  }

  /// One vector of columns from its accumulators.
  Value finish(ArrayRef<Value> accumulators) {
    ImplicitLocOpBuilder b(k.loc, k.builder);
    return dot ? dot->finish(b, accumulators) : accumulators[0];
  }

  Value add(Value a, Value b) {
    if (isInteger)
      return arith::AddIOp::create(k.builder, k.loc, a, b);
    return arith::AddFOp::create(k.builder, k.loc, a, b);
  }

private:
  KernelBuilder &k;
  bool isInteger;
  const DotProduct *dot = nullptr; ///< null for f32
};

/// The loop nest over the reduction, from the outside in.
class Reduction {
public:
  Reduction(KernelBuilder &k, const RegisterTile &tile) : k(k), tile(tile), accumulation(k, tile.product) {
    // Few accumulators would wait for each other: independent sets take turns.
    int64_t size = tile.rows * tile.vectors * accumulation.accumulatorsPerVector();
    while (sets < 4 && 2 * sets * size <= 8)
      sets *= 2;
  }

  SmallVector<Value> run() {
    int64_t perSet = tile.rows * tile.vectors * accumulation.accumulatorsPerVector();
    Value zero = k.splat(accumulation.elementType(), 0);
    KernelBuilder::Carried init(sets * perSet, zero);
    llvm::copy(tile.init, init.begin());
    KernelBuilder::Carried all = level({}, init);
    SmallVector<Value> results;
    int64_t parts = accumulation.accumulatorsPerVector();
    for (int64_t width = sets / 2; width >= 1; width /= 2)
      for (int64_t i = 0; i < width * perSet; ++i)
        all[i] = accumulation.add(all[i], all[i + width * perSet]);
    for (int64_t i = 0; i < perSet; i += parts)
      results.push_back(accumulation.finish(ArrayRef<Value>(all).slice(i, parts)));
    return results;
  }

private:
  KernelBuilder::Carried level(ArrayRef<Value> outer, ValueRange carried) {
    Value zero = k.index(0), bound = tile.bounds[outer.size()];
    auto inside = [&](Value iv, ValueRange values, int64_t set) -> KernelBuilder::Carried {
      SmallVector<Value> ivs(outer);
      ivs.push_back(iv);
      if (ivs.size() < tile.bounds.size())
        return level(ivs, values);
      return step(ivs, values, set);
    };
    if (tile.stage && outer.size() + 1 == tile.bounds.size())
      return k.loop(zero, bound, tile.stageSteps, carried, [&](Value start, ValueRange values) {
        tile.stage(outer, start);
        Value end = k.add(start, tile.stageSteps);
        if (readsSteps())
          return laneLoop(outer, start, end, values);
        return k.loop(start, end, 1, values, [&](Value iv, ValueRange inner) { return inside(iv, inner, 0); });
      });
    if (outer.size() + 1 == tile.bounds.size() && readsSteps())
      return laneLoop(outer, zero, bound, carried);
    if (outer.size() + 1 < tile.bounds.size() || sets == 1)
      return k.loop(zero, bound, 1, carried, [&](Value iv, ValueRange values) { return inside(iv, values, 0); });
    Value main = k.mul(k.div(bound, k.index(sets)), sets);
    KernelBuilder::Carried result = k.loop(zero, main, sets, carried, [&](Value iv, ValueRange values) {
      KernelBuilder::Carried current(values);
      for (int64_t set = 0; set < sets; ++set)
        current = inside(k.add(iv, set), current, set);
      return current;
    });
    return k.loop(main, bound, 1, result, [&](Value iv, ValueRange values) { return inside(iv, values, 0); });
  }

  /// Whether the left operand is read as vectors of steps; not where there are fewer of these.
  bool readsSteps() const {
    int64_t bound = constantOr(tile.bounds.back());
    return tile.lhsSteps && accumulation.takesLanes() && (bound < 0 || bound >= k.lanes());
  }

  /// The innermost loop from `begin` to `end`, by as many steps at once as a vector of the left operand has, and by
  /// single ones for what is left.
  KernelBuilder::Carried laneLoop(ArrayRef<Value> outer, Value begin, Value end, ValueRange carried) {
    SmallVector<Value> ivs(outer);
    ivs.push_back(begin);
    Value main = k.add(begin, k.mul(k.div(k.sub(end, begin), k.index(k.lanes())), k.lanes()));
    KernelBuilder::Carried result = k.loop(begin, main, k.lanes(), carried, [&](Value iv, ValueRange values) {
      ivs.back() = iv;
      SmallVector<Value> rows;
      for (int64_t row = 0; row < tile.rows; ++row)
        rows.push_back(tile.lhsSteps(row, ivs));
      if (tile.prefetch)
        tile.prefetch(ivs, k.lanes());
      KernelBuilder::Carried current(values);
      for (int64_t lane = 0; lane < k.lanes(); ++lane) {
        ivs.back() = k.add(iv, lane);
        current = step(ivs, current, lane % sets, [&](int64_t row) -> Value {
          return vector::ExtractOp::create(k.builder, k.loc, rows[row], lane);
        });
      }
      return current;
    });
    return k.loop(main, end, 1, result, [&](Value iv, ValueRange values) {
      ivs.back() = iv;
      return step(ivs, values, 0);
    });
  }

  KernelBuilder::Carried step(ArrayRef<Value> ivs, ValueRange carried, int64_t set) {
    if (tile.prefetch)
      tile.prefetch(ivs, 1);
    return step(ivs, carried, set, [&](int64_t row) { return tile.lhs(row, ivs); });
  }

  KernelBuilder::Carried step(ArrayRef<Value> ivs, ValueRange carried, int64_t set,
                              function_ref<Value(int64_t row)> lhs) {
    KernelBuilder::Carried result(carried);
    SmallVector<SmallVector<Value>> columns;
    for (int64_t v = 0; v < tile.vectors; ++v)
      columns.push_back(accumulation.prepareRhs(tile.rhs(v, ivs)));
    int64_t parts = accumulation.accumulatorsPerVector(), at = set * tile.rows * tile.vectors * parts;
    for (int64_t row = 0; row < tile.rows; ++row) {
      SmallVector<Value> scalar = accumulation.prepareLhs(lhs(row));
      for (int64_t v = 0; v < tile.vectors; ++v, at += parts)
        accumulation.accumulate(scalar, columns[v], MutableArrayRef<Value>(result).slice(at, parts));
    }
    return result;
  }

  KernelBuilder &k;
  const RegisterTile &tile;
  Accumulation accumulation;
  int64_t sets = 1;
};

} // namespace

SmallVector<Value> cpu::emitRegisterTile(KernelBuilder &k, const RegisterTile &tile) {
  if (tile.product == Product::F16)
    return emitHalfTile(k, tile);
  return isPairs(tile.product) ? emitPairTile(k, tile) : Reduction(k, tile).run();
}
