//===- FloatInstructions.cpp - Exponents and reciprocals of AVX-512 -------===//
#include "lib/Target/FloatInstructions.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/X86/X86.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

namespace {

/// Each but the reciprocal takes about as long as a multiplication. Of vectors of 16 lanes, and of 8.
class Avx512FloatInstructions final : public FloatInstructions {
public:
  explicit Avx512FloatInstructions(bool hasFastDivision) : hasFastDivision(hasFastDivision) {}

  bool take(Type type) const override {
    auto vector = dyn_cast<VectorType>(type);
    return vector && vector.getRank() == 1 && vector.getElementType().isF32() &&
           (vector.getNumElements() == 16 || vector.getNumElements() == 8);
  }

  Value scale(ImplicitLocOpBuilder &b, Value x, Value n) const override {
    return emit(b, "mask.scalef.ps", x, {x, n, x}, /*rounds=*/true);
  }

  Value fraction(ImplicitLocOpBuilder &b, Value x) const override {
    Value roundDown = arith::ConstantOp::create(b, b.getI32IntegerAttr(1)); // to a whole number
    return emit(b, "mask.reduce.ps", x, {x, roundDown, x}, /*rounds=*/true);
  }

  Value approximateReciprocal(ImplicitLocOpBuilder &b, Value x) const override {
    return emit(b, "rcp14.ps", x, {x, x}, /*rounds=*/false);
  }

  bool dividesFast() const override { return hasFastDivision; }

  Value lookUp(ImplicitLocOpBuilder &b, ArrayRef<float> table, Value index) const override {
    auto type = cast<VectorType>(index.getType()).clone(b.getF32Type());
    auto load = [&](ArrayRef<float> part) -> Value {
      return arith::ConstantOp::create(b, DenseElementsAttr::get(type, part));
    };
    int64_t lanes = type.getNumElements();
    if (lanes == kTableSize)
      return emitIntrinsic(b, "llvm.x86.avx512.permvar.sf.512", type, {load(table), index});
    return emitIntrinsic(b, "llvm.x86.avx512.vpermi2var.ps.256", type,
                         {load(table.take_front(lanes)), index, load(table.drop_front(lanes))});
  }

private:
  /// An instruction for all lanes, whose intrinsic for 512 bits may take a rounding mode.
  static Value emit(ImplicitLocOpBuilder &b, StringRef name, Value like, SmallVector<Value> operands, bool rounds) {
    constexpr int32_t currentRounding = 4; // _MM_FROUND_CUR_DIRECTION
    bool isWide = cast<VectorType>(like.getType()).getNumElements() == 16;
    auto allLanes = isWide ? b.getI16IntegerAttr(-1) : b.getI8IntegerAttr(-1);
    operands.push_back(arith::ConstantOp::create(b, allLanes));
    if (isWide && rounds)
      operands.push_back(arith::ConstantOp::create(b, b.getI32IntegerAttr(currentRounding)));
    std::string full = ("llvm.x86.avx512." + name + (isWide ? ".512" : ".256")).str();
    return emitIntrinsic(b, full, like.getType(), operands);
  }

  bool hasFastDivision;
};

} // namespace

const FloatInstructions *x86::getFloatInstructions(nn::TargetAttr target) {
  // Of 16 lanes, Zen 4 divides every six cycles, of which others than divisions lose two and a half; Golden Cove every
  // sixteen, of which every second multiply-add loses ten.
  static const Avx512FloatInstructions usual(/*hasFastDivision=*/false), zen(/*hasFastDivision=*/true);
  if (target.getVectorBits() != 512)
    return nullptr;
  return target.getCpu().starts_with("znver") ? &zen : &usual;
}
