//===- SplitPools.cpp - Some lines of a convolution, pooled before the next ===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"
#include "passes/Lower/DimSplitter.h"
#include "passes/Lower/PadImage.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITPOOLS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static constexpr unsigned kLineDim = 1;
/// Multiply-adds of a step, which take some 30 microseconds.
static constexpr int64_t kLeastMacs = 2'000'000;

static RankedTensorType withLines(RankedTensorType type, int64_t lines) {
  SmallVector<int64_t> shape(type.getShape());
  shape[kLineDim] = lines;
  return RankedTensorType::get(shape, type.getElementType());
}

namespace {

/// A convolution whose result a pool alone reads. Line i of the pool takes those from i * stride - padding on.
class PooledConv {
public:
  PooledConv(nn::ConvOp conv, nn::PoolOp pool)
      : conv(conv), pool(pool), image(cast<RankedTensorType>(conv.getInput().getType())),
        result(cast<RankedTensorType>(conv.getResult().getType())),
        pooled(cast<RankedTensorType>(pool.getResult().getType())), stride(pool.getStrides()[0]),
        padding(pool.getPads()[0]), carried(pool.getKernel()[0] - stride) {}

  Location getLoc() { return pool->getLoc(); }

  bool canSplit() {
    if (!image.hasStaticShape() || !result.hasStaticShape() || !pooled.hasStaticShape() || result.getDimSize(0) != 1 ||
        !image.getElementType().isF32() || !result.getElementType().isF32() || pool.getDilations()[0] != 1)
      return false;
    // All lines that are carried into the first step are padding, or none.
    bool allPadding = padding == carried && pool.getKind() == nn::PoolKind::Max;
    bool reachesBehind = stride * lines() - padding + carried > result.getDimSize(kLineDim);
    return carried >= 0 && (padding == 0 || allPadding) && !reachesBehind && conv.getGroup() == 1 && !isForWinograd() &&
           llvm::none_of(conv.getExtras(), variesByPixel);
  }

  /// Lines of the pool at a time: the most for which all that a step reads and writes stays in the cache. 0 where the
  /// convolution's result stays there for the most part, or the steps would be so short that it shows how long tasks
  /// take to begin.
  int64_t chooseCount(int64_t cacheBytes) {
    if (getTensorBytes(result) <= 2 * cacheBytes)
      return 0;
    int64_t best = 0, macsOfLine = conv.getMacs() / lines();
    for (int64_t count : getStepCounts(lines(), cacheBytes)) {
      int64_t bytes = getTensorBytes(withLines(result, carried + stride * count)) +
                      getTensorBytes(withLines(image, countImageLines(stride * count))) +
                      getTensorBytes(withLines(pooled, count)) + getTensorBytes(conv.getWeight());
      if (bytes <= cacheBytes && count * macsOfLine >= kLeastMacs)
        best = count;
    }
    return best;
  }

  void split(int64_t count) {
    padImage(conv);
    ImplicitLocOpBuilder builder(pool.getLoc(), pool);
    Value zero = index(builder, 0);
    SmallVector<Value> carriedIn = {tensor::EmptyOp::create(builder, pooled, ValueRange())};
    if (carried > 0)
      carriedIn.push_back(padding > 0 ? makePadding(builder) : makeLines(builder, zero, carried));
    auto loop = scf::ForOp::create(builder, pool.getLoc(), zero, index(builder, lines()), index(builder, count),
                                   carriedIn, [&](OpBuilder &nested, Location loc, Value first, ValueRange arguments) {
                                     ImplicitLocOpBuilder body(loc, nested);
                                     scf::YieldOp::create(body, makeStep(body, first, count, arguments));
                                   });
    pool.getResult().replaceAllUsesWith(loop.getResult(0));
    pool.erase();
    conv.erase();
  }

private:
  /// What the loop carries, the pooled image and lines for the next step, once `count` lines from `first` on are
  /// pooled.
  SmallVector<Value> makeStep(ImplicitLocOpBuilder &body, Value first, int64_t count, ValueRange arguments) {
    // Of the new lines, those after what is carried.
    Value begin = arith::MulIOp::create(body, first, index(body, stride));
    if (padding == 0 && carried > 0)
      begin = arith::AddIOp::create(body, begin, index(body, carried));
    Value band = makeLines(body, begin, stride * count);
    SmallVector<Value> next;
    if (carried > 0) {
      RankedTensorType type = withLines(result, carried + stride * count);
      Value whole = tensor::EmptyOp::create(body, type, ValueRange());
      whole = insert(body, arguments[1], whole, index(body, 0));
      band = insert(body, band, whole, index(body, carried));
      next.push_back(extract(body, band, index(body, stride * count), carried));
    }
    IRMapping mapping;
    mapping.map(pool.getInput(), band);
    auto part = cast<nn::PoolOp>(body.clone(*pool, mapping));
    SmallVector<int64_t> pads(pool.getPads());
    pads[0] = pads[2] = 0;
    part.setPads(pads);
    part.getResult().setType(withLines(pooled, count));
    next.insert(next.begin(), insert(body, part.getResult(), arguments[0], first));
    return next;
  }

  int64_t lines() { return pooled.getDimSize(kLineDim); }

  /// Lines of the image that so many of the convolution read.
  int64_t countImageLines(int64_t count) {
    int64_t window = cast<ShapedType>(conv.getWeight().getType()).getDimSize(0);
    return (count - 1) * conv.getStrides()[0] + (window - 1) * conv.getDilations()[0] + 1;
  }

  /// Those work on blocks of several lines, and are too fast for the pool to matter.
  bool isForWinograd() {
    auto isOne = [](int64_t value) { return value == 1; };
    ArrayRef<int64_t> window = cast<ShapedType>(conv.getWeight().getType()).getShape().take_front(2);
    return window[0] == 3 && window[1] == 3 && llvm::all_of(conv.getStrides(), isOne);
  }

  static Value index(ImplicitLocOpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }

  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes, strides;
  };
  static Slice sliceFrom(ImplicitLocOpBuilder &builder, Value first, RankedTensorType part) {
    SmallVector<OpFoldResult> offsets(part.getRank(), builder.getIndexAttr(0)),
        strides(part.getRank(), builder.getIndexAttr(1));
    offsets[kLineDim] = first;
    return {offsets, getAsIndexOpFoldResult(builder.getContext(), part.getShape()), strides};
  }
  static Value extract(ImplicitLocOpBuilder &builder, Value from, Value first, int64_t count) {
    RankedTensorType part = withLines(cast<RankedTensorType>(from.getType()), count);
    auto [offsets, sizes, strides] = sliceFrom(builder, first, part);
    return tensor::ExtractSliceOp::create(builder, part, from, offsets, sizes, strides);
  }
  static Value insert(ImplicitLocOpBuilder &builder, Value part, Value into, Value first) {
    auto [offsets, sizes, strides] = sliceFrom(builder, first, cast<RankedTensorType>(part.getType()));
    return tensor::InsertSliceOp::create(builder, part, into, offsets, sizes, strides);
  }

  Value makePadding(ImplicitLocOpBuilder &builder) {
    auto least = llvm::APFloat::getInf(llvm::APFloat::IEEEsingle(), /*Negative=*/true);
    Value value = arith::ConstantOp::create(builder, builder.getFloatAttr(result.getElementType(), least));
    Value empty = tensor::EmptyOp::create(builder, withLines(result, carried), ValueRange());
    return linalg::FillOp::create(builder, ValueRange{value}, ValueRange{empty}).getResult(0);
  }

  /// So many lines of the convolution, which reads an image that holds its padding.
  Value makeLines(ImplicitLocOpBuilder &builder, Value first, int64_t count) {
    Value begin = arith::MulIOp::create(builder, first, index(builder, conv.getStrides()[0]));
    IRMapping mapping;
    mapping.map(conv.getInput(), extract(builder, conv.getInput(), begin, countImageLines(count)));
    auto part = cast<nn::ConvOp>(builder.clone(*conv, mapping));
    part.getResult().setType(withLines(result, count));
    return part.getResult();
  }

  nn::ConvOp conv;
  nn::PoolOp pool;
  RankedTensorType image, result, pooled;
  int64_t stride, padding;
  int64_t carried; ///< lines that a step reads of the one before
};

struct LowerSplitPools : lathe::impl::LowerSplitPoolsBase<LowerSplitPools> {
  void runOnOperation() override {
    int64_t cacheBytes = nn::getTarget(getOperation()).getL2Bytes();
    SmallVector<PooledConv> found;
    getOperation().walk([&](nn::PoolOp pool) {
      auto conv = pool.getInput().getDefiningOp<nn::ConvOp>();
      if (conv && conv->getNumResults() == 1 && conv->hasOneUse() && conv->getBlock() == pool->getBlock())
        found.emplace_back(conv, pool);
    });
    for (PooledConv &layers : found) {
      int64_t count = layers.canSplit() ? layers.chooseCount(cacheBytes) : 0;
      if (!count)
        continue;
      remark::passed(layers.getLoc(),
                     remark::RemarkOpts::name("SplitPool").category("lower").function(getOperation().getName()))
          << remark::metric("Lines", count);
      layers.split(count);
    }
  }
};

} // namespace
