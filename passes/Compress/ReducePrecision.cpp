//===- ReducePrecision.cpp - Weights stored in bf16, products in tf32 -----===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/NN/IR/NNPrecision.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Parameters.h"
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

/// The constant in bf16; null where its bytes are not there.
static ElementsAttr convert(ElementsAttr constant) {
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(constant, storage);
  if (!values)
    return {};
  std::vector<uint16_t> stored(values->size());
  llvm::transform(*values, stored.begin(), roundToBF16);
  auto type = RankedTensorType::get(constant.getShapedType().getShape(), BFloat16Type::get(constant.getContext()));
  if (isa<DenseElementsAttr>(constant))
    return DenseElementsAttr::getFromRawBuffer(
        type, ArrayRef<char>(reinterpret_cast<const char *>(stored.data()), stored.size() * sizeof(uint16_t)));
  return DenseResourceElementsAttr::get(type, "bf16",
                                        HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<uint16_t>(stored)));
}

namespace {
struct CompressReducePrecision : lathe::impl::CompressReducePrecisionBase<CompressReducePrecision> {
  using CompressReducePrecisionBase::CompressReducePrecisionBase;

  void runOnOperation() override;

private:
  StringRef formatOf(Operation *op) { return getSetting(op, "precision").value_or(format); }
  void allowTF32(Operation *op);
  Value reduce(Operation *op, Value constant);

  DenseMap<Value, Value> replacements;
};
} // namespace

/// The constant in bf16; null, after a remark, where the op keeps reading f32.
Value CompressReducePrecision::reduce(Operation *op, Value value) {
  auto miss = [&](StringRef why) {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", why);
    return Value();
  };
  if (formatOf(op) != "bf16")
    return miss("left as f32 by its settings");
  ElementsAttr constant;
  auto type = cast<ShapedType>(value.getType());
  if (!type.getElementType().isF32() || !matchPattern(value, m_Constant(&constant)) || type.getNumElements() == 0)
    return miss("not a constant of f32");
  Value &replacement = replacements[value];
  if (!replacement) {
    ElementsAttr converted = convert(constant);
    if (!converted)
      return miss("constant cannot be read as f32");
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    replacement = onnx::ConstantOp::create(builder, value.getLoc(), converted);
  }
  remark::passed(op->getLoc(), remarkOptions())
      << remark::metric("Elements", type.getNumElements()) << remark::metric("Bits", 16);
  return replacement;
}

/// Marks a contraction that stays f32 in memory.
void CompressReducePrecision::allowTF32(Operation *op) {
  StringRef chosen = formatOf(op);
  if (chosen != "tf32" && !(chosen == "bf16" && isa<nn::MatMulOp, nn::AttentionOp>(op)))
    return;
  if (nn::getTarget(op).getBf16Product() == "mma") {
    op->setAttr(nn::kTF32Attr, UnitAttr::get(op->getContext()));
    if (chosen == "bf16" && isa<nn::AttentionOp>(op))
      op->setAttr(nn::kBF16Attr, UnitAttr::get(op->getContext()));
    remark::passed(op->getLoc(), remarkOptions()) << remark::metric("Product", "tf32");
  } else if (chosen == "tf32") {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("target has no products of tf32");
  }
}

void CompressReducePrecision::runOnOperation() {
  replacements.clear();
  func::FuncOp function = getOperation();
  if (format != "bf16" && format != "tf32" && format != "none") {
    emitError(function.getLoc()) << "expected bf16 or tf32, but got '" << format << "'";
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
    result.setType(cast<ShapedType>(type).clone(BFloat16Type::get(&getContext())));
    constexpr int64_t onnxFloat = 1;
    auto cast = onnx::CastOp::create(builder, op.getLoc(), type, result, onnxFloat);
    result.replaceAllUsesExcept(cast, cast);
  }
}
