//===- DimSplitter.cpp - Loops over parts of a dimension ------------------===//
#include "passes/Lower/DimSplitter.h"

#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "dialects/ONNX/IR/Elementwise.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Fuse/Utils.h"

using namespace mlir;
using namespace lathe;

int64_t lathe::getTensorBytes(RankedTensorType type) {
  Type element = type.getElementType();
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    element = quantized.getStorageType();
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
  return llvm::divideCeil(type.getNumElements() * bits, 8);
}

/// Ops that may treat the indices of a dimension each by itself. DimFlow tells of which dimension that is true; it does
/// not tell of operands that hold sizes, so that ops which have such are not here.
static bool mayBeSplit(Operation *op) {
  return onnx::isElementwise(op) ||
         isa<nn::ConvOp, nn::PoolOp, nn::LinearOp, nn::MatMulOp, nn::AttentionOp, nn::NormOp, nn::SoftmaxOp,
             onnx::ConcatOp, onnx::DequantizeLinearOp, onnx::FlattenOp, onnx::GlobalAveragePoolOp,
             onnx::GlobalMaxPoolOp, onnx::PadOp, onnx::QuantizeLinearOp, onnx::ReduceMaxOp, onnx::ReduceMeanOp,
             onnx::ReduceMinOp, onnx::ReduceSumOp, onnx::ReshapeOp, onnx::SliceOp, onnx::SplitOp, onnx::SqueezeOp,
             onnx::TransposeOp, onnx::UnsqueezeOp, quant::DequantizeCastOp, quant::QuantizeCastOp,
             quant::StorageCastOp>(op);
}

DimFlow lathe::getDimFlow(Operation *op, unsigned operand, unsigned dim) {
  if (auto flow = dyn_cast<DimFlowOpInterface>(op))
    return flow.getDimFlow(operand, dim, 0);
  return DimFlow::same(dim); // casts of the quant dialect
}

bool DimSplitter::hasDim(Type type) const {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > int64_t(dim) && tensor.getDimSize(dim) == size &&
         getPart(tensor, 1).hasStaticShape();
}

bool DimSplitter::keepsApart(Operation *op) const {
  if (!mayBeSplit(op) || !isMemoryEffectFree(op) ||
      !llvm::all_of(op->getResultTypes(), [&](Type type) { return hasDim(type); }))
    return false;
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
    return isPart(reshape.getData()) && getDimFlow(op, 0, dim).kind == DimFlow::Kind::Same;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    if (!isPart(operand.get()) && !type.hasStaticShape())
      return false;
    for (int64_t from = 0; from < type.getRank(); ++from) {
      DimFlow flow = getDimFlow(op, operand.getOperandNumber(), from);
      bool reachesDim = flow.kind != DimFlow::Kind::None && flow.kind != DimFlow::Kind::Reduced && flow.dim == dim;
      bool isDim = from == dim && isPart(operand.get());
      if (isDim ? !reachesDim || flow.kind != DimFlow::Kind::Same
                : reachesDim && flow.kind != DimFlow::Kind::Broadcast && type.getDimSize(from) != 1)
        return false;
    }
  }
  return true;
}

SmallVector<int64_t> lathe::getStepCounts(int64_t size, int64_t most) {
  SmallVector<int64_t> counts;
  for (int64_t count = 1; count <= std::min(size / 2, most); ++count)
    if (size % count == 0)
      counts.push_back(count);
  return counts;
}

bool lathe::variesByPixel(Value extra) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(extra.getType()).getShape();
  return !shape.empty() && llvm::any_of(shape.drop_back(), [](int64_t size) { return size != 1; });
}

SplitTraffic DimSplitter::getTraffic(Operation *op) const {
  SplitTraffic traffic;
  // Of a dynamic size one index counts; else the average, as windows have other sizes than what is computed of them.
  bool isDynamic = ShapedType::isDynamic(size);
  auto addPart = [&](Value value) {
    traffic.partBytes += isDynamic ? getTensorBytes(getPart(value.getType(), 1)) : getTensorBytes(value);
  };
  for (Value operand : llvm::SetVector<Value>(op->operand_begin(), op->operand_end()))
    if (isPart(operand))
      addPart(operand);
    else if (isa<RankedTensorType>(operand.getType()))
      traffic.sharedBytes += getTensorBytes(operand);
  for (Value result : op->getResults())
    addPart(result);
  traffic.partBytes /= isDynamic ? 1 : size;
  return traffic;
}

RankedTensorType DimSplitter::getPart(Type type, int64_t count) const {
  SmallVector<int64_t> shape(cast<RankedTensorType>(type).getShape());
  shape[dim] = count;
  return RankedTensorType::get(shape, cast<RankedTensorType>(type).getElementType());
}

scf::ForOp DimSplitter::split(const SplitGroup &group) {
  llvm::SmallPtrSet<Operation *, 16> members(group.ops.begin(), group.ops.end());
  llvm::SetVector<Value> inputs, outputs;
  for (Operation *op : group.ops) {
    for (Value operand : op->getOperands())
      if ((isPart(operand) || operand == group.windowed) && !members.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
        outputs.insert(result);
  }
  // A loop carries what the lowering gives another type, and it is not worth the trouble.
  auto changesType = [](Value value) {
    Type element = getElementTypeOrSelf(value.getType());
    return element.isUnsignedInteger() || onnx::isNarrow(element);
  };
  if (llvm::any_of(inputs, changesType) || llvm::any_of(outputs, changesType))
    return nullptr;
  // After the last: constants between the ops come before it, and what reads the results comes after.
  OpBuilder builder(group.ops.back());
  Location loc = group.ops.front()->getLoc();
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  SmallVector<Value> destinations, dynamicSizes;
  if (ShapedType::isDynamic(size))
    dynamicSizes.push_back(tensor::DimOp::create(builder, loc, whole, int64_t(dim)));
  Value end = dynamicSizes.empty() ? index(size) : dynamicSizes.front();
  for (Value output : outputs)
    destinations.push_back(
        tensor::EmptyOp::create(builder, output.getLoc(), cast<RankedTensorType>(output.getType()), dynamicSizes));
  auto loop = scf::ForOp::create(
      builder, loc, index(0), end, index(group.count), destinations,
      [&](OpBuilder &body, Location, Value first, ValueRange results) {
        IRMapping mapping;
        auto slice = [&](RankedTensorType part, Value begin) {
          SmallVector<OpFoldResult> offsets(part.getRank(), body.getIndexAttr(0)),
              strides(part.getRank(), body.getIndexAttr(1));
          offsets[dim] = begin;
          return std::tuple(offsets, getAsIndexOpFoldResult(body.getContext(), part.getShape()), strides);
        };
        for (Value input : inputs) {
          bool isWindowed = input == group.windowed;
          int64_t count = isWindowed ? (group.count - 1) * group.stride + group.window : group.count;
          Value begin = first;
          if (isWindowed && group.stride != 1)
            begin = arith::MulIOp::create(body, loc, first, index(group.stride));
          RankedTensorType part = getPart(input.getType(), count);
          auto [offsets, sizes, strides] = slice(part, begin);
          mapping.map(input,
                      tensor::ExtractSliceOp::create(body, input.getLoc(), part, input, offsets, sizes, strides));
        }
        for (Operation *op : group.ops)
          clone(body, op, mapping, group.count);
        SmallVector<Value> updated;
        for (auto [output, result] : llvm::zip(outputs, results)) {
          auto [offsets, sizes, strides] = slice(getPart(output.getType(), group.count), first);
          updated.push_back(tensor::InsertSliceOp::create(body, output.getLoc(), mapping.lookup(output), result,
                                                          offsets, sizes, strides));
        }
        scf::YieldOp::create(body, loc, updated);
      });
  for (auto [i, output] : llvm::enumerate(outputs.takeVector()))
    output.replaceUsesWithIf(loop.getResult(i), [&](OpOperand &use) { return !members.contains(use.getOwner()); });
  parts.insert(loop.result_begin(), loop.result_end());
  for (Operation *op : llvm::reverse(group.ops)) {
    for (Value result : op->getResults())
      parts.erase(result);
    op->erase();
  }
  return loop;
}

void DimSplitter::clone(OpBuilder &body, Operation *op, IRMapping &mapping, int64_t count) const {
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op)) {
    ArrayRef<int64_t> shape = getPart(reshape.getReshaped().getType(), count).getShape();
    mapping.map(reshape.getShape(), fuse::createInts(body, op->getLoc(), shape));
  }
  Operation *part = body.clone(*op, mapping);
  for (Value result : part->getResults())
    result.setType(getPart(result.getType(), count));
  for (auto [from, to] : llvm::zip(op->getResults(), part->getResults()))
    mapping.map(from, to);
}
