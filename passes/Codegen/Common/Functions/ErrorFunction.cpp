//===- ErrorFunction.cpp - erf --------------------------------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

Value codegen::emitErf(FloatBuilder &b, Value x) {
  // erf(x) / x as a polynomial in x^2, which is mapped to [-1, 1] to keep its terms small. A quotient would need fewer terms, but
  // a division takes as long as sixteen of them. From `limit` on, erf rounds to 1.
  constexpr double limit = 3.88;
  Value inside = b.atMost(b.atLeast(x, -limit), limit);
  Value u = b.fma(b.mul(inside, inside), 2 / (limit * limit), -1.0);
  Value series = b.polynomial(u, {0.364449948, -0.181921303, 0.135299355, -0.109880939, 0.0907243863, -0.0735468045, 0.0574236661,
                                  -0.0422250852, 0.0284956787, -0.0187904965, 0.013071063, -0.0070439009, 0.00181218912,
                                  -0.00119637221, 0.00177926524, -0.000718705414});
  return b.mul(inside, series);
}

Value codegen::emitRoughErf(FloatBuilder &b, Value x) {
  constexpr double limit = 2.7;
  Value inside = b.atMost(b.atLeast(x, -limit), limit);
  Value series = b.polynomial(b.mul(inside, inside), {1.12759519, -0.371614575, 0.105209053, -0.0209721979, 0.00271877716,
                                                      -0.000202307172, 6.47830848e-06});
  return b.mul(inside, series);
}
