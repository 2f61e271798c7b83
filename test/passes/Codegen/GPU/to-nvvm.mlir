// RUN: lathe-opt %s -codegen-gpu-to-nvvm -split-input-file | FileCheck %s

// Memrefs are the fields of their descriptors; the place of a thread is read from registers of the device. The launch stays.
// CHECK-LABEL: func.func private @kernel_fill_0
// CHECK: gpu.launch_func @device::@kernel_fill_0_0
// CHECK: gpu.module @device
// CHECK: llvm.func @kernel_fill_0_0(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64, %[[X:.*]]: f32)
// CHECK-SAME: gpu.kernel
// CHECK: nvvm.read.ptx.sreg.ctaid.x
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: llvm.store %[[X]], %{{.*}} : f32, !llvm.ptr
module attributes {gpu.container_module} {
  func.func private @kernel_fill_0(%a: memref<512xf32>, %x: f32) {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c256 = arith.constant 256 : index
    gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c2, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<512xf32>, %x : f32)
    return
  }
  gpu.module @device {
    gpu.func @kernel_fill_0_0(%a: memref<512xf32>, %x: f32) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %c256 = arith.constant 256 : index
      %block = gpu.block_id x
      %thread = gpu.thread_id x
      %first = arith.muli %block, %c256 : index
      %i = arith.addi %first, %thread : index
      memref.store %x, %a[%i] : memref<512xf32>
      gpu.return
    }
  }
}

// -----

// Functions are instructions, not calls of libdevice; a barrier is one, too.
// CHECK-LABEL: llvm.func @root
// CHECK: nvvm.barrier
// CHECK-NOT: llvm.call
// CHECK: llvm.intr.sqrt
// CHECK-NOT: llvm.call
module attributes {gpu.container_module} {
  gpu.module @device {
    gpu.func @root(%a: memref<64xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %thread = gpu.thread_id x
      gpu.barrier
      %x = memref.load %a[%thread] : memref<64xf32>
      %y = math.sqrt %x : f32
      memref.store %y, %a[%thread] : memref<64xf32>
      gpu.return
    }
  }
}
