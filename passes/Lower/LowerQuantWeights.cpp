//===- LowerQuantWeights.cpp - Quantized weights of f32 ops to storage ----===//
#include "passes/Lower/LowerQuantWeights.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

static quant::QuantizedType getQuantized(Value value) {
  return dyn_cast<quant::QuantizedType>(cast<ShapedType>(value.getType()).getElementType());
}

bool lathe::isWeightOnly(nn::LinearOp op) { return getQuantized(op.getWeight()) && !getQuantized(op.getInput()); }

LogicalResult lathe::checkWeightOnly(nn::LinearOp op) {
  auto input = cast<ShapedType>(op.getInput().getType());
  auto weight = cast<ShapedType>(op.getWeight().getType());
  if (!input.getElementType().isF32())
    return op.emitOpError("expected an input of f32, but got ") << input;
  quant::QuantizedType type = getQuantized(op.getWeight());
  unsigned bits = type.getStorageTypeIntegralWidth();
  bool scaled = false;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    scaled = bits == 8 && perAxis.getQuantizedDimension() == 1;
  else if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type))
    scaled = (bits == 8 || bits == 4) && blocks.getQuantizedDimensions() == ArrayRef<int32_t>{0, 1} &&
             blocks.getBlockSizes()[1] == 1 &&
             (bits == 8 || blocks.getBlockSizes().front() % 2 == 0);
  if (weight.getRank() == 2 && weight.hasStaticShape() && type.isSigned() && type.getExpressedType().isF32() && scaled)
    return success();
  return op.emitOpError("expected a weight of signed 8 bits with scales for each output or of 8 or 4 bits with scales "
                        "for groups of rows, but got ")
         << weight;
}

/// The bytes of a constant of i4, one for each element; nullopt where they are not there.
static std::optional<SmallVector<uint8_t>> readNibbles(ElementsAttr attribute) {
  int64_t count = attribute.getNumElements();
  SmallVector<uint8_t> values;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || int64_t(blob->getData().size()) != count)
      return std::nullopt;
    values.append(blob->getDataAs<uint8_t>().begin(), blob->getDataAs<uint8_t>().end());
    return values;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  for (const APInt &value : dense.getValues<APInt>())
    values.push_back(uint8_t(value.getSExtValue()));
  return values;
}

/// Rows 2k and 2k + 1 of an i4 weight in the halves of the bytes of row k, each 8 higher than it is.
static FailureOr<ElementsAttr> packNibbles(nn::LinearOp op) {
  auto cast = op.getWeight().getDefiningOp<quant::StorageCastOp>();
  ElementsAttr constant;
  if (!cast || !matchPattern(cast.getInput(), m_Constant(&constant)))
    return op.emitOpError("expected a constant weight, because it has 4 bits"), failure();
  std::optional<SmallVector<uint8_t>> values = readNibbles(constant);
  if (!values)
    return op.emitOpError("expected a weight that is loaded, but got ") << constant, failure();
  ArrayRef<int64_t> shape = constant.getShapedType().getShape();
  int64_t columns = shape[1];
  std::vector<int8_t> bytes(values->size() / 2);
  for (int64_t k = 0; k < shape[0] / 2; ++k)
    for (int64_t n = 0; n < columns; ++n) {
      unsigned low = ((*values)[2 * k * columns + n] + 8) & 15, high = ((*values)[(2 * k + 1) * columns + n] + 8) & 15;
      bytes[k * columns + n] = int8_t(uint8_t(low | high << 4));
    }
  auto type = RankedTensorType::get({shape[0] / 2, columns}, IntegerType::get(op.getContext(), 8));
  if (isa<DenseElementsAttr>(constant))
    return ElementsAttr(DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<int8_t>(bytes));
  return ElementsAttr(DenseResourceElementsAttr::get(type, "nibbles", std::move(blob)));
}

/// Multiplies the sums by a scale for each output before anything else happens to them.
static void scaleSums(nn::LinearOp op, ElementsAttr scales) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  op.getExtrasMutable().append(ValueRange{arith::ConstantOp::create(builder, loc, cast<TypedAttr>(scales))});
  Region &region = op.getEpilogue();
  if (region.empty()) {
    Block &body = region.emplaceBlock();
    Value sum = body.addArgument(builder.getF32Type(), loc);
    builder.setInsertionPointToStart(&body);
    nn::YieldOp::create(builder, loc, sum);
  }
  Block &body = region.front();
  Value sum = body.getArgument(0), scale = body.addArgument(builder.getF32Type(), loc);
  builder.setInsertionPointToStart(&body);
  auto scaled = arith::MulFOp::create(builder, loc, sum, scale);
  sum.replaceAllUsesExcept(scaled, scaled);
}

LogicalResult lathe::lowerWeightOnly(nn::LinearOp op) {
  quant::QuantizedType type = getQuantized(op.getWeight());
  int64_t columns = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  bool nibbles = type.getStorageTypeIntegralWidth() == 4;
  SmallVector<float> scales;
  SmallVector<int64_t> zeroPoints;
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (perAxis) {
    for (double scale : perAxis.getScales())
      scales.push_back(float(scale));
    zeroPoints.assign(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
  } else {
    auto blocks = cast<quant::UniformQuantizedSubChannelType>(type);
    for (const APFloat &scale : blocks.getScales().getValues<APFloat>())
      scales.push_back(float(scale.convertToDouble()));
    for (const APInt &zero : blocks.getZeroPoints().getValues<APInt>())
      zeroPoints.push_back(zero.getSExtValue());
  }
  bool symmetric = llvm::all_of(zeroPoints, [](int64_t zero) { return zero == 0; });

  Type f32 = Float32Type::get(op.getContext());
  if (perAxis && symmetric) {
    scaleSums(op, DenseElementsAttr::get(RankedTensorType::get({columns}, f32), ArrayRef<float>(scales)));
    return success();
  }
  OpBuilder builder(op);
  auto groupsType = RankedTensorType::get({int64_t(scales.size()) / columns, columns}, f32);
  auto append = [&](MutableOperandRange operands, ArrayRef<float> values) {
    auto attribute = DenseElementsAttr::get(groupsType, values);
    operands.assign(arith::ConstantOp::create(builder, op.getLoc(), attribute).getResult());
  };
  if (nibbles) {
    FailureOr<ElementsAttr> bytes = packNibbles(op);
    if (failed(bytes))
      return failure();
    op.getWeightMutable().assign(arith::ConstantOp::create(builder, op.getLoc(), cast<TypedAttr>(*bytes)));
    op.setNibbles(true);
  }
  append(op.getScalesMutable(), scales);
  if (!symmetric) {
    SmallVector<float> offsets;
    for (auto [scale, zero] : llvm::zip(scales, zeroPoints))
      offsets.push_back(-scale * float(zero + (nibbles ? 8 : 0)));
    append(op.getOffsetsMutable(), offsets);
  }
  return success();
}
