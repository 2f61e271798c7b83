//===- MatrixProduct.cpp - Products with one right matrix -----------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// Steps [begin, begin + count) of the reduction. If they are not all, sums wait in the destination for the next part.
struct ReductionPart {
  Value begin, count;
  bool first = true, last = true;
};

class MatrixProduct {
public:
  MatrixProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue &epilogue, const WeightScales &scales)
      : k(k), op(op), lhs(lhs), rhs(rhs), epilogue(epilogue), scales(scales),
        sums(k, noEpilogue, ValueRange(), epilogue.getOut()), lhsType(cast<MemRefType>(lhs.getType())),
        rhsType(cast<MemRefType>(rhs.getType())) {}

  LogicalResult prepare();
  void emit();

private:
  int64_t chooseSteps();
  void emitPart(const ReductionPart &part);
  void emitTile(const TilePlace &place, const ReductionPart &part);
  SmallVector<Value> multiply(const TilePlace &place, const ReductionPart &part);
  SmallVector<Value> rowIndices(const TilePlace &place, int64_t i);
  SmallVector<Value> lhsIndices(const TilePlace &place, int64_t i, Value step);

  KernelBuilder &k;
  Operation *op;
  Value lhs, rhs;
  Epilogue &epilogue;
  const WeightScales &scales;
  Region noEpilogue;
  Epilogue sums; ///< the destination as it is
  MemRefType lhsType, rhsType;
  Product product = Product::F32;
  bool widens = false, packed = false, integer = false;
  int64_t rank = 0, width = 0, vectors = 0;
  Value columns, steps;
  SmallVector<Value> outerSizes;
  ContractionSpace space;
};

LogicalResult MatrixProduct::prepare() {
  // A narrow weight of an f32 input is widened in registers.
  widens = isa<nn::LinearOp>(op) && lhsType.getElementType().isF32() &&
           rhsType.getElementType().isInteger(scales.bits ? 32 : 8);
  if (!widens) {
    FailureOr<Product> chosen = chooseProduct(op, lhsType.getElementType(), rhsType.getElementType());
    if (failed(chosen))
      return failure();
    product = *chosen;
  }
  packed = rhsType.getRank() > 2;
  integer = product != Product::F32;
  if (integer != (rhsType.getRank() == 4))
    return op->emitOpError("expected a packed weight [panels, K/4, n0, 4] for i8, but got ") << rhsType;
  if (widens && (rhsType.getRank() != 3 || !rhsType.hasStaticShape()))
    return op->emitOpError("expected a quantized weight packed in panels, but got ") << rhsType;
  rank = lhsType.getRank();
  Value out = epilogue.getOut();
  columns = k.dim(out, cast<MemRefType>(out.getType()).getRank() - 1);
  if (packed)
    width = rhsType.getDimSize(2);
  else
    width = constantOr(columns) <= k.lanes() && constantOr(columns) > 0 ? k.lanes() : 2 * k.lanes();
  if (width <= 0 || width % k.lanes() != 0)
    return op->emitOpError("expected panels of whole vectors of ") << k.lanes() << " columns, but got " << width;
  vectors = width / k.lanes();
  if (integer && !(rhs = k.collapse(rhs, 2, 3)))
    return op->emitOpError("expected a contiguous weight, but got ") << rhsType;

  space.vectors = vectors;
  space.product = product;
  space.rows = rank >= 2 ? k.dim(lhs, rank - 2) : k.index(1);
  space.outer = k.index(1);
  for (int64_t i = 0; i + 2 < rank; ++i) {
    outerSizes.push_back(k.dim(lhs, i));
    space.outer = k.mul(space.outer, outerSizes.back());
  }
  space.panels = packed ? k.dim(rhs, 0) : k.ceilDiv(columns, width);
  steps = k.dim(rhs, packed ? 1 : 0);
  if (scales.scales)
    space.mostRows = maxGroupedTileRows(k.target, vectors);
  return success();
}

/// Steps of a part of the reduction. Each panel of the weight meets all rows of the left operand: these are to stay in the
/// second cache, or every panel would bring them from beyond it.
int64_t MatrixProduct::chooseSteps() {
  int64_t rows = constantOr(space.rows), all = constantOr(steps), panels = constantOr(space.panels);
  bool splits = product == Product::F32 && packed && !widens && rank == 2 && rows > 0 && all > 0 && panels >= 4 &&
                cast<MemRefType>(epilogue.getOut().getType()).getElementType().isF32();
  // Whole blocks of `stageDistantRows`, and enough of them to be worth another pass over the sums.
  constexpr int64_t blockSteps = 64, leastSteps = 256;
  if (!splits || rows * all * 4 <= k.target.getL2Bytes() * 3 / 4)
    return all;
  int64_t part = llvm::alignTo(evenBlock(all, k.target.getL2Bytes() / 2 / (rows * 4)), blockSteps);
  return part < leastSteps ? all : part;
}

void MatrixProduct::emit() {
  int64_t all = constantOr(steps), part = chooseSteps();
  if (part == all)
    return emitPart({k.index(0), steps});
  int64_t lastBegin = (all - 1) / part * part;
  emitPart({k.index(0), k.index(part), /*first=*/true, /*last=*/false});
  k.loop(k.index(part), k.index(lastBegin), part, [&](Value begin) {
    emitPart({begin, k.index(part), /*first=*/false, /*last=*/false});
  });
  emitPart({k.index(lastBegin), k.index(all - lastBegin), /*first=*/false, /*last=*/true});
}

void MatrixProduct::emitPart(const ReductionPart &part) {
  space.reduction = constantOr(part.count, 256) * stepsPerProduct(product);
  if (scales.bits)
    space.reduction = space.reduction * 32 / scales.bits;
  emitContraction(k, space, [&](const TilePlace &place) { emitTile(place, part); });
}

SmallVector<Value> MatrixProduct::rowIndices(const TilePlace &place, int64_t i) {
  SmallVector<Value> indices = k.delinearize(place.unit, outerSizes);
  if (rank >= 2)
    indices.push_back(k.add(place.row, i));
  return indices;
}

SmallVector<Value> MatrixProduct::lhsIndices(const TilePlace &place, int64_t i, Value step) {
  SmallVector<Value> indices = rowIndices(place, i);
  indices.push_back(integer ? k.mul(step, 4) : step);
  return indices;
}

void MatrixProduct::emitTile(const TilePlace &place, const ReductionPart &part) {
  SmallVector<Value> accumulators = multiply(place, part);
  storeTile(k, part.last ? epilogue : sums, accumulators, place.rows, vectors, k.mul(place.panel, width), columns,
            [&](int64_t i) { return rowIndices(place, i); });
}

SmallVector<Value> MatrixProduct::multiply(const TilePlace &place, const ReductionPart &part) {
  Value column = k.mul(place.panel, width);
  if (scales.scales) {
    GroupedTile tile{place.rows, vectors, rhs, place.panel, scales,
                     [&](int64_t i, Value step) { return k.loadScalar(lhs, lhsIndices(place, i, step)); }};
    return emitGroupedTile(k, tile);
  }
  RegisterTile tile{place.rows, vectors, product, {part.count}, {}, {}};
  auto at = [&](int64_t i, ValueRange ivs) { return lhsIndices(place, i, k.add(part.begin, ivs[0])); };
  readLhs(k, tile, lhs, at);
  if (rank >= 2 && hasUnitInnermostStride(lhs))
    stageDistantRows(k, tile, lhs, strideBytes(lhs, rank - 2), at);
  int64_t fixedColumns = constantOr(columns);
  SmallVector<Value> masks(vectors);
  if (fixedColumns < 0 || fixedColumns % width != 0)
    for (int64_t v = 0; v < vectors; ++v)
      masks[v] = k.maskBelow(k.sub(columns, k.add(column, v * k.lanes())));
  tile.rhs = [&](int64_t v, ValueRange ivs) {
    Value step = k.add(part.begin, ivs[0]);
    if (integer)
      return loadColumnBytes(k, rhs, {place.panel, step, k.index(4 * v * k.lanes())});
    if (packed)
      return k.widen(k.load(rhs, {place.panel, step, k.index(v * k.lanes())}));
    return k.widen(k.load(rhs, {step, k.add(column, v * k.lanes())}, masks[v]));
  };
  if (packed && !widens) {
    PanelTurn turn = place.turn;
    turn.distance = rhsType.getDimSize(1) * rhsType.getDimSize(2) * (integer ? 4 : 1);
    prefetchPanels(k, tile, rhs, {place.panel, part.begin, k.index(0)}, turn);
  }
  if (!part.first)
    for (int64_t i = 0; i < place.rows; ++i)
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> indices = rowIndices(place, i);
        indices.push_back(k.add(column, v * k.lanes()));
        tile.init.push_back(k.load(epilogue.getOut(), indices, masks[v]));
      }
  return emitRegisterTile(k, tile);
}

} // namespace

LogicalResult cpu::emitMatrixProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue epilogue,
                                     const WeightScales &scales) {
  MatrixProduct product(k, op, lhs, rhs, epilogue, scales);
  if (failed(product.prepare()))
    return failure();
  product.emit();
  return success();
}
