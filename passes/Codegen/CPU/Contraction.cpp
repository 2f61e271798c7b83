//===- Contraction.cpp - Tiles, tasks and matrix products -----------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "passes/Codegen/Common/Tuning.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;
using namespace lathe::cpu;

namespace {

/// How the space is cut. Sizes are static; counts may be dynamic.
struct Cut {
  int64_t tileRows;
  /// Of a static number of rows: how many tiles there are, and how many of them, the first ones, have `tileRows`. The
  /// others have `shortRows`.
  int64_t tiles = 0, longTiles = 0, shortRows = 0;
  int64_t panelsPerTask = 1, unitsPerTask = 1, tilesPerTask = 1;
  /// All rows of a unit are in one task.
  bool wholeUnits = false;
  /// Each task has all columns of its rows.
  bool sharesRows = false;
};

/// Rows of a tile that were measured to be best; nullopt where there are none.
std::optional<int64_t> takeTileRows(const ContractionSpace &space, int64_t most) {
  nn::TuningAttr tuning = space.op ? nn::getTuning(space.op) : nullptr;
  if (!tuning)
    return std::nullopt;
  int64_t rows = constantOr(space.rows), tuned = tuning.getTileRows();
  StringRef obstacle = tuned > most                       ? "so many rows do not fit the registers"
                       : rows >= 0 && tuned > rows        ? "there are fewer rows"
                       : space.wholeRows && tuned != rows ? "a tile is a line, whose borders are known"
                       : tuned % space.rowMultiple != 0   ? "a tile has whole lines of the image"
                       : isPairs(space.product) && tuned % 2 && tuned != rows ? "a product takes two rows"
                                                                              : "";
  return takeTuned(space.op, "tile_rows", tuned, obstacle);
}

/// Fewer panels are not worth a copy of the rows that meet them.
constexpr int64_t kLeastStagedPanels = 3;

/// Fewer tiles are not worth a copy of the panel that they meet.
constexpr int64_t kLeastStagedTiles = 6;

/// How many panels may meet a copy of the rows of a tile: those that stay in the second cache while the rows pass. 0
/// where the copy is too large for the first one.
int64_t mostStagedPanels(const ContractionSpace &space, int64_t tileRows, nn::TargetAttr target) {
  int64_t stepBytes =
      llvm::divideCeil(space.reduction, stepsPerProduct(space.product)) * bytesPerProduct(space.product);
  if (!space.stageRows || constantOr(space.panels) < 0 || tileRows * stepBytes > target.getL1Bytes() * 3 / 4)
    return 0;
  int64_t panelBytes = stepBytes * space.vectors * target.getVectorBits() / 32;
  return target.getL2Bytes() * 3 / 4 / std::max<int64_t>(panelBytes, 1);
}

/// Cuts a static number of rows. Where the last tile would have few of them, each step of it would wait for its
/// columns: rather several tiles are a little shorter than the others.
void cutRows(Cut &cut, int64_t rows, const ContractionSpace &space) {
  cut.tiles = llvm::divideCeil(rows, cut.tileRows);
  cut.longTiles = rows / cut.tileRows;
  cut.shortRows = rows % cut.tileRows;
  int64_t shorter = cut.tileRows - space.rowMultiple;
  bool anySize = !isPairs(space.product) && space.product != Product::Bf16Tiles;
  if (!anySize || !cut.shortRows || cut.shortRows * 2 > cut.tileRows || shorter * cut.tiles >= rows)
    return;
  cut.longTiles = (rows - shorter * cut.tiles) / space.rowMultiple;
  cut.shortRows = shorter;
}

Cut cutSpace(const ContractionSpace &space, nn::TargetAttr target) {
  int64_t rows = constantOr(space.rows), units = constantOr(space.outer), panels = constantOr(space.panels);
  Cut cut;
  int64_t most = std::min(maxTileRows(target, space.vectors, space.product), space.mostRows);
  std::optional<int64_t> tunedRows = takeTileRows(space, most);
  most = std::max<int64_t>(std::min(most, space.usualRows) / space.rowMultiple, 1);
  // Tile registers have a fixed number of rows: all but the last are to be full.
  bool registers = space.product == Product::Bf16Tiles;
  if (rows > 0)
    most = registers ? std::min(rows / space.rowMultiple, most) : evenBlock(rows / space.rowMultiple, most);
  if (isPairs(space.product) && space.rowMultiple == 1 && rows != most)
    most = llvm::alignTo(most, 2);
  cut.tileRows = tunedRows.value_or(most * space.rowMultiple);
  if (rows >= 0)
    cutRows(cut, rows, space);
  int64_t columns = space.vectors * target.getVectorBits() / 32;
  // A step brings its columns in for all rows of the tile; where these are few, that bounds the speed.
  int64_t perStep = std::max(cut.tileRows, kWorkPerWeight) * columns;
  int64_t steps = llvm::divideCeil(space.reduction, stepsPerProduct(space.product));
  // In tile registers a step takes about as long as five of f32.
  int64_t perTile =
      std::max<int64_t>(perStep * steps * (registers ? 5 : 1) + cut.tileRows * columns * kWorkPerElement, 1);
  bool isStatic = rows >= 0 && units >= 0 && panels >= 0;
  int64_t total = isStatic ? perTile * cut.tiles * units * panels : -1;
  int64_t budget = workPerTask(total);
  nn::TuningAttr tuning = space.op ? nn::getTuning(space.op) : nullptr;
  if (tuning)
    if (std::optional<int64_t> tasks =
            takeTuned(space.op, "tasks", tuning.getTasks(), isStatic ? "" : "its size is not known"))
      budget = llvm::divideCeil(total, *tasks);
  // A weight that stays in the second cache is read by every task: threads then share the rows in the same way in all
  // layers, and find their inputs in their caches. Of a larger weight each task reads one panel.
  constexpr int64_t smallWeightBytes = 256 << 10;
  int64_t weightBytes = panels * columns * steps * (registers ? 64 : bytesPerProduct(space.product));
  bool manyRows = rows > 0 && units > 0 && rows * units > panels * columns;
  bool sharesRows =
      panels > 0 && (weightBytes <= smallWeightBytes || (manyRows && weightBytes <= target.getL2Bytes() * 3 / 4));
  if (tuning && !tuning.getShare().empty())
    sharesRows = panels > 0 && tuning.getShare() == "rows";
  cut.sharesRows = sharesRows;
  if (sharesRows)
    cut.panelsPerTask = panels;
  int64_t mostStaged = mostStagedPanels(space, cut.tileRows, target);
  if (mostStaged >= kLeastStagedPanels && cut.panelsPerTask < panels)
    cut.panelsPerTask = evenBlock(panels, std::clamp<int64_t>(budget / perTile, 1, mostStaged));
  int64_t perRowTile = perTile * cut.panelsPerTask;
  if (units == 1 || rows < 0) {
    cut.tilesPerTask = std::max<int64_t>(std::min(budget / perRowTile, space.mostTiles), 1);
    if (rows < 0)
      return cut;
    if (cut.tilesPerTask < cut.tiles) {
      cut.tilesPerTask = taskBlock(cut.tiles, cut.tilesPerTask);
      return cut;
    }
  }
  cut.wholeUnits = true;
  int64_t tiles = std::max<int64_t>(cut.tiles, 1);
  cut.unitsPerTask = std::max<int64_t>(std::min(budget / (perRowTile * tiles), space.mostTiles / tiles), 1);
  if (units < 0)
    return cut;
  if (cut.unitsPerTask < units) {
    cut.unitsPerTask = taskBlock(units, cut.unitsPerTask);
    return cut;
  }
  cut.unitsPerTask = units;
  int64_t mostPanels = std::max<int64_t>(budget / (perTile * tiles * units), 1);
  if (mostStaged >= kLeastStagedPanels)
    mostPanels = std::min(mostPanels, mostStaged);
  if (panels > 0)
    cut.panelsPerTask = taskBlock(panels, mostPanels);
  return cut;
}

/// The rows of `place` up to `end`, a number that is known in the end only, in as many tile registers as they need.
void restOfTileRegisters(KernelBuilder &k, TilePlace place, Value end, TileEmitter tile) {
  place.end = end;
  auto compare = [&](arith::CmpIPredicate predicate, Value a, Value b) -> Value {
    return arith::CmpIOp::create(k.builder, k.loc, predicate, a, b);
  };
  int64_t half = place.rows / 2;
  Value middle = k.add(place.row, half);
  Value isLong = compare(arith::CmpIPredicate::sgt, end, middle);
  Value isShort = arith::AndIOp::create(k.builder, k.loc, compare(arith::CmpIPredicate::sgt, end, place.row),
                                        compare(arith::CmpIPredicate::sle, end, middle));
  k.branch(isLong, [&] { tile(place); });
  place.rows = half;
  k.branch(isShort, [&] { tile(place); });
}

void remarkCut(const ContractionSpace &space, const Cut &cut, int64_t lanes) {
  if (!space.op)
    return;
  auto function = space.op->getParentOfType<FunctionOpInterface>();
  remark::passed(space.op->getLoc(), remark::RemarkOpts::name("RegisterTile")
                                         .category("codegen")
                                         .function(function ? function.getName() : StringRef()))
      << remark::metric("TileRows", cut.tileRows) << remark::metric("PanelWidth", space.vectors * lanes)
      << remark::metric("Share", cut.sharesRows ? "rows" : "columns");
}

} // namespace

int64_t cpu::chooseTileColumns(Operation *op, int64_t columns, const KernelBuilder &k) {
  if (nn::TuningAttr tuning = nn::getTuning(op); tuning && tuning.getPanelWidth() != -1)
    return choosePanelWidth(op, columns);
  return columns > 0 && columns <= k.lanes() ? k.lanes() : 2 * k.lanes();
}

void cpu::emitContraction(KernelBuilder &k, const ContractionSpace &space, TileEmitter tile) {
  Cut cut = cutSpace(space, k.target);
  bool isStaged =
      cut.panelsPerTask >= kLeastStagedPanels && cut.panelsPerTask <= mostStagedPanels(space, cut.tileRows, k.target);
  Value panelBlocks = k.ceilDiv(space.panels, cut.panelsPerTask);
  Value unitBlocks = k.ceilDiv(space.outer, cut.unitsPerTask);
  // Rows that only a run counts fill the tiles that they can; the last task of a unit has those that are left.
  bool isStatic = constantOr(space.rows) >= 0;
  Value tiles = isStatic ? k.index(cut.tiles) : k.div(space.rows, k.index(cut.tileRows));
  Value rowBlocks = cut.wholeUnits ? k.index(1) : k.max(k.ceilDiv(tiles, cut.tilesPerTask), k.index(1));
  int64_t tilesPerUnit = cut.wholeUnits ? cut.tiles : cut.tilesPerTask;
  int64_t parts = isStatic ? cut.unitsPerTask * tilesPerUnit : 0;

  Value tasks = k.mul(panelBlocks, k.mul(unitBlocks, rowBlocks));
  remarkCut(space, cut, k.lanes());
  k.parallel(tasks, [&](Value task) {
    if (space.beginTask)
      space.beginTask(parts);
    SmallVector<Value> block = k.delinearize(task, {panelBlocks, unitBlocks, rowBlocks});
    Value firstUnit = k.mul(block[1], cut.unitsPerTask);
    auto forEachTile = [&](function_ref<void(TilePlace place)> body) {
      k.inBlock(block[1], cut.unitsPerTask, space.outer, [&](Value unit) {
        Value first = k.index(0), end = tiles;
        if (!cut.wholeUnits) {
          first = k.mul(block[2], cut.tilesPerTask);
          end = k.min(k.add(first, cut.tilesPerTask), tiles);
        }
        auto place = [&](Value tile, Value row, int64_t size) -> TilePlace {
          Value part = k.add(k.mul(k.sub(unit, firstUnit), tilesPerUnit), k.sub(tile, first));
          return {unit, row, size, /*panel=*/{}, {part, parts}};
        };
        auto longTile = [&](Value tile) { body(place(tile, k.mul(tile, cut.tileRows), cut.tileRows)); };
        if (isStatic) {
          Value longTiles = k.index(cut.longTiles);
          k.loop(first, cut.wholeUnits ? longTiles : k.min(end, longTiles), 1, longTile);
          if (cut.longTiles == cut.tiles)
            return;
          k.loop(cut.wholeUnits ? longTiles : k.max(first, longTiles), end, 1, [&](Value tile) {
            Value row = k.add(k.mul(k.sub(tile, longTiles), cut.shortRows), cut.longTiles * cut.tileRows);
            body(place(tile, row, cut.shortRows));
          });
          return;
        }
        k.loop(first, end, 1, longTile);
        k.branch(k.equal(block[2], k.sub(rowBlocks, k.index(1))), [&] {
          Value fullRows = k.mul(tiles, cut.tileRows);
          if (space.product == Product::Bf16Tiles)
            return restOfTileRegisters(k, place(tiles, fullRows, cut.tileRows), space.rows, body);
          k.restTiles(k.index(0), space.rows, cut.tileRows,
                      [&](Value row, int64_t size) { body(place(tiles, row, size)); });
        });
      });
    };
    if (isStaged || space.panelsInside) {
      forEachTile([&](TilePlace place) {
        if (isStaged)
          space.stageRows(place);
        place.isStaged = isStaged;
        place.turn = {k.index(0), 1};
        k.inBlock(block[0], cut.panelsPerTask, space.panels, [&](Value panel) {
          place.panel = panel;
          tile(place);
        });
      });
    } else {
      bool stagesPanel = space.stagePanel && parts >= kLeastStagedTiles;
      k.inBlock(block[0], cut.panelsPerTask, space.panels, [&](Value panel) {
        if (stagesPanel)
          space.stagePanel(panel);
        k.loop(k.index(0), k.index(space.parts), 1, [&](Value reductionPart) {
          forEachTile([&](TilePlace place) {
            place.panel = panel;
            place.isPanelStaged = stagesPanel;
            place.reductionPart = reductionPart;
            tile(place);
          });
        });
      });
    }
    if (space.endTask)
      space.endTask();
  });
}

/// Where the vectors of a tile begin, and which of their lanes there are; null masks where that is all.
static std::pair<SmallVector<Value>, SmallVector<Value>> findColumns(KernelBuilder &k, int64_t vectors, Value column,
                                                                     Value columns) {
  int64_t constant = constantOr(columns);
  bool masked = constant < 0 || constant % (vectors * k.lanes()) != 0;
  SmallVector<Value> starts, masks;
  for (int64_t v = 0; v < vectors; ++v) {
    starts.push_back(k.add(column, v * k.lanes()));
    masks.push_back(masked ? k.maskBelow(k.sub(columns, starts.back())) : Value());
  }
  return {starts, masks};
}

void cpu::storeTile(KernelBuilder &k, Epilogue &epilogue, ArrayRef<Value> accumulators, int64_t rows, int64_t vectors,
                    Value column, Value columns, function_ref<SmallVector<Value>(int64_t row)> outer) {
  auto [starts, masks] = findColumns(k, vectors, column, columns);
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> indices = outer(row);
    int64_t v = 0;
    for (; v + 1 < vectors && !masks[v] && epilogue.storesPairs(); v += 2)
      epilogue.storePair(accumulators[row * vectors + v], accumulators[row * vectors + v + 1], indices, starts[v]);
    for (; v < vectors; ++v)
      epilogue.store(accumulators[row * vectors + v], indices, starts[v], masks[v]);
  }
}

SmallVector<Value> cpu::startTile(KernelBuilder &k, Epilogue &epilogue, int64_t rows, int64_t vectors, Value column,
                                  Value columns) {
  SmallVector<Value> tile;
  if (!epilogue.addsBias())
    return tile;
  auto [starts, masks] = findColumns(k, vectors, column, columns);
  for (int64_t v = 0; v < vectors; ++v)
    tile.push_back(epilogue.startFromBias(starts[v], masks[v]));
  for (int64_t i = vectors; i < rows * vectors; ++i)
    tile.push_back(tile[i % vectors]);
  return tile;
}

SmallVector<Value> cpu::loadTile(KernelBuilder &k, Value memref, int64_t rows, int64_t vectors, Value column,
                                 Value columns, function_ref<SmallVector<Value>(int64_t row)> outer) {
  auto [starts, masks] = findColumns(k, vectors, column, columns);
  SmallVector<Value> tile;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> indices = outer(row);
      indices.push_back(starts[v]);
      tile.push_back(k.load(memref, indices, masks[v]));
    }
  return tile;
}
