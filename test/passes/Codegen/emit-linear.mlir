// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// 28 accumulators of 16 lanes, which start from the bias, stay in registers through the reduction; the activation meets them
// before the store.
// CHECK-LABEL: @static
//       CHECK: scf.parallel
//       CHECK: %[[B0:.*]] = vector.load %arg2
//       CHECK: %[[B1:.*]] = vector.load %arg2
//       CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[B0]], %{{.*}} = %[[B1]], %{{.*}} = %[[B0]], {{.*}} -> (vector<16xf32>, {{.*}}vector<16xf32>) {
// CHECK-COUNT-28: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: scf.yield
//   CHECK-NOT: arith.addf
//       CHECK: arith.maximumf {{.*}} : vector<16xf32>
// CHECK-COUNT-28: vector.store
//   CHECK-NOT: vector.store
func.func @static(%x: memref<28x64xf32>, %w: memref<2x64x32xf32>, %b: memref<64xf32>, %y: memref<28x64xf32>) {
  nn.linear %x, %w extras(%b) outs(%y) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %zero = arith.constant 0.0 : f32
    %sum = arith.addf %acc, %bias : f32
    %relu = arith.maximumf %sum, %zero : f32
    nn.yield %relu : f32
  } : (memref<28x64xf32>, memref<2x64x32xf32>, memref<64xf32>, memref<28x64xf32>) -> ()
  return
}

// -----

// What is scaled first, or differs from row to row, is no bias to start from.
// CHECK-LABEL: @late
//       CHECK: scf.yield
//       CHECK: arith.mulf {{.*}} : vector<16xf32>
//       CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-LABEL: @residual
//   CHECK-NOT: memref.prefetch
//       CHECK: scf.yield
//       CHECK: vector.load %arg2
//       CHECK: arith.addf {{.*}} : vector<16xf32>
func.func @late(%x: memref<28x64xf32>, %w: memref<2x64x32xf32>, %b: memref<64xf32>, %y: memref<28x64xf32>) {
  nn.linear %x, %w extras(%b) outs(%y) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %half = arith.constant 0.5 : f32
    %scaled = arith.mulf %acc, %half : f32
    %sum = arith.addf %scaled, %bias : f32
    nn.yield %sum : f32
  } : (memref<28x64xf32>, memref<2x64x32xf32>, memref<64xf32>, memref<28x64xf32>) -> ()
  return
}
func.func @residual(%x: memref<28x64xf32>, %w: memref<2x64x32xf32>, %r: memref<28x64xf32>, %y: memref<28x64xf32>) {
  nn.linear %x, %w extras(%r) outs(%y) epilogue {
  ^bb0(%acc: f32, %residual: f32):
    %sum = arith.addf %acc, %residual : f32
    nn.yield %sum : f32
  } : (memref<28x64xf32>, memref<2x64x32xf32>, memref<28x64xf32>, memref<28x64xf32>) -> ()
  return
}

// -----

// What differs from row to row, and comes from beyond the second cache, is asked for before the products; the bias is not.
// CHECK-LABEL: @distant_residual
//       CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c32
//       CHECK: memref.prefetch %arg2[%[[ROW:.*]], %[[COLUMN]]], read, locality<3>, data : memref<8400x64xf32>
//       CHECK: %[[NEXT:.*]] = arith.addi %[[COLUMN]], %c16
//       CHECK: memref.prefetch %arg2[%[[ROW]], %[[NEXT]]], read
//   CHECK-NOT: memref.prefetch %arg3
//       CHECK: scf.for
//       CHECK: vector.fma
//       CHECK: vector.load %arg2
func.func @distant_residual(%x: memref<8400x64xf32>, %w: memref<2x64x32xf32>, %r: memref<8400x64xf32>, %b: memref<64xf32>, %y: memref<8400x64xf32>) {
  nn.linear %x, %w extras(%r, %b) outs(%y) epilogue {
  ^bb0(%acc: f32, %residual: f32, %bias: f32):
    %with = arith.addf %acc, %bias : f32
    %sum = arith.addf %with, %residual : f32
    nn.yield %sum : f32
  } : (memref<8400x64xf32>, memref<2x64x32xf32>, memref<8400x64xf32>, memref<64xf32>, memref<8400x64xf32>) -> ()
  return
}

// -----

// Rows that fill no tile run through smaller ones, columns through masks.
// CHECK-LABEL: @dynamic
//       CHECK: memref.collapse_shape %arg0
//       CHECK: vector.create_mask
// CHECK-COUNT-28: vector.maskedstore
//       CHECK: scf.if
// CHECK-COUNT-16: vector.maskedstore
//       CHECK: return
func.func @dynamic(%x: memref<?x?x64xf32>, %w: memref<3x64x16xf32>, %y: memref<?x?x36xf32>) {
  nn.linear %x, %w outs(%y) : (memref<?x?x64xf32>, memref<3x64x16xf32>, memref<?x?x36xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @vnni
//       CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
//       CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
//       CHECK: arith.fptoui {{.*}} : vector<16xf32> to vector<16xi8>
//       CHECK: vector.store {{.*}} : memref<14x32xi8>, vector<16xi8>
func.func @vnni(%x: memref<14x64xi8>, %w: memref<1x16x32x4xi8>, %y: memref<14x32xi8>) {
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%acc: i32):
    %f = arith.sitofp %acc : i32 to f32
    %i = arith.fptoui %f : f32 to i8
    nn.yield %i : i8
  } : (memref<14x64xi8>, memref<1x16x32x4xi8>, memref<14x32xi8>) -> ()
  return
}

// -----

// Rows 4096 bytes apart share sets of the first cache: blocks of 64 steps are read through a scratch buffer.
// CHECK-LABEL: @distant
//       CHECK: scf.parallel
//       CHECK: %[[S:.*]] = memref.alloca() {{.*}} : memref<14x64xf32>
// CHECK-COUNT-56: vector.store {{.*}}, %[[S]]
//       CHECK: memref.load %[[S]]
//   CHECK-NOT: memref.load %arg0
//       CHECK: return
func.func @distant(%x: memref<14x1024xf32>, %w: memref<1x1024x32xf32>, %y: memref<14x32xf32>) {
  nn.linear %x, %w outs(%y) : (memref<14x1024xf32>, memref<1x1024x32xf32>, memref<14x32xf32>) -> ()
  return
}

// -----

// 1 MiB of weights does not stay in the cache: each step asks for the two lines of a step that is two pages further on.
// CHECK-LABEL: @large_weight
//       CHECK: memref.prefetch %arg1[{{.*}}], read, locality<2>, data
//       CHECK: memref.prefetch %arg1[{{.*}}], read, locality<2>, data
//   CHECK-NOT: memref.prefetch
//       CHECK: vector.load %arg1
//       CHECK: vector.fma
//       CHECK: return
func.func @large_weight(%x: memref<14x512xf32>, %w: memref<16x512x32xf32>, %y: memref<14x512xf32>) {
  nn.linear %x, %w outs(%y) : (memref<14x512xf32>, memref<16x512x32xf32>, memref<14x512xf32>) -> ()
  return
}

// -----

// 4 MB of rows do not stay in the second cache: blocks of them meet all panels, and those that are left after them.
// CHECK-LABEL: @many_rows
//   CHECK-DAG: %[[BLOCK:.*]] = arith.constant 266 : index
//   CHECK-DAG: %[[FULL:.*]] = arith.constant 1862 : index
//       CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %[[FULL]] step %[[BLOCK]]
//       CHECK:   scf.parallel
//       CHECK: scf.parallel
//   CHECK-NOT: scf.parallel
//       CHECK: return
func.func @many_rows(%x: memref<2048x512xf32>, %w: memref<8x512x32xf32>, %y: memref<2048x256xf32>) {
  nn.linear %x, %w outs(%y) : (memref<2048x512xf32>, memref<8x512x32xf32>, memref<2048x256xf32>) -> ()
  return
}

// -----

// Few rows of a long reduction: some steps at a time, and sums are loaded between them.
// CHECK-LABEL: @long_reduction
//       CHECK: scf.parallel
//       CHECK: scf.for
//       CHECK:   scf.parallel
//       CHECK:     vector.load %arg2
//       CHECK: scf.parallel
//       CHECK:   vector.load %arg2
//       CHECK: return
func.func @long_reduction(%x: memref<196x3072xf32>, %w: memref<24x3072x32xf32>, %y: memref<196x768xf32>) {
  nn.linear %x, %w outs(%y) : (memref<196x3072xf32>, memref<24x3072x32xf32>, memref<196x768xf32>) -> ()
  return
}

// -----

// 197 rows: a last tile of 14 would have one. Rather 2 tiles have 14 rows and 13 have 13, of two vectors each.
// CHECK-LABEL: @uneven_rows
//       CHECK: arith.minsi %{{.*}}, %c15
//       CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %c2{{.*}} : index
//       CHECK: scf.for %{{.*}} to %[[END]]
// CHECK-COUNT-28: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: %[[BEGIN:.*]] = arith.maxsi %{{.*}}, %c2{{.*}} : index
//       CHECK: scf.for %{{.*}} = %[[BEGIN]] to
// CHECK-COUNT-26: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: return
func.func @uneven_rows(%x: memref<197x64xf32>, %w: memref<2x64x32xf32>, %y: memref<197x64xf32>) {
  nn.linear %x, %w outs(%y) : (memref<197x64xf32>, memref<2x64x32xf32>, memref<197x64xf32>) -> ()
  return
}
