//===- KernelSizes.cpp - Sizes of kernels' results before they are computed ===//
#include "passes/Lower/KernelSizes.h"
#include "dialects/NN/IR/WinogradTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;

KernelSizes::KernelSizes(func::FuncOp function, ImplicitLocOpBuilder &builder) : shapes(function), builder(builder) {
  // Ops without symbolic shapes of their own (already lowered ones) end the analysis early; the sizes of what comes
  // after them are read from operands.
  ScopedDiagnosticHandler quiet(function.getContext(), [](Diagnostic &) { return success(); });
  (void)shapes.compute();
}

Value KernelSizes::createEmpty(const Sizes &sizes, RankedTensorType type) {
  SmallVector<Value> dynamic;
  for (auto [size, extent] : llvm::zip(sizes, type.getShape()))
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(getValueOrCreateConstantIndexOp(builder, builder.getLoc(), size));
  return tensor::EmptyOp::create(builder, type, dynamic);
}

OpFoldResult KernelSizes::plus(OpFoldResult size, int64_t more) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return builder.getIndexAttr(*constant + more);
  if (more == 0)
    return size;
  Value addend = arith::ConstantIndexOp::create(builder, more);
  return arith::AddIOp::create(builder, cast<Value>(size), addend).getResult();
}

KernelSizes::Sizes KernelSizes::sizesOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape() && shapes.hasDims(value))
    return shapes.materializeDims(builder, builder.getLoc(), value);
  Sizes sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    sizes.push_back(sizeOf(value, i));
  return sizes;
}

/// Follows destinations to where a size was computed: it is known before the value is.
OpFoldResult KernelSizes::sizeOf(Value value, int64_t dim) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(dim))
    return builder.getIndexAttr(type.getDimSize(dim));
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return tensor::getMixedSize(builder, builder.getLoc(), value, dim);
  Operation *op = result.getOwner();
  if (shapes.hasDims(value))
    return shapes.materialize(builder, builder.getLoc(), shapes.getDims(value)[dim]);
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
  return tensor::getMixedSize(builder, builder.getLoc(), value, dim);
}

OpFoldResult KernelSizes::times(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return builder.getIndexAttr(*x * *y);
  if (x == int64_t(1) || y == int64_t(1))
    return x == int64_t(1) ? b : a;
  return arith::MulIOp::create(builder, getValueOrCreateConstantIndexOp(builder, builder.getLoc(), a),
                               getValueOrCreateConstantIndexOp(builder, builder.getLoc(), b))
      .getResult();
}

OpFoldResult KernelSizes::windowed(OpFoldResult size, int64_t pads, int64_t extent, int64_t stride) {
  OpFoldResult span = plus(size, pads - extent);
  if (std::optional<int64_t> constant = getConstantIntValue(span))
    return builder.getIndexAttr(*constant / stride + 1);
  Value step = arith::ConstantIndexOp::create(builder, stride);
  return plus(arith::DivUIOp::create(builder, cast<Value>(span), step).getResult(), 1);
}

FailureOr<KernelSizes::Sizes> KernelSizes::resultSizes(nn::KernelOpInterface op) {
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
            sizes[0] =
                affine::makeComposedFoldedAffineApply(builder, builder.getLoc(), nn::getTileBlocks(tiles, n, h, w),
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
  if (failed(sizes))
    return failure();
  for (auto [size, extent] : llvm::zip(*sizes, type.getShape()))
    if (!ShapedType::isDynamic(extent))
      size = builder.getIndexAttr(extent);
  return sizes;
}

/// Leading dimensions broadcast: a size comes from the operand where it is not one.
KernelSizes::Sizes KernelSizes::productSizes(nn::MatMulOp op, RankedTensorType type) {
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
