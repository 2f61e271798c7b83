// RUN: lathe-opt %s --codegen-device --codegen-gpu-embed -split-input-file -verify-diagnostics

// expected-error @+1 {{expected kernels in @device and a target of the host}}
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040>} {
}

// -----

module attributes {
  gpu.container_module,
  nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040>,
  nn.host_target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v2", features = "", vector_bits = 128, vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>
} {
  func.func private @kernel_fill_0(%y: memref<16xf32>) {
    %c1 = arith.constant 1 : index
    // expected-error @+1 {{expected to be in a function whose last argument is the run}}
    gpu.launch_func @device::@kernel_fill_0_0 blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<16xf32>)
    return
  }
  gpu.module @device {
    gpu.func @kernel_fill_0_0(%y: memref<16xf32>) kernel attributes {known_block_size = array<i32: 1, 1, 1>} {
      gpu.return
    }
  }
}
