// RUN: lathe-opt %s -codegen-gpu-map-threads -canonicalize -cse -split-input-file | FileCheck %s

// Blocks of 256 threads, and what is left over in the last one does nothing. Constants are cloned, other captures are operands.
// CHECK: module attributes {gpu.container_module}
// CHECK-LABEL: func.func private @kernel_scale_0
// CHECK-SAME: %[[A:.*]]: memref<30x20xf32>, %[[X:.*]]: f32,
// CHECK: gpu.launch_func @device::@kernel_scale_0_0 blocks in (%c3, %c1, %c1) threads in (%c256, %c1, %c1) args(%[[A]] : memref<30x20xf32>, %[[X]] : f32)
// CHECK: gpu.module @device
// CHECK: gpu.func @kernel_scale_0_0(%[[B:.*]]: memref<30x20xf32>, %[[Y:.*]]: f32) kernel attributes {known_block_size = array<i32: 256, 1, 1>}
// CHECK: %[[BLOCK:.*]] = gpu.block_id x
// CHECK: %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c256
// CHECK: %[[ID:.*]] = gpu.thread_id x
// CHECK: %[[THREAD:.*]] = arith.addi %[[FIRST]], %[[ID]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[THREAD]], %c600
// CHECK: scf.if %[[INSIDE]]
// CHECK: %[[J:.*]] = arith.remui %[[THREAD]], %c20
// CHECK: %[[I:.*]] = arith.divui %[[THREAD]], %c20
// CHECK: memref.load %[[B]][%[[I]], %[[J]]]
func.func private @kernel_scale_0(%a: memref<30x20xf32>, %x: f32, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c30 = arith.constant 30 : index
  %c20 = arith.constant 20 : index
  %two = arith.constant 2.0 : f32
  scf.parallel (%i, %j) = (%c0, %c0) to (%c30, %c20) step (%c1, %c1) {
    %v = memref.load %a[%i, %j] : memref<30x20xf32>
    %s = arith.mulf %v, %x : f32
    %t = arith.mulf %s, %two : f32
    memref.store %t, %a[%i, %j] : memref<30x20xf32>
  }
  return
}

// -----

// The grid of a dynamic size is computed on the host, and never empty.
// CHECK-LABEL: func.func private @kernel_fill_0
// CHECK: %[[N:.*]] = memref.dim
// CHECK: %[[MORE:.*]] = arith.addi %[[N]], %c255
// CHECK: %[[BLOCKS:.*]] = arith.divui %[[MORE]], %c256
// CHECK: %[[GRID:.*]] = arith.maxsi %[[BLOCKS]], %c1
// CHECK: gpu.launch_func @device::@kernel_fill_0_0 blocks in (%[[GRID]], %c1, %c1)
func.func private @kernel_fill_0(%a: memref<?xf32>, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %a, %c0 : memref<?xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %zero, %a[%i] : memref<?xf32>
  }
  return
}

// -----

// How many blocks shall have registers at a time is the kernel's, for the device's assembler.
// CHECK: gpu.func @kernel_resident_0_0(%{{.*}}: memref<8xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>, nvvm.minctasm = 2 : i32}
func.func private @kernel_resident_0(%a: memref<8xf32>, %executor: !llvm.ptr) {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    memref.store %zero, %a[%tx] : memref<8xf32>
    gpu.terminator
  } {lathe.resident_blocks = 2 : i32}
  return
}
