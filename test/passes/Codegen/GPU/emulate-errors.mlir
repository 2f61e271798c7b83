// RUN: lathe-opt %s -codegen-gpu-emulate -split-input-file -verify-diagnostics

// Threads that run after each other cannot wait for each other.
module attributes {gpu.container_module} {
  func.func private @kernel_wait_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@wait blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @wait() kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      // expected-error @below {{'gpu.barrier' is not emulated}}
      gpu.barrier
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_any_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@any blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    // expected-error @below {{expected a known block size}}
    gpu.func @any() kernel {
      gpu.return
    }
  }
}
