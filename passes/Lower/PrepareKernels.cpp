//===- PrepareKernels.cpp - Destinations, packed weights, explicit padding ===//
#include "dialects/NN/IR/WinogradTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Codegen/Common/Bf16Layout.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Lower/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_PREPAREKERNELS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

using Sizes = SmallVector<OpFoldResult>;

Type elementTypeOf(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }

constexpr int64_t bytesPerWord = 4;

/// Most vectors of columns of a panel: two for tile registers, which hold as many sums.
int64_t mostPanelVectors(Value input, Value weight, nn::TargetAttr target) {
  bool inTileRegisters =
      elementTypeOf(input).isBF16() && elementTypeOf(weight).isBF16() && codegen::hasTileRegisters(target);
  return inTileRegisters ? 2 : codegen::kMostPanelVectors;
}

/// Reduction steps that are neighbours in a packed weight, because one product of single rows takes them at
/// once.
int64_t stepsPerProduct(Value input, Value weight) {
  Type element = elementTypeOf(input);
  if (element.isF32() || element.isF16() || element.isBF16() != elementTypeOf(weight).isBF16())
    return 1;
  return 32 / element.getIntOrFloatBitWidth();
}

/// The same of the best product for an op with `size` neighbouring steps, in `groups` that no product may reach over.
template <typename OpT>
int64_t stepsPerProduct(OpT op, int64_t size, int64_t groups) {
  Value input = op.getInput();
  int64_t steps = stepsPerProduct(input, op.getWeight());
  bool isRow =
      llvm::all_of(op.getResultShapedType().getShape().drop_back(), [](int64_t extent) { return extent == 1; });
  if (steps == 1 || isRow || !codegen::getPairProduct(nn::getTarget(op), elementTypeOf(input)))
    return steps;
  // Half of the products would be of zeros where one word has all steps.
  int64_t pairSteps = kPairBits / elementTypeOf(input).getIntOrFloatBitWidth();
  return size > steps && (groups == 1 || size % pairSteps == 0) ? pairSteps : steps;
}

/// Prepares the kernels of one function.
class Preparation {
public:
  Preparation(func::FuncOp function) : function(function), shapes(function), builder(function.getContext()) {
    // Ops without symbolic shapes of their own (already lowered ones) end the analysis early; the sizes of what comes
    // after them are read from operands.
    ScopedDiagnosticHandler quiet(function.getContext(), [](Diagnostic &) { return success(); });
    (void)shapes.compute();
  }

  LogicalResult run() {
    SmallVector<nn::KernelOpInterface> kernels;
    function.walk([&](nn::KernelOpInterface op) {
      if (op->getNumResults() == 1 && !isa<nn::TokenPruneOp>(op))
        kernels.push_back(op);
    });
    for (nn::KernelOpInterface op : kernels) {
      builder.setInsertionPoint(op);
      loc = op.getLoc();
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
    loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    Sizes sizes = sizesOf(op.getTokens());
    sizes[1] = builder.getIndexAttr(type.getDimSize(1));
    op.getInitMutable().assign(empty(sizes, type));
    if (op.getNumResults() == 2)
      op.getSizesInitMutable().assign(empty({sizes[0], sizes[1]}, cast<RankedTensorType>(op.getResult(1).getType())));
  }

  LogicalResult prepare(nn::KernelOpInterface op) {
    if (!op.getDestination()) {
      FailureOr<Sizes> sizes = resultSizes(op);
      if (failed(sizes))
        return failure();
      auto type = cast<RankedTensorType>(op->getResult(0).getType());
      bool isApart = !codegen::isGpu(nn::getTarget(op)) && hasDistantRows(op->getResult(0));
      op.setDestination(isApart ? emptyRows(*sizes, type) : empty(*sizes, type));
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
    int64_t width = isGpu ? weight.getDimSize(1) : codegen::choosePanelWidth(op, weight.getDimSize(1), mostVectors);
    if (int64_t steps = stepsPerProduct(op, weight.getDimSize(0), /*groups=*/1); steps > 1) {
      if (int64_t excess = weight.getDimSize(0) % steps)
        op.getInputMutable().assign(padChannels(op.getInput(), steps - excess));
      Value rows = shiftLastChunk(op.getInput(), op.getWeight(), /*dimension=*/0);
      op.getWeightMutable().assign(pack(rows, {1, 0}, {1, 0}, {width, steps}));
    } else {
      op.getWeightMutable().assign(pack(op.getWeight(), {1, 0}, {1}, {width}));
    }
    for (MutableOperandRange parameters : {op.getScalesMutable(), op.getOffsetsMutable()})
      if (!parameters.empty())
        parameters.assign(pack(parameters[0].get(), {1, 0}, {1}, {width}));
    remarkPacked(op, width);
    return success();
  }

  LogicalResult prepareConv(nn::ConvOp op) {
    auto weight = cast<RankedTensorType>(op.getWeight().getType());
    int64_t group = op.getGroup(), channels = weight.getRank() == 4 ? weight.getDimSize(2) : 0;
    int64_t steps = stepsPerProduct(op, channels, group);
    bool isGpu = codegen::isGpu(nn::getTarget(op));
    // Kernels of a GPU know an image's borders, beyond which all is zero.
    bool knowsBorders = isGpu && op.getPadValue() == 0;
    if (isGpu && (steps != bytesPerWord || group != 1 || !weight.hasStaticShape())) {
      if (!knowsBorders)
        padInput(op);
      return success();
    }
    bool depthwise = weight.getRank() == 4 && channels == 1 && group > 1 && weight.getDimSize(3) == group;
    int64_t excess = depthwise ? 0 : channels % steps;
    if (excess && group > 1)
      return op.emitOpError("expected groups of a multiple of ")
             << steps << " channels of " << weight.getElementType() << ", but got " << channels;
    if (excess || !(knowsBorders || codegen::skipsPadding(op, nn::getTarget(op))))
      padInput(op, excess ? steps - excess : 0);
    if (depthwise && steps == 2 && elementTypeOf(op.getInput()).isInteger())
      op.getWeightMutable().assign(interleaveLines(op.getWeight()));
    if (weight.getRank() != 4 || depthwise || codegen::hasGroupsInVectors(op, nn::getTarget(op)))
      return success();
    if (!weight.hasStaticShape())
      return op.emitOpError("expected a weight of static shape, but got ") << weight;

    int64_t outputs = weight.getDimSize(3) / group;
    int64_t mostVectors = mostPanelVectors(op.getInput(), op.getWeight(), nn::getTarget(op));
    int64_t width = isGpu ? outputs : codegen::choosePanelWidth(op, outputs, mostVectors);
    Value packed = shiftLastChunk(op.getInput(), op.getWeight(), /*dimension=*/2);
    if (group == 1) {
      packed =
          steps > 1 ? pack(packed, {3, 0, 1, 2}, {3, 2}, {width, steps}) : pack(packed, {3, 0, 1, 2}, {3}, {width});
    } else {
      // Panels end with their group: [KH, KW, C, group, O] -> [group, panels, KH, KW, C, n0], merged to panels again.
      weight = cast<RankedTensorType>(packed.getType());
      SmallVector<int64_t> split(weight.getShape().drop_back());
      split.append({group, outputs});
      packed = tensor::ExpandShapeOp::create(builder, loc, weight.clone(split), packed,
                                             ArrayRef<ReassociationIndices>{{0}, {1}, {2}, {3, 4}});
      packed = steps > 1 ? pack(packed, {3, 4, 0, 1, 2}, {4, 2}, {width, steps})
                         : pack(packed, {3, 4, 0, 1, 2}, {4}, {width});
      SmallVector<ReassociationIndices> merge = {{0, 1}};
      for (int64_t i = 2; i < cast<RankedTensorType>(packed.getType()).getRank(); ++i)
        merge.push_back({i});
      packed = tensor::CollapseShapeOp::create(builder, loc, packed, merge);
    }
    op.getWeightMutable().assign(packed);
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
    op.getExpandWeightMutable().assign(pack(op.getExpandWeight(), {1, 0}, {1}, {width}));
    remarkPacked(op, width);
    return success();
  }

  /// The elements of lines 2 i and 2 i + 1 of a depthwise weight side by side; a last line that is alone stays. The
  /// shape is the same.
  Value interleaveLines(Value weight) {
    auto type = cast<RankedTensorType>(weight.getType());
    if (!type.hasStaticShape() || type.getDimSize(0) < 2)
      return weight;
    SmallVector<int64_t> shape(type.getShape());
    int64_t pairs = shape[0] / 2;
    shape[0] = 2 * pairs;
    Sizes zeros(shape.size(), builder.getIndexAttr(0)), ones(shape.size(), builder.getIndexAttr(1));
    Value lines =
        tensor::ExtractSliceOp::create(builder, loc, type.clone(shape), weight, zeros, staticSizes(shape), ones);
    SmallVector<int64_t> split = {pairs, 2, shape[1], 1, shape[3]}, swapped = {pairs, shape[1], 1, shape[3], 2};
    lines = tensor::ExpandShapeOp::create(builder, loc, type.clone(split), lines,
                                          ArrayRef<ReassociationIndices>{{0, 1}, {2}, {3}, {4}});
    lines = linalg::TransposeOp::create(builder, loc, lines, empty(staticSizes(swapped), type.clone(swapped)),
                                        ArrayRef<int64_t>{0, 2, 3, 4, 1})
                ->getResult(0);
    lines = tensor::CollapseShapeOp::create(builder, loc, lines, ArrayRef<ReassociationIndices>{{0, 1, 2, 3, 4}});
    lines = tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), lines,
                                          ArrayRef<ReassociationIndices>{{0, 1, 2, 3}});
    return tensor::InsertSliceOp::create(builder, loc, lines, weight, zeros, staticSizes(shape), ones);
  }

  /// Where bf16 meets bf16 in tile registers: the reduction in whole chunks, by zeros before the rows of a last,
  /// shorter one (see ChunkedReduction).
  Value shiftLastChunk(Value input, Value weight, int64_t dimension) {
    auto type = cast<RankedTensorType>(weight.getType());
    if (!elementTypeOf(input).isBF16() || !type.getElementType().isBF16() ||
        !codegen::hasTileRegisters(nn::getTarget(function)))
      return weight;
    codegen::ChunkedReduction reduction(llvm::alignTo(type.getDimSize(dimension), 2));
    int64_t rest = type.getDimSize(dimension) - reduction.wholeChunks() * reduction.chunk;
    if (rest <= 0)
      return weight;
    SmallVector<int64_t> shape(type.getShape());
    shape[dimension] = reduction.stored();
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type.getElementType()));
    Value result =
        linalg::FillOp::create(builder, loc, ValueRange{zero}, ValueRange{empty(staticSizes(shape), type.clone(shape))})
            .getResult(0);
    // The chunk's rows end where the left operand's elements do, padded or not.
    int64_t whole = type.getDimSize(dimension) - rest, shifted = reduction.stored() - (reduction.size - whole);
    for (auto [from, to, count] : {std::tuple{int64_t(0), int64_t(0), whole}, std::tuple{whole, shifted, rest}}) {
      SmallVector<int64_t> sizes(type.getShape());
      sizes[dimension] = count;
      Sizes offsets(shape.size(), builder.getIndexAttr(0)), strides(shape.size(), builder.getIndexAttr(1));
      offsets[dimension] = builder.getIndexAttr(from);
      Value part =
          tensor::ExtractSliceOp::create(builder, loc, type.clone(sizes), weight, offsets, staticSizes(sizes), strides);
      offsets[dimension] = builder.getIndexAttr(to);
      result = tensor::InsertSliceOp::create(builder, loc, part, result, offsets, staticSizes(sizes), strides);
    }
    return result;
  }

  Sizes staticSizes(ArrayRef<int64_t> shape) {
    return llvm::map_to_vector(shape, [&](int64_t size) -> OpFoldResult { return builder.getIndexAttr(size); });
  }

  LogicalResult prepareWinograd(nn::WinogradConvOp op) {
    int64_t lanes = nn::getTarget(op).getVectorBits() / elementTypeOf(op.getInput()).getIntOrFloatBitWidth();
    int64_t width = codegen::choosePanelWidth(op, op.getResultShapedType().getDimSize(3));
    if (op.readsImage())
      padInput(op);
    if (elementTypeOf(op.getInput()).isInteger())
      op.getWeightMutable().assign(pack(op.getWeight(), {2, 0, 1}, {2, 1}, {width, 2}));
    else
      op.getWeightMutable().assign(pack(op.getWeight(), {2, 0, 1}, {1, 2}, {lanes, width}));
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
    Sizes inner = sizesOf(value), outer;
    SmallVector<OpFoldResult> offsets, strides(inner.size(), builder.getIndexAttr(1));
    for (auto [size, before, after] : llvm::zip(inner, low, high)) {
      outer.push_back(plus(size, before + after));
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
    Value scalar = arith::ConstantOp::create(builder, loc, constant);
    Value filled = linalg::FillOp::create(builder, loc, ValueRange{scalar}, ValueRange{empty(outer, type.clone(shape))})
                       .getResult(0);
    return tensor::InsertSliceOp::create(builder, loc, value, filled, offsets, inner, strides);
  }

  /// linalg.pack with zeros, lowered to padding, reshaping and a transposition that any evaluator knows.
  Value pack(Value value, ArrayRef<int64_t> outerPermutation, ArrayRef<int64_t> positions, ArrayRef<int64_t> tiles) {
    auto innerTiles = llvm::map_to_vector(tiles, [&](int64_t t) -> OpFoldResult { return builder.getIndexAttr(t); });
    Value destination =
        linalg::PackOp::createDestinationTensor(builder, loc, value, innerTiles, positions, outerPermutation);
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(elementTypeOf(value)));
    auto packOp =
        linalg::PackOp::create(builder, loc, value, destination, positions, innerTiles, zero, outerPermutation);
    IRRewriter rewriter(builder);
    rewriter.setInsertionPoint(packOp);
    FailureOr<linalg::LowerPackResult> lowered =
        linalg::lowerPack(rewriter, packOp, /*lowerPadLikeWithInsertSlice=*/false);
    if (failed(lowered))
      return packOp->getResult(0);
    return lowered->transposeOp ? Value(lowered->transposeOp->getResult(0)) : Value(lowered->expandShapeOp.getResult());
  }

  //===--------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------===//

  Value empty(const Sizes &sizes, RankedTensorType type) {
    SmallVector<Value> dynamic;
    for (auto [size, extent] : llvm::zip(sizes, type.getShape()))
      if (ShapedType::isDynamic(extent))
        dynamic.push_back(getValueOrCreateConstantIndexOp(builder, loc, size));
    return tensor::EmptyOp::create(builder, loc, type, dynamic);
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

  /// The same as `empty`, with a line of the cache between rows.
  Value emptyRows(const Sizes &sizes, RankedTensorType type) {
    constexpr int64_t lineBytes = 64;
    SmallVector<int64_t> shape(type.getShape());
    Sizes outer(sizes);
    shape.back() += lineBytes * 8 / type.getElementTypeBitWidth();
    outer.back() = builder.getIndexAttr(shape.back());
    Sizes zeros(sizes.size(), builder.getIndexAttr(0)), ones(sizes.size(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(builder, loc, type, empty(outer, type.clone(shape)), zeros, sizes, ones);
  }

  OpFoldResult plus(OpFoldResult size, int64_t more) {
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      return builder.getIndexAttr(*constant + more);
    if (more == 0)
      return size;
    Value addend = arith::ConstantIndexOp::create(builder, loc, more);
    return arith::AddIOp::create(builder, loc, cast<Value>(size), addend).getResult();
  }

  /// Sizes from the symbolic shapes, or from the value itself where they do not reach.
  Sizes sizesOf(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.hasStaticShape() && shapes.hasDims(value))
      return shapes.materializeDims(builder, loc, value);
    Sizes sizes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      sizes.push_back(sizeOf(value, i));
    return sizes;
  }

  /// Follows destinations to where a size was computed: it is known before the value is.
  OpFoldResult sizeOf(Value value, int64_t dim) {
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.isDynamicDim(dim))
      return builder.getIndexAttr(type.getDimSize(dim));
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return tensor::getMixedSize(builder, loc, value, dim);
    Operation *op = result.getOwner();
    if (shapes.hasDims(value))
      return shapes.materialize(builder, loc, shapes.getDims(value)[dim]);
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      return empty.getDynamicSize(dim);
    if (auto kernel = dyn_cast<nn::KernelOpInterface>(op); kernel && kernel.getDestination())
      return sizeOf(kernel.getDestination(), dim);
    if (auto destinationStyle = dyn_cast<DestinationStyleOpInterface>(op))
      return sizeOf(destinationStyle.getTiedOpOperand(result)->get(), dim);
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op); slice && slice.getDroppedDims().none())
      return slice.getMixedSizes()[dim];
    if (auto cast = dyn_cast<tensor::CastOp>(op))
      return sizeOf(cast.getSource(), dim);
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
      return expand.getMixedOutputShape()[dim];
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
      OpFoldResult product = builder.getIndexAttr(1);
      SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
      for (int64_t source : groups[dim])
        product = times(product, sizeOf(collapse.getSrc(), source));
      return product;
    }
    return tensor::getMixedSize(builder, loc, value, dim);
  }

  OpFoldResult times(OpFoldResult a, OpFoldResult b) {
    std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
    if (x && y)
      return builder.getIndexAttr(*x * *y);
    if (x == int64_t(1) || y == int64_t(1))
      return x == int64_t(1) ? b : a;
    return arith::MulIOp::create(builder, loc, getValueOrCreateConstantIndexOp(builder, loc, a),
                                 getValueOrCreateConstantIndexOp(builder, loc, b))
        .getResult();
  }

  OpFoldResult windowed(OpFoldResult size, int64_t pads, int64_t extent, int64_t stride) {
    OpFoldResult span = plus(size, pads - extent);
    if (std::optional<int64_t> constant = getConstantIntValue(span))
      return builder.getIndexAttr(*constant / stride + 1);
    Value step = arith::ConstantIndexOp::create(builder, loc, stride);
    return plus(arith::DivUIOp::create(builder, loc, cast<Value>(span), step).getResult(), 1);
  }

  FailureOr<Sizes> resultSizes(nn::KernelOpInterface op) {
    Value result = op->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    if (type.hasStaticShape() || shapes.hasDims(result))
      return sizesOf(result);
    auto windows = [&](Value input, auto windowed2d, int64_t kernelHeight, int64_t kernelWidth) {
      Sizes sizes = sizesOf(input);
      int64_t kernel[] = {kernelHeight, kernelWidth};
      for (int i = 0; i < 2; ++i)
        sizes[1 + i] = windowed(sizes[1 + i], windowed2d.getPads()[i] + windowed2d.getPads()[i + 2],
                                windowed2d.getDilations()[i] * (kernel[i] - 1) + 1, windowed2d.getStrides()[i]);
      return sizes;
    };
    FailureOr<Sizes> sizes =
        TypeSwitch<Operation *, FailureOr<Sizes>>(op)
            .Case([&](nn::ConvOp conv) -> FailureOr<Sizes> {
              auto weight = cast<RankedTensorType>(conv.getWeight().getType());
              unsigned first = weight.getRank() == 4 ? 0 : 1;
              return windows(conv.getInput(), conv, weight.getDimSize(first), weight.getDimSize(first + 1));
            })
            .Case([&](nn::PoolOp pool) -> FailureOr<Sizes> {
              return windows(pool.getInput(), pool, pool.getKernel()[0], pool.getKernel()[1]);
            })
            .Case([&](nn::MatMulOp matmul) -> FailureOr<Sizes> { return productSizes(matmul, type); })
            .Case([&](nn::WinogradInputOp tiles) -> FailureOr<Sizes> {
              Sizes image = sizesOf(tiles.getInput());
              AffineExpr n, h, w;
              bindSymbols(builder.getContext(), n, h, w);
              Sizes sizes(type.getRank());
              sizes[0] = affine::makeComposedFoldedAffineApply(builder, loc, nn::getTileBlocks(tiles, n, h, w),
                                                               ArrayRef<OpFoldResult>(image).take_front(3));
              return sizes;
            })
            .Case([&](nn::WinogradConvOp conv) -> FailureOr<Sizes> {
              nn::WinogradImage source = nn::getWinogradImage(conv);
              if (!source.image)
                return conv.emitOpError("expected the image of a result of dynamic shape to be known");
              Sizes sizes = sizesOf(source.image);
              for (unsigned i = 0; i < 2; ++i)
                sizes[1 + i] = plus(sizes[1 + i], source.more[i]);
              return sizes;
            })
            .Default([&](Operation *other) -> FailureOr<Sizes> { return sizesOf(other->getOperand(0)); });
    for (auto [size, extent] : llvm::zip(*sizes, type.getShape()))
      if (!ShapedType::isDynamic(extent))
        size = builder.getIndexAttr(extent);
    return sizes;
  }

  /// Leading dimensions broadcast: a size comes from the operand where it is not one.
  Sizes productSizes(nn::MatMulOp op, RankedTensorType type) {
    Sizes lhs = sizesOf(op.getLhs()), rhs = sizesOf(op.getRhs()), sizes(type.getRank());
    int64_t rhsMatrix = op.getPacked() ? 3 : 2;
    for (int64_t i = 0, batch = type.getRank() - 2; i < batch; ++i) {
      int64_t l = i - (batch - (int64_t(lhs.size()) - 2)), r = i - (batch - (int64_t(rhs.size()) - rhsMatrix));
      bool fromLhs = l >= 0 && (r < 0 || getConstantIntValue(lhs[l]) != int64_t(1));
      sizes[i] = fromLhs ? lhs[l] : rhs[r];
    }
    sizes[type.getRank() - 2] = lhs[lhs.size() - 2];
    sizes[type.getRank() - 1] = rhs.back();
    return sizes;
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
  SymbolicShapes shapes;
  OpBuilder builder;
  Location loc = UnknownLoc::get(builder.getContext());
};

struct PrepareKernels : lathe::impl::PrepareKernelsBase<PrepareKernels> {
  void runOnOperation() override {
    if (failed(Preparation(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
