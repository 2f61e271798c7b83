// RUN: lathe-opt %s -codegen-instrument | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline="builtin.module(codegen-instrument,func.func(codegen-emit-kernels,codegen-linalg-to-loops),codegen-outline-parallel,codegen-to-llvm)" | FileCheck %s --check-prefix=LLVM

// Calls are named by their location, and counted once more each time around a loop.
// CHECK: module attributes {lathe.profile = [{bytes = 8960 : i64, macs = 4096 : i64, name = "fc", op = "nn.linear", weight_bytes = 0 : i64}, {bytes = 256 : i64, macs = -1 : i64, name = "kernel_fill_0", op = "linalg.fill", weight_bytes = 0 : i64}], lathe.profile_offset = 128 : i64, lathe.workspace_bytes = 192 : i64}
// CHECK: func.func @main(%{{.*}}, %[[ARENA:.*]]: memref<192xi8>, %{{.*}}: !llvm.ptr)
// CHECK: %[[PROFILE:.*]] = memref.view %[[ARENA]][%c128][] : memref<192xi8> to memref<8xi64>
// CHECK: scf.for
// CHECK-NEXT: memref.store %{{.*}}, %[[PROFILE]]
// CHECK: %[[BEGIN:.*]] = llvm.call_intrinsic "llvm.readcyclecounter"() : () -> i64
// CHECK: memref.store %[[BEGIN]], %[[PROFILE]][%c0
// CHECK: %[[BEFORE:.*]] = llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK-NEXT: call @kernel_linear_0
// CHECK-NEXT: %[[AFTER:.*]] = llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK-NEXT: %[[SPENT:.*]] = arith.subi %[[AFTER]], %[[BEFORE]]
// CHECK: %[[SUM:.*]] = arith.addi %{{.*}}, %[[SPENT]]
// CHECK: memref.store %[[SUM]], %[[PROFILE]][%c2
// CHECK: arith.select
// CHECK: scf.for
// CHECK: llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK-NEXT: call @kernel_fill_0
// CHECK: memref.store %{{.*}}, %[[PROFILE]][%c5
// CHECK: %[[END:.*]] = llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK: memref.store %[[END]], %[[PROFILE]][%c1
// LLVM: llvm.call_intrinsic "llvm.readcyclecounter"
module attributes {lathe.workspace_bytes = 100 : i64} {
  func.func @main(%x: memref<2x64xf32>, %w: memref<1x64x32xf32>, %y: memref<2x32xf32>, %arena: memref<100xi8>, %executor: !llvm.ptr) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    call @kernel_linear_0(%x, %w, %y, %executor) : (memref<2x64xf32>, memref<1x64x32xf32>, memref<2x32xf32>, !llvm.ptr) -> () loc("fc")
    scf.for %i = %c0 to %c4 step %c1 {
      func.call @kernel_fill_0(%y, %executor) : (memref<2x32xf32>, !llvm.ptr) -> () loc(unknown)
    }
    return
  }
  func.func private @kernel_linear_0(%x: memref<2x64xf32>, %w: memref<1x64x32xf32>, %y: memref<2x32xf32>, %executor: !llvm.ptr) {
    nn.linear %x, %w outs(%y) : (memref<2x64xf32>, memref<1x64x32xf32>, memref<2x32xf32>) -> ()
    return
  }
  func.func private @kernel_fill_0(%y: memref<2x32xf32>, %executor: !llvm.ptr) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%y : memref<2x32xf32>)
    return
  }
}
