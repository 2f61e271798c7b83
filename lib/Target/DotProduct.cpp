//===- DotProduct.cpp - Products of bytes ---------------------------------===//
#include "lib/Target/DotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

DotProduct::~DotProduct() = default;
PairProduct::~PairProduct() = default;

Value lathe::emitBitcast(ImplicitLocOpBuilder &b, Value vector, Type element) {
  auto type = cast<VectorType>(vector.getType());
  int64_t lanes = type.getNumElements() * type.getElementTypeBitWidth() / element.getIntOrFloatBitWidth();
  return vector::BitCastOp::create(b, VectorType::get({lanes}, element), vector);
}

Value lathe::emitRepeated(ImplicitLocOpBuilder &b, Value word, int64_t lanes, Type element) {
  return emitBitcast(b, vector::BroadcastOp::create(b, VectorType::get({lanes}, b.getI32Type()), word), element);
}

Value lathe::emitBytesOf(ImplicitLocOpBuilder &b, Value word) { return emitRepeated(b, word, 1, b.getI8Type()); }

Value lathe::emitIntrinsic(ImplicitLocOpBuilder &b, StringRef name, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands)->getResult(0);
}

namespace {

class PortableDotProduct final : public DotProduct {
public:
  /// The four bytes of a column are taken apart in registers.
  int64_t getExtraRegisters() const override { return 4; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    Values parts;
    Value wide = arith::ExtUIOp::create(b, VectorType::get({4}, b.getI32Type()), emitBytesOf(b, word));
    for (int64_t i = 0; i < 4; ++i) {
      Value byte = vector::ExtractOp::create(b, wide, i);
      parts.push_back(vector::BroadcastOp::create(b, VectorType::get({lanes}, b.getI32Type()), byte));
    }
    return parts;
  }

  Values prepareRhs(ImplicitLocOpBuilder &b, Value columns, int64_t lanes) const override {
    Values parts;
    for (int64_t i = 0; i < 4; ++i) {
      auto picked = llvm::map_to_vector(llvm::seq<int64_t>(0, lanes), [&](int64_t lane) { return 4 * lane + i; });
      Value bytes = vector::ShuffleOp::create(b, columns, columns, ArrayRef<int64_t>(picked));
      parts.push_back(arith::ExtSIOp::create(b, VectorType::get({lanes}, b.getI32Type()), bytes));
    }
    return parts;
  }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    for (auto [x, y] : llvm::zip(lhs, rhs))
      accumulators[0] = arith::AddIOp::create(b, accumulators[0], arith::MulIOp::create(b, x, y));
  }
};

} // namespace

const DotProduct &lathe::getPortableDotProduct() {
  static const PortableDotProduct product;
  return product;
}
