//===- DotProduct.cpp - Products of bytes and of bf16 on x86-64 -----------===//
#include "lib/Target/DotProduct.h"
#include "lib/Target/X86/X86.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

namespace {

/// vpdpbusd of AVX512-VNNI and vdpbf16ps of AVX512-BF16 take the operands as they lie in memory.
class WordDotProduct final : public DotProduct {
public:
  WordDotProduct(StringRef intrinsic, bool isFloat) : intrinsic(intrinsic), isFloat(isFloat) {}

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    return {emitRepeated(b, word, lanes, isFloat ? Type(b.getBF16Type()) : Type(b.getI8Type()))};
  }

  Values prepareRhs(ImplicitLocOpBuilder &, Value columns, int64_t) const override { return {columns}; }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    auto type = cast<VectorType>(accumulators[0].getType());
    std::string name = (intrinsic + (type.getNumElements() == 16 ? ".512" : ".256")).str();
    accumulators[0] = emitIntrinsic(b, name, type, {accumulators[0], lhs[0], rhs[0]});
  }

private:
  StringRef intrinsic;
  bool isFloat;
};

/// vpmaddwd of AVX2 adds pairs of products of 16-bit numbers, so that a column's sum lies in two lanes.
class PairsDotProduct final : public DotProduct {
public:
  int64_t getAccumulatorsPerVector() const override { return 2; }
  int64_t getExtraRegisters() const override { return 2; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    // Four bytes become four 16-bit lanes, that is one i64, repeated.
    Value words = arith::ExtUIOp::create(b, VectorType::get({4}, b.getI16Type()), emitBytesOf(b, word));
    Value quad = vector::BitCastOp::create(b, VectorType::get({1}, b.getI64Type()), words);
    Value element = vector::ExtractOp::create(b, quad, int64_t(0));
    Value all = vector::BroadcastOp::create(b, VectorType::get({lanes / 2}, b.getI64Type()), element);
    return {emitBitcast(b, all, b.getI16Type())};
  }

  Values prepareRhs(ImplicitLocOpBuilder &b, Value columns, int64_t lanes) const override {
    Values halves;
    int64_t size = 2 * lanes;
    for (int64_t half = 0; half < 2; ++half) {
      Value bytes = vector::ExtractStridedSliceOp::create(b, columns, ArrayRef<int64_t>{half * size}, ArrayRef<int64_t>{size},
                                                          ArrayRef<int64_t>{1});
      halves.push_back(arith::ExtSIOp::create(b, VectorType::get({size}, b.getI16Type()), bytes));
    }
    return halves;
  }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    for (auto [half, accumulator] : llvm::enumerate(accumulators)) {
      Value sums = emitIntrinsic(b, "llvm.x86.avx2.pmadd.wd", accumulator.getType(), {lhs[0], rhs[half]});
      accumulator = arith::AddIOp::create(b, accumulator, sums);
    }
  }

  Value finish(ImplicitLocOpBuilder &b, ValueRange accumulators) const override {
    SmallVector<int64_t> even, odd;
    for (int64_t lane = 0, lanes = cast<VectorType>(accumulators[0].getType()).getNumElements(); lane < lanes; ++lane) {
      even.push_back(2 * lane);
      odd.push_back(2 * lane + 1);
    }
    Value x = vector::ShuffleOp::create(b, accumulators[0], accumulators[1], ArrayRef<int64_t>(even));
    Value y = vector::ShuffleOp::create(b, accumulators[0], accumulators[1], ArrayRef<int64_t>(odd));
    return arith::AddIOp::create(b, x, y);
  }
};

} // namespace

const DotProduct &x86::getDotProduct(nn::TargetAttr target) {
  static const WordDotProduct vnni("llvm.x86.avx512.vpdpbusd", /*isFloat=*/false);
  static const PairsDotProduct pairs;
  if (target.getDotProduct() == "avx512vnni")
    return vnni;
  if (target.getDotProduct() == "avx2" && target.getVectorBits() == 256)
    return pairs;
  return getPortableDotProduct();
}

const DotProduct *x86::getBf16DotProduct(nn::TargetAttr target) {
  static const WordDotProduct dots("llvm.x86.avx512bf16.dpbf16ps", /*isFloat=*/true);
  return target.getBf16Product() == "avx512bf16" ? &dots : nullptr;
}
