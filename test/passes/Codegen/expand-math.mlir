// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s

// CHECK-LABEL: func.func @polynomial
// CHECK-NOT: math.exp
// CHECK: math.fma
func.func @polynomial(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
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
