// RUN: lathe-opt %s -codegen-gpu-dynamic-shared | FileCheck %s

// What a kernel may declare it declares; beyond that, each launch asks for it.
// CHECK-LABEL: func.func @kernel_linear_0
// CHECK: gpu.launch_func @device::@small {{.*}} threads in (%{{.*}}) args(
// CHECK: %[[BYTES:.*]] = arith.constant 98304 : i32
// CHECK: gpu.launch_func @device::@large {{.*}} dynamic_shared_memory_size %[[BYTES]] args(
// CHECK: gpu.func @small(%{{.*}}: memref<4xi8>) workgroup(%{{.*}} : memref<49152xi8, #gpu.address_space<workgroup>>
// CHECK: gpu.func @large(%{{.*}}: memref<4xi8>) kernel
// CHECK: %[[GIVEN:.*]] = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
// CHECK: %[[SHARED:.*]] = memref.view %[[GIVEN]][%{{.*}}][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<98304xi8, #gpu.address_space<workgroup>>
// CHECK: memref.store %{{.*}}, %[[SHARED]]
module attributes {gpu.container_module} {
  func.func @kernel_linear_0(%a: memref<4xi8>, %run: !llvm.ptr) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @device::@small blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%a : memref<4xi8>)
    gpu.launch_func @device::@large blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%a : memref<4xi8>)
    return
  }
  gpu.module @device {
    gpu.func @small(%a: memref<4xi8>) workgroup(%s: memref<49152xi8, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}) kernel {
      gpu.return
    }
    gpu.func @large(%a: memref<4xi8>) workgroup(%s: memref<98304xi8, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}) kernel {
      %c0 = arith.constant 0 : index
      %x = memref.load %a[%c0] : memref<4xi8>
      memref.store %x, %s[%c0] : memref<98304xi8, #gpu.address_space<workgroup>>
      gpu.return
    }
  }
}
