// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels -canonicalize | FileCheck %s

// 60 thousand multiply-adds: one task, which the caller runs.
// CHECK-LABEL: @short
//   CHECK-NOT: scf.parallel
func.func @short(%x: memref<28x64xf32>, %w: memref<1x64x32xf32>, %y: memref<28x32xf32>) {
  nn.linear %x, %w outs(%y) : (memref<28x64xf32>, memref<1x64x32xf32>, memref<28x32xf32>) -> ()
  return
}

// -----

// The weight is small: tasks of three tiles of 14 rows, each with both panels.
// CHECK-LABEL: @rows
//       CHECK: scf.parallel ({{.*}}) = (%c0) to (%c19) step (%c1) {
//  CHECK-NEXT:   scf.for %{{.*}} = %c0 to %c2 step %c1 {
func.func @rows(%x: memref<784x64xf32>, %w: memref<2x64x32xf32>, %y: memref<784x64xf32>) {
  nn.linear %x, %w outs(%y) : (memref<784x64xf32>, memref<2x64x32xf32>, memref<784x64xf32>) -> ()
  return
}

// -----

// One row against a large weight: memory bounds it, and each task reads two of 32 panels.
// CHECK-LABEL: @panels
//       CHECK: scf.parallel ({{.*}}) = (%c0) to (%c16) step (%c1) {
func.func @panels(%x: memref<1x1024xf32>, %w: memref<32x1024x32xf32>, %y: memref<1x1024xf32>) {
  nn.linear %x, %w outs(%y) : (memref<1x1024xf32>, memref<32x1024x32xf32>, memref<1x1024xf32>) -> ()
  return
}

// -----

// Twelve rows of a softmax over 4096: work for two threads, and an even number of tasks.
// CHECK-LABEL: @softmax
//       CHECK: scf.parallel ({{.*}}) = (%c0) to (%c6) step (%c1) {
func.func @softmax(%x: memref<12x4096xf32>, %y: memref<12x4096xf32>) {
  nn.softmax %x outs(%y) : (memref<12x4096xf32>, memref<12x4096xf32>) -> ()
  return
}
