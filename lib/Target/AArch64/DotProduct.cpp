//===- DotProduct.cpp - Products of bytes and of bf16 on AArch64 ----------===//
#include "lib/Target/DotProduct.h"
#include "lib/Target/AArch64/AArch64.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

namespace {

/// SDOT of FEAT_DotProd, or BFDOT of FEAT_BF16; LLVM picks the form that takes the left operand from a lane.
class LaneDotProduct final : public DotProduct {
public:
  LaneDotProduct(StringRef intrinsic, bool isFloat) : intrinsic(intrinsic), isFloat(isFloat) {}

  bool isLhsSigned() const override { return true; }
  bool takesLanes() const override { return true; }

  Values prepareLhs(ImplicitLocOpBuilder &b, Value word, int64_t lanes) const override {
    return {emitRepeated(b, word, lanes, isFloat ? Type(b.getBF16Type()) : Type(b.getI8Type()))};
  }

  Values prepareRhs(ImplicitLocOpBuilder &, Value columns, int64_t) const override { return {columns}; }

  void accumulate(ImplicitLocOpBuilder &b, ValueRange lhs, ValueRange rhs,
                  MutableArrayRef<Value> accumulators) const override {
    // The form with a lane takes it last.
    accumulators[0] = emitIntrinsic(b, intrinsic, accumulators[0].getType(), {accumulators[0], rhs[0], lhs[0]});
  }

private:
  StringRef intrinsic;
  bool isFloat;
};

/// SMMLA of FEAT_I8MM, or BFMMLA of FEAT_BF16: twice the products of the instructions above, at the same rate.
class BlockProduct final : public PairProduct {
public:
  explicit BlockProduct(StringRef intrinsic) : intrinsic(intrinsic) {}

  Value accumulate(ImplicitLocOpBuilder &b, Value rows, Value columns, Value accumulator) const override {
    return emitIntrinsic(b, intrinsic, accumulator.getType(), {accumulator, rows, columns});
  }

private:
  StringRef intrinsic;
};

} // namespace

const DotProduct &aarch64::getDotProduct(nn::TargetAttr target) {
  static const LaneDotProduct product("llvm.aarch64.neon.sdot", /*isFloat=*/false);
  if (target.getDotProduct() == "none")
    return getPortableDotProduct();
  return product;
}

const DotProduct *aarch64::getBf16DotProduct(nn::TargetAttr target) {
  static const LaneDotProduct product("llvm.aarch64.neon.bfdot", /*isFloat=*/true);
  return target.getBf16Product() == "bfmmla" ? &product : nullptr;
}

const PairProduct *aarch64::getPairProduct(nn::TargetAttr target, Type element) {
  static const BlockProduct bytes("llvm.aarch64.neon.smmla"), halves("llvm.aarch64.neon.bfmmla");
  if (element.isInteger(8) && target.getDotProduct() == "i8mm")
    return &bytes;
  return element.isBF16() && target.getBf16Product() == "bfmmla" ? &halves : nullptr;
}
