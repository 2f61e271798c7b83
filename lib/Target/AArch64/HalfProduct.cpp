//===- HalfProduct.cpp - Products of f16 on AArch64 -----------------------===//
#include "lib/Target/HalfProduct.h"
#include "lib/Target/AArch64/AArch64.h"
#include "lib/Target/DotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

namespace {

/// FMLAL and FMLAL2 of FEAT_FHM multiply one half of two vectors of f16 and add to f32. Multiplied by one, a sum is
/// added by one instruction rather than two.
class WideningProduct final : public HalfProduct {
public:
  void addTo(ImplicitLocOpBuilder &b, Value half, MutableArrayRef<Value> sums) const override {
    auto type = cast<VectorType>(half.getType());
    if (sums.size() != 2 || type.getNumElements() != 8)
      return HalfProduct::addTo(b, half, sums);
    Value ones = arith::ConstantOp::create(b, DenseElementsAttr::get(type, b.getF16FloatAttr(1)));
    sums[0] = emitIntrinsic(b, "llvm.aarch64.neon.fmlal", sums[0].getType(), {sums[0], half, ones});
    sums[1] = emitIntrinsic(b, "llvm.aarch64.neon.fmlal2", sums[1].getType(), {sums[1], half, ones});
  }
};

} // namespace

const HalfProduct &aarch64::getHalfProduct(bool hasWideningProduct) {
  static const HalfProduct extending;
  static const WideningProduct widening;
  return hasWideningProduct ? widening : extending;
}
