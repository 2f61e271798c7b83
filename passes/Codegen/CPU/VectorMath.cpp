//===- VectorMath.cpp - Vector functions that kernels need in their loops -===//
#include "passes/Codegen/CPU/KernelBuilder.h"

using namespace mlir;
using namespace lathe::cpu;

Value KernelBuilder::expNonPositive(Value x) {
  Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
  auto fma = [&](Value a, Value b, Value c) -> Value { return vector::FMAOp::create(builder, loc, a, b, c); };
  constexpr double smallest = -87.33654; // e^x is the smallest normal number
  Value limit = splat(f32, smallest);
  Value clamped = arith::MaxNumFOp::create(builder, loc, x, limit);
  // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, the first with few digits so that n ln 2 is exact.
  Value scaled = arith::MulFOp::create(builder, loc, clamped, splat(f32, 1.4426950408889634));
  Value n = math::RoundEvenOp::create(builder, loc, scaled);
  Value r = fma(n, splat(f32, -0.693359375), clamped);
  r = fma(n, splat(f32, 2.12194440e-4), r);
  // A minimax polynomial of degree 5 for (e^r - 1 - r) / r^2.
  Value p = splat(f32, 1.9875691500e-4);
  for (double coefficient : {1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1})
    p = fma(p, r, splat(f32, coefficient));
  Value square = arith::MulFOp::create(builder, loc, r, r);
  p = fma(p, square, arith::AddFOp::create(builder, loc, r, splat(f32, 1)));
  // Times 2^n: n is added to the exponent.
  Value exponent = arith::FPToSIOp::create(builder, loc, vectorOf(i32), n);
  Value shifted = arith::ShLIOp::create(builder, loc, exponent, splat(i32, 23));
  Value bits = arith::BitcastOp::create(builder, loc, vectorOf(i32), p);
  Value sum = arith::AddIOp::create(builder, loc, bits, shifted);
  Value power = arith::BitcastOp::create(builder, loc, vectorOf(f32), sum);
  Value normal = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, x, limit);
  return arith::SelectOp::create(builder, loc, normal, power, splat(f32, 0));
}

void KernelBuilder::transpose(MutableArrayRef<Value> rows) {
  int64_t size = lanes();
  // Blocks of `width` off the diagonal change places, from single elements up to halves.
  for (int64_t width = 1; width < size; width *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < size; ++lane) {
      low.push_back(lane & width ? size + lane - width : lane);
      high.push_back(lane & width ? size + lane : lane + width);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & width)
        continue;
      Value a = rows[i], b = rows[i + width];
      rows[i] = vector::ShuffleOp::create(builder, loc, a, b, ArrayRef<int64_t>(low));
      rows[i + width] = vector::ShuffleOp::create(builder, loc, a, b, ArrayRef<int64_t>(high));
    }
  }
}
