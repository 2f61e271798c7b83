//===- LayoutComputation.cpp - Transposes sink through computation --------===//
#include "dialects/ONNX/IR/Elementwise.h"
#include "passes/Fuse/LayoutPatterns.h"

using namespace mlir;
using namespace lathe;

StringRef lathe::getAskedWay(Operation *op) {
  auto way = op->getAttrOfType<StringAttr>(kSinkAttr);
  return way && way != kSettled && way != kKept ? way.getValue() : StringRef();
}

void lathe::replaceTransposed(PatternRewriter &rewriter, Operation *op, Operation *replacement,
                              ArrayRef<int64_t> permutation) {
  SmallVector<Value> results;
  for (Value result : replacement->getResults())
    results.push_back(fuse::createTranspose(rewriter, op->getLoc(), result, permutation));
  rewriter.replaceOp(op, results);
}

/// Whether `value`, extended to `rank` by leading ones, can be permuted by `inverse` at no cost at run time.
static bool isCheap(Value value, int64_t rank, ArrayRef<int64_t> inverse) {
  RankedTensorType type = fuse::getType(value);
  if (!type || type.getRank() > rank)
    return false;
  if (fuse::isConstantExpression(value))
    return true;
  // A transpose that differs in dimensions of size one only.
  if (auto transpose = value.getDefiningOp<onnx::TransposeOp>(); transpose && type.getRank() == rank)
    if (fuse::movesOnlyUnits(fuse::getType(transpose.getData()), fuse::compose(fuse::getPermutation(transpose), inverse)))
      return true;
  SmallVector<int64_t> shape(rank - type.getRank(), 1);
  llvm::append_range(shape, type.getShape());
  return fuse::movesOnlyUnits(RankedTensorType::get(shape, type.getElementType()), inverse);
}

/// Whether the operand is a transpose by `permutation`.
static bool isTransposedBy(Value value, ArrayRef<int64_t> permutation) {
  auto transpose = value.getDefiningOp<onnx::TransposeOp>();
  return transpose && ArrayRef<int64_t>(fuse::getPermutation(transpose)) == permutation;
}

/// The operand as it is before the transpose; `isTransposedBy` or `isCheap` holds.
static Value untranspose(PatternRewriter &rewriter, Location loc, Value value, ArrayRef<int64_t> permutation) {
  if (isTransposedBy(value, permutation))
    return value.getDefiningOp<onnx::TransposeOp>().getData();
  int64_t rank = fuse::getRank(value), missing = permutation.size() - rank;
  if (rank == 0)
    return value;
  if (missing > 0)
    value = fuse::createUnsqueeze(rewriter, loc, value, llvm::to_vector(llvm::seq<int64_t>(0, missing)));
  return fuse::createTranspose(rewriter, loc, value, fuse::invert(permutation));
}

namespace {
/// op(T(a), T(b), ...) becomes T(op(a, b, ...)), for elementwise ops and concatenations.
struct SinkThroughElementwise : RewritePattern {
  explicit SinkThroughElementwise(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto concat = dyn_cast<onnx::ConcatOp>(op);
    if (!concat && !onnx::isElementwise(op))
      return failure();
    int64_t rank = fuse::getRank(op->getResult(0));
    for (Value candidate : op->getOperands()) {
      auto transpose = candidate.getDefiningOp<onnx::TransposeOp>();
      if (!transpose || fuse::getRank(candidate) != rank || fuse::isConstantExpression(candidate))
        continue;
      SmallVector<int64_t> permutation = fuse::getPermutation(transpose), inverse = fuse::invert(permutation);
      bool asked = !getAskedWay(op).empty();
      // Where nothing moves at all, an operand that would get the inverse could sink its own transpose, back and forth.
      bool isFree = fuse::movesOnlyUnits(fuse::getType(transpose.getData()), permutation);
      if (!llvm::all_of(op->getOperands(), [&](Value v) {
            if (isTransposedBy(v, permutation) || fuse::getRank(v) == 0)
              return true;
            bool isCheap = asked ? fuse::getRank(v) >= 0 : ::isCheap(v, rank, inverse);
            return isCheap && (!isFree || fuse::isConstantExpression(v));
          }))
        continue;
      sink(op, permutation, rewriter);
      return success();
    }
    return failure();
  }

  static void sink(Operation *op, ArrayRef<int64_t> permutation, PatternRewriter &rewriter) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(untranspose(rewriter, op->getLoc(), operand, permutation));
    Operation *sunk = rewriter.clone(*op);
    sunk->setOperands(operands);
    sunk->getResult(0).setType(fuse::permute(fuse::getType(op->getResult(0)), fuse::invert(permutation)));
    if (!getAskedWay(op).empty())
      sunk->setAttr(kSinkAttr, rewriter.getStringAttr(kSettled));
    if (auto concat = dyn_cast<onnx::ConcatOp>(sunk)) {
      int64_t axis = concat.getAxis();
      concat.setAxis(permutation[axis < 0 ? axis + permutation.size() : axis]);
    }
    replaceTransposed(rewriter, op, sunk, permutation);
  }
};
} // namespace

/// The transpose that produces `value` and leaves the last dimension where it is.
static onnx::TransposeOp getOuterTranspose(Value value) {
  auto transpose = value.getDefiningOp<onnx::TransposeOp>();
  if (!transpose || fuse::isConstantExpression(value))
    return nullptr;
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  return !permutation.empty() && permutation.back() + 1 == int64_t(permutation.size()) ? transpose : nullptr;
}

/// Ops whose first operand's rows are independent of each other, like softmax over the last dimension.
template <typename OpT>
static LogicalResult sinkThroughRows(OpT op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getOuterTranspose(op->getOperand(0));
  if (!transpose || op.getInit())
    return failure();
  if constexpr (std::is_same_v<OpT, nn::LinearOp>)
    if (!op.getExtras().empty())
      return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  Operation *sunk = rewriter.clone(*op);
  sunk->setOperand(0, transpose.getData());
  sunk->getResult(0).setType(fuse::permute(fuse::getType(op->getResult(0)), fuse::invert(permutation)));
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

/// Swaps the last two dimensions.
static SmallVector<int64_t> swapMatrices(int64_t rank) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return permutation;
}

/// A^T B^T is (B A)^T.
static LogicalResult swapFactors(nn::MatMulOp op, PatternRewriter &rewriter) {
  int64_t lhsRank = fuse::getRank(op.getLhs()), rhsRank = fuse::getRank(op.getRhs());
  if (op.getInit() || op.getPacked() || !op.getExtras().empty() || lhsRank < 2 || rhsRank < 2 ||
      !isTransposedBy(op.getLhs(), swapMatrices(lhsRank)) || !isTransposedBy(op.getRhs(), swapMatrices(rhsRank)))
    return failure();
  SmallVector<int64_t> swap = swapMatrices(fuse::getRank(op.getResult()));
  auto getData = [](Value value) { return value.getDefiningOp<onnx::TransposeOp>().getData(); };
  auto product = nn::MatMulOp::create(rewriter, op.getLoc(), fuse::permute(fuse::getType(op.getResult()), swap),
                                      getData(op.getRhs()), getData(op.getLhs()), ValueRange(), Value(), false);
  replaceTransposed(rewriter, op, product, swap);
  return success();
}

//===----------------------------------------------------------------------===//
// Attention has both orders of heads
//===----------------------------------------------------------------------===//

static const int64_t kSwapHeads[] = {0, 2, 1, 3};

static LogicalResult absorbQueryTranspose(nn::AttentionOp op, PatternRewriter &rewriter) {
  if (!isTransposedBy(op.getQuery(), kSwapHeads) || op.getInit())
    return failure();
  auto sunk = cast<nn::AttentionOp>(rewriter.clone(*op));
  sunk.getQueryMutable().assign(op.getQuery().getDefiningOp<onnx::TransposeOp>().getData());
  sunk.setHeadsFirst(!op.getHeadsFirst());
  sunk.getResult().setType(fuse::permute(fuse::getType(op.getResult()), kSwapHeads));
  replaceTransposed(rewriter, op, sunk, kSwapHeads);
  return success();
}

static LogicalResult absorbKeyTranspose(nn::AttentionOp op, PatternRewriter &rewriter) {
  if (!isTransposedBy(op.getKey(), kSwapHeads) || !isTransposedBy(op.getValue(), kSwapHeads))
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    op.getKeyMutable().assign(op.getKey().getDefiningOp<onnx::TransposeOp>().getData());
    op.getValueMutable().assign(op.getValue().getDefiningOp<onnx::TransposeOp>().getData());
    op.setKvHeadsFirst(!op.getKvHeadsFirst());
  });
  return success();
}

void lathe::addSinkThroughComputation(RewritePatternSet &patterns) {
  patterns.add<SinkThroughElementwise>(patterns.getContext());
  patterns.add(sinkThroughRows<nn::LinearOp>);
  patterns.add(sinkThroughRows<nn::SoftmaxOp>);
  patterns.add(sinkThroughRows<nn::NormOp>);
  patterns.add(swapFactors);
  patterns.add(absorbQueryTranspose);
  patterns.add(absorbKeyTranspose);
}
