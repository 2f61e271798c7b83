//===- DotProduct.cpp - Products of bytes on WebAssembly ------------------===//
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

namespace {

/// i32x4.dot_i16x8_s adds pairs of products of 16-bit numbers. A column's four bytes are two such pairs, those at even and
/// those at odd places: shifts widen them where they lie, and a vector of columns has one accumulator.
class DotI16x8 final : public DotProduct {
public:
  /// Both pairs of two vectors of columns, and those of a row.
  int64_t getExtraRegisters() const override { return 4; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    Value all = vector::BroadcastOp::create(b, VectorType::get({lanes}, b.getI32Type()), word);
    Value pairs = emitBitcast(b, all, b.getI16Type());
    Value even = arith::AndIOp::create(b, pairs, splat(b, pairs, 0xff));
    return {even, arith::ShRUIOp::create(b, pairs, splat(b, pairs, 8))};
  }

  Values prepareRhs(ImplicitLocOpBuilder &b, Value columns, int64_t lanes) const override {
    Value pairs = emitBitcast(b, columns, b.getI16Type()), eight = splat(b, pairs, 8);
    Value even = arith::ShRSIOp::create(b, arith::ShLIOp::create(b, pairs, eight), eight);
    return {even, arith::ShRSIOp::create(b, pairs, eight)};
  }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    for (auto [x, y] : llvm::zip(lhs, rhs)) {
      Value sums = emitIntrinsic(b, "llvm.wasm.dot", accumulators[0].getType(), {x, y});
      accumulators[0] = arith::AddIOp::create(b, accumulators[0], sums);
    }
  }

private:
  static Value splat(ImplicitLocOpBuilder &b, Value like, int64_t value) {
    auto type = cast<VectorType>(like.getType());
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getIntegerAttr(type.getElementType(), value)));
  }
};

} // namespace

const DotProduct &wasm::getDotProduct(nn::TargetAttr) {
  static const DotI16x8 product;
  return product;
}
