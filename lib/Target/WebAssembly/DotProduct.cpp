//===- DotProduct.cpp - Products of bytes on WebAssembly ------------------===//
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

namespace {

/// i32x4.dot_i16x8_s adds pairs of products of 16-bit numbers. Activations lie in memory as such; bytes of a weight are
/// widened by the instruction that loads them.
class DotI16x8 final : public DotProduct {
public:
  unsigned getLhsBits() const override { return 16; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    return {emitRepeated(b, word, lanes, b.getI16Type())};
  }

  Values prepareRhs(ImplicitLocOpBuilder &b, Value columns, int64_t) const override {
    auto type = cast<VectorType>(columns.getType());
    if (type.getElementType().isInteger(16))
      return {columns};
    return {arith::ExtSIOp::create(b, type.clone(b.getI16Type()), columns)};
  }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    Value sums = emitIntrinsic(b, "llvm.wasm.dot", accumulators[0].getType(), {lhs[0], rhs[0]});
    accumulators[0] = arith::AddIOp::create(b, accumulators[0], sums);
  }
};

} // namespace

const DotProduct &wasm::getDotProduct(nn::TargetAttr) {
  static const DotI16x8 product;
  return product;
}
