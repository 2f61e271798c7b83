//===- QuantizedGather.cpp - Rows of a quantized table --------------------===//
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/QuantizedGather.h"
#include "passes/Lower/QuantizedConstants.h"

using namespace mlir;
using namespace lathe;

/// Neighbouring elements of a row that share a scale; nullopt where storage cannot express the type.
static std::optional<int64_t> findGroup(quant::QuantizedType type, int64_t columns) {
  unsigned bits = type.getStorageTypeIntegralWidth();
  if (!type.isSigned() || !type.getExpressedType().isF32() || (bits != 8 && bits != 4) || (bits == 4 && columns % 2))
    return std::nullopt;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    return perAxis.getQuantizedDimension() == 0 ? std::optional(columns) : std::nullopt;
  auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type);
  if (!blocks || blocks.getQuantizedDimensions() != ArrayRef<int32_t>{0, 1} || blocks.getBlockSizes()[0] != 1)
    return std::nullopt;
  return blocks.getBlockSizes()[1];
}

/// Elements 2d and 2d + 1 of a row in the low and the high half of its byte d, each 8 higher than it is.
static std::vector<int8_t> packHalves(ArrayRef<int8_t> values) {
  std::vector<int8_t> bytes;
  for (size_t i = 0; i + 1 < values.size(); i += 2)
    bytes.push_back(int8_t(uint8_t((values[i] + 8) & 15) | uint8_t((values[i + 1] + 8) & 15) << 4));
  return bytes;
}

LogicalResult lathe::lowerQuantizedGather(Lowering &lowering, onnx::GatherOp op) {
  auto table = cast<RankedTensorType>(op.getData().getType());
  auto type = cast<quant::QuantizedType>(table.getElementType());
  std::optional<int64_t> group;
  if (table.getRank() == 2 && op.getAxis() == 0)
    group = findGroup(type, table.getDimSize(1));
  if (!group)
    return op.emitOpError("expected rows of a table of signed 8 or 4 bits with scales for each row or for groups of its "
                          "elements, but got ")
           << table;
  ElementsAttr constant = getStoredConstant(op.getData());
  std::optional<SmallVector<int8_t>> values = constant ? readElements(constant) : std::nullopt;
  if (!values)
    return op.emitOpError("expected a constant table, because it is quantized");

  ImplicitLocOpBuilder &builder = lowering.builder;
  int64_t rows = table.getDimSize(0), columns = table.getDimSize(1), groups = columns / *group;
  bool halves = type.getStorageTypeIntegralWidth() == 4;
  auto toValue = [&](ElementsAttr attribute) -> Value {
    return arith::ConstantOp::create(builder, cast<TypedAttr>(attribute));
  };
  QuantizationParameters parameters = readParameters(type);
  Value data = toValue(halves ? makeConstant<int8_t>(constant, {rows, columns / 2}, packHalves(*values), "halves")
                              : makeConstant<int8_t>(constant, {rows, columns}, *values, "bytes"));
  Value scales = toValue(DenseElementsAttr::get(RankedTensorType::get({rows, groups}, builder.getF32Type()),
                                                ArrayRef<float>(parameters.scales)));
  Value zeroPoints;
  if (!parameters.isSymmetric()) {
    SmallVector<int8_t> bytes(parameters.zeroPoints.begin(), parameters.zeroPoints.end());
    zeroPoints = toValue(makeConstant<int8_t>(constant, {rows, groups}, bytes, "zero_points"));
  }

  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  unsigned last = resultDims.size() - 1;
  Value size = lowering.index(rows);
  AffineMap indexMap = AffineMap::getMultiDimIdentityMap(resultDims.size(), builder.getContext()).dropResult(last);
  Value result = lowering.generic(
      resultDims, builder.getF32Type(), lowering.get(op.getIndices()), indexMap,
      [&](ImplicitLocOpBuilder &b, mlir::ValueRange x) -> Value {
        auto constantOf = [&](Type element, int64_t value) -> Value {
          return arith::ConstantOp::create(b, b.getIntegerAttr(element, value));
        };
        Type i32 = b.getI32Type();
        Value row = createBoundedIndex(b, x[0], size), column = linalg::IndexOp::create(b, last), number;
        if (halves) {
          Value two = constantOf(b.getIndexType(), 2);
          Value byte = tensor::ExtractOp::create(b, data, {row, arith::DivUIOp::create(b, column, two)});
          Value odd = arith::IndexCastOp::create(b, i32, arith::RemUIOp::create(b, column, two));
          number = arith::ShRUIOp::create(b, arith::ExtUIOp::create(b, i32, byte),
                                          arith::MulIOp::create(b, odd, constantOf(i32, 4)));
          number = arith::AndIOp::create(b, number, constantOf(i32, 15));
          number = arith::SubIOp::create(b, number, constantOf(i32, 8));
        } else {
          Value byte = tensor::ExtractOp::create(b, data, {row, column});
          number = arith::ExtSIOp::create(b, i32, byte);
        }
        SmallVector<Value> of = {row, arith::DivUIOp::create(b, column, constantOf(b.getIndexType(), *group))};
        if (zeroPoints) {
          Value zero = arith::ExtSIOp::create(b, i32, tensor::ExtractOp::create(b, zeroPoints, of));
          number = arith::SubIOp::create(b, number, zero);
        }
        number = arith::SIToFPOp::create(b, b.getF32Type(), number);
        return arith::MulFOp::create(b, number, tensor::ExtractOp::create(b, scales, of));
      });
  lowering.set(op.getOutput(), result);
  return success();
}
