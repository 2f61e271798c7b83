//===- TuningChoices.cpp - What is worth measuring for a kernel -----------===//
#include "passes/Lower/TuningChoices.h"

#include "passes/Codegen/Common/Bf16Layout.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Lower/Decisions.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace mlir;
using namespace lathe;

llvm::StringRef lathe::nameOf(TuningStage stage) {
  switch (stage) {
  case TuningStage::Algorithm:
    return "algorithm";
  case TuningStage::Tile:
    return "tile";
  case TuningStage::Sharing:
    return "sharing";
  }
  return "";
}

namespace {

/// The kernel that an op becomes, as far as tiles are concerned.
struct KernelShape {
  enum class Kind { Product, Direct, Winograd, Depthwise, Fused } kind = Kind::Product;
  int64_t rows = -1;       ///< of one matrix, of which tiles are made; negative if not known
  int64_t rowMultiple = 1; ///< what tiles have a multiple of, if they have more rows than half of this
  int64_t columns = -1;
  int64_t kernelRows = 1;
  bool isInteger = false;
};

bool isWhole(const Value &value) { return cast<ShapedType>(value.getType()).hasStaticShape(); }

Type elementOf(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }

std::optional<KernelShape> findConvShape(nn::ConvOp op, bool winograd) {
  KernelShape shape;
  auto weight = cast<ShapedType>(op.getWeight().getType());
  ArrayRef<int64_t> result = op.getResultShapedType().getShape();
  if (weight.getRank() != 4 || !weight.hasStaticShape() || !isWhole(op.getResult()))
    return std::nullopt;
  shape.isInteger = elementOf(op.getInput()).isInteger();
  shape.columns = weight.getDimSize(3) / op.getGroup();
  shape.kernelRows = weight.getDimSize(0);
  shape.rows = result[2];
  if (isDepthwise(op)) {
    FusionDecision fusion = decideFusion(op);
    bool isFused = fusion.expand && fusion.obstacle.empty() && fusion.drawback.empty();
    shape.kind = isFused ? KernelShape::Kind::Fused : KernelShape::Kind::Depthwise;
    return shape;
  }
  shape.kind = KernelShape::Kind::Direct;
  auto isOne = [](int64_t value) { return value == 1; };
  if (weight.getDimSize(0) == 1 && weight.getDimSize(1) == 1 && op.getGroup() == 1 &&
      llvm::all_of(op.getStrides(), isOne)) {
    shape.kind = KernelShape::Kind::Product;
    shape.rows = result[0] * result[1] * result[2];
    return shape;
  }
  if (result[1] > 1) {
    shape.rowMultiple = result[2];
    shape.rows = result[1] * result[2];
  }
  if (!winograd)
    return shape;
  WinogradDecision decision = decideWinograd(op);
  if (int64_t m = decision.plan.m; decision.obstacle.empty() && m > 0) {
    if (op.getGroup() > 1)
      return std::nullopt;
    shape.kind = KernelShape::Kind::Winograd;
    shape.rows = result[0] * llvm::divideCeil(result[1], m) * llvm::divideCeil(result[2], m);
    shape.rowMultiple = 1;
  }
  return shape;
}

/// Nullopt where nothing is chosen, or where products are in tile registers or of f16, which have a shape of their own.
std::optional<KernelShape> findShape(Operation *op, bool winograd) {
  Type lhs = elementOf(op->getOperand(0)), weight = elementOf(op->getOperand(1));
  if ((lhs.isF16() && weight.isF16()) ||
      (lhs.isBF16() && weight.isBF16() && codegen::hasTileRegisters(nn::getTarget(op))))
    return std::nullopt;
  if (auto conv = dyn_cast<nn::ConvOp>(op))
    return codegen::hasGroupsInVectors(conv, nn::getTarget(op)) ? std::nullopt : findConvShape(conv, winograd);
  KernelShape shape;
  auto result = cast<ShapedType>(op->getResult(0).getType());
  auto rhs = cast<ShapedType>(op->getOperand(1).getType());
  shape.isInteger = elementOf(op->getOperand(0)).isInteger();
  shape.columns = result.getShape().back();
  if (ShapedType::isDynamic(shape.columns))
    return std::nullopt;
  if (auto matmul = dyn_cast<nn::MatMulOp>(op); matmul && matmul.getPacked())
    return std::nullopt;
  // One right matrix for all: the left ones are one long matrix.
  if (result.hasStaticShape())
    shape.rows = rhs.getRank() == 2 || result.getRank() < 2 ? result.getNumElements() / shape.columns
                                                            : result.getDimSize(result.getRank() - 2);
  return shape;
}

int64_t evenBlock(int64_t count, int64_t most) { return llvm::divideCeil(count, llvm::divideCeil(count, most)); }

/// Numbers of rows for tiles, up to `most`: what cuts `rows` evenly, and what fills the registers, or a part of them.
SmallVector<int64_t> findTileRows(const KernelShape &shape, int64_t most) {
  SmallVector<int64_t> result;
  auto add = [&](int64_t rows) {
    rows = std::min(rows, most);
    if (rows >= 1 && (shape.rows < 0 || rows <= shape.rows) && !llvm::is_contained(result, rows))
      result.push_back(rows);
  };
  int64_t line = shape.rowMultiple;
  if (line > 1 && 2 * line <= most) { // several lines to a tile
    int64_t lines = shape.rows / line;
    for (int64_t limit : {most / line, std::max<int64_t>(most / line / 2, 1)})
      add(evenBlock(lines, limit) * line);
    add(most / line * line);
    return result;
  }
  int64_t rows = line > 1 ? line : shape.rows;
  for (int64_t limit : {most, most * 3 / 4, most / 2}) {
    if (limit >= 1 && rows > 0)
      add(evenBlock(rows, limit));
    if (limit >= 1)
      add(limit);
  }
  return result;
}

std::vector<TuningChoice> findAlgorithms(Operation *op, bool winograd) {
  std::vector<TuningChoice> choices;
  auto conv = dyn_cast<nn::ConvOp>(op);
  if (!conv)
    return choices;
  if (isDepthwise(conv)) {
    FusionDecision fusion = decideFusion(conv);
    if (fusion.expand && fusion.obstacle.empty()) {
      TuningChoice choice;
      choice.fuse = !fusion.drawback.empty();
      choices.push_back(choice);
    }
    return choices;
  }
  if (!winograd)
    return choices;
  WinogradDecision decision = decideWinograd(conv);
  for (int64_t m : {0, 2, 4})
    if (decision.obstacle.empty() && m <= decision.largestTile && m != decision.plan.m) {
      TuningChoice choice;
      choice.winograd = m;
      choices.push_back(choice);
    }
  return choices;
}

std::vector<TuningChoice> findTiles(Operation *op, const KernelShape &shape) {
  std::vector<TuningChoice> choices;
  nn::TargetAttr target = nn::getTarget(op);
  int64_t lanes = target.getVectorBits() / 32;
  auto add = [&](std::optional<int64_t> width, std::optional<int64_t> rows) {
    TuningChoice choice;
    choice.panelWidth = width;
    choice.tileRows = rows;
    choices.push_back(choice);
  };
  if (shape.kind == KernelShape::Kind::Fused) {
    add(2 * lanes, std::nullopt);
    return choices;
  }
  if (shape.kind == KernelShape::Kind::Depthwise) {
    KernelShape line = shape;
    line.rowMultiple = 1;
    if (codegen::skipsPadding(cast<nn::ConvOp>(op), target))
      return choices;
    int64_t most = codegen::maxTileRows(target, /*vectors=*/1) * 2 / 3;
    for (int64_t rows : findTileRows(line, most))
      add(std::nullopt, rows);
    if (shape.rows >= 4)
      add(std::nullopt, 4);
    return choices;
  }
  int64_t usual = codegen::chooseSplitPanelWidth(op, shape.columns);
  std::map<std::pair<size_t, size_t>, TuningChoice> ranked; // by rows, then by width
  for (int64_t vectors : {3, 4, 2, 1}) {
    int64_t width = vectors * lanes, padded = llvm::alignTo(shape.columns, width);
    // Not of panels that are mostly zeros.
    if (vectors > 1 && 4 * padded > 5 * int64_t(llvm::alignTo(shape.columns, lanes)))
      continue;
    int64_t most = shape.isInteger && shape.kind != KernelShape::Kind::Winograd
                       ? codegen::maxIntegerTileRows(target, vectors)
                       : codegen::maxTileRows(target, vectors);
    for (auto [index, rows] : llvm::enumerate(findTileRows(shape, most))) {
      if (width == usual && index == 0) // what it will get
        continue;
      TuningChoice choice;
      choice.panelWidth = width;
      choice.tileRows = rows;
      ranked[{index, ranked.size()}] = choice;
    }
  }
  // Of each width the most rows first.
  for (auto &[rank, choice] : ranked)
    choices.push_back(std::move(choice));
  return choices;
}

std::vector<TuningChoice> findSharings(Operation *op, const KernelShape &shape) {
  std::vector<TuningChoice> choices;
  auto add = [&](std::optional<std::string> share, std::optional<int64_t> tasks) {
    TuningChoice choice;
    choice.share = std::move(share);
    choice.tasks = tasks;
    choices.push_back(choice);
  };
  if (shape.kind == KernelShape::Kind::Fused)
    return choices;
  for (const char *share : {"rows", "columns"})
    add(share, std::nullopt);
  if (shape.kind == KernelShape::Kind::Winograd)
    return choices;
  if (shape.rows >= 0)
    for (int64_t tasks : {1, 4, 8, 32, 64})
      add(std::nullopt, tasks);
  for (const char *share : {"rows", "columns"})
    if (shape.rows >= 0)
      add(share, 32);
  if (shape.kind == KernelShape::Kind::Direct && shape.kernelRows > 1 && elementOf(op->getOperand(0)).isF32() &&
      elementOf(op->getResult(0)).isF32())
    for (int64_t rows : {int64_t(1), shape.kernelRows}) {
      TuningChoice choice;
      choice.kernelRows = rows;
      choices.push_back(choice);
    }
  return choices;
}

} // namespace

std::vector<TuningChoice> lathe::findAlternatives(Operation *op, TuningStage stage, bool winograd) {
  if (stage == TuningStage::Algorithm)
    return findAlgorithms(op, winograd);
  std::optional<KernelShape> shape = findShape(op, winograd);
  if (!shape)
    return {};
  return stage == TuningStage::Tile ? findTiles(op, *shape) : findSharings(op, *shape);
}
