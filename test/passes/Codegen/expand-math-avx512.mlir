// A target that scales by powers of two and approximates reciprocals.
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "", vector_bits = 512,
    vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>} {

// The reciprocal is a guess and a step of Newton's, which leaves the 0 of an infinite sum.
// CHECK-LABEL: func.func @sigmoid
// CHECK-NOT: arith.divf
// CHECK: %[[POWER:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// CHECK: %[[SUM:.*]] = arith.addf %[[POWER]], %{{.*}} : vector<16xf32>
// CHECK: %[[GUESS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.rcp14.ps.512"(%[[SUM]],
// CHECK: %[[MINUS:.*]] = arith.negf %[[SUM]]
// CHECK: %[[ERROR:.*]] = math.fma %[[MINUS]], %[[GUESS]], %{{.*}}
// CHECK: %[[NUMBER:.*]] = arith.cmpf ogt, %[[ERROR]]
// CHECK: %[[FINITE:.*]] = arith.select %[[NUMBER]], %[[ERROR]]
// CHECK: math.fma %[[GUESS]], %[[FINITE]], %[[GUESS]]
// CHECK-NOT: arith.divf
func.func @sigmoid(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %0 = arith.negf %x : vector<16xf32>
  %1 = math.exp %0 : vector<16xf32>
  %2 = arith.addf %one, %1 : vector<16xf32>
  %3 = arith.divf %one, %2 : vector<16xf32>
  return %3 : vector<16xf32>
}

// What is left of a vector has no such instructions.
// CHECK-LABEL: func.func @scalar
// CHECK-NOT: llvm.call_intrinsic
// CHECK: arith.divf
func.func @scalar(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %0 = math.exp %x : f32
  %1 = arith.addf %0, %one : f32
  %2 = arith.divf %one, %1 : f32
  return %2 : f32
}

// CHECK-LABEL: func.func @other_quotients
// CHECK-COUNT-3: arith.divf
func.func @other_quotients(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %two = arith.constant dense<2.0> : vector<16xf32>
  %0 = math.exp %x : vector<16xf32>
  %1 = arith.addf %two, %0 : vector<16xf32>
  %2 = arith.divf %one, %1 : vector<16xf32>
  %3 = arith.addf %one, %0 : vector<16xf32>
  %4 = arith.divf %two, %3 : vector<16xf32>
  %5 = arith.divf %one, %x : vector<16xf32>
  return %2, %4, %5 : vector<16xf32>, vector<16xf32>, vector<16xf32>
}

}
