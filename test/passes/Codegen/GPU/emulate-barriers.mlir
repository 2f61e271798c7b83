// RUN: lathe-opt %s -codegen-gpu-emulate -canonicalize -split-input-file | FileCheck %s

// What is loaded before a barrier is kept for after it; what is only computed is computed again.
// CHECK-LABEL: func.func private @reverse
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<256xf32>
// CHECK-DAG: %[[KEPT:.*]] = memref.alloca() {{.*}} : memref<64xf32>
// CHECK-DAG: %[[SHARED:.*]] = memref.alloca() {{.*}} : memref<64xf32>
// CHECK: scf.for %[[T:[a-z0-9]+]] = %c0 to %c64 step %c1
// CHECK: %[[X:.*]] = memref.load %[[A]]
// CHECK: memref.store %[[X]], %{{.*}}[%[[T]]]
// CHECK: memref.store %[[X]], %{{.*}}[%[[T]]]
// CHECK: }
// CHECK: scf.for %[[U:[a-z0-9]+]] = %c0 to %c64 step %c1
// CHECK: arith.subi %c63, %[[U]]
// CHECK: arith.addf
// CHECK: memref.store %{{.*}}, %[[A]]
module attributes {gpu.container_module} {
  func.func private @kernel_reverse_0(%a: memref<256xf32>) {
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@reverse blocks in (%c4, %c1, %c1) threads in (%c64, %c1, %c1) args(%a : memref<256xf32>)
    return
  }
  gpu.module @device {
    gpu.func @reverse(%a: memref<256xf32>) workgroup(%shared: memref<64xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %c63 = arith.constant 63 : index
      %c64 = arith.constant 64 : index
      %t = gpu.thread_id x
      %block = gpu.block_id x
      %first = arith.muli %block, %c64 : index
      %i = arith.addi %first, %t : index
      %x = memref.load %a[%i] : memref<256xf32>
      memref.store %x, %shared[%t] : memref<64xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %j = arith.subi %c63, %t : index
      %y = memref.load %shared[%j] : memref<64xf32, #gpu.address_space<workgroup>>
      %s = arith.addf %x, %y : f32
      memref.store %s, %a[%i] : memref<256xf32>
      gpu.return
    }
  }
}

// -----

// A loop around a barrier stays around the loops over threads; each thread's sum is in memory.
// CHECK-LABEL: func.func private @sums
// CHECK: scf.for %[[T:[a-z0-9]+]] = %c0 to %c64
// CHECK-NEXT: memref.store %{{.*}}, %[[SUMS:[a-z0-9_]+]][%[[T]]]
// CHECK: scf.for %[[STEP:[a-z0-9]+]] = %c0 to %c8
// CHECK-NEXT: scf.for %{{.*}} = %c0 to %c64
// CHECK: memref.load %{{.*}}[%[[STEP]],
// CHECK: scf.for %[[U:[a-z0-9]+]] = %c0 to %c64
// CHECK: memref.load %[[SUMS]][%[[U]]]
// CHECK: arith.addf
// CHECK: memref.store %{{.*}}, %[[SUMS]]
// CHECK: scf.for %{{.*}} = %c0 to %c64
// CHECK: memref.load %[[SUMS]]
// CHECK: memref.store %{{.*}}, %{{.*}} : memref<64xf32>
module attributes {gpu.container_module} {
  func.func private @kernel_sums_0(%a: memref<8x64xf32>, %b: memref<64xf32>) {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@sums blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%a : memref<8x64xf32>, %b : memref<64xf32>)
    return
  }
  gpu.module @device {
    gpu.func @sums(%a: memref<8x64xf32>, %b: memref<64xf32>) workgroup(%shared: memref<64xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant 0.0 : f32
      %t = gpu.thread_id x
      %sum = scf.for %step = %c0 to %c8 step %c1 iter_args(%acc = %zero) -> (f32) {
        %x = memref.load %a[%step, %t] : memref<8x64xf32>
        memref.store %x, %shared[%t] : memref<64xf32, #gpu.address_space<workgroup>>
        gpu.barrier
        %y = memref.load %shared[%c0] : memref<64xf32, #gpu.address_space<workgroup>>
        gpu.barrier
        %next = arith.addf %acc, %y : f32
        scf.yield %next : f32
      }
      memref.store %sum, %b[%t] : memref<64xf32>
      gpu.return
    }
  }
}
