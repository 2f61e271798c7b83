// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-gpu-emit-kernels),canonicalize)' -split-input-file | FileCheck %s

// Two tiles of 64 rows, one of 64 columns, three times 16 steps. Rows, columns and steps past the last one are clamped, and steps
// past the last one count as zeros.
// CHECK-LABEL: func.func @linear
// CHECK: gpu.launch blocks(%[[B:[a-z0-9]+]], {{.*}} in (%{{.*}} = %c2, %{{.*}} = %c1, %{{.*}} = %c1) threads(%[[T:[a-z0-9]+]], {{.*}} in (%{{.*}} = %c256,
// CHECK-SAME: workgroup(%[[SHARED:[a-z0-9]+]] : memref<2112xf32, #gpu.address_space<workgroup>>)
// CHECK: %[[SUMS:.*]]:16 = scf.for %[[FIRST:[a-z0-9]+]] = %c0 to %c33 step %c16 iter_args
// CHECK: arith.minsi %{{.*}}, %c69
// CHECK: arith.minsi %{{.*}}, %c32
// CHECK: memref.load %arg0
// CHECK: arith.cmpi ult, %{{.*}}, %c33
// CHECK: arith.select
// CHECK: memref.store %{{.*}}, %[[SHARED]]
// CHECK: memref.load %arg1
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c1 iter_args
// CHECK-COUNT-8: memref.load %[[SHARED]]
// CHECK-COUNT-16: math.fma
// CHECK: gpu.barrier
// CHECK: scf.yield
// CHECK: scf.if
// CHECK: arith.addf %[[SUMS]]#0
// CHECK: memref.store %{{.*}}, %arg3
func.func @linear(%x: memref<70x33xf32>, %w: memref<33x48xf32>, %b: memref<48xf32>, %y: memref<70x48xf32>) {
  nn.linear %x, %w extras(%b) outs(%y) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %s = arith.addf %acc, %bias : f32
    nn.yield %s : f32
  } : (memref<70x33xf32>, memref<33x48xf32>, memref<48xf32>, memref<70x48xf32>) -> ()
  return
}

// -----

// A batch is a dimension of the grid; the right operand has none.
// CHECK-LABEL: func.func @matmul
// CHECK: gpu.launch blocks(%[[B:[a-z0-9]+]], {{.*}} in (%{{.*}} = %c6,
// CHECK: %[[BATCH:.*]] = arith.divui %[[B]], %c2
// CHECK: memref.load %arg0[%[[BATCH]],
// CHECK: memref.load %arg1[%c0,
func.func @matmul(%a: memref<3x16x8xf32>, %b: memref<1x8x100xf32>, %y: memref<3x16x100xf32>) {
  nn.matmul %a, %b outs(%y) : (memref<3x16x8xf32>, memref<1x8x100xf32>, memref<3x16x100xf32>) -> ()
  return
}

// -----

// Rows are the 49 pixels, steps 3 x 3 taps of 5 channels, which are taken apart where they are read.
// CHECK-LABEL: func.func @conv
// CHECK: gpu.launch
// CHECK: scf.for %{{.*}} = %c0 to %c45 step %c16
// CHECK: memref.load %arg0[%c0, %{{.*}}, %{{.*}}, %{{.*}}] : memref<1x9x9x5xf32>
// CHECK: memref.load %arg1[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : memref<3x3x5x32xbf16>
// CHECK: arith.extf
// CHECK: gpu.barrier
func.func @conv(%x: memref<1x9x9x5xf32>, %w: memref<3x3x5x32xbf16>, %y: memref<1x7x7x32xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x9x9x5xf32>, memref<3x3x5x32xbf16>, memref<1x7x7x32xf32>) -> ()
  return
}
