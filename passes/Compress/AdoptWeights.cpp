//===- AdoptWeights.cpp - Weights that the model has in few bits ----------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "passes/Compress/Quantize/WeightOnly.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSADOPTWEIGHTS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("AdoptWeight").category("compress"); }

/// Elements of a constant of 8-bit integers as numbers; nullopt for others.
static std::optional<std::vector<int64_t>> readIntegers(ElementsAttr attribute) {
  Type element = attribute.getElementType();
  if (!element.isInteger(8))
    return std::nullopt;
  std::vector<int64_t> numbers;
  bool isUnsigned = element.isUnsignedInteger();
  auto append = [&](char byte) { numbers.push_back(isUnsigned ? int64_t(uint8_t(byte)) : int64_t(int8_t(byte))); };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    llvm::for_each(blob->getData(), append);
  } else {
    auto dense = dyn_cast<DenseElementsAttr>(attribute);
    if (!dense)
      return std::nullopt;
    for (const APInt &value : dense.getValues<APInt>())
      numbers.push_back(isUnsigned ? int64_t(value.getZExtValue()) : value.getSExtValue());
  }
  return int64_t(numbers.size()) == attribute.getNumElements() ? std::optional(numbers) : std::nullopt;
}

namespace {

/// A matrix that DequantizeLinear makes of constants, in the order in which nn.linear reads it: [K, N].
class StoredWeight {
public:
  /// Why the weight of the op is none; empty if it is one.
  StringRef read(Value weight);
  /// The constant in as few bits as it needs.
  QuantizedConstant make(MLIRContext *context, WeightFormat &format);

private:
  StringRef readParameters(onnx::DequantizeLinearOp op);
  /// Where element (k, n) of the weight lies in a constant of these dimensions.
  int64_t place(int64_t k, int64_t n, ArrayRef<int64_t> shape) const {
    return transposed ? n * shape[1] + k : k * shape[1] + n;
  }

  bool transposed = false, isResource = false;
  int64_t rows = 0, columns = 0, group = 0; ///< group: rows that share a scale; 0: all
  std::vector<int64_t> numbers;             ///< [K, N]
  std::vector<float> scales;                ///< [K / group, N]
  std::vector<int64_t> zeroPoints;          ///< as many
};

struct CompressAdoptWeights : lathe::impl::CompressAdoptWeightsBase<CompressAdoptWeights> {
  using CompressAdoptWeightsBase::CompressAdoptWeightsBase;

  void runOnOperation() override {
    getOperation().walk([](nn::LinearOp op) { adopt(op); });
  }

private:
  static void adopt(nn::LinearOp op);
};

} // namespace

StringRef StoredWeight::read(Value weight) {
  if (auto transpose = weight.getDefiningOp<onnx::TransposeOp>()) {
    auto perm = transpose.getPerm();
    if (perm && *perm != ArrayRef<int64_t>{1, 0})
      return "not a matrix";
    transposed = true;
    weight = transpose.getData();
  }
  auto dequantize = weight.getDefiningOp<onnx::DequantizeLinearOp>();
  if (!dequantize)
    return "not stored in integers";
  auto type = dyn_cast<RankedTensorType>(dequantize.getX().getType());
  ElementsAttr constant;
  if (!type || type.getRank() != 2 || type.getNumElements() == 0 ||
      !matchPattern(dequantize.getX(), m_Constant(&constant)))
    return "integers are no constant matrix";
  std::optional<std::vector<int64_t>> read = readIntegers(constant);
  if (!read)
    return "integers are not of 8 bits";
  isResource = isa<DenseResourceElementsAttr>(constant);
  ArrayRef<int64_t> shape = type.getShape();
  rows = shape[transposed ? 1 : 0];
  columns = shape[transposed ? 0 : 1];
  numbers.resize(read->size());
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t n = 0; n < columns; ++n)
      numbers[k * columns + n] = (*read)[place(k, n, shape)];
  return readParameters(dequantize);
}

StringRef StoredWeight::readParameters(onnx::DequantizeLinearOp op) {
  ElementsAttr scaleConstant, zeroConstant;
  std::vector<float> storage;
  std::optional<ArrayRef<float>> given;
  if (matchPattern(op.getXScale(), m_Constant(&scaleConstant)))
    given = readFloats(scaleConstant, storage);
  if (!given)
    return "scales are no constants of f32";
  std::vector<int64_t> zeros(given->size(), 0);
  if (op.getXZeroPoint()) {
    std::optional<std::vector<int64_t>> read;
    if (matchPattern(op.getXZeroPoint(), m_Constant(&zeroConstant)))
      read = readIntegers(zeroConstant);
    if (!read || read->size() != given->size())
      return "zero points are no constants of 8 bits";
    zeros = *read;
  }
  auto type = cast<RankedTensorType>(op.getXScale().getType());
  int64_t axis = op.getAxis(), block = op.getBlockSize(), groups = 1;
  axis += axis < 0 ? 2 : 0;
  bool alongRows = axis == (transposed ? 1 : 0);
  if (type.getRank() == 2) {
    if (!alongRows || block < 1 || rows % block)
      return "blocks do not divide the rows";
    group = block;
    groups = rows / block;
  } else if (given->size() != 1 && (alongRows || int64_t(given->size()) != columns)) {
    return "scales are those of rows";
  }
  if (type.getRank() == 2 && type.getNumElements() != groups * columns)
    return "scales are not as many as blocks";
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t n = 0; n < columns; ++n) {
      int64_t from = given->size() == 1 ? 0 : type.getRank() == 2 ? place(g, n, type.getShape()) : n;
      scales.push_back((*given)[from]);
      zeroPoints.push_back(zeros[from]);
    }
  return "";
}

QuantizedConstant StoredWeight::make(MLIRContext *context, WeightFormat &format) {
  int64_t lowest = 0, highest = 0;
  for (ArrayRef<int64_t> list : {ArrayRef<int64_t>(numbers), ArrayRef<int64_t>(zeroPoints)})
    for (int64_t number : list) {
      lowest = std::min(lowest, number);
      highest = std::max(highest, number);
    }
  // Unsigned numbers move down by half of their range.
  format = {};
  format.symmetric = false;
  format.group = group;
  constexpr int64_t kStreamRows = 32; // rows whose elements of fewer bits fill whole words
  int64_t shared = group ? group : rows, offset = lowest < 0 ? 0 : 128;
  for (unsigned bits : {2u, 4u}) {
    int64_t half = int64_t(1) << (bits - 1), shift = lowest < 0 ? 0 : half;
    if (shared % kStreamRows == 0 && lowest >= shift - half && highest < shift + half) {
      format.bits = bits;
      format.group = shared;
      offset = shift;
      break;
    }
  }
  RoundedMatrix stored;
  for (int64_t number : numbers)
    stored.stored.push_back(int8_t(number - offset));
  stored.scales = scales;
  for (int64_t zero : zeroPoints)
    stored.zeroPoints.push_back(zero - offset);
  return makeStoredWeight(context, columns, stored, format, isResource);
}

void CompressAdoptWeights::adopt(nn::LinearOp op) {
  Value weight = op.getWeight();
  if (!isa_and_present<onnx::TransposeOp, onnx::DequantizeLinearOp>(weight.getDefiningOp()))
    return;
  auto miss = [&](StringRef why) { remark::missed(op.getLoc(), remarkOptions()) << remark::reason("{0}", why); };
  if (!cast<ShapedType>(op.getInput().getType()).getElementType().isF32() || op.getScales())
    return miss("not f32");
  StoredWeight stored;
  if (StringRef why = stored.read(weight); !why.empty())
    return miss(why);
  WeightFormat format;
  QuantizedConstant constant = stored.make(op.getContext(), format);
  OpBuilder builder(op);
  auto values = onnx::ConstantOp::create(builder, op.getLoc(), constant.values);
  auto type = RankedTensorType::get(constant.values.getShapedType().getShape(), constant.type);
  op.getWeightMutable().assign(quant::StorageCastOp::create(builder, op.getLoc(), type, values));
  remark::passed(op.getLoc(), remarkOptions())
      << remark::metric("Bits", format.bits) << remark::metric("Group", format.group);
}
