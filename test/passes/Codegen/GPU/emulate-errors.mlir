// RUN: lathe-opt %s -codegen-gpu-emulate -split-input-file -verify-diagnostics

// Threads that run after each other cannot exchange registers.
module attributes {gpu.container_module} {
  func.func private @kernel_wait_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@wait blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @wait() kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %c1 = arith.constant 1 : i32
      %c32 = arith.constant 32 : i32
      %x = arith.constant 1.0 : f32
      // expected-error @below {{'gpu.shuffle' is not emulated}}
      %y, %valid = gpu.shuffle xor %x, %c1, %c32 : f32
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

// -----

// All threads must take the same way to a barrier; loops and branches can, other regions are not known to.
module attributes {gpu.container_module} {
  func.func private @kernel_while_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@loop blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @loop() kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %true = arith.constant true
      // expected-error @below {{'scf.while' around a barrier is not emulated}}
      scf.while : () -> () {
        scf.condition(%true)
      } do {
        gpu.barrier
        scf.yield
      }
      gpu.return
    }
  }
}
