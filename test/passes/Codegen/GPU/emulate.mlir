// RUN: lathe-opt %s -codegen-gpu-emulate -canonicalize | FileCheck %s --implicit-check-not=lathe.block_function
// RUN: lathe-opt %s -codegen-gpu-emulate=export-blocks=true | FileCheck %s --check-prefix=EXPORT

// EXPORT-LABEL: func.func private @kernel_fill_0_0(
// EXPORT-SAME: attributes {lathe.block_function}

// The target is the host's. A function runs a block's threads one after the other; a launch calls it for each block.
// CHECK: module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu"
// CHECK-NOT: gpu.
// CHECK-LABEL: func.func private @kernel_fill_0(
// CHECK-SAME: %[[A:.*]]: memref<?xf32>, %[[X:.*]]: f32, %[[BLOCKS:.*]]: index
// CHECK: scf.parallel (%[[BLOCK:.*]]) = (%c0) to (%[[BLOCKS]]) step (%c1)
// CHECK: func.call @kernel_fill_0_0(%[[A]], %[[X]], %[[BLOCK]], %c0, %c0, %[[BLOCKS]], %c1, %c1)
// CHECK-LABEL: func.func private @kernel_fill_0_0
// CHECK-SAME: %[[B:.*]]: memref<?xf32>, %[[Y:.*]]: f32, %[[BX:[a-z0-9]+]]: index, %{{.*}}: index, %{{.*}}: index, %[[GX:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: index, %{{[a-z0-9]+}}: index)
// CHECK: scf.for %[[T:[a-z0-9]+]] = %c0 to %c256 step %c1
// CHECK: %[[FIRST:.*]] = arith.muli %[[BX]], %c256
// CHECK: %[[I:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK: %[[ALL:.*]] = arith.muli %[[GX]], %c256
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[I]], %[[ALL]]
// CHECK: scf.if %[[INSIDE]]
// CHECK: memref.store %[[Y]], %[[B]][%[[I]]]
module attributes {gpu.container_module, nn.host_target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "", vector_bits = 256, vector_registers = 16, dot_product = "avx2", l1_bytes = 32768, l2_bytes = 262144>, nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040>} {
  func.func private @kernel_fill_0(%a: memref<?xf32>, %x: f32, %blocks: index) {
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    gpu.launch_func @device::@kernel_fill_0_0 blocks in (%blocks, %c1, %c1) threads in (%c256, %c1, %c1) args(%a : memref<?xf32>, %x : f32)
    return
  }
  gpu.module @device {
    gpu.func @kernel_fill_0_0(%a: memref<?xf32>, %x: f32) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %c256 = arith.constant 256 : index
      %block = gpu.block_id x
      %thread = gpu.thread_id x
      %first = arith.muli %block, %c256 : index
      %i = arith.addi %first, %thread : index
      %threads = gpu.block_dim x
      %blocks = gpu.grid_dim x
      %all = arith.muli %threads, %blocks : index
      %inside = arith.cmpi ult, %i, %all : index
      scf.if %inside {
        memref.store %x, %a[%i] : memref<?xf32>
      }
      gpu.return
    }
  }
}
