//===- FloatInstructions.cpp - Exponents and reciprocals of AVX-512 -------===//
#include "lib/Target/FloatInstructions.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/X86/X86.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

namespace {

/// Each but the reciprocal takes as long as a multiplication (Golden Cove; Zen 4 likewise).
class Avx512FloatInstructions final : public FloatInstructions {
public:
  bool take(Type type) const override {
    auto vector = dyn_cast<VectorType>(type);
    return vector && vector.getRank() == 1 && vector.getNumElements() == kLanes && vector.getElementType().isF32();
  }

  Value scale(ImplicitLocOpBuilder &b, Value x, Value n) const override {
    return emitIntrinsic(b, "llvm.x86.avx512.mask.scalef.ps.512", x.getType(),
                         {x, n, x, allLanes(b), constant(b, kCurrentRounding)});
  }

  Value fraction(ImplicitLocOpBuilder &b, Value x) const override {
    constexpr int32_t roundDown = 1; // to a whole number
    return emitIntrinsic(b, "llvm.x86.avx512.mask.reduce.ps.512", x.getType(),
                         {x, constant(b, roundDown), x, allLanes(b), constant(b, kCurrentRounding)});
  }

  Value approximateReciprocal(ImplicitLocOpBuilder &b, Value x) const override {
    return emitIntrinsic(b, "llvm.x86.avx512.rcp14.ps.512", x.getType(), {x, x, allLanes(b)});
  }

private:
  static constexpr int64_t kLanes = 16;
  static constexpr int32_t kCurrentRounding = 4; // _MM_FROUND_CUR_DIRECTION

  static Value constant(ImplicitLocOpBuilder &b, int32_t value) {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  }
  static Value allLanes(ImplicitLocOpBuilder &b) { return arith::ConstantOp::create(b, b.getI16IntegerAttr(-1)); }
};

} // namespace

const FloatInstructions *x86::getFloatInstructions(nn::TargetAttr target) {
  static const Avx512FloatInstructions avx512;
  return target.getVectorBits() == 512 ? &avx512 : nullptr;
}
