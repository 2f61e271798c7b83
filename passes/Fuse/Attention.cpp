//===- Attention.cpp - Recognises scaled dot-product attention ------------===//
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"
#include <cmath>

namespace lathe {
#define GEN_PASS_DEF_FUSEATTENTION
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
/// softmax(scale * query . keyTransposed + mask) . value, all of rank 3 or 4 with heads before positions.
struct Match {
  Value query, keyTransposed, value;
  Value mask;            ///< f32, added
  Value keep;            ///< i1, kept where true
  bool inverted = false; ///< `keep` is true where scores are dropped
  double scale = 1.0;
};
} // namespace

/// The value that `op` scales by a constant, which is multiplied to `scale`; null if it does not.
static Value getScaled(Value value, double &scale) {
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<onnx::MulOp, onnx::DivOp>(op))
    return {};
  for (unsigned i = 0; i < 2; ++i) {
    std::optional<float> scalar = fuse::getScalar(op->getOperand(1 - i));
    if (!scalar || !fuse::haveSameShape(op->getOperand(i), value))
      continue;
    if (isa<onnx::MulOp>(op)) {
      scale *= *scalar;
      return op->getOperand(i);
    }
    if (i == 0 && *scalar != 0.0f) {
      scale /= *scalar;
      return op->getOperand(0);
    }
  }
  return {};
}

static bool isMinusInfinity(Value value) {
  std::optional<float> scalar = fuse::getScalar(value);
  return scalar && std::isinf(*scalar) && *scalar < 0;
}

/// Whether a chain of scales and masks leads from `value` to a matrix product.
static bool leadsToProduct(Value value, unsigned depth = 6) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<onnx::MatMulOp>(op))
    return true;
  if (depth == 0 || !isa_and_nonnull<onnx::MulOp, onnx::DivOp, onnx::AddOp, onnx::WhereOp>(op))
    return false;
  return llvm::any_of(op->getOperands(), [&](Value v) { return leadsToProduct(v, depth - 1); });
}

/// Reads scores from the softmax down to the first product. Returns why they are no attention's, or nothing.
static StringRef matchScores(Value scores, Match &match) {
  for (unsigned steps = 0; steps < 8; ++steps) {
    Operation *op = scores.getDefiningOp();
    if (!op)
      return "the softmax does not follow a matrix product";
    if (auto product = dyn_cast<onnx::MatMulOp>(op)) {
      match.query = product.getA();
      match.keyTransposed = product.getB();
      return product->hasOneUse() ? "" : "the scores have other uses";
    }
    if (!op->hasOneUse())
      return "the scores have other uses";
    if (Value scaled = getScaled(scores, match.scale)) {
      scores = scaled;
      continue;
    }
    bool masked = match.mask || match.keep;
    if (auto add = dyn_cast<onnx::AddOp>(op)) {
      unsigned i = leadsToProduct(add.getA()) ? 0 : 1;
      if (masked || match.scale != 1.0)
        return masked ? "there are several masks" : "the mask is scaled";
      match.mask = op->getOperand(1 - i);
      if (!fuse::haveSameShape(op->getOperand(i), scores))
        return "the mask enlarges the scores";
      scores = op->getOperand(i);
      continue;
    }
    if (auto where = dyn_cast<onnx::WhereOp>(op)) {
      match.inverted = isMinusInfinity(where.getX());
      if (masked || match.scale <= 0.0 || (!match.inverted && !isMinusInfinity(where.getY())))
        return masked ? "there are several masks" : "the mask is not of minus infinity";
      match.keep = where.getCondition();
      scores = match.inverted ? where.getY() : where.getX();
      if (!fuse::haveSameShape(scores, where.getOutput()))
        return "the mask enlarges the scores";
      continue;
    }
    return "the softmax does not follow a matrix product";
  }
  return "the softmax does not follow a matrix product";
}

/// The softmax that computes the weights of a product; null if none does. A guard against rows that are masked out
/// entirely, where(isnan(p), 0, p), is what nn.attention does anyway.
static onnx::SoftmaxOp getSoftmax(Value weights) {
  if (auto where = weights.getDefiningOp<onnx::WhereOp>()) {
    auto isNaN = where.getCondition().getDefiningOp<onnx::IsNaNOp>();
    if (isNaN && isNaN->getOperand(0) == where.getY() && fuse::getScalar(where.getX()) == 0.0f)
      weights = where.getY();
  }
  return weights.getDefiningOp<onnx::SoftmaxOp>();
}

/// Whether two sizes are equal as far as types tell.
static bool areEqual(Value a, int64_t i, Value b, int64_t j) {
  return fuse::getType(a).getDimSize(i) == fuse::getType(b).getDimSize(j);
}

static StringRef matchAttention(onnx::MatMulOp op, Match &match) {
  onnx::SoftmaxOp softmax = getSoftmax(op.getA());
  if (!softmax)
    return "the product does not follow a softmax";
  int64_t rank = fuse::getRank(softmax.getInput());
  int64_t axis = softmax.getAxis();
  if (axis != -1 && axis != rank - 1)
    return "the softmax is not over the last dimension";
  for (Operation *user : softmax->getUsers())
    if (user != op && user != op.getA().getDefiningOp() && !isa<onnx::IsNaNOp>(user))
      return "the weights have other uses";
  if (op.getA() != softmax.getOutput() && !op.getA().hasOneUse())
    return "the weights have other uses";
  if (StringRef why = matchScores(softmax.getInput(), match); !why.empty())
    return why;
  match.value = op.getB();
  for (Value operand : {match.query, match.keyTransposed, match.value})
    if (!fuse::isF32(operand) || fuse::getRank(operand) != rank || (rank != 3 && rank != 4))
      return "expected f32 operands of rank 3 or 4";
  if (fuse::getRank(op.getY()) != rank || !areEqual(match.query, 0, match.keyTransposed, 0) ||
      !areEqual(match.query, 0, match.value, 0))
    return "batch sizes differ";
  if (rank == 4 && (!areEqual(match.query, 1, match.keyTransposed, 1) || !areEqual(match.query, 1, match.value, 1)))
    return "numbers of heads differ";
  if (match.mask && (!fuse::isF32(match.mask) || fuse::getRank(match.mask) > rank))
    return "the mask is not of f32";
  return {};
}

/// Takes a constant scale off `value`, also from below a transpose.
static Value takeScale(PatternRewriter &rewriter, Value value, double &scale) {
  while (Value scaled = getScaled(value, scale))
    value = scaled;
  auto transpose = value.getDefiningOp<onnx::TransposeOp>();
  if (!transpose)
    return value;
  Value inner = transpose.getData();
  while (Value scaled = getScaled(inner, scale))
    inner = scaled;
  if (inner == transpose.getData())
    return value;
  return fuse::createTranspose(rewriter, transpose.getLoc(), inner, fuse::getPermutation(transpose));
}

/// Swaps the last two dimensions, merging with the transpose that `value` may come from.
static Value swapLast(PatternRewriter &rewriter, Location loc, Value value) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, fuse::getRank(value)));
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  if (auto transpose = value.getDefiningOp<onnx::TransposeOp>()) {
    permutation = fuse::compose(fuse::getPermutation(transpose), permutation);
    value = transpose.getData();
  }
  return fuse::isIdentity(permutation) ? value : fuse::createTranspose(rewriter, loc, value, permutation);
}

/// [B, H, S, D] before each head was repeated R times by way of [B, H, R, S, D]; null if none was.
static Value getUnrepeated(Value value) {
  auto reshape = value.getDefiningOp<onnx::ReshapeOp>();
  auto expand = reshape ? reshape.getData().getDefiningOp<onnx::ExpandOp>() : nullptr;
  Operation *unsqueeze = expand ? expand.getInput().getDefiningOp() : nullptr;
  if (!isa_and_nonnull<onnx::UnsqueezeOp, onnx::ReshapeOp>(unsqueeze))
    return {};
  Value heads = unsqueeze->getOperand(0);
  RankedTensorType from = fuse::getType(heads), one = fuse::getType(expand.getInput()),
                   all = fuse::getType(expand.getOutput()), to = fuse::getType(value);
  if (!from || !one || !all || from.getRank() != 4 || one.getRank() != 5 || all.getRank() != 5 || to.getRank() != 4)
    return {};
  SmallVector<int64_t> inserted(from.getShape());
  inserted.insert(inserted.begin() + 2, 1);
  if (one.getShape() != ArrayRef<int64_t>(inserted))
    return {};
  for (int64_t i : {0, 1, 3, 4})
    if (one.getDimSize(i) != all.getDimSize(i))
      return {};
  if (all.isDynamicDim(1) || all.isDynamicDim(2) || to.getDimSize(1) != all.getDimSize(1) * all.getDimSize(2) ||
      to.getDimSize(0) != from.getDimSize(0) || to.getDimSize(2) != from.getDimSize(2) ||
      to.getDimSize(3) != from.getDimSize(3))
    return {};
  return heads;
}

/// V^T P^T, as models with channels before positions write it, is (P V)^T.
static LogicalResult turnProduct(onnx::MatMulOp op, PatternRewriter &rewriter) {
  auto transpose = op.getB().getDefiningOp<onnx::TransposeOp>();
  int64_t rank = fuse::getRank(op.getB());
  if (!transpose || !getSoftmax(transpose.getData()) || fuse::getRank(op.getA()) != rank || fuse::getRank(op.getY()) != rank)
    return rewriter.notifyMatchFailure(op, "the right operand is not a softmax, transposed");
  if (getSoftmax(op.getA()))
    return rewriter.notifyMatchFailure(op, "the left operand is a softmax, too: turned, the product is one like it");
  SmallVector<int64_t> swap = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(swap[rank - 1], swap[rank - 2]);
  if (fuse::getPermutation(transpose) != swap)
    return rewriter.notifyMatchFailure(op, "the softmax is transposed otherwise");
  Value product = onnx::MatMulOp::create(rewriter, op.getLoc(), fuse::permute(fuse::getType(op.getY()), swap),
                                         transpose.getData(), swapLast(rewriter, op.getLoc(), op.getA()));
  rewriter.replaceOp(op, fuse::createTranspose(rewriter, op.getLoc(), product, swap));
  return success();
}

static LogicalResult fuseAttention(onnx::MatMulOp op, PatternRewriter &rewriter) {
  Match match;
  if (StringRef why = matchAttention(op, match); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Location loc = op.getLoc();
  Value query = takeScale(rewriter, match.query, match.scale);
  Value key = swapLast(rewriter, loc, takeScale(rewriter, match.keyTransposed, match.scale));
  Value value = match.value;
  Value mask = match.mask;
  if (match.keep) {
    mask = match.keep;
    if (match.inverted)
      mask = onnx::NotOp::create(rewriter, loc, mask.getType(), mask);
  }
  auto type = fuse::getType(op.getY());
  bool matrices = type.getRank() == 3;
  if (matrices) {
    // A batch of heads is one batch with so many heads.
    for (Value *operand : {&query, &key, &value})
      *operand = fuse::createUnsqueeze(rewriter, loc, *operand, {0});
    SmallVector<int64_t> shape(type.getShape());
    shape.insert(shape.begin(), 1);
    type = RankedTensorType::get(shape, type.getElementType());
  }
  int64_t repeats = 1;
  if (Value keyHeads = getUnrepeated(key), valueHeads = getUnrepeated(value);
      keyHeads && valueHeads && areEqual(keyHeads, 1, valueHeads, 1)) {
    repeats = fuse::getType(key).getDimSize(1) / fuse::getType(keyHeads).getDimSize(1);
    key = keyHeads;
    value = valueHeads;
  }
  if (mask && fuse::getRank(mask) < 4)
    mask = fuse::createUnsqueeze(rewriter, loc, mask, llvm::to_vector(llvm::seq<int64_t>(0, 4 - fuse::getRank(mask))));
  Value result = nn::AttentionOp::create(rewriter, loc, type, query, key, value, mask, Value(),
                                         APFloat(float(match.scale)), /*causal=*/false, /*heads_first=*/true,
                                         /*kv_heads_first=*/true)
                     .getResult();
  fuse::passed(op, "Attention") << remark::metric("Mask", mask ? (match.keep ? "select" : "add") : "none")
                                << remark::metric("HeadRepeats", repeats);
  rewriter.replaceOp(op, matrices ? fuse::createSqueeze(rewriter, loc, result, {0}) : result);
  return success();
}

namespace {
struct FuseAttention : lathe::impl::FuseAttentionBase<FuseAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add(turnProduct);
    patterns.add(fuseAttention);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](onnx::MatMulOp op) {
      Match match;
      if (getSoftmax(op.getA()))
        fuse::missed(op, "Attention") << remark::reason("{0}", matchAttention(op, match));
    });
  }
};
} // namespace
