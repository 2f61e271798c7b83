//===- ErrorFunction.cpp - erf --------------------------------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// erf(x) / x around the multiples of 1 / kErfSteps, the first 16 of them: coefficients of each power of the distance.
static constexpr double kErfSteps = 3.9;
static constexpr float kErfTables[][FloatInstructions::kTableSize] = {
    {1.12837911f, 1.10413051f, 1.03680289f, 0.940344036f, 0.831747174f, 0.725542486f, 0.630775094f, 0.550937235f,
     0.485686302f, 0.43285656f, 0.38988781f, 0.3545219f, 0.324995577f, 0.299999267f, 0.278571308f, 0.259999961f},
    {-5.64406994e-19f, -0.185452119f, -0.330247015f, -0.410702646f, -0.426708579f, -0.395817339f, -0.341225356f,
     -0.281871527f, -0.228586972f, -0.185191765f, -0.1514422f, -0.125553787f, -0.105595201f, -0.0899947137f,
     -0.0776012093f, -0.0675998777f},
    {-0.376093507f, -0.333322406f, -0.223460987f, -0.0905092657f, 0.0219341554f, 0.0906545222f, 0.115989134f,
     0.112032607f, 0.094650209f, 0.0747612715f, 0.0574843362f, 0.0441138595f, 0.0342338905f, 0.0269785188f,
     0.0216136966f, 0.017578138f},
    {4.75711491e-14f, 0.106991597f, 0.168472603f, 0.16729708f, 0.119998038f, 0.0589846335f, 0.0102099739f,
     -0.0169156864f, -0.0259097088f, -0.0247436017f, -0.0199307594f, -0.0149415405f, -0.0109563544f, -0.00805800129f,
     -0.00601390284f, -0.00456897821f},
    {0.110401057f, 0.0879977718f, 0.028997682f, -0.0279529318f, -0.0573901497f, -0.0563626736f, -0.0375491977f,
     -0.0166802797f, -0.00278753531f, 0.00353239989f, 0.00530174328f, 0.00473674806f, 0.0031852168f, 0.00251331017f,
     0.00172264513f, 0.00106106163f},
    {-3.44123146e-12f, -0.0365554765f, -0.0496164672f, -0.0364134088f, -0.0102328854f, 0.0104385214f, 0.0173458792f,
     0.0141720846f, 0.00770408288f, 0.00269494252f, -0.000158664217f, -0.000976396608f, -0.00079546601f,
     -0.000686462154f, -0.000485667959f, -0.000282114983f},
};

/// A polynomial of a sixteenth of the range needs fewer terms, whose coefficients are looked up.
static Value emitErfByTables(FloatBuilder &b, Value x) {
  constexpr double limit = 3.92;
  Value inside = b.atMost(b.atLeast(x, -limit), limit), size = b.abs(inside);
  Value sum = b.fma(size, kErfSteps, kRounder), index = b.bitcast(sum, b.i32());
  Value distance = b.fma(b.sub(sum, kRounder), -1 / kErfSteps, size), series;
  for (ArrayRef<float> table : llvm::reverse(kErfTables)) {
    Value coefficient = b.lookUp(table, index);
    series = series ? b.fma(series, distance, coefficient) : coefficient;
  }
  return b.mul(inside, series);
}

Value codegen::emitErf(FloatBuilder &b, Value x) {
  if (b.hasInstructions(x))
    return emitErfByTables(b, x);
  // erf(x) / x as a polynomial in x^2, which is mapped to [-1, 1] to keep its terms small. A quotient would need fewer
  // terms, but a division takes as long as sixteen of them. From `limit` on, erf rounds to 1.
  constexpr double limit = 3.88;
  Value inside = b.atMost(b.atLeast(x, -limit), limit);
  Value u = b.fma(b.mul(inside, inside), 2 / (limit * limit), -1.0);
  Value series = b.polynomial(u, {0.364449948, -0.181921303, 0.135299355, -0.109880939, 0.0907243863, -0.0735468045,
                                  0.0574236661, -0.0422250852, 0.0284956787, -0.0187904965, 0.013071063, -0.0070439009,
                                  0.00181218912, -0.00119637221, 0.00177926524, -0.000718705414});
  return b.mul(inside, series);
}

Value codegen::emitRoughErf(FloatBuilder &b, Value x) {
  constexpr double limit = 2.7;
  Value inside = b.atMost(b.atLeast(x, -limit), limit);
  Value series = b.polynomial(b.mul(inside, inside), {1.12759519, -0.371614575, 0.105209053, -0.0209721979,
                                                      0.00271877716, -0.000202307172, 6.47830848e-06});
  return b.mul(inside, series);
}
