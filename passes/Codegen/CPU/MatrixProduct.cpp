//===- MatrixProduct.cpp - Products with one right matrix -----------------===//
#include "passes/Codegen/CPU/MatrixTile.h"
#include "passes/Codegen/Common/Instructions.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// With fewer panels the left operand is read so few times that it is read as a whole.
static constexpr int64_t kLeastPanels = 4;

namespace {

/// Rows from `row` on, and steps [begin, begin + count) of their reduction. If these are not all, sums wait in the
/// destination for the next part.
struct ProductPart {
  Value row, rows;
  Value begin, count;
  bool first = true, last = true;
};

/// How much of the left operand is read at a time.
struct LeftBlock {
  int64_t rows, steps;
};

struct ProductSize {
  int64_t rows, steps, panels, width; ///< of the left matrix, the reduction, and the right one
  int64_t leftBytes, rightBytes;      ///< of an element, and of all
  int64_t tileRows;
  bool mayAddUp; ///< whether sums can wait in the destination
};

/// Each panel of the weight meets all rows of the left operand: these are to stay in the second cache, or every panel
/// would bring them from beyond it. Either some rows are read at a time, and all of the weight for each block of them;
/// or some steps of the reduction, with the sums loaded and stored between them.
LeftBlock chooseLeftBlock(const ProductSize &size, int64_t cacheBytes) {
  LeftBlock best = {size.rows, size.steps};
  int64_t leftBytes = size.rows * size.steps * size.leftBytes;
  if (leftBytes <= cacheBytes * 3 / 4)
    return best;
  int64_t fewest = size.panels * leftBytes + size.rightBytes;
  auto consider = [&](LeftBlock block, int64_t bytes) {
    if (bytes < fewest) {
      fewest = bytes;
      best = block;
    }
  };
  int64_t someRows = llvm::alignTo(evenBlock(size.rows, cacheBytes / 2 / (size.steps * size.leftBytes)), size.tileRows);
  consider({someRows, size.steps}, llvm::divideCeil(size.rows, someRows) * size.rightBytes + leftBytes);
  // Whole blocks of `stageDistantRows`, and enough of them to be worth another pass over the sums.
  constexpr int64_t blockSteps = 64, leastSteps = 256;
  int64_t someSteps = llvm::alignTo(evenBlock(size.steps, cacheBytes / 2 / (size.rows * size.leftBytes)), blockSteps);
  int64_t sumBytes = size.rows * size.panels * size.width * 4;
  if (size.mayAddUp && someSteps >= leastSteps)
    consider({size.rows, someSteps},
             llvm::divideCeil(size.steps, someSteps) * 2 * sumBytes + leftBytes + size.rightBytes);
  return best;
}

int64_t elementBytes(MemRefType type) { return llvm::divideCeil(type.getElementTypeBitWidth(), 8); }

class MatrixProduct {
public:
  MatrixProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue &epilogue, const WeightScales &scales)
      : k(k), op(op), lhs(lhs), rhs(rhs), epilogue(epilogue), scales(scales),
        sums(k, noEpilogue, ValueRange(), epilogue.getOut()), lhsType(cast<MemRefType>(lhs.getType())),
        rhsType(cast<MemRefType>(rhs.getType())) {}

  LogicalResult prepare();
  void emit();

private:
  LeftBlock chooseBlock();
  void emitRowBlocks(int64_t block);
  void emitPart(const ProductPart &part);
  void emitTile(const TilePlace &place, const ProductPart &part);
  RegisterTile tileAt(const TilePlace &place, const ProductPart &part);
  SmallVector<Value> multiply(const TilePlace &place, const ProductPart &part);
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
  bool widens = false, packed = false;
  int64_t perProduct = 1;
  int64_t rank = 0, width = 0, vectors = 0;
  Value columns, steps;
  SmallVector<Value> outerSizes;
  ContractionSpace space;
  StagedPairs staged;
  WidenedPanel widened;
};

LogicalResult MatrixProduct::prepare() {
  // A narrow weight of an f32 input is widened in registers.
  widens = isa<nn::LinearOp>(op) && lhsType.getElementType().isF32() &&
           rhsType.getElementType().isInteger(scales.bits ? 32 : 8);
  if (!widens) {
    int64_t packedSteps = rhsType.getRank() == 4 ? rhsType.getDimSize(3) : 1;
    FailureOr<Product> chosen = chooseProduct(op, lhsType.getElementType(), rhsType.getElementType(), packedSteps);
    if (failed(chosen))
      return failure();
    product = *chosen;
  }
  packed = rhsType.getRank() > 2;
  perProduct = stepsPerProduct(product);
  if (perProduct != (rhsType.getRank() == 4 ? rhsType.getDimSize(3) : 1))
    return op->emitOpError(
               "expected a packed weight [panels, K/4, n0, 4] for i8 or [panels, K/2, n0, 2] for i16 or bf16, but got ")
           << rhsType;
  if ((widens || product == Product::F16) && (rhsType.getRank() != 3 || !rhsType.hasStaticShape()))
    return op->emitOpError("expected a weight of ")
           << rhsType.getElementType() << " packed in panels, but got " << rhsType;
  rank = lhsType.getRank();
  Value out = epilogue.getOut();
  columns = k.dim(out, cast<MemRefType>(out.getType()).getRank() - 1);
  if (packed) {
    width = rhsType.getDimSize(2);
    k.target = codegen::fitPanels(k.target, width);
  } else {
    width = chooseTileColumns(op, constantOr(columns), k);
  }
  if (width <= 0 || width % k.lanes() != 0)
    return op->emitOpError("expected panels of whole vectors of ") << k.lanes() << " columns, but got " << width;
  vectors = width / k.lanes();
  if (perProduct > 1 && !(rhs = k.collapse(rhs, 2, 3)))
    return op->emitOpError("expected a contiguous weight, but got ") << rhsType;

  space.op = op;
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

LeftBlock MatrixProduct::chooseBlock() {
  int64_t rows = constantOr(space.rows), all = constantOr(steps), panels = constantOr(space.panels);
  if (!packed || rank != 2 || rows <= 0 || all <= 0 || panels < kLeastPanels)
    return {rows, all};
  bool mayAddUp = product == Product::F32 && !widens && !epilogue.isInPlace() &&
                  cast<MemRefType>(epilogue.getOut().getType()).getElementType().isF32();
  return chooseLeftBlock({rows, all, panels, width, perProduct > 1 ? bytesPerProduct(product) : elementBytes(lhsType),
                          rhsType.getNumElements() * elementBytes(rhsType), maxTileRows(k.target, vectors, product),
                          mayAddUp},
                         k.target.getL2Bytes());
}

void MatrixProduct::emit() {
  LeftBlock block = chooseBlock();
  if (block.rows < constantOr(space.rows))
    return emitRowBlocks(block.rows);
  int64_t all = constantOr(steps), part = block.steps;
  Value row = k.index(0), rows = space.rows;
  if (part == all)
    return emitPart({row, rows, k.index(0), steps});
  int64_t lastBegin = (all - 1) / part * part;
  emitPart({row, rows, k.index(0), k.index(part), /*first=*/true, /*last=*/false});
  k.loop(k.index(part), k.index(lastBegin), part,
         [&](Value begin) { emitPart({row, rows, begin, k.index(part), /*first=*/false, /*last=*/false}); });
  emitPart({row, rows, k.index(lastBegin), k.index(all - lastBegin), /*first=*/false, /*last=*/true});
}

void MatrixProduct::emitRowBlocks(int64_t block) {
  int64_t all = constantOr(space.rows), fullRows = all / block * block;
  k.loop(k.index(0), k.index(fullRows), block, [&](Value row) { emitPart({row, k.index(block), k.index(0), steps}); });
  if (fullRows < all)
    emitPart({k.index(fullRows), k.index(all - fullRows), k.index(0), steps});
}

void MatrixProduct::emitPart(const ProductPart &part) {
  space.reduction = constantOr(part.count, 256) * perProduct;
  if (scales.bits)
    space.reduction = space.reduction * 32 / scales.bits;
  space.rows = part.rows;
  auto inPart = [&](TilePlace place) {
    place.row = k.add(place.row, part.row);
    return place;
  };
  if (isPairs(product))
    space.stageRows = [&](const TilePlace &place) { staged.stage(k, tileAt(inPart(place), part)); };
  if (WidenedPanel::pays(product, rhs, k.target))
    space.stagePanel = [&](Value panel) { widened.stage(k, rhs, panel); };
  emitContraction(k, space, [&](const TilePlace &place) { emitTile(inPart(place), part); });
}

SmallVector<Value> MatrixProduct::rowIndices(const TilePlace &place, int64_t i) {
  SmallVector<Value> indices = k.delinearize(place.unit, outerSizes);
  if (rank >= 2)
    indices.push_back(k.add(place.row, i));
  return indices;
}

SmallVector<Value> MatrixProduct::lhsIndices(const TilePlace &place, int64_t i, Value step) {
  SmallVector<Value> indices = rowIndices(place, i);
  indices.push_back(k.mul(step, perProduct));
  return indices;
}

void MatrixProduct::emitTile(const TilePlace &place, const ProductPart &part) {
  if (part.last)
    for (int64_t i = 0; i < place.rows; ++i)
      epilogue.prefetch(vectors, rowIndices(place, i), k.mul(place.panel, width));
  SmallVector<Value> accumulators = multiply(place, part);
  storeTile(k, part.last ? epilogue : sums, accumulators, place.rows, vectors, k.mul(place.panel, width), columns,
            [&](int64_t i) { return rowIndices(place, i); });
}

/// The tile with its left operand.
RegisterTile MatrixProduct::tileAt(const TilePlace &place, const ProductPart &part) {
  RegisterTile tile{place.rows, vectors, product, {part.count}, {}, {}};
  auto at = [=](int64_t i, ValueRange ivs) { return lhsIndices(place, i, k.add(part.begin, ivs[0])); };
  readLhs(k, tile, lhs, at);
  if (rank >= 2 && hasUnitInnermostStride(lhs))
    stageDistantRows(k, tile, lhs, strideBytes(lhs, rank - 2), at);
  return tile;
}

SmallVector<Value> MatrixProduct::multiply(const TilePlace &place, const ProductPart &part) {
  Value column = k.mul(place.panel, width);
  if (scales.scales) {
    GroupedTile tile{place.rows, vectors,
                     rhs,        place.panel,
                     scales,     [&](int64_t i, Value step) { return k.loadScalar(lhs, lhsIndices(place, i, step)); }};
    return emitGroupedTile(k, tile);
  }
  RegisterTile tile = tileAt(place, part);
  if (place.isStaged)
    staged.attach(k, tile);
  int64_t fixedColumns = constantOr(columns);
  SmallVector<Value> masks(vectors);
  if (fixedColumns < 0 || fixedColumns % width != 0)
    for (int64_t v = 0; v < vectors; ++v)
      masks[v] = k.maskBelow(k.sub(columns, k.add(column, v * k.lanes())));
  tile.rhs = [&](int64_t v, ValueRange ivs) {
    Value step = k.add(part.begin, ivs[0]);
    if (product == Product::F16)
      return k.load(rhs, {place.panel, step, k.index(v * k.lanes())});
    if (place.isPanelStaged)
      return loadColumns(k, widened.getWords(), {k.index(0), step, k.index(perProduct * v * k.lanes())}, perProduct);
    if (perProduct > 1)
      return loadColumns(k, rhs, {place.panel, step, k.index(perProduct * v * k.lanes())}, perProduct);
    if (packed)
      return k.widen(k.load(rhs, {place.panel, step, k.index(v * k.lanes())}));
    return k.widen(k.load(rhs, {step, k.add(column, v * k.lanes())}, masks[v]));
  };
  if (packed && !widens) {
    PanelTurn turn = place.turn;
    turn.distance = rhsType.getDimSize(1) * rhsType.getDimSize(2) * perProduct;
    prefetchPanels(k, tile, rhs, {place.panel, part.begin, k.index(0)}, turn);
  }
  if (!part.first)
    tile.init = loadTile(k, epilogue.getOut(), place.rows, vectors, column, columns,
                         [&](int64_t i) { return rowIndices(place, i); });
  else if (startsFromBias(product) && !widens)
    tile.init = startTile(k, epilogue, place.rows, vectors, column, columns);
  return emitRegisterTile(k, tile);
}

} // namespace

bool cpu::splitsReduction(Value lhs, Value rhs, Value out, nn::TargetAttr target) {
  auto left = cast<MemRefType>(lhs.getType()), right = cast<MemRefType>(rhs.getType());
  if (!left.getElementType().isF32() || !right.getElementType().isF32() || !left.hasStaticShape() ||
      !right.hasStaticShape() || right.getRank() < 3 || right.getDimSize(0) < kLeastPanels ||
      !cast<MemRefType>(out.getType()).getElementType().isF32())
    return false;
  int64_t steps = left.getShape().back(), width = right.getShape().back();
  target = codegen::fitPanels(target, width);
  int64_t tileRows = maxTileRows(target, width * 32 / target.getVectorBits(), Product::F32);
  return chooseLeftBlock({left.getNumElements() / steps, steps, right.getDimSize(0), width, /*leftBytes=*/4,
                          right.getNumElements() * 4, tileRows, /*mayAddUp=*/true},
                         target.getL2Bytes())
             .steps < steps;
}

LogicalResult cpu::emitMatrixProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue epilogue,
                                     const WeightScales &scales) {
  auto isBF16 = [](Value operand) { return cast<MemRefType>(operand.getType()).getElementType().isBF16(); };
  if (isBF16(lhs) && isBF16(rhs) && codegen::hasTileRegisters(k.target))
    return emitTiledProduct(k, op, lhs, rhs, epilogue);
  MatrixProduct product(k, op, lhs, rhs, epilogue, scales);
  if (failed(product.prepare()))
    return failure();
  product.emit();
  return success();
}
