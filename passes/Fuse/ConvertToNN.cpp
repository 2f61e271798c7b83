//===- ConvertToNN.cpp - onnx kernels become nn ops -----------------------===//
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"
#include "passes/Fuse/Volumes.h"

namespace lathe {
#define GEN_PASS_DEF_FUSECONVERTTONN
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static const int64_t kChannelsLast[] = {0, 2, 3, 1};
static const int64_t kChannelsFirst[] = {0, 3, 1, 2};

/// [N, C, W] becomes [N, C, 1, W]; 2-D operands stay.
static Value makeTwoDimensional(OpBuilder &builder, Location loc, Value value) {
  return fuse::getRank(value) == 4 ? value : fuse::createUnsqueeze(builder, loc, value, {2});
}

/// [N, H, W, C] back to the form of the original result.
static Value restore(OpBuilder &builder, Location loc, Value value, int64_t rank) {
  Value transposed = fuse::createTranspose(builder, loc, value, kChannelsFirst);
  return rank == 4 ? transposed : fuse::createSqueeze(builder, loc, transposed, {2});
}

/// The result type of the channels-last form of a channels-first result.
static RankedTensorType getChannelsLast(Value result) {
  auto type = fuse::getType(result);
  SmallVector<int64_t> shape(type.getShape());
  if (shape.size() == 3)
    shape.insert(shape.begin() + 2, 1);
  return fuse::permute(RankedTensorType::get(shape, type.getElementType()), kChannelsLast);
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

static StringRef getRefusal(onnx::ConvOp op, Windows &windows) {
  if (!fuse::isF32(op.getX()) || !fuse::isF32(op.getW()) || !fuse::isF32(op.getY()))
    return "element type is not f32";
  RankedTensorType weight = fuse::getType(op.getW());
  int64_t rank = fuse::getRank(op.getX());
  if (rank < 3 || rank > 5 || weight.getRank() != rank || fuse::getRank(op.getY()) != rank)
    return "neither 1-D nor 2-D nor 3-D";
  if (!weight.hasStaticShape())
    return "the weight's shape is not known";
  if (fuse::getType(op.getX()).isDynamicDim(1)) // kernels take groups of them apart
    return "the number of channels is not known";
  if (StringRef why = rank == 5 ? fuse::getVolumeRefusal(op.getX(), op.getY()) : ""; !why.empty())
    return why;
  return resolveWindows(windows, op, op.getX(), op.getY(), weight.getShape().drop_front(2), op.getStrides(),
                        op.getDilations(), op.getPads(), op.getAutoPad(), /*ceil=*/false);
}

static LogicalResult convertConv(onnx::ConvOp op, PatternRewriter &rewriter) {
  Windows windows;
  if (StringRef why = getRefusal(op, windows); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Location loc = op.getLoc();
  int64_t rank = fuse::getRank(op.getX());
  if (rank == 5) {
    rewriter.replaceOp(op, fuse::createVolumeConv(rewriter, op, windows));
    return success();
  }
  Value input = fuse::createTranspose(rewriter, loc, makeTwoDimensional(rewriter, loc, op.getX()), kChannelsLast);
  Value weight = fuse::createTranspose(rewriter, loc, makeTwoDimensional(rewriter, loc, op.getW()), {2, 3, 1, 0});
  RankedTensorType type = getChannelsLast(op.getY());
  Value result = nn::ConvOp::create(rewriter, loc, type, input, weight, ValueRange(), Value(), windows.strides,
                                    windows.dilations, windows.pads, op.getGroup())
                     .getResult();
  if (op.getB())
    result = onnx::AddOp::create(rewriter, loc, type, result, op.getB());
  rewriter.replaceOp(op, restore(rewriter, loc, result, rank));
  return success();
}

/// Padding with zeros before a convolution is the convolution's own; padding by nothing is nothing.
static LogicalResult takePad(onnx::PadOp op, PatternRewriter &rewriter) {
  std::optional<SmallVector<int64_t>> pads = fuse::getInts(op.getPads());
  int64_t rank = fuse::getRank(op.getData());
  if (!pads || rank < 0)
    return rewriter.notifyMatchFailure(op, "pads are not known");
  if (llvm::all_of(*pads, [](int64_t pad) { return pad == 0; })) {
    rewriter.replaceOp(op, op.getData());
    return success();
  }
  auto conv = op->hasOneUse() ? dyn_cast<onnx::ConvOp>(*op->user_begin()) : nullptr;
  bool zeros = op.getMode() == "constant" && (!op.getConstantValue() || fuse::getScalar(op.getConstantValue()) == 0.0f);
  if (!conv || conv.getX() != op.getOutput() || conv.getAutoPad() != "NOTSET" || !zeros || op.getAxes() ||
      rank < 3 || pads->size() != size_t(2 * rank))
    return rewriter.notifyMatchFailure(op, "not zeros before a convolution");
  size_t spatial = rank - 2;
  SmallVector<int64_t> all(2 * spatial, 0);
  if (std::optional<ArrayRef<int64_t>> own = conv.getPads(); own && own->size() == all.size())
    all.assign(own->begin(), own->end());
  for (int64_t i = 0; i < 2 * rank; ++i) {
    int64_t pad = (*pads)[i], dim = i % rank;
    if (pad < 0 || (dim < 2 && pad != 0))
      return rewriter.notifyMatchFailure(op, "pads channels, or crops");
    if (dim >= 2)
      all[dim - 2 + (i >= rank ? spatial : 0)] += pad;
  }
  rewriter.modifyOpInPlace(conv, [&] {
    conv.getXMutable().assign(op.getData());
    conv.setPads(all);
  });
  rewriter.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

template <typename OpT>
static StringRef getPoolRefusal(OpT op, Windows &windows) {
  int64_t rank = fuse::getRank(op.getX());
  if (!fuse::isF32(op.getX()) || !fuse::isF32(op.getY()))
    return "element type is not f32";
  if (rank < 3 || rank > 5 || fuse::getRank(op.getY()) != rank)
    return "neither 1-D nor 2-D nor 3-D";
  if (StringRef why = rank == 5 ? fuse::getVolumeRefusal(op.getX(), op.getY()) : ""; !why.empty())
    return why;
  return resolveWindows(windows, op, op.getX(), op.getY(), op.getKernelShape(), op.getStrides(), op.getDilations(),
                        op.getPads(), op.getAutoPad(), op.getCeilMode());
}

static StringRef getRefusal(onnx::MaxPoolOp op, Windows &windows) {
  if (op.getIndices() && !op.getIndices().use_empty())
    return "the indices are used";
  return getPoolRefusal(op, windows);
}

static StringRef getRefusal(onnx::AveragePoolOp op, Windows &windows) {
  StringRef why = getPoolRefusal(op, windows);
  if (why.empty() && op.getCountIncludePad() && windows.extended)
    return "ceil_mode reaches past padding that is counted";
  return why;
}

template <typename OpT>
static LogicalResult convertPool(OpT op, PatternRewriter &rewriter) {
  Windows windows;
  if (StringRef why = getRefusal(op, windows); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Location loc = op.getLoc();
  int64_t rank = fuse::getRank(op.getX());
  bool average = std::is_same_v<OpT, onnx::AveragePoolOp>;
  bool countPad = false;
  if constexpr (std::is_same_v<OpT, onnx::AveragePoolOp>)
    countPad = op.getCountIncludePad();
  nn::PoolKind kind = average ? nn::PoolKind::Average : nn::PoolKind::Max;
  Value result;
  if (rank == 5) {
    result = fuse::createVolumePool(rewriter, loc, op.getX(), fuse::getType(op.getY()), kind, windows, countPad);
  } else {
    Value input = fuse::createTranspose(rewriter, loc, makeTwoDimensional(rewriter, loc, op.getX()), kChannelsLast);
    Value pool = nn::PoolOp::create(rewriter, loc, getChannelsLast(op.getY()), input, Value(), kind, windows.kernel,
                                    windows.strides, windows.dilations, windows.pads, countPad)
                     .getResult();
    result = restore(rewriter, loc, pool, rank);
  }
  rewriter.replaceAllUsesWith(op.getY(), result);
  rewriter.eraseOp(op);
  return success();
}

template <typename OpT, typename ReduceT>
static LogicalResult convertGlobalPool(OpT op, PatternRewriter &rewriter) {
  int64_t rank = fuse::getRank(op.getX());
  if (rank < 3)
    return rewriter.notifyMatchFailure(op, "expected rank 3 or more");
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  rewriter.replaceOpWithNewOp<ReduceT>(op, op.getY().getType(), op.getX(),
                                       fuse::createInts(rewriter, op.getLoc(), axes), 1, 0);
  return success();
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static StringRef getRefusal(onnx::MatMulOp op) {
  if (!fuse::isF32(op.getA()) || !fuse::isF32(op.getB()) || !fuse::isF32(op.getY()))
    return "element type is not f32";
  if (fuse::getRank(op.getA()) < 1 || fuse::getRank(op.getB()) < 1)
    return "expected rank 1 or more";
  return {};
}

/// A product with one matrix that is a constant is nn.linear, any other nn.matmul. `type` is the result's.
static Value createProduct(PatternRewriter &rewriter, Location loc, RankedTensorType type, Value lhs, Value rhs) {
  if (fuse::getRank(rhs) == 2 && fuse::getType(rhs).hasStaticShape() && fuse::isConstantExpression(rhs))
    return nn::LinearOp::create(rewriter, loc, type, lhs, rhs, ValueRange(), Value()).getResult();
  // Vectors become matrices of one row or column, as in NumPy.
  SmallVector<int64_t> shape(type.getShape()), units;
  if (fuse::getRank(lhs) == 1) {
    lhs = fuse::createUnsqueeze(rewriter, loc, lhs, {0});
    int64_t rows = int64_t(shape.size()) - (fuse::getRank(rhs) == 1 ? 0 : 1);
    shape.insert(shape.begin() + rows, 1);
    units.push_back(rows);
  }
  if (fuse::getRank(rhs) == 1) {
    rhs = fuse::createUnsqueeze(rewriter, loc, rhs, {1});
    units.push_back(shape.size());
    shape.push_back(1);
  }
  auto matrices = RankedTensorType::get(shape, type.getElementType());
  Value product = nn::MatMulOp::create(rewriter, loc, matrices, lhs, rhs, ValueRange(), Value(), false).getResult();
  return units.empty() ? product : fuse::createSqueeze(rewriter, loc, product, units);
}

static LogicalResult convertMatMul(onnx::MatMulOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  rewriter.replaceOp(op, createProduct(rewriter, op.getLoc(), fuse::getType(op.getY()), op.getA(), op.getB()));
  return success();
}

static StringRef getRefusal(onnx::GemmOp op) {
  if (!fuse::isF32(op.getA()) || !fuse::isF32(op.getB()) || !fuse::isF32(op.getY()))
    return "element type is not f32";
  if (fuse::getRank(op.getA()) != 2 || fuse::getRank(op.getB()) != 2)
    return "expected matrices";
  return {};
}

static LogicalResult convertGemm(onnx::GemmOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Location loc = op.getLoc();
  RankedTensorType type = fuse::getType(op.getY());
  Value lhs = op.getA(), rhs = op.getB(), sum = op.getC();
  float alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
  if (op.getTransA())
    lhs = fuse::createTranspose(rewriter, loc, lhs, {1, 0});
  if (op.getTransB())
    rhs = fuse::createTranspose(rewriter, loc, rhs, {1, 0});
  bool isConstant = fuse::isConstantExpression(rhs);
  auto scale = [&](Value value, float factor) -> Value {
    if (factor == 1.0f)
      return value;
    return onnx::MulOp::create(rewriter, loc, value.getType(), value, fuse::createScalar(rewriter, loc, factor));
  };
  if (isConstant)
    rhs = scale(rhs, alpha);
  Value product = createProduct(rewriter, loc, type, lhs, rhs);
  if (!isConstant)
    product = scale(product, alpha);
  if (sum && beta != 0.0f)
    product = onnx::AddOp::create(rewriter, loc, type, product, scale(sum, beta));
  rewriter.replaceOp(op, product);
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

template <typename OpT>
static StringRef getSoftmaxRefusal(OpT op) {
  if (!fuse::isF32(op.getInput()) || fuse::getRank(op.getInput()) < 1)
    return "expected an f32 tensor of rank 1 or more";
  return {};
}
static StringRef getRefusal(onnx::SoftmaxOp op) { return getSoftmaxRefusal(op); }
static StringRef getRefusal(onnx::LogSoftmaxOp op) { return getSoftmaxRefusal(op); }

template <typename OpT>
static LogicalResult convertSoftmax(OpT op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  int64_t rank = fuse::getRank(op.getInput()), axis = op.getAxis();
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank)
    return rewriter.notifyMatchFailure(op, "axis out of range");
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      permutation.push_back(i);
  permutation.push_back(axis);
  Value input = op.getInput();
  bool moved = !fuse::isIdentity(permutation);
  if (moved)
    input = fuse::createTranspose(rewriter, op.getLoc(), input, permutation);
  Value result = nn::SoftmaxOp::create(rewriter, op.getLoc(), input.getType(), input, Value(),
                                       std::is_same_v<OpT, onnx::LogSoftmaxOp>)
                     .getResult();
  if (moved)
    result = fuse::createTranspose(rewriter, op.getLoc(), result, fuse::invert(permutation));
  rewriter.replaceOp(op, result);
  return success();
}

template <typename OpT>
static void explain(OpT op) {
  StringRef why;
  if constexpr (llvm::is_one_of<OpT, onnx::ConvOp, onnx::MaxPoolOp, onnx::AveragePoolOp>::value) {
    Windows windows;
    why = getRefusal(op, windows);
  } else {
    why = getRefusal(op);
  }
  fuse::missed(op, "ConvertToNN") << remark::reason("{0} stays: {1}", op->getName().getStringRef(), why);
}

void fuse::populateConvertToNNPatterns(RewritePatternSet &patterns) {
  patterns.add(convertConv);
  patterns.add(convertPool<onnx::MaxPoolOp>);
  patterns.add(convertPool<onnx::AveragePoolOp>);
  patterns.add(convertGlobalPool<onnx::GlobalAveragePoolOp, onnx::ReduceMeanOp>);
  patterns.add(convertGlobalPool<onnx::GlobalMaxPoolOp, onnx::ReduceMaxOp>);
  patterns.add(convertMatMul);
  patterns.add(convertGemm);
  patterns.add(convertSoftmax<onnx::SoftmaxOp>);
  patterns.add(convertSoftmax<onnx::LogSoftmaxOp>);
}

namespace {
struct FuseConvertToNN : lathe::impl::FuseConvertToNNBase<FuseConvertToNN> {
  void runOnOperation() override {
    RewritePatternSet pads(&getContext()), patterns(&getContext());
    pads.add(takePad);
    fuse::populateConvertToNNPatterns(patterns);
    // A convolution takes its pad while it is channels first.
    if (failed(applyPatternsGreedily(getOperation(), std::move(pads))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case<onnx::ConvOp, onnx::MaxPoolOp, onnx::AveragePoolOp, onnx::MatMulOp, onnx::GemmOp, onnx::SoftmaxOp,
                onnx::LogSoftmaxOp>([](auto kernel) { explain(kernel); });
    });
  }
};
} // namespace
