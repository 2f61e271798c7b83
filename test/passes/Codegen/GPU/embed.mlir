// RUN: lathe-opt %s --codegen-device --codegen-gpu-embed | FileCheck %s
// RUN: lathe-opt %s --codegen-device --codegen-gpu-embed --codegen-to-llvm=name=m | FileCheck %s --check-prefix=LLVM

// The kernels are a constant, numbered by their place in it. What is left is the host's module, whose runs need no workspace.
// CHECK: module attributes {
// CHECK-SAME: lathe.device = {arena_bytes = 256 : i64, capability = 90 : i32, exact = true, kernels = ["kernel_fill_0_0", "kernel_other_0_0"]}
// CHECK-SAME: lathe.workspace_bytes = 0 : i64
// CHECK-SAME: nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu"
// CHECK-NOT: nn.host_target
// CHECK-NOT: gpu.
// CHECK: llvm.mlir.global internal constant @device_code("{{.*}}.visible .entry kernel_fill_0_0({{.*}}\00")
// CHECK: llvm.func @lathe_cuda_launch(!llvm.ptr, i64, !llvm.ptr, i64)

// Seven words of grid, block and shared memory; a descriptor of one dimension has five fields, one of two has seven.
// CHECK-LABEL: func.func private @kernel_other_0(
// CHECK-SAME: %[[M:.*]]: memref<?x4xf32>, %[[V:.*]]: memref<16xf32>, %[[STATE:.*]]: !llvm.ptr)
// CHECK: %[[WORDS:.*]] = llvm.alloca %{{.*}} x i64
// CHECK: memref.extract_aligned_pointer_as_index %[[M]]
// CHECK: llvm.call @lathe_cuda_launch(%[[STATE]], %[[KERNEL:.*]], %[[WORDS]], %[[COUNT:.*]]) : (!llvm.ptr, i64, !llvm.ptr, i64) -> ()

// What launches takes weights from the run, whose first member is their address on the device.
// LLVM-LABEL: llvm.func internal @main(
// LLVM: %[[STATE:arg[0-9]+]]: !llvm.ptr) {
// LLVM: %[[BASE:.*]] = llvm.load %[[STATE]] : !llvm.ptr -> !llvm.ptr
// LLVM: llvm.insertvalue %[[BASE]]
// LLVM-LABEL: llvm.func internal @m_enqueue(
// LLVM: llvm.call @main
// LLVM-LABEL: llvm.func @m_load() -> i32
// LLVM: llvm.call @lathe_cuda_load(%{{.*}}) : (!llvm.ptr) -> i32
// LLVM-LABEL: llvm.func @m_unload()
// LLVM-LABEL: llvm.func @m_run_device(
// LLVM: llvm.call @lathe_cuda_run_device
// LLVM-LABEL: llvm.func @m_message() -> !llvm.ptr
// LLVM-LABEL: llvm.func @m_run(
// LLVM: llvm.call @lathe_cuda_run_host(
// LLVM: llvm.mlir.global internal @m_device_state()
// LLVM: llvm.mlir.global internal constant @m_device_model()

module attributes {
  gpu.container_module, lathe.workspace_bytes = 256 : i64, lathe.dims = [],
  lathe.inputs = [{dims = "4", dtype = 1 : i32, name = "x", shape = array<i64: 4>}],
  lathe.outputs = [{dims = "16", dtype = 1 : i32, name = "y", shape = array<i64: 16>}],
  nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_90a", features = "+ptx80", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 232448, l2_bytes = 52428800>,
  nn.host_target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v2", features = "", vector_bits = 128, vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>
} {
  memref.global "private" constant @weights : memref<16xf32> = dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]>
  func.func @main(%x: memref<4xf32>, %y: memref<16xf32>, %arena: memref<256xi8>, %run: !llvm.ptr) {
    %0 = memref.get_global @weights : memref<16xf32>
    call @kernel_fill_0(%0, %y, %run) : (memref<16xf32>, memref<16xf32>, !llvm.ptr) -> ()
    return
  }
  func.func private @kernel_fill_0(%w: memref<16xf32>, %y: memref<16xf32>, %run: !llvm.ptr) {
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c1, %c1, %c1) threads in (%c256, %c1, %c1) args(%w : memref<16xf32>, %y : memref<16xf32>)
    return
  }
  func.func private @kernel_other_0(%m: memref<?x4xf32>, %v: memref<16xf32>, %run: !llvm.ptr) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %shared = arith.constant 1024 : i32
    gpu.launch_func @device::@kernel_other_0_0 blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) dynamic_shared_memory_size %shared args(%m : memref<?x4xf32>, %v : memref<16xf32>)
    return
  }
  gpu.module @device {
    gpu.func @kernel_fill_0_0(%w: memref<16xf32>, %y: memref<16xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %i = gpu.thread_id x
      %v = memref.load %w[%i] : memref<16xf32>
      memref.store %v, %y[%i] : memref<16xf32>
      gpu.return
    }
    gpu.func @kernel_other_0_0(%m: memref<?x4xf32>, %v: memref<16xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %i = gpu.thread_id x
      %c0 = arith.constant 0 : index
      %e = memref.load %v[%i] : memref<16xf32>
      memref.store %e, %m[%i, %c0] : memref<?x4xf32>
      gpu.return
    }
  }
}
