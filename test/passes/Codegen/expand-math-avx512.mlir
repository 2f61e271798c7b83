// A target that scales by powers of two and approximates reciprocals.
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s
// RUN: sed 's/x86-64-v4/znver4/' %s | lathe-opt -pass-pipeline='builtin.module(func.func(codegen-expand-math))' | FileCheck %s --check-prefix=ZEN

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "", vector_bits = 512,
    vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>} {

// A power of 2^(1/16) is looked up. The reciprocal is a guess and a step of Newton's, which leaves the 0 of an infinite
// sum; ZEN divides.
// CHECK-LABEL: func.func @sigmoid
// CHECK-NOT: arith.divf
// CHECK: %[[SUM:.*]] = math.fma
// CHECK: %[[N:.*]] = arith.subf %[[SUM]]
// CHECK: %[[INDEX:.*]] = arith.bitcast %[[SUM]]
// CHECK: %[[FACTOR:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%{{.*}}, %[[INDEX]])
// CHECK: %[[POWER:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%[[FACTOR]], %[[N]],
// CHECK: %[[DIVISOR:.*]] = math.fma %[[POWER]], %{{.*}}, %{{.*}}
// CHECK: %[[GUESS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.rcp14.ps.512"(%[[DIVISOR]],
// CHECK: %[[MINUS:.*]] = arith.negf %[[DIVISOR]]
// CHECK: %[[ERROR:.*]] = math.fma %[[MINUS]], %[[GUESS]], %{{.*}}
// CHECK: %[[NUMBER:.*]] = arith.cmpf ogt, %[[ERROR]]
// CHECK: %[[FINITE:.*]] = arith.select %[[NUMBER]], %[[ERROR]]
// CHECK: math.fma %[[GUESS]], %[[FINITE]], %[[GUESS]]
// CHECK-NOT: arith.divf
// ZEN-LABEL: func.func @sigmoid
// ZEN: "llvm.x86.avx512.permvar.sf.512"
// ZEN-NOT: rcp14
// ZEN: arith.divf %cst
func.func @sigmoid(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %0 = arith.negf %x : vector<16xf32>
  %1 = math.exp %0 : vector<16xf32>
  %2 = arith.addf %one, %1 : vector<16xf32>
  %3 = arith.divf %one, %2 : vector<16xf32>
  return %3 : vector<16xf32>
}

// A factor takes the place of the 1.
// CHECK-LABEL: func.func @silu
// CHECK: %[[RECIPROCAL:.*]] = math.fma %[[GUESS:.*]], %{{.*}}, %[[GUESS]]
// CHECK: arith.mulf %arg0, %[[RECIPROCAL]]
// ZEN-LABEL: func.func @silu
// ZEN: arith.divf %arg0,
// ZEN-NOT: arith.mulf
func.func @silu(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %0 = arith.negf %x : vector<16xf32>
  %1 = math.exp %0 : vector<16xf32>
  %2 = arith.addf %one, %1 : vector<16xf32>
  %3 = arith.divf %one, %2 : vector<16xf32>
  %4 = arith.mulf %x, %3 : vector<16xf32>
  return %4 : vector<16xf32>
}

// Of half a register, the table is in two.
// ZEN-LABEL: func.func @half
// ZEN: "llvm.x86.avx512.vpermi2var.ps.256"
// ZEN: "llvm.x86.avx512.mask.scalef.ps.256"(%{{[^)]*}}) : (vector<8xf32>, vector<8xf32>, vector<8xf32>, i8)
// CHECK-LABEL: func.func @half
// CHECK: "llvm.x86.avx512.rcp14.ps.256"(%{{[^)]*}}) : (vector<8xf32>, vector<8xf32>, i8)
func.func @half(%x: vector<8xf32>) -> vector<8xf32> {
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = math.exp %x : vector<8xf32>
  %1 = arith.addf %0, %one : vector<8xf32>
  %2 = arith.divf %one, %1 : vector<8xf32>
  return %2 : vector<8xf32>
}

// One table for each of six coefficients.
// CHECK-LABEL: func.func @erf
// CHECK: arith.bitcast
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// CHECK-COUNT-5: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// CHECK-NOT: permvar
// CHECK: arith.mulf
func.func @erf(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.erf %x : vector<16xf32>
  return %0 : vector<16xf32>
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
// CHECK-COUNT-2: arith.divf
// CHECK-NOT: arith.divf
func.func @other_quotients(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>) {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %two = arith.constant dense<2.0> : vector<16xf32>
  %0 = math.exp %x : vector<16xf32>
  %1 = arith.addf %two, %0 : vector<16xf32>
  %2 = arith.divf %one, %1 : vector<16xf32>
  %3 = arith.divf %one, %x : vector<16xf32>
  return %2, %3 : vector<16xf32>, vector<16xf32>
}

}
