//===- LayoutSearch.cpp - Transposes that are worth another one -----------===//
#include "dialects/ONNX/IR/Elementwise.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "passes/Fuse/LayoutPatterns.h"

using namespace mlir;
using namespace lathe;

/// Each trial rewrites a copy of the function.
static constexpr unsigned kMostTrials = 64;
/// What a size that is not known is taken for.
static constexpr int64_t kTypicalSize = 16;

static bool movesElements(onnx::TransposeOp op) {
  RankedTensorType type = fuse::getType(op.getData());
  return type && !fuse::isConstantExpression(op.getData()) && !fuse::movesOnlyUnits(type, fuse::getPermutation(op));
}

int64_t lathe::countTransposedBytes(func::FuncOp function) {
  int64_t total = 0;
  function.walk([&](onnx::TransposeOp op) {
    if (!movesElements(op))
      return;
    RankedTensorType type = fuse::getType(op.getTransposed());
    int64_t bytes = type.getElementType().isIntOrFloat() ? llvm::divideCeil(type.getElementTypeBitWidth(), 8) : 8;
    for (int64_t size : type.getShape())
      bytes *= ShapedType::isDynamic(size) ? kTypicalSize : size;
    total += bytes;
  });
  return total;
}

static bool hasSeveralData(Operation *op) { return isa<onnx::ConcatOp>(op) || onnx::isElementwise(op); }

/// Whether a transpose got as far as this op and no farther.
static bool isBlocked(Operation *op) {
  if (!isa<onnx::ReshapeOp, onnx::FlattenOp>(op) && !hasSeveralData(op))
    return false;
  return !op->hasAttr(kSinkAttr) && llvm::any_of(op->getOperands(), [](Value operand) {
    onnx::TransposeOp transpose = getRunTimeTranspose(operand);
    return transpose && movesElements(transpose);
  });
}

/// The first such op; null if there is none.
static Operation *findBlocked(func::FuncOp function) {
  Operation *found = nullptr;
  function.walk([&](Operation *op) {
    found = isBlocked(op) ? op : nullptr;
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

/// Ops that a transpose, once past `op`, may come to, and those that take what `op` takes: they have more to gain from
/// its being transposed.
static SmallVector<Operation *> findReached(Operation *op) {
  llvm::SetVector<Operation *> reached;
  reached.insert(op);
  for (Value operand : op->getOperands())
    if (!fuse::isConstantExpression(operand))
      for (Operation *user : operand.getUsers())
        if (isBlocked(user))
          reached.insert(user);
  for (size_t i = 0; i < reached.size(); ++i)
    for (Operation *user : reached[i]->getUsers())
      if (isa<onnx::ONNXDialect>(user->getDialect()) && !isa<onnx::TransposeOp>(user))
        reached.insert(user);
  return reached.takeVector();
}

/// A copy of the function in which the ops were asked to let transposes pass `way`; null if patterns do not end.
static func::FuncOp tryToSink(func::FuncOp function, ArrayRef<Operation *> ops, StringRef way,
                              const FrozenRewritePatternSet &sinking) {
  for (Operation *op : ops)
    op->setAttr(kSinkAttr, StringAttr::get(function.getContext(), way));
  func::FuncOp trial = function.clone();
  for (Operation *op : ops)
    op->removeAttr(kSinkAttr);
  if (failed(applyPatternsGreedily(trial, sinking, getSinkingConfig(trial)))) {
    trial.erase();
    return {};
  }
  trial.walk([&](Operation *op) {
    if (auto asked = op->getAttrOfType<StringAttr>(kSinkAttr); asked && asked == way)
      op->removeAttr(kSinkAttr);
  });
  IRRewriter rewriter(function.getContext());
  DominanceInfo dominance;
  eliminateCommonSubExpressions(rewriter, dominance, trial);
  return trial;
}

void lathe::searchLayout(func::FuncOp function, const FrozenRewritePatternSet &sinking) {
  unsigned trials = 0;
  while (Operation *blocked = findBlocked(function)) {
    int64_t before = countTransposedBytes(function), best = before;
    func::FuncOp better;
    SmallVector<Operation *> alone = {blocked}, reached = findReached(blocked);
    for (ArrayRef<Operation *> ops : {ArrayRef(reached), ArrayRef(alone)}) {
      bool merges = llvm::any_of(ops, llvm::IsaPred<onnx::ReshapeOp, onnx::FlattenOp>);
      for (StringRef way : {StringRef(kByFirst), StringRef(kByLast)}) {
        if (trials == kMostTrials || (!merges && way == kByLast) || (ops.size() == 1 && ops.data() == reached.data()))
          continue;
        ++trials;
        func::FuncOp trial = tryToSink(function, ops, way, sinking);
        if (!trial)
          continue;
        if (int64_t bytes = countTransposedBytes(trial); bytes < best) {
          best = bytes;
          std::swap(better, trial);
        }
        if (trial)
          trial.erase();
      }
    }
    if (better) {
      fuse::passed(blocked, "LayoutSearch") << remark::metric("BytesBefore", before) << remark::metric("BytesAfter", best);
      function.getBody().takeBody(better.getBody());
      better.erase();
    } else {
      blocked->setAttr(kSinkAttr, StringAttr::get(function.getContext(), kKept));
    }
  }
  function.walk([](Operation *op) { op->removeAttr(kSinkAttr); });
}
