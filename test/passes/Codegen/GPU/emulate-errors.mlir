// RUN: lathe-opt %s -codegen-gpu-emulate -split-input-file -verify-diagnostics

// Of shuffles, kernels use xor only.
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
      // expected-error @below {{a shuffle other than xor of a whole warp is not emulated}}
      %y, %valid = gpu.shuffle up %x, %c1, %c32 : f32
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

// -----

// Threads of half a warp have no registers for the other half.
module attributes {gpu.container_module} {
  func.func private @kernel_half_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@half blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    // expected-error @below {{expected whole warps}}
    gpu.func @half() kernel attributes {known_block_size = array<i32: 16, 1, 1>} {
      %c1 = arith.constant 1 : i32
      %c32 = arith.constant 32 : i32
      %x = arith.constant 1.0 : f32
      %y, %valid = gpu.shuffle xor %x, %c1, %c32 : f32
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_shape_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@shape blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @shape() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %a = arith.constant 1 : i32
      %z = arith.constant 0.0 : f32
      // expected-error @below {{a product of this shape is not emulated}}
      %d = nvvm.mma.sync A[%a, %a] B[%a] C[%z, %z, %z, %z]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>,
         multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 8>}
        : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
      gpu.return
    }
  }
}

// -----

// A copy is late only where it can be told from memory of the grid.
module attributes {gpu.container_module} {
  func.func private @kernel_copy_0(%x: memref<128xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<128xf32>)
    return
  }
  gpu.module @device {
    gpu.func @copy(%x: memref<128xf32>) workgroup(%shared: memref<4x32xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      // expected-error @below {{expected memory of the block, of one dimension}}
      nvgpu.device_async_copy %x[%c0], %shared[%c0, %c0], 4 : memref<128xf32> to memref<4x32xf32, #gpu.address_space<workgroup>>
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_jump_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@jump blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    // expected-error @below {{expected structured control flow}}
    gpu.func @jump() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      cf.br ^end
    ^end:
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_print_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@print blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @print() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      // expected-error @below {{'gpu.printf' is not emulated}}
      gpu.printf "here\0A"
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_branch_0(%c: i1) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@branch blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%c : i1)
    return
  }
  gpu.module @device {
    gpu.func @branch(%c: i1) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      // expected-error @below {{results of a branch around a barrier are not emulated}}
      %x = scf.if %c -> index {
        gpu.barrier
        scf.yield %c0 : index
      } else {
        scf.yield %c1 : index
      }
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_valid_0(%y: memref<32xi1>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@valid blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<32xi1>)
    return
  }
  gpu.module @device {
    gpu.func @valid(%y: memref<32xi1>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : i32
      %c32 = arith.constant 32 : i32
      %x = arith.constant 1.0 : f32
      // expected-error @below {{expected the validity of a shuffle to be unused}}
      %z, %valid = gpu.shuffle xor %x, %c1, %c32 : f32
      memref.store %valid, %y[%c0] : memref<32xi1>
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_matrix_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@matrix blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @matrix() workgroup(%shared: memref<16x16xbf16, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      // expected-error @below {{expected memory of one dimension}}
      %x = nvgpu.ldmatrix %shared[%c0, %c0] {numTiles = 4 : i32, transpose = false}
        : memref<16x16xbf16, #gpu.address_space<workgroup>> -> vector<4x2xbf16>
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func private @kernel_whole_0() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @device::@whole blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @device {
    gpu.func @whole() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %a = arith.constant 1 : i32
      %z = arith.constant 0.0 : f32
      // expected-error @below {{expected only elements of the result to be used}}
      %d = nvvm.mma.sync A[%a, %a, %a, %a] B[%a, %a] C[%z, %z, %z, %z]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>,
         multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
        : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
      %e = llvm.insertvalue %z, %d[0] : !llvm.struct<(f32, f32, f32, f32)>
      gpu.return
    }
  }
}
