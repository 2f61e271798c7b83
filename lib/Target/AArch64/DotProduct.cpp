//===- DotProduct.cpp - Products of bytes on AArch64 ----------------------===//
#include "lib/Target/DotProduct.h"
#include "lib/Target/AArch64/AArch64.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

namespace {

/// SDOT of FEAT_DotProd; LLVM picks the form that takes the left operand from a lane.
class SignedDotProduct final : public DotProduct {
public:
  bool isLhsSigned() const override { return true; }
  bool takesLanes() const override { return true; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    return {emitRepeated(b, word, lanes, b.getI8Type())};
  }

  Values prepareRhs(ImplicitLocOpBuilder &, Value columns, int64_t) const override { return {columns}; }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    // The form with a lane takes it last.
    accumulators[0] = emitIntrinsic(b, "llvm.aarch64.neon.sdot", accumulators[0].getType(), {accumulators[0], rhs[0], lhs[0]});
  }
};

} // namespace

const DotProduct &aarch64::getDotProduct(nn::TargetAttr target) {
  static const SignedDotProduct product;
  if (target.getDotProduct() == "none")
    return getPortableDotProduct();
  return product;
}
