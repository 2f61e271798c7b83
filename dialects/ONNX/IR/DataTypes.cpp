//===- DataTypes.cpp - Element types and ONNX's numbers of them -----------===//
#include "dialects/ONNX/IR/DataTypes.h"

using namespace mlir;
using namespace lathe;

Type onnx::getOnnxElementType(MLIRContext *context, int64_t dataType) {
  auto integer = [&](unsigned width) -> Type { return IntegerType::get(context, width); };
  auto unsignedInteger = [&](unsigned width) -> Type { return IntegerType::get(context, width, IntegerType::Unsigned); };
  switch (dataType) {
  case 1:
    return Float32Type::get(context);
  case 2:
    return unsignedInteger(8);
  case 3:
    return integer(8);
  case 4:
    return unsignedInteger(16);
  case 5:
    return integer(16);
  case 6:
    return integer(32);
  case 7:
    return integer(64);
  case 9:
    return integer(1);
  case 10:
    return Float16Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 12:
    return unsignedInteger(32);
  case 13:
    return unsignedInteger(64);
  case 16:
    return BFloat16Type::get(context);
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return unsignedInteger(4);
  case 22:
    return integer(4);
  case 23:
    return Float4E2M1FNType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  case 25:
    return unsignedInteger(2);
  case 26:
    return integer(2);
  default:
    return nullptr;
  }
}

int32_t onnx::getOnnxDataType(Type elementType) {
  constexpr int32_t kLast = 26;
  for (int32_t number = 1; number <= kLast; ++number)
    if (getOnnxElementType(elementType.getContext(), number) == elementType)
      return number;
  return 0;
}

bool onnx::isNarrow(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return integer.getWidth() == 2 || integer.getWidth() == 4;
  auto floating = dyn_cast<FloatType>(elementType);
  return floating && floating.getWidth() <= 8;
}
