// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-linalg-to-loops{parallel-threshold=2000}))' -split-input-file -verify-diagnostics | FileCheck %s

// Contiguous dimensions become one loop.
// CHECK-LABEL: func.func @elementwise
// CHECK: memref.collapse_shape %{{.*}} {{\[\[}}0, 1]] : memref<8x16xf32> into memref<128xf32>
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK-NEXT: memref.load %{{.*}}[%[[I]]] : memref<128xf32>
// CHECK-NOT: scf.for
// A loop that LLVM might unroll before it vectorises is kept.
// CHECK: {loop_annotation = #
#id = affine_map<(i, j) -> (i, j)>
func.func @elementwise(%a: memref<8x16xf32>, %b: memref<8x16xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : memref<8x16xf32>) outs(%b : memref<8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// What broadcasts along the rows and columns does not keep them from being one loop.
// CHECK-LABEL: func.func @broadcast
// CHECK: memref.subview %arg1[0, 0, 0] [8, 1, 1] [1, 1, 1] : memref<8x1x1xf32> to memref<8xf32, strided<[1]>>
// CHECK: memref.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : memref<8x4x16xf32> into memref<8x64xf32>
// CHECK: scf.parallel (%[[I:.*]]) =
// CHECK: scf.for %[[J:.*]] = %c0
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]] : memref<8x64xf32>
// CHECK: memref.load %{{.*}}[%[[I]]] : memref<8xf32, strided<[1]>>
func.func @broadcast(%a: memref<8x4x16xf32>, %b: memref<8x1x1xf32>, %c: memref<8x4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, 0, 0)>, affine_map<(i, j, k) -> (i, j, k)>],
                  iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a, %b : memref<8x4x16xf32>, memref<8x1x1xf32>) outs(%c : memref<8x4x16xf32>) {
  ^bb0(%x: f32, %y: f32, %out: f32):
    %0 = arith.mulf %x, %y : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A contiguous reduction is innermost and carried in a register; the rows are run in parallel.
// CHECK-LABEL: func.func @rows
// CHECK: scf.parallel (%[[I:.*]]) =
// CHECK: %[[INIT:.*]] = memref.load %{{.*}}[%[[I]]] : memref<64xf32>
// CHECK: %[[SUM:.*]] = scf.for %[[J:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[INIT]]) -> (f32)
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK: arith.addf %{{.*}}, %[[ACC]] fastmath<reassoc,contract>
// CHECK: memref.store %[[SUM]], %{{.*}}[%[[I]]]
func.func @rows(%a: memref<64x32xf32>, %b: memref<64xf32>) {
  linalg.reduce ins(%a : memref<64x32xf32>) outs(%b : memref<64xf32>) dimensions = [1]
    (%in: f32, %acc: f32) {
      %0 = arith.addf %in, %acc : f32
      linalg.yield %0 : f32
    }
  return
}

// -----

// Over the rows, the contiguous columns stay innermost, in blocks that are tasks.
// CHECK-LABEL: func.func @columns
// CHECK-NOT: loop_annotation
// CHECK: scf.parallel
// CHECK: arith.minui
// CHECK: scf.for %[[I:.*]] = %c0
// CHECK: scf.for %[[J:.*]] = %
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]]
func.func @columns(%a: memref<64x1024xf32>, %b: memref<1024xf32>) {
  linalg.reduce ins(%a : memref<64x1024xf32>) outs(%b : memref<1024xf32>) dimensions = [0]
    (%in: f32, %acc: f32) {
      %0 = arith.addf %in, %acc : f32
      linalg.yield %0 : f32
    }
  return
}

// -----

// The second result is stored in each iteration of the reduction: the first is accumulated in memory.
// CHECK-LABEL: func.func @two_results
// CHECK: scf.for %[[I:.*]] = %c0
// CHECK: scf.for %[[J:.*]] = %c0
// CHECK-NOT: iter_args
// CHECK: memref.load %{{.*}}[%[[I]]] : memref<4xf32>
// CHECK-DAG: memref.store %{{.*}}[%[[I]]] : memref<4xf32>
// CHECK-DAG: memref.store %{{.*}}[%[[I]], %[[J]]] : memref<4x6xf16>
func.func @two_results(%x: memref<4x6xf32>, %y: memref<4x6xf16>, %max: memref<4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]} ins(%x : memref<4x6xf32>) outs(%y, %max : memref<4x6xf16>, memref<4xf32>) {
  ^bb0(%in: f32, %out: f16, %acc: f32):
    %0 = arith.truncf %in : f32 to f16
    %1 = arith.maximumf %in, %acc : f32
    linalg.yield %0, %1 : f16, f32
  }
  return
}

// -----

// Sums of a few columns: the loop over these is kept for vectors.
// CHECK-LABEL: func.func @few_columns
// CHECK: scf.for %[[I:.*]] = %c0
// CHECK: scf.for %[[J:.*]] = %c0
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK: {loop_annotation = #
func.func @few_columns(%a: memref<64x32xf32>, %b: memref<32xf32>) {
  linalg.reduce ins(%a : memref<64x32xf32>) outs(%b : memref<32xf32>) dimensions = [0]
    (%in: f32, %acc: f32) {
      %0 = arith.addf %in, %acc : f32
      linalg.yield %0 : f32
    }
  return
}

// -----

// Too few iterations for vectors, or so many that they stay a loop: neither is annotated.
// CHECK-LABEL: func.func @narrow_and_wide
// CHECK-NOT: loop_annotation
func.func @narrow_and_wide(%a: memref<4xf32>, %b: memref<1024xf32>, %zero: f32) {
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  linalg.fill ins(%zero : f32) outs(%b : memref<1024xf32>)
  return
}

// -----

func.func @tensors(%a: tensor<4xf32>, %zero: f32) -> tensor<4xf32> {
  // expected-error@+1 {{expected a linalg op on memrefs}}
  %0 = linalg.fill ins(%zero : f32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
