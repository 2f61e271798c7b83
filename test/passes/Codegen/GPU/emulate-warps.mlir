// RUN: lathe-opt %s -codegen-gpu-emulate -canonicalize -split-input-file | FileCheck %s

// A product needs the registers of all threads of a warp: they are in memory when it begins.
// CHECK-LABEL: func.func private @product
// CHECK: scf.for %[[T:.*]] = %c0 to %c32
// CHECK: memref.store %{{.*}}, %[[A:.*]][%[[T]], %c0] : memref<32x4xi32>
// CHECK: memref.store %{{.*}}, %[[C:.*]][%[[T]], %c3] : memref<32x4xf32>
// CHECK: call @emulated_mma_bf16_bf16_32(%[[A]], %{{.*}}, %[[C]])
// CHECK: scf.for %[[U:.*]] = %c0 to %c32
// CHECK: memref.load %[[C]][%[[U]], %c0]
// CHECK-LABEL: func.func private @emulated_mma_bf16_bf16_32
// CHECK: math.fma
module attributes {gpu.container_module} {
  func.func private @kernel_product_0(%y: memref<32xf32>) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @device::@product blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%y : memref<32xf32>)
    return
  }
  gpu.module @device {
    gpu.func @product(%y: memref<32xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %a = arith.index_cast %t : index to i32
      %z = arith.constant 0.0 : f32
      %d = nvvm.mma.sync A[%a, %a, %a, %a] B[%a, %a] C[%z, %z, %z, %z]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>,
         multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
        : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
      %x = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
      memref.store %x, %y[%t] : memref<32xf32>
      gpu.return
    }
  }
}

// -----

// What is copied is garbage until its thread has waited for it.
// CHECK-LABEL: func.func private @copies
// CHECK: %[[NAN:.*]] = arith.constant 0x7FC00000 : f32
// CHECK: memref.store %[[NAN]], %[[MEMORY:[a-z0-9_]+]][%{{.*}}] : memref<128xf32>
// CHECK: memref.store %[[NAN]], %[[MEMORY]]
// CHECK-NEXT: memref.store %{{.*}}, %[[LATE:[a-z0-9_]+]][%{{.*}}] : memref<128xf32>
// CHECK: %[[ON_TIME:.*]] = memref.load %[[LATE]]
// CHECK-NEXT: memref.store %[[ON_TIME]], %[[MEMORY]]
// CHECK: scf.for
// CHECK: memref.load %[[MEMORY]]
module attributes {gpu.container_module} {
  func.func private @kernel_copies_0(%x: memref<128xf32>, %y: memref<128xf32>) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @device::@copies blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%x : memref<128xf32>, %y : memref<128xf32>)
    return
  }
  gpu.module @device {
    gpu.func @copies(%x: memref<128xf32>, %y: memref<128xf32>) workgroup(%shared: memref<128xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c4 = arith.constant 4 : index
      %c127 = arith.constant 127 : index
      %t = gpu.thread_id x
      %i = arith.muli %t, %c4 : index
      nvgpu.device_async_copy %x[%i], %shared[%i], 4 : memref<128xf32> to memref<128xf32, #gpu.address_space<workgroup>>
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 0
      gpu.barrier
      %j = arith.subi %c127, %i : index
      %v = memref.load %shared[%j] : memref<128xf32, #gpu.address_space<workgroup>>
      memref.store %v, %y[%i] : memref<128xf32>
      gpu.return
    }
  }
}

// -----

// Row addresses come from all threads; a transposed matrix gives a thread two elements of a column.
// CHECK-LABEL: func.func private @matrices
// CHECK: memref.store %{{.*}}, %[[ROWS:.*]][%{{.*}}] : memref<32xindex>
// CHECK: scf.for %[[T:.*]] = %c0 to %c32
// CHECK: %[[FIRST:.*]] = memref.load %[[ROWS]]
// CHECK: memref.load %[[MEMORY:.*]][%{{.*}}] : memref<512xf16>
// CHECK: %[[SECOND:.*]] = memref.load %[[ROWS]]
// CHECK: memref.load %[[MEMORY]]
module attributes {gpu.container_module} {
  func.func private @kernel_matrices_0(%y: memref<32xf16>) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @device::@matrices blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%y : memref<32xf16>)
    return
  }
  gpu.module @device {
    gpu.func @matrices(%y: memref<32xf16>) workgroup(%shared: memref<512xf16, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c16 = arith.constant 16 : index
      %t = gpu.thread_id x
      %i = arith.muli %t, %c16 : index
      %m = nvgpu.ldmatrix %shared[%i] {numTiles = 4 : i32, transpose = true} : memref<512xf16, #gpu.address_space<workgroup>> -> vector<4x2xf16>
      %v = vector.extract %m[0, 0] : f16 from vector<4x2xf16>
      memref.store %v, %y[%t] : memref<32xf16>
      gpu.return
    }
  }
}

// -----

// CHECK-LABEL: func.func private @exchange
// CHECK: %[[X:.*]] = memref.load %{{.*}} : memref<64xf32>
// CHECK-NEXT: memref.store %[[X]], %[[KEPT:.*]][%{{.*}}] : memref<64xf32>
// CHECK: %[[Y:.*]] = memref.load %[[KEPT]]
// CHECK-NEXT: memref.store %[[Y]], %[[MINE:.*]][%{{.*}}] : memref<64xf32>
// CHECK: scf.for %[[U:.*]] = %c0 to %c64
// CHECK: %[[OTHER:.*]] = arith.xori %[[U]], %c2
// CHECK: memref.load %[[MINE]][%[[OTHER]]]
module attributes {gpu.container_module} {
  func.func private @kernel_exchange_0(%y: memref<64xf32>) {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @device::@exchange blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%y : memref<64xf32>)
    return
  }
  gpu.module @device {
    gpu.func @exchange(%y: memref<64xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %t = gpu.thread_id x
      %c2 = arith.constant 2 : i32
      %c32 = arith.constant 32 : i32
      %x = memref.load %y[%t] : memref<64xf32>
      %other, %valid = gpu.shuffle xor %x, %c2, %c32 : f32
      memref.store %other, %y[%t] : memref<64xf32>
      gpu.return
    }
  }
}
