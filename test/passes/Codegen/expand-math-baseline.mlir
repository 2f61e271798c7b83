// A target that has neither fused multiply-adds nor conversions of f16.
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v2", features = "", vector_bits = 128,
    vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>} {

// Angles are reduced in f64.
// CHECK-LABEL: func.func @sine
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @sine(%x: f32) -> f32 {
  %0 = math.sin %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @half
// CHECK-NOT: arith.extf
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : vector<4xf16> to vector<4xi16>
// CHECK: arith.extsi %[[BITS]] : vector<4xi16> to vector<4xi32>
// CHECK-NOT: arith.truncf
// CHECK: arith.bitcast %{{.*}} : vector<4xi16> to vector<4xf16>
func.func @half(%x: vector<4xf16>) -> vector<4xf16> {
  %0 = arith.extf %x : vector<4xf16> to vector<4xf32>
  %1 = arith.addf %0, %0 : vector<4xf32>
  %2 = arith.truncf %1 : vector<4xf32> to vector<4xf16>
  return %2 : vector<4xf16>
}

// CHECK-LABEL: func.func @bfloat
// CHECK: arith.extf
func.func @bfloat(%x: bf16) -> f32 {
  %0 = arith.extf %x : bf16 to f32
  return %0 : f32
}

}
