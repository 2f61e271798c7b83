//===- Contraction.cpp - Tiles, tasks and matrix products -----------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;
using namespace lathe::cpu;

namespace {

/// How the space is cut. Sizes are static; counts may be dynamic.
struct Cut {
  int64_t tileRows;
  int64_t panelsPerTask = 1, unitsPerTask = 1, tilesPerTask = 1;
  /// All rows of a unit are in one task.
  bool wholeUnits = false;
};

Cut cutSpace(const ContractionSpace &space, nn::TargetAttr target) {
  int64_t rows = constantOr(space.rows), units = constantOr(space.outer), panels = constantOr(space.panels);
  Cut cut;
  int64_t most = std::min(maxTileRows(target, space.vectors, space.product), space.mostRows);
  most = std::max<int64_t>(most / space.rowMultiple, 1);
  cut.tileRows = (rows > 0 ? evenBlock(rows / space.rowMultiple, most) : most) * space.rowMultiple;
  int64_t columns = space.vectors * target.getVectorBits() / 32;
  // A step brings its columns in for all rows of the tile; where these are few, that bounds the speed.
  int64_t perStep = std::max(cut.tileRows, kWorkPerWeight) * columns;
  int64_t steps = space.product == Product::F32 ? space.reduction : llvm::divideCeil(space.reduction, 4);
  int64_t perTile = std::max<int64_t>(perStep * steps + cut.tileRows * columns * kWorkPerElement, 1);
  bool isStatic = rows >= 0 && units >= 0 && panels >= 0;
  int64_t budget = workPerTask(isStatic ? perTile * llvm::divideCeil(rows, cut.tileRows) * units * panels : -1);
  // A weight that stays in the second cache is read by every task: threads then share the rows in the same way in all
  // layers, and find their inputs in their caches. Of a larger weight each task reads one panel.
  constexpr int64_t smallWeightBytes = 256 << 10;
  if (panels > 0 && panels * columns * steps * 4 <= smallWeightBytes)
    cut.panelsPerTask = panels;
  int64_t perRowTile = perTile * cut.panelsPerTask;
  if (units == 1 || rows < 0) {
    cut.tilesPerTask = std::max<int64_t>(budget / perRowTile, 1);
    if (rows < 0)
      return cut;
    int64_t tiles = rows / cut.tileRows;
    if (cut.tilesPerTask < tiles) {
      cut.tilesPerTask = taskBlock(tiles, cut.tilesPerTask);
      return cut;
    }
  }
  cut.wholeUnits = true;
  int64_t tiles = llvm::divideCeil(rows, cut.tileRows);
  cut.unitsPerTask = std::max<int64_t>(budget / (perRowTile * tiles), 1);
  if (units < 0)
    return cut;
  if (cut.unitsPerTask < units) {
    cut.unitsPerTask = taskBlock(units, cut.unitsPerTask);
    return cut;
  }
  cut.unitsPerTask = units;
  if (panels > 0)
    cut.panelsPerTask = taskBlock(panels, std::max<int64_t>(budget / (perTile * tiles * units), 1));
  return cut;
}

} // namespace

void cpu::emitContraction(KernelBuilder &k, const ContractionSpace &space, TileEmitter tile) {
  Cut cut = cutSpace(space, k.target);
  Value fullTiles = k.div(space.rows, k.index(cut.tileRows)), fullRows = k.mul(fullTiles, cut.tileRows);
  Value panelBlocks = k.ceilDiv(space.panels, cut.panelsPerTask);
  Value unitBlocks = k.ceilDiv(space.outer, cut.unitsPerTask);
  Value rowBlocks = cut.wholeUnits ? k.index(1) : k.max(k.ceilDiv(fullTiles, cut.tilesPerTask), k.index(1));

  int64_t rows = constantOr(space.rows);
  int64_t tilesPerUnit = cut.wholeUnits ? llvm::divideCeil(rows, cut.tileRows) : cut.tilesPerTask;
  int64_t parts = rows >= 0 ? cut.unitsPerTask * tilesPerUnit : 0;

  Value tasks = k.mul(panelBlocks, k.mul(unitBlocks, rowBlocks));
  k.parallel(tasks, [&](Value task) {
    SmallVector<Value> block = k.delinearize(task, {panelBlocks, unitBlocks, rowBlocks});
    k.inBlock(block[0], cut.panelsPerTask, space.panels, [&](Value panel) {
      Value firstUnit = k.mul(block[1], cut.unitsPerTask);
      k.inBlock(block[1], cut.unitsPerTask, space.outer, [&](Value unit) {
        Value first = k.index(0), end = fullRows;
        if (!cut.wholeUnits) {
          first = k.mul(block[2], cut.tilesPerTask * cut.tileRows);
          end = k.min(k.add(first, cut.tilesPerTask * cut.tileRows), fullRows);
        }
        auto place = [&](Value row, int64_t size) -> TilePlace {
          Value number = k.div(k.sub(row, first), k.index(cut.tileRows));
          Value part = k.add(k.mul(k.sub(unit, firstUnit), tilesPerUnit), number);
          return {unit, row, size, panel, {part, parts}};
        };
        k.loop(first, end, cut.tileRows, [&](Value row) { tile(place(row, cut.tileRows)); });
        // The last task of a unit has the rows that fill no tile.
        if (rows >= 0 && rows % cut.tileRows == 0)
          return;
        k.branch(k.equal(block[2], k.sub(rowBlocks, k.index(1))), [&] {
          k.restTiles(k.index(0), space.rows, cut.tileRows, [&](Value row, int64_t size) { tile(place(row, size)); });
        });
      });
    });
  });
}

void cpu::storeTile(KernelBuilder &k, Epilogue &epilogue, ArrayRef<Value> accumulators, int64_t rows, int64_t vectors,
                    Value column, Value columns, function_ref<SmallVector<Value>(int64_t row)> outer) {
  int64_t constant = constantOr(columns);
  bool masked = constant < 0 || constant % (vectors * k.lanes()) != 0;
  SmallVector<Value> starts, masks;
  for (int64_t v = 0; v < vectors; ++v) {
    starts.push_back(k.add(column, v * k.lanes()));
    masks.push_back(masked ? k.maskBelow(k.sub(columns, starts.back())) : Value());
  }
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> indices = outer(row);
    for (int64_t v = 0; v < vectors; ++v)
      epilogue.store(accumulators[row * vectors + v], indices, starts[v], masks[v]);
  }
}

LogicalResult cpu::emitMatrixProduct(KernelBuilder &k, Operation *op, Value lhs, Value rhs, Epilogue epilogue,
                                     const WeightScales &scales) {
  auto lhsType = cast<MemRefType>(lhs.getType()), rhsType = cast<MemRefType>(rhs.getType());
  // A narrow weight of an f32 input is widened in registers.
  bool widens = isa<nn::LinearOp>(op) && lhsType.getElementType().isF32() &&
                rhsType.getElementType().isInteger(scales.bits ? 32 : 8);
  FailureOr<Product> product = Product::F32;
  if (!widens)
    product = chooseProduct(op, lhsType.getElementType(), rhsType.getElementType(), k.target);
  if (failed(product))
    return failure();
  bool packed = rhsType.getRank() > 2, integer = *product != Product::F32;
  if (integer != (rhsType.getRank() == 4))
    return op->emitOpError("expected a packed weight [panels, K/4, n0, 4] for i8, but got ") << rhsType;
  if (widens && (rhsType.getRank() != 3 || !rhsType.hasStaticShape()))
    return op->emitOpError("expected a quantized weight packed in panels, but got ") << rhsType;
  int64_t rank = lhsType.getRank();
  Value out = epilogue.getOut(), columns = k.dim(out, cast<MemRefType>(out.getType()).getRank() - 1);
  int64_t width = packed ? rhsType.getDimSize(2) : (constantOr(columns) <= k.lanes() && constantOr(columns) > 0)
                                                       ? k.lanes()
                                                       : 2 * k.lanes();
  if (width <= 0 || width % k.lanes() != 0)
    return op->emitOpError("expected panels of whole vectors of ") << k.lanes() << " columns, but got " << width;
  int64_t vectors = width / k.lanes();
  if (integer && !(rhs = k.collapse(rhs, 2, 3)))
    return op->emitOpError("expected a contiguous weight, but got ") << rhsType;

  ContractionSpace space;
  space.vectors = vectors;
  space.product = *product;
  space.rows = rank >= 2 ? k.dim(lhs, rank - 2) : k.index(1);
  SmallVector<Value> outerSizes;
  for (int64_t i = 0; i + 2 < rank; ++i)
    outerSizes.push_back(k.dim(lhs, i));
  space.outer = k.index(1);
  for (Value size : outerSizes)
    space.outer = k.mul(space.outer, size);
  space.panels = packed ? k.dim(rhs, 0) : k.ceilDiv(columns, width);
  Value steps = k.dim(rhs, packed ? 1 : 0);
  space.reduction = constantOr(steps, 256) * stepsPerProduct(*product);
  if (scales.bits)
    space.reduction = space.reduction * 32 / scales.bits;
  if (scales.scales)
    space.mostRows = maxGroupedTileRows(k.target, vectors);

  int64_t rowBytes = rank >= 2 ? strideBytes(lhs, rank - 2) : 0;
  int64_t fixedColumns = constantOr(columns);
  bool maskedLoads = !packed && (fixedColumns < 0 || fixedColumns % width != 0);
  emitContraction(k, space, [&](const TilePlace &place) {
    Value unit = place.unit, row = place.row, panel = place.panel;
    int64_t rows = place.rows;
    SmallVector<Value> outer = k.delinearize(unit, outerSizes);
    Value column = k.mul(panel, width);
    auto rowIndices = [&](int64_t i) {
      SmallVector<Value> indices(outer);
      if (rank >= 2)
        indices.push_back(k.add(row, i));
      return indices;
    };
    auto lhsAt = [&](int64_t i, Value step) {
      SmallVector<Value> indices = rowIndices(i);
      indices.push_back(integer ? k.mul(step, 4) : step);
      return integer ? loadFourBytes(k, lhs, indices) : k.loadScalar(lhs, indices);
    };
    if (scales.scales) {
      GroupedTile tile{rows, vectors, rhs, panel, scales, lhsAt};
      SmallVector<Value> accumulators = emitGroupedTile(k, tile);
      return storeTile(k, epilogue, accumulators, rows, vectors, column, columns, rowIndices);
    }
    RegisterTile tile{rows, vectors, *product, {steps}, {}, {}};
    tile.lhs = [&](int64_t i, ValueRange ivs) { return lhsAt(i, ivs[0]); };
    if (rank >= 2 && hasUnitInnermostStride(lhs))
      stageDistantRows(k, tile, lhs, rowBytes, [&](int64_t i, ValueRange ivs) {
        SmallVector<Value> indices = rowIndices(i);
        indices.push_back(ivs[0]);
        return indices;
      });
    SmallVector<Value> masks(vectors);
    if (maskedLoads)
      for (int64_t v = 0; v < vectors; ++v)
        masks[v] = k.maskBelow(k.sub(columns, k.add(column, v * k.lanes())));
    tile.rhs = [&](int64_t v, ValueRange ivs) {
      if (integer)
        return loadColumnBytes(k, rhs, {panel, ivs[0], k.index(4 * v * k.lanes())});
      if (packed)
        return k.widen(k.load(rhs, {panel, ivs[0], k.index(v * k.lanes())}));
      return k.widen(k.load(rhs, {ivs[0], k.add(column, v * k.lanes())}, masks[v]));
    };
    if (packed && !widens)
      prefetchPanels(k, tile, rhs, {panel, k.index(0), k.index(0)}, place.turn);
    SmallVector<Value> accumulators = emitRegisterTile(k, tile);
    storeTile(k, epilogue, accumulators, rows, vectors, column, columns, rowIndices);
  });
  return success();
}
