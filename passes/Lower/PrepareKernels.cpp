//===- PrepareKernels.cpp - Destinations, packed weights, explicit padding ===//
#include "dialects/NN/IR/NNDepthwise.h"
#include "dialects/NN/IR/NNDialect.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Lower/KernelSizes.h"
#include "passes/Lower/Passes.h"
#include "passes/Lower/WeightPacking.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_PREPAREKERNELS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

using Sizes = KernelSizes::Sizes;

constexpr int64_t bytesPerWord = 4;

/// Prepares the kernels of one function.
class Preparation {
public:
  explicit Preparation(func::FuncOp function)
      : function(function), builder(function.getLoc(), function.getContext()), sizes(function, builder) {}

  LogicalResult run() {
    SmallVector<nn::KernelOpInterface> kernels;
    function.walk([&](nn::KernelOpInterface op) {
      if (op->getNumResults() == 1 && !isa<nn::TokenPruneOp>(op))
        kernels.push_back(op);
    });
    for (nn::KernelOpInterface op : kernels) {
      builder.setInsertionPoint(op);
      builder.setLoc(op.getLoc());
      if (failed(prepare(op)))
        return failure();
    }
    function.walk([&](Operation *op) {
      TypeSwitch<Operation *>(op).Case<nn::TokenMergeOp, nn::TokenPruneOp>([&](auto tokens) {
        if (tokens.getNumResults() != 0 && !tokens.getInit())
          prepareTokens(tokens);
      });
    });
    return success();
  }

private:
  /// Ops with fewer tokens in the result, and maybe their sizes as a second one.
  template <typename OpT>
  void prepareTokens(OpT op) {
    builder.setInsertionPoint(op);
    builder.setLoc(op.getLoc());
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    Sizes result = sizes.sizesOf(op.getTokens());
    result[1] = builder.getIndexAttr(type.getDimSize(1));
    op.getInitMutable().assign(sizes.createEmpty(result, type));
    if (op.getNumResults() == 2)
      op.getSizesInitMutable().assign(
          sizes.createEmpty({result[0], result[1]}, cast<RankedTensorType>(op.getResult(1).getType())));
  }

  LogicalResult prepare(nn::KernelOpInterface op) {
    if (!op.getDestination()) {
      FailureOr<Sizes> result = sizes.resultSizes(op);
      if (failed(result))
        return failure();
      auto type = cast<RankedTensorType>(op->getResult(0).getType());
      bool isApart = !codegen::isGpu(nn::getTarget(op)) && hasDistantRows(op->getResult(0));
      op.setDestination(isApart ? emptyRows(*result, type) : sizes.createEmpty(*result, type));
    }
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](nn::LinearOp linear) { return prepareLinear(linear); })
        .Case([&](nn::ConvOp conv) { return prepareConv(conv); })
        .Case([&](nn::ExpandDepthwiseOp conv) { return prepareExpansion(conv); })
        .Case([&](nn::WinogradInputOp input) { return padInput(input), success(); })
        .Case([&](nn::WinogradConvOp conv) { return prepareWinograd(conv); })
        .Default([](Operation *) { return success(); });
  }

  LogicalResult prepareLinear(nn::LinearOp op) {
    auto weight = cast<RankedTensorType>(op.getWeight().getType());
    bool isGpu = codegen::isGpu(nn::getTarget(op));
    if (weight.getRank() != 2 || (isGpu && stepsPerProduct(op.getInput(), op.getWeight()) != bytesPerWord))
      return success();
    if (!weight.hasStaticShape())
      return remarkUnpacked(op, "its weight has a dynamic shape");
    // On tensor cores bytes are multiplied as words of four steps, of all columns in one panel.
    int64_t mostVectors = mostPanelVectors(op.getInput(), op.getWeight(), nn::getTarget(op));
    int64_t width =
        isGpu ? weight.getDimSize(1) : codegen::chooseSplitPanelWidth(op, weight.getDimSize(1), mostVectors);
    if (int64_t steps = stepsPerProduct(op, op.getInput(), op.getWeight(), weight.getDimSize(0), /*groups=*/1);
        steps > 1) {
      if (int64_t excess = weight.getDimSize(0) % steps)
        op.getInputMutable().assign(padChannels(op.getInput(), steps - excess));
      Value rows = shiftLastChunk(builder, op.getInput(), op.getWeight(), /*dimension=*/0, nn::getTarget(op));
      op.getWeightMutable().assign(packTiles(builder, rows, {1, 0}, {1, 0}, {width, steps}));
    } else {
      op.getWeightMutable().assign(packTiles(builder, op.getWeight(), {1, 0}, {1}, {width}));
    }
    for (MutableOperandRange parameters : {op.getScalesMutable(), op.getOffsetsMutable()})
      if (!parameters.empty())
        parameters.assign(packTiles(builder, parameters[0].get(), {1, 0}, {1}, {width}));
    remarkPacked(op, width);
    return success();
  }

  LogicalResult prepareConv(nn::ConvOp op) {
    auto weight = cast<RankedTensorType>(op.getWeight().getType());
    int64_t group = op.getGroup(), channels = weight.getRank() == 4 ? weight.getDimSize(2) : 0;
    int64_t steps = stepsPerProduct(op, op.getInput(), op.getWeight(), channels, group);
    bool isGpu = codegen::isGpu(nn::getTarget(op));
    // Kernels of a GPU know an image's borders, beyond which all is zero.
    bool knowsBorders = isGpu && op.getPadValue() == 0;
    if (isGpu && (steps != bytesPerWord || group != 1 || !weight.hasStaticShape())) {
      if (!knowsBorders)
        padInput(op);
      return success();
    }
    bool depthwise = nn::isDepthwise(op);
    int64_t excess = depthwise ? 0 : channels % steps;
    if (excess && group > 1)
      return op.emitOpError("expected groups of a multiple of ")
             << steps << " channels of " << weight.getElementType() << ", but got " << channels;
    if (excess || !(knowsBorders || codegen::skipsPadding(op, nn::getTarget(op))))
      padInput(op, excess ? steps - excess : 0);
    if (depthwise && steps == 2 && getElementTypeOrSelf(op.getInput()).isInteger())
      op.getWeightMutable().assign(interleaveLines(builder, op.getWeight()));
    if (weight.getRank() != 4 || depthwise || codegen::hasGroupsInVectors(op, nn::getTarget(op)))
      return success();
    if (!weight.hasStaticShape())
      return op.emitOpError("expected a weight of static shape, but got ") << weight;

    int64_t outputs = weight.getDimSize(3) / group;
    int64_t mostVectors = mostPanelVectors(op.getInput(), op.getWeight(), nn::getTarget(op));
    int64_t width = isGpu ? outputs : codegen::chooseSplitPanelWidth(op, outputs, mostVectors);
    Value shifted = shiftLastChunk(builder, op.getInput(), op.getWeight(), /*dimension=*/2, nn::getTarget(op));
    op.getWeightMutable().assign(packFilters(builder, shifted, group, width, steps));
    remarkPacked(op, width);
    return success();
  }

  LogicalResult prepareExpansion(nn::ExpandDepthwiseOp op) {
    // The ring of expanded lines of a panel is filtered from the first cache. Two vectors at most fit the stack.
    nn::TargetAttr target = nn::getTarget(op);
    int64_t lanes = target.getVectorBits() / 32, channels = op.getResultShapedType().getDimSize(3);
    int64_t line = cast<ShapedType>(op.getInput().getType()).getDimSize(2) + op.getPads()[1] + op.getPads()[3];
    int64_t wideBytes = cast<ShapedType>(op.getWeight().getType()).getDimSize(0) * line * 2 * lanes * 4;
    int64_t columns = wideBytes <= target.getL1Bytes() / 2 ? channels : lanes;
    int64_t width = codegen::choosePanelWidth(op, columns, /*mostVectors=*/2);
    op.getExpandWeightMutable().assign(packTiles(builder, op.getExpandWeight(), {1, 0}, {1}, {width}));
    remarkPacked(op, width);
    return success();
  }

  LogicalResult prepareWinograd(nn::WinogradConvOp op) {
    int64_t lanes = nn::getTarget(op).getVectorBits() / getElementTypeOrSelf(op.getInput()).getIntOrFloatBitWidth();
    int64_t width = codegen::chooseWinogradPanelWidth(op);
    if (op.readsImage())
      padInput(op);
    if (getElementTypeOrSelf(op.getInput()).isInteger())
      op.getWeightMutable().assign(packTiles(builder, op.getWeight(), {2, 0, 1}, {2, 1}, {width, 2}));
    else
      op.getWeightMutable().assign(packTiles(builder, op.getWeight(), {2, 0, 1}, {1, 2}, {lanes, width}));
    remarkPacked(op, width);
    return success();
  }

  /// Moves the padding of a convolution, and `channels` more, into its input.
  template <typename OpT>
  void padInput(OpT op, int64_t channels = 0) {
    ArrayRef<int64_t> pads = op.getPads();
    if (!channels && llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
      return;
    int64_t low[] = {0, pads[0], pads[1], 0}, high[] = {0, pads[2], pads[3], channels};
    op.getInputMutable().assign(pad(op.getInput(), low, high, op.getPadValue()));
    op.setPadValue(0);
    op.setPads({0, 0, 0, 0});
  }

  Value padChannels(Value value, int64_t channels) {
    int64_t rank = cast<ShapedType>(value.getType()).getRank();
    SmallVector<int64_t> low(rank, 0), high(rank, 0);
    high.back() = channels;
    return pad(value, low, high, 0);
  }

  /// `value` in the middle of a tensor of `fill`. Its producer can write there in place, which `tensor.pad` rules out.
  Value pad(Value value, ArrayRef<int64_t> low, ArrayRef<int64_t> high, int64_t fill) {
    Sizes inner = sizes.sizesOf(value), outer;
    SmallVector<OpFoldResult> offsets, strides(inner.size(), builder.getIndexAttr(1));
    for (auto [size, before, after] : llvm::zip(inner, low, high)) {
      outer.push_back(sizes.plus(size, before + after));
      offsets.push_back(builder.getIndexAttr(before));
    }
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape;
    for (auto [size, before, after] : llvm::zip(type.getShape(), low, high))
      shape.push_back(ShapedType::isDynamic(size) ? size : size + before + after);
    Type element = type.getElementType();
    TypedAttr constant =
        isa<FloatType>(element)
            ? TypedAttr(FloatAttr::get(element, double(fill)))
            : TypedAttr(IntegerAttr::get(element, APInt(element.getIntOrFloatBitWidth(), fill, false, true)));
    Value scalar = arith::ConstantOp::create(builder, constant);
    Value filled =
        linalg::FillOp::create(builder, ValueRange{scalar}, ValueRange{sizes.createEmpty(outer, type.clone(shape))})
            .getResult(0);
    return tensor::InsertSliceOp::create(builder, value, filled, offsets, inner, strides);
  }

  /// True for rows that begin a multiple of 4096 bytes apart, in the same set of the first cache, where a register tile
  /// that reads several of them would push them out; and if kernels alone see how they lie.
  static bool hasDistantRows(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    constexpr int64_t setBytes = 4096, ways = 8; // of first caches since 2008
    int64_t rows = 1, columns = type.getRank() ? type.getShape().back() : 0;
    for (int64_t size : type.getShape().drop_back())
      rows *= ShapedType::isDynamic(size) ? ways + 1 : size;
    return !ShapedType::isDynamic(columns) && rows > ways && columns > 0 &&
           columns * type.getElementTypeBitWidth() / 8 % setBytes == 0 &&
           llvm::all_of(value.getUsers(),
                        [](Operation *user) { return isa<nn::KernelOpInterface, linalg::LinalgOp>(user); });
  }

  /// A destination with a line of the cache between rows.
  Value emptyRows(const Sizes &inner, RankedTensorType type) {
    constexpr int64_t lineBytes = 64;
    SmallVector<int64_t> shape(type.getShape());
    Sizes outer(inner);
    shape.back() += lineBytes * 8 / type.getElementTypeBitWidth();
    outer.back() = builder.getIndexAttr(shape.back());
    Sizes zeros(inner.size(), builder.getIndexAttr(0)), ones(inner.size(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(builder, type, sizes.createEmpty(outer, type.clone(shape)), zeros, inner,
                                          ones);
  }

  //===--------------------------------------------------------------------===//
  // Remarks
  //===--------------------------------------------------------------------===//

  void remarkPacked(Operation *op, int64_t width) {
    remark::passed(op->getLoc(),
                   remark::RemarkOpts::name("PackedWeight").category("lower").function(function.getName()))
        << remark::metric("Op", op->getName().getStringRef()) << remark::metric("PanelWidth", width);
  }

  LogicalResult remarkUnpacked(Operation *op, StringRef why) {
    remark::missed(op->getLoc(),
                   remark::RemarkOpts::name("PackedWeight").category("lower").function(function.getName()))
        << remark::metric("Op", op->getName().getStringRef()) << remark::reason("{0}", why);
    return success();
  }

  func::FuncOp function;
  ImplicitLocOpBuilder builder;
  KernelSizes sizes;
};

struct PrepareKernels : lathe::impl::PrepareKernelsBase<PrepareKernels> {
  void runOnOperation() override {
    if (failed(Preparation(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
