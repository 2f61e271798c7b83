// RUN: lathe-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(codegen-gpu-place-scratch,canonicalize)' | FileCheck %s

// Both calls share the bytes behind the arena's, from a multiple of 64 on; each buffer begins at one. The dynamic size, of at most
// eight, is computed by the caller.
// CHECK: module attributes {{.*}}lathe.workspace_bytes = 1216 : i64
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: memref<?x9xf32>, %[[ARENA:.*]]: memref<1216xi8>, %[[EXECUTOR:.*]]: !llvm.ptr)
// CHECK: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[TWICE:.*]] = arith.muli %[[N]], %c2
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c1024][%[[TWICE]]] {lathe.bytes = 64 : i64} : memref<1216xi8> to memref<?xi32>
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%c1088][] {lathe.bytes = 100 : i64} : memref<1216xi8> to memref<5x5xf32>
// CHECK: call @kernel_a(%[[X]], %[[A]], %[[B]], %[[EXECUTOR]])
// CHECK: %[[C:.*]] = memref.view %[[ARENA]][%c1024][] {lathe.bytes = 4 : i64} : memref<1216xi8> to memref<1xf32>
// CHECK: call @kernel_b(%[[X]], %[[C]], %[[EXECUTOR]])
// CHECK: call @kernel_c(%[[X]], %[[EXECUTOR]])
// CHECK-LABEL: func.func private @kernel_a
// CHECK-SAME: %{{.*}}: memref<?x9xf32>, %[[A:.*]]: memref<?xi32>, %[[B:.*]]: memref<5x5xf32>, %{{.*}}: !llvm.ptr)
// CHECK-NOT: memref.alloc
// CHECK: "test.use"(%[[A]], %[[B]])
module attributes {lathe.inputs = [{name = "x", dtype = 1 : i32, shape = array<i64: -1, 9>}], lathe.outputs = [],
                   lathe.dims = [{name = "n", lower = 1 : i64, upper = 8 : i64}], lathe.workspace_bytes = 1000 : i64} {
  func.func @main(%x: memref<?x9xf32>, %arena: memref<1000xi8>, %executor: !llvm.ptr) {
    func.call @kernel_a(%x, %executor) : (memref<?x9xf32>, !llvm.ptr) -> ()
    func.call @kernel_b(%x, %executor) : (memref<?x9xf32>, !llvm.ptr) -> ()
    func.call @kernel_c(%x, %executor) : (memref<?x9xf32>, !llvm.ptr) -> ()
    return
  }
  func.func private @kernel_a(%x: memref<?x9xf32>, %executor: !llvm.ptr) {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %n = memref.dim %x, %c0 : memref<?x9xf32>
    %twice = arith.muli %n, %c2 : index
    %a = memref.alloc(%twice) : memref<?xi32>
    %b = memref.alloc() : memref<5x5xf32>
    "test.use"(%a, %b) : (memref<?xi32>, memref<5x5xf32>) -> ()
    return
  }
  func.func private @kernel_b(%x: memref<?x9xf32>, %executor: !llvm.ptr) {
    %c = memref.alloc() : memref<1xf32>
    "test.use"(%c) : (memref<1xf32>) -> ()
    return
  }
  func.func private @kernel_c(%x: memref<?x9xf32>, %executor: !llvm.ptr) {
    return
  }
}
