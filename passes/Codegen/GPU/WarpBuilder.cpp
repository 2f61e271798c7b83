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

int64_t simt::chooseCopyWidth(ThreadBuilder &k, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset, bytes = type.getElementTypeBitWidth() / 8;
  if (bytes == 0 || failed(type.getStridesAndOffset(strides, offset)) || strides.empty() || strides.back() != 1)
    return 1;
  // Buffers begin at multiples of 64 bytes.
  for (int64_t width = 16 / bytes; width * bytes >= 4; width /= 2) {
    auto fits = [&](int64_t number) { return !ShapedType::isDynamic(number) && number % width == 0; };
    bool all = fits(offset) && fits(type.getShape().back());
    for (int64_t stride : ArrayRef(strides).drop_back())
      all &= fits(stride);
    if (all)
      return width;
  }
  return 1;
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

/// The alignment of `count` neighbours from a multiple of it on; none where they are not known to have one.
static llvm::MaybeAlign alignmentOf(ThreadBuilder &k, Value memref, int64_t count) {
  if (count == 1 || chooseCopyWidth(k, memref) < count)
    return {};
  return llvm::Align(count * cast<MemRefType>(memref.getType()).getElementTypeBitWidth() / 8);
}

static SmallVector<Value> advance(ThreadBuilder &k, ValueRange indices, int64_t distance) {
  SmallVector<Value> result(indices);
  result.back() = k.add(result.back(), distance);
  return result;
}

SmallVector<Value> WarpBuilder::loadNeighbours(Value memref, ValueRange indices, int64_t count) {
  SmallVector<Value> values;
  llvm::MaybeAlign alignment = alignmentOf(*this, memref, count);
  if (!alignment) {
    for (int64_t i = 0; i < count; ++i)
      values.push_back(loadScalar(memref, advance(*this, indices, i)));
    return values;
  }
  auto type = VectorType::get(count, cast<MemRefType>(memref.getType()).getElementType());
  Value all = vector::LoadOp::create(builder, loc, type, memref, indices, /*nontemporal=*/false, alignment);
  for (int64_t i = 0; i < count; ++i)
    values.push_back(vector::ExtractOp::create(builder, loc, all, i));
  return values;
}

SmallVector<Value> WarpBuilder::loadBroadcasts(Value memref, ValueRange indices, int64_t count) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() == 0 || type.getShape().back() == 1)
    return SmallVector<Value>(count, loadBroadcast(memref, indices));
  SmallVector<Value> at(indices.take_back(type.getRank()));
  for (auto [position, size] : llvm::zip(at, type.getShape()))
    position = size == 1 ? index(0) : position;
  return loadNeighbours(memref, at, count);
}

void WarpBuilder::storeNeighbours(ValueRange values, Value memref, ValueRange indices) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  llvm::MaybeAlign alignment = alignmentOf(*this, memref, values.size());
  if (!alignment) {
    for (auto [i, value] : llvm::enumerate(values))
      store(value, memref, advance(*this, indices, i));
    return;
  }
  // Two floats are rounded by one instruction: what an epilogue has rounded one by one is rounded here.
  SmallVector<Value> wide;
  for (Value value : values) {
    auto rounding = value.getDefiningOp<arith::TruncFOp>();
    wide.push_back(rounding && rounding.getIn().getType().isF32() ? rounding.getIn() : value);
  }
  if (!llvm::all_of(wide, [](Value value) { return value.getType().isF32(); }))
    wide.assign(values.begin(), values.end());
  Value all = vector::FromElementsOp::create(builder, loc, VectorType::get(wide.size(), wide[0].getType()), wide);
  if (wide[0].getType() != element)
    all = arith::TruncFOp::create(builder, loc, VectorType::get(wide.size(), element), all);
  vector::StoreOp::create(builder, loc, all, memref, indices, /*nontemporal=*/false, alignment);
}

void WarpBuilder::storeEpilogues(Region &epilogue, ValueRange extras, ValueRange sums, Value out, ValueRange indices) {
  if (epilogue.empty())
    return storeNeighbours(sums, out, indices);
  SmallVector<SmallVector<Value>> elements(sums.size()); // of each neighbour's extras
  for (auto [argument, extra] : llvm::zip(epilogue.getArguments().drop_front(), extras)) {
    SmallVector<Value> loaded(sums.size());
    if (!argument.use_empty())
      loaded = loadBroadcasts(extra, indices, sums.size());
    for (auto [all, value] : llvm::zip(elements, loaded))
      all.push_back(value);
  }
  SmallVector<Value> results;
  for (auto [sum, extrasOfSum] : llvm::zip(sums, elements))
    results.push_back(applyEpilogue(epilogue, sum, extrasOfSum));
  storeNeighbours(results, out, indices);
}

Value WarpBuilder::isBelow(Value index, Value size) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index, size);
}

Value WarpBuilder::exclusiveOr(Value a, Value b) { return builder.createOrFold<arith::XOrIOp>(loc, a, b); }
