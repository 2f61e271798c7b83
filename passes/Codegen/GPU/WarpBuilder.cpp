//===- WarpBuilder.cpp - Builds code for tensor cores ---------------------===//
#include "passes/Codegen/GPU/WarpBuilder.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/GPU/Device.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

int64_t TensorFormat::elementBytes() const {
  switch (lhs) {
  case NVVM::MMATypes::tf32:
    return 4;
  case NVVM::MMATypes::u8:
    return 1;
  default:
    return 2;
  }
}

std::optional<TensorFormat> TensorFormat::find(Type lhs, Type rhs, bool allowTF32) {
  if (lhs != rhs)
    return std::nullopt;
  if (lhs.isBF16())
    return TensorFormat{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16};
  if (lhs.isF16())
    return TensorFormat{NVVM::MMATypes::f16, NVVM::MMATypes::f16};
  if (lhs.isF32() && allowTF32)
    return TensorFormat{NVVM::MMATypes::tf32, NVVM::MMATypes::tf32};
  if (lhs.isInteger(8)) // of an activation and of a weight: see the nn dialect
    return TensorFormat{NVVM::MMATypes::u8, NVVM::MMATypes::s8};
  return std::nullopt;
}

Value WarpBuilder::view(Value shared, Type element) {
  auto type = cast<MemRefType>(shared.getType());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  auto result =
      MemRefType::get({type.getDimSize(0) / bytes}, element, MemRefLayoutAttrInterface(), type.getMemorySpace());
  return memref::ViewOp::create(builder, loc, result, shared, index(0), ValueRange());
}

SmallVector<Value> WarpBuilder::loadMatrices(Value array, Value offset, bool transpose) {
  Type element = cast<MemRefType>(array.getType()).getElementType();
  int64_t perWord = 32 / element.getIntOrFloatBitWidth();
  auto type = VectorType::get({4, perWord}, element);
  Value loaded = nvgpu::LdMatrixOp::create(builder, loc, type, array, offset, builder.getBoolAttr(transpose),
                                           builder.getI32IntegerAttr(4));
  SmallVector<Value> words;
  for (int64_t tile = 0; tile < 4; ++tile) {
    Value part = vector::ExtractOp::create(builder, loc, loaded, tile);
    Value word = vector::BitCastOp::create(builder, loc, VectorType::get(1, builder.getI32Type()), part);
    words.push_back(vector::ExtractOp::create(builder, loc, word, 0));
  }
  return words;
}

Value WarpBuilder::loadWord(Value array, Value offset) {
  Type element = cast<MemRefType>(array.getType()).getElementType(), i32 = builder.getI32Type();
  int64_t perWord = 32 / element.getIntOrFloatBitWidth();
  if (perWord == 1)
    return arith::BitcastOp::create(builder, loc, i32, loadScalar(array, offset));
  Value loaded = vector::LoadOp::create(builder, loc, VectorType::get(perWord, element), array, offset,
                                        /*nontemporal=*/false, llvm::MaybeAlign(4));
  Value word = vector::BitCastOp::create(builder, loc, VectorType::get(1, i32), loaded);
  return vector::ExtractOp::create(builder, loc, word, 0);
}

SmallVector<Value> WarpBuilder::multiply(TensorFormat format, ValueRange lhs, ValueRange rhs, ValueRange sums) {
  MLIRContext *context = builder.getContext();
  SmallVector<Value> a(lhs), b(rhs);
  if (format.lhs == NVVM::MMATypes::f16) {
    auto pair = VectorType::get(2, builder.getF16Type()), single = VectorType::get(1, builder.getI32Type());
    for (SmallVector<Value> *words : {&a, &b})
      for (Value &word : *words)
        word = vector::BitCastOp::create(builder, loc, pair, vector::BroadcastOp::create(builder, loc, single, word));
  }
  Type sum = sums[0].getType();
  auto type = LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(4, sum));
  std::optional<NVVM::MMAIntOverflow> overflow;
  if (format.isInteger())
    overflow = NVVM::MMAIntOverflow::wrapped;
  Value product =
      NVVM::MmaOp::create(builder, loc, type, a, b, sums, {16, 8, 8 * format.perWord()}, std::nullopt, overflow,
                          std::array{format.lhs, format.rhs}, std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> results;
  for (int64_t i = 0; i < 4; ++i)
    results.push_back(LLVM::ExtractValueOp::create(builder, loc, product, i));
  return results;
}

Value WarpBuilder::roundToTF32(Value word) {
  Value number = arith::BitcastOp::create(builder, loc, builder.getF32Type(), word);
  return NVVM::ConvertFloatToTF32Op::create(builder, loc, builder.getI32Type(), number, NVVM::FPRoundingMode::RNA);
}

Value WarpBuilder::exp2(Value x) {
  return LLVM::CallIntrinsicOp::create(builder, loc, x.getType(), builder.getStringAttr(kExp2Intrinsic), x)
      .getResult(0);
}

void WarpBuilder::copyAsync(Value source, ValueRange from, Value target, Value to, int64_t count, Value read) {
  Type element = cast<MemRefType>(source.getType()).getElementType();
  bool isWide = count * element.getIntOrFloatBitWidth() == 128;
  nvgpu::DeviceAsyncCopyOp::create(builder, loc, nvgpu::DeviceAsyncTokenType::get(builder.getContext()), target, to,
                                   source, from, builder.getIndexAttr(count), read,
                                   isWide ? builder.getUnitAttr() : UnitAttr());
}

void WarpBuilder::closeGroup() { NVVM::CpAsyncCommitGroupOp::create(builder, loc); }

void WarpBuilder::waitForGroups(int64_t groupsInFlight) {
  NVVM::CpAsyncWaitGroupOp::create(builder, loc, groupsInFlight);
}

Value WarpBuilder::isBelow(Value index, Value size) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index, size);
}

Value WarpBuilder::exclusiveOr(Value a, Value b) { return builder.createOrFold<arith::XOrIOp>(loc, a, b); }
