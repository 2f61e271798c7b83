// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-linalg-to-loops))' | FileCheck %s

module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040>} {

// All dimensions are threads. Those of a transpose are neighbours where it writes.
// CHECK-LABEL: func.func @transpose
// CHECK: scf.parallel (%[[I:.*]], %[[J:.*]]) = (%{{.*}}, %{{.*}}) to (%c16{{.*}}, %c8{{.*}})
// CHECK: %[[X:.*]] = memref.load %arg0[%[[J]], %[[I]]]
// CHECK: memref.store %[[X]], %arg1[%[[I]], %[[J]]]
func.func @transpose(%a: memref<8x16xf32>, %b: memref<16x8xf32>) {
  linalg.transpose ins(%a : memref<8x16xf32>) outs(%b : memref<16x8xf32>) permutation = [1, 0]
  return
}

// A sum is one thread's alone.
// CHECK-LABEL: func.func @sum
// CHECK: scf.parallel (%[[I:.*]]) = (%{{.*}}) to (%c8
// CHECK: scf.for {{.*}} iter_args
// CHECK: memref.store
func.func @sum(%a: memref<8x16xf32>, %b: memref<8xf32>) {
  linalg.reduce ins(%a : memref<8x16xf32>) outs(%b : memref<8xf32>) dimensions = [1]
    (%in: f32, %acc: f32) { %0 = arith.addf %in, %acc : f32  linalg.yield %0 : f32 }
  return
}

// No loop is one thread.
// CHECK-LABEL: func.func @scalar
// CHECK: scf.parallel (%{{.*}}) = (%c0{{.*}}) to (%c1{{.*}})
// CHECK: memref.store %arg0, %arg1[]
func.func @scalar(%x: f32, %y: memref<f32>) {
  linalg.fill ins(%x : f32) outs(%y : memref<f32>)
  return
}
}
