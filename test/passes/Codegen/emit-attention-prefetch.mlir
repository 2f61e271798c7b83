// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// Each tile of keys asks for one row of four lines of the next block of keys, and for one of the next task's queries; each
// tile of channels for values, and for where the task's results go.
// CHECK-LABEL: @large
// CHECK: %[[BLOCK:.*]] = arith.addi %{{.*}}, %c64{{.*}}
// CHECK: %[[LAST:.*]] = arith.cmpi sge, %[[BLOCK]],
// CHECK: %[[BATCH:.*]] = arith.select %[[LAST]],
// CHECK: %[[HEAD:.*]] = arith.select %[[LAST]],
// CHECK: memref.prefetch %arg1[%[[BATCH]], %[[HEAD]], %{{[a-z0-9]+}}, %c0{{.*}}], read, locality<2>, data
// CHECK: memref.prefetch %arg1[%[[BATCH]], %[[HEAD]], %{{[a-z0-9]+}}, %c48{{.*}}], read, locality<2>, data
// CHECK: memref.prefetch %arg0[{{.*}}], read, locality<2>, data
// CHECK: vector.fma
// CHECK: memref.prefetch %arg2[{{.*}}], read, locality<2>, data
// CHECK: memref.prefetch %arg3[{{.*}}], write, locality<2>, data
func.func @large(%q: memref<1x12x1024x64xf32>, %k: memref<1x12x1024x64xf32>, %v: memref<1x12x1024x64xf32>, %o: memref<1x12x1024x64xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.25e-1 : f32, heads_first, kv_heads_first}
    : (memref<1x12x1024x64xf32>, memref<1x12x1024x64xf32>, memref<1x12x1024x64xf32>, memref<1x12x1024x64xf32>) -> ()
  return
}

// -----

// All of it stays in the second cache.
// CHECK-LABEL: @small
// CHECK-NOT: memref.prefetch
func.func @small(%q: memref<1x4x50x64xf32>, %k: memref<1x4x50x64xf32>, %v: memref<1x4x50x64xf32>, %o: memref<1x4x50x64xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.25e-1 : f32, heads_first, kv_heads_first}
    : (memref<1x4x50x64xf32>, memref<1x4x50x64xf32>, memref<1x4x50x64xf32>, memref<1x4x50x64xf32>) -> ()
  return
}
