// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s

// A range reduction, a polynomial of degree 6 and a power of two, without branches.
// CHECK-LABEL: func.func @exp
// CHECK-SAME: (%[[X:.*]]: f32)
// CHECK-NOT: math.exp
// CHECK: %[[LOW:.*]] = arith.cmpf olt, %[[X]], %{{.*}} : f32
// CHECK: arith.select %[[LOW]], %{{.*}}, %[[X]] : f32
// CHECK-COUNT-9: math.fma
// CHECK-NOT: math.fma
// CHECK: %[[POWER:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: arith.mulf %{{.*}}, %[[POWER]] : f32
func.func @exp(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// Vectors of any length are computed alike.
// CHECK-LABEL: func.func @vector
// CHECK-NOT: math.tanh
// CHECK: math.fma %{{.*}} : vector<3xf32>
// CHECK: arith.divf %{{.*}} : vector<3xf32>
func.func @vector(%x: vector<3xf32>) -> vector<3xf32> {
  %0 = math.tanh %x : vector<3xf32>
  return %0 : vector<3xf32>
}

// A negation goes into the constants.
// CHECK-LABEL: func.func @negation
// CHECK-NOT: arith.negf
// CHECK: math.fma
func.func @negation(%x: f32) -> f32 {
  %0 = arith.negf %x : f32
  %1 = math.exp %0 : f32
  return %1 : f32
}

// e^x - 1 is a function of its own: it has no 1 to subtract that small results would drown in.
// CHECK-LABEL: func.func @exp_minus_one
// CHECK: %[[SHIFTED:.*]] = arith.shli
// CHECK: %[[HALF:.*]] = arith.bitcast %[[SHIFTED]] : i32 to f32
// CHECK: %[[REST:.*]] = arith.subf %[[HALF]], %cst
// CHECK: %[[RESULT:.*]] = math.fma %{{.*}}, %[[HALF]], %[[REST]]
// CHECK: arith.addf %[[RESULT]], %[[RESULT]]
func.func @exp_minus_one(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %0 = math.exp %x : f32
  %1 = arith.subf %0, %one : f32
  return %1 : f32
}

// CHECK-LABEL: func.func @half
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NOT: math.tanh
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half(%x: f16) -> f16 {
  %0 = math.tanh %x : f16
  return %0 : f16
}

// CHECK-LABEL: func.func @instruction
// CHECK: math.sqrt
func.func @instruction(%x: f32) -> f32 {
  %0 = math.sqrt %x : f32
  return %0 : f32
}

// What is left for libm.
// CHECK-LABEL: func.func @wide
// CHECK: math.exp %{{.*}} : f64
func.func @wide(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// CHECK-LABEL: func.func @maximum
// CHECK: arith.maximumf %{{.*}} fastmath<nsz> : f32
// CHECK: arith.minimumf %{{.*}} fastmath<nnan,nsz> : f32
func.func @maximum(%x: f32, %y: f32) -> f32 {
  %0 = arith.maximumf %x, %y : f32
  %1 = arith.minimumf %0, %y fastmath<nnan> : f32
  return %1 : f32
}

// With fused multiply-adds angles are reduced in f32; expand-math-baseline.mlir is without.
// CHECK-LABEL: func.func @sine
// CHECK-NOT: f64
// CHECK: arith.andi
func.func @sine(%x: f32) -> f32 {
  %0 = math.sin %x : f32
  return %0 : f32
}

// An approximate erf is a polynomial of half as many terms.
// CHECK-LABEL: func @rough_erf
// CHECK-COUNT-6: math.fma
// CHECK-NOT: math.
// CHECK: return
func.func @rough_erf(%x: f32) -> f32 {
  %y = math.erf %x fastmath<afn> : f32
  return %y : f32
}
