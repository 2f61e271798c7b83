//===- ReducePrecision.cpp - Weights stored in 16 bits, products in tf32 --===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/NN/IR/NNPrecision.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Parameters.h"
#include <cmath>
#include <cstring>

namespace lathe {
#define GEN_PASS_DEF_COMPRESSREDUCEPRECISION
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("ReducePrecision").category("compress"); }

/// The upper half of a float, rounded half to even; a NaN stays one.
static uint16_t roundToBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Numbers of this magnitude and above, half way from the largest of f16 to the next power of two, become infinite in
/// it (IEEE 754-2019, 4.3.1).
static constexpr float kBeyondF16 = 65520;

/// The nearest number of f16, half to even; a NaN stays one.
static uint16_t roundToF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return uint16_t(sign | 0x7E00);
  if (std::fabs(value) >= kBeyondF16)
    return uint16_t(sign | 0x7C00);
  if (magnitude < 0x38800000) { // below 2^-14, where f16 has multiples of 2^-24, as f32 has from 0.5 on
    float shifted = std::fabs(value) + 0.5f;
    std::memcpy(&bits, &shifted, sizeof bits);
    return uint16_t(sign | (bits - 0x3F000000));
  }
  magnitude += 0xFFF + (magnitude >> 13 & 1);
  return uint16_t(sign | (magnitude - 0x38000000) >> 13);
}

/// The bits of the nearest number of tf32, a float without its last 13 bits: half away from zero, as tensor cores' own
/// conversion rounds (PTX ISA, "cvt.rna.tf32.f32"); a NaN stays one.
static uint32_t roundToTF32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return (bits & ~0x1FFFu) | 0x400000;
  return (bits + 0x1000) & ~0x1FFFu;
}

/// The elements as `type`, by the bits that `round` makes of each. Large constants stay outside of the context.
template <typename BitsT>
static ElementsAttr store(ArrayRef<float> values, RankedTensorType type, StringRef name, bool isDense,
                          BitsT (*round)(float)) {
  std::vector<BitsT> stored(values.size());
  llvm::transform(values, stored.begin(), round);
  if (isDense)
    return DenseElementsAttr::getFromRawBuffer(
        type, ArrayRef<char>(reinterpret_cast<const char *>(stored.data()), stored.size() * sizeof(BitsT)));
  return DenseResourceElementsAttr::get(type, name,
                                        HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<BitsT>(stored)));
}

/// The constant in `element`, bf16 or f16, or for f32 in numbers of tf32; null where its bytes are not there.
static ElementsAttr convert(ElementsAttr constant, Type element) {
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(constant, storage);
  if (!values)
    return {};
  auto type = RankedTensorType::get(constant.getShapedType().getShape(), element);
  bool isDense = isa<DenseElementsAttr>(constant);
  if (element.isF32())
    return store(*values, type, "tf32", isDense, roundToTF32);
  return element.isF16() ? store(*values, type, "f16", isDense, roundToF16)
                         : store(*values, type, "bf16", isDense, roundToBF16);
}

namespace {
struct CompressReducePrecision : lathe::impl::CompressReducePrecisionBase<CompressReducePrecision> {
  using CompressReducePrecisionBase::CompressReducePrecisionBase;

  void runOnOperation() override;

private:
  StringRef formatOf(Operation *op) { return getSetting(op, "precision").value_or(format); }
  /// The type in which a format stores numbers in 16 bits; null for others.
  Type findNarrowType(StringRef chosen) {
    if (chosen == "bf16")
      return BFloat16Type::get(&getContext());
    return chosen == "f16" ? Type(Float16Type::get(&getContext())) : Type();
  }
  void allowTF32(Operation *op);
  void roundWeight(Operation *op);
  Value reduce(Operation *op, Value constant);
  Value getReplacement(Value value, ElementsAttr constant, Type element);

  DenseMap<std::pair<Value, Type>, Value> replacements;
};
} // namespace

/// Why the target's kernels read no f16; empty where they do.
static StringRef obstacleToF16(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family && family->hasHalfConversions(target) ? "" : "target has no conversion of f16";
}

/// Whether f16 holds all finite elements as finite ones. True where they cannot be read.
static bool fitF16(ElementsAttr constant) {
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(constant, storage);
  return !values || llvm::all_of(*values, [](float value) { return !(std::fabs(value) >= kBeyondF16); });
}

/// The constant as `convert` makes it, one for all readers; null where its bytes are not there.
Value CompressReducePrecision::getReplacement(Value value, ElementsAttr constant, Type element) {
  Value &replacement = replacements[{value, element}];
  if (replacement)
    return replacement;
  ElementsAttr converted = convert(constant, element);
  if (!converted)
    return {};
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  return replacement = onnx::ConstantOp::create(builder, value.getLoc(), converted);
}

/// The constant in 16 bits; null, after a remark, where the op keeps reading f32.
Value CompressReducePrecision::reduce(Operation *op, Value value) {
  auto miss = [&](StringRef why) {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", why);
    return Value();
  };
  Type element = findNarrowType(formatOf(op));
  if (!element)
    return miss("left as f32 by its settings");
  if (element.isF16())
    if (StringRef obstacle = obstacleToF16(nn::getTarget(op)); !obstacle.empty())
      return miss(obstacle);
  ElementsAttr constant;
  auto type = cast<ShapedType>(value.getType());
  if (!type.getElementType().isF32() || !matchPattern(value, m_Constant(&constant)) || type.getNumElements() == 0)
    return miss("not a constant of f32");
  if (element.isF16() && !fitF16(constant))
    return miss("has elements beyond the range of f16");
  Value replacement = getReplacement(value, constant, element);
  if (!replacement)
    return miss("constant cannot be read as f32");
  remark::passed(op->getLoc(), remarkOptions())
      << remark::metric("Elements", type.getNumElements()) << remark::metric("Bits", 16);
  return replacement;
}

/// A constant weight is rounded to tf32 once, rather than in each tile that a kernel multiplies. Kernels of groups
/// multiply f32.
void CompressReducePrecision::roundWeight(Operation *op) {
  auto conv = dyn_cast<nn::ConvOp>(op);
  if (!isa<nn::LinearOp>(op) && (!conv || conv.getGroup() != 1))
    return;
  OpOperand &weight = conv ? conv.getWeightMutable() : cast<nn::LinearOp>(op).getWeightMutable();
  Type element = cast<ShapedType>(weight.get().getType()).getElementType();
  ElementsAttr constant;
  if (!element.isF32() || !matchPattern(weight.get(), m_Constant(&constant)))
    return;
  if (Value rounded = getReplacement(weight.get(), constant, element)) {
    weight.set(rounded);
    op->setAttr(nn::kTF32WeightAttr, UnitAttr::get(op->getContext()));
  }
}

/// Marks a contraction that stays f32 in memory.
void CompressReducePrecision::allowTF32(Operation *op) {
  StringRef chosen = formatOf(op);
  Type narrow = findNarrowType(chosen);
  if (chosen != "tf32" && !(narrow && isa<nn::MatMulOp, nn::AttentionOp>(op)))
    return;
  if (nn::hasTensorCores(nn::getTarget(op))) {
    op->setAttr(nn::kTF32Attr, UnitAttr::get(op->getContext()));
    if (narrow && isa<nn::AttentionOp>(op))
      op->setAttr(nn::kNarrowAttr, TypeAttr::get(narrow));
    if (!narrow)
      roundWeight(op);
    remark::passed(op->getLoc(), remarkOptions()) << remark::metric("Product", "tf32");
  } else if (chosen == "tf32") {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("target has no products of tf32");
  }
}

void CompressReducePrecision::runOnOperation() {
  replacements.clear();
  func::FuncOp function = getOperation();
  if (format != "bf16" && format != "f16" && format != "tf32" && format != "none") {
    emitError(function.getLoc()) << "expected bf16, f16 or tf32, but got '" << format << "'";
    return signalPassFailure();
  }
  SmallVector<onnx::GatherOp> gathers;
  function.walk([&](Operation *op) {
    if (isa<nn::LinearOp, nn::ConvOp, nn::MatMulOp, nn::AttentionOp>(op))
      allowTF32(op);
    OpOperand *weight = nullptr;
    if (auto linear = dyn_cast<nn::LinearOp>(op))
      weight = &linear.getWeightMutable();
    else if (auto conv = dyn_cast<nn::ConvOp>(op))
      weight = &conv.getWeightMutable();
    else if (auto gather = dyn_cast<onnx::GatherOp>(op))
      gathers.push_back(gather);
    if (weight)
      if (Value replacement = reduce(op, weight->get()))
        weight->set(replacement);
  });
  for (onnx::GatherOp op : gathers) {
    auto table = cast<ShapedType>(op.getData().getType());
    ElementsAttr indices;
    // What one row is read of, or known rows, is no table.
    if (!table.getElementType().isF32() || !op.getData().getDefiningOp<onnx::ConstantOp>() ||
        matchPattern(op.getIndices(), m_Constant(&indices)))
      continue;
    Value replacement = reduce(op, op.getData());
    if (!replacement)
      continue;
    OpBuilder builder(op);
    builder.setInsertionPointAfter(op);
    Value result = op.getResult();
    Type type = result.getType();
    op.getDataMutable().assign(replacement);
    result.setType(cast<ShapedType>(type).clone(cast<ShapedType>(replacement.getType()).getElementType()));
    constexpr int64_t onnxFloat = 1;
    auto cast = onnx::CastOp::create(builder, op.getLoc(), type, result, onnxFloat);
    result.replaceAllUsesExcept(cast, cast);
  }
}
