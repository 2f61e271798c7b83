// Kernels lose the arguments that they do not read and those that are constants.
// RUN: lathe-opt %s -codegen-fold-arguments | FileCheck %s

// CHECK-LABEL: llvm.func internal @main
// CHECK-SAME: (%[[P:[^:]*]]: !llvm.ptr, %[[N:[^:]*]]: i64)
llvm.func internal @main(%p: !llvm.ptr, %n: i64) {
  %c4 = llvm.mlir.constant(4 : i64) : i64
  %c8 = llvm.mlir.constant(8 : i64) : i64
  // CHECK: %[[C8:.*]] = llvm.mlir.constant(8 : i64) : i64
  // CHECK: llvm.call @kernel_0(%[[P]], %[[C8]]) : (!llvm.ptr, i64) -> ()
  // CHECK: llvm.call @kernel_0(%[[P]], %[[N]]) : (!llvm.ptr, i64) -> ()
  llvm.call @kernel_0(%p, %n, %c4, %c8) : (!llvm.ptr, i64, i64, i64) -> ()
  %four = llvm.mlir.constant(4 : i64) : i64
  llvm.call @kernel_0(%p, %c8, %four, %n) : (!llvm.ptr, i64, i64, i64) -> ()
  // CHECK: llvm.call @task(%[[P]], %{{.*}}, %{{.*}}) : (!llvm.ptr, i64, i64) -> ()
  llvm.call @task(%p, %c4, %c4) : (!llvm.ptr, i64, i64) -> ()
  // CHECK: llvm.call @visible(%{{.*}}) : (i64) -> ()
  llvm.call @visible(%c4) : (i64) -> ()
  // CHECK: llvm.call @inlined(%{{.*}}) : (i64) -> ()
  llvm.call @inlined(%c4) : (i64) -> ()
  llvm.return
}

// The attributes of arguments stay with them.
// CHECK-LABEL: llvm.func internal @kernel_0
// CHECK-SAME: (%[[P:[^:]*]]: !llvm.ptr {llvm.noalias}, %[[LAST:[^:]*]]: i64)
// CHECK: %[[C4:.*]] = llvm.mlir.constant(4 : i64) : i64
// CHECK: %[[SUM:.*]] = llvm.add %[[C4]], %[[LAST]]
// CHECK: llvm.store %[[SUM]], %[[P]]
llvm.func internal @kernel_0(%p: !llvm.ptr {llvm.noalias}, %unread: i64, %constant: i64, %last: i64) attributes {no_inline} {
  %sum = llvm.add %constant, %last : i64
  llvm.store %sum, %p : i64, !llvm.ptr
  llvm.return
}

// Whose address is taken, who can be called from elsewhere or who is inlined keeps its arguments.
// CHECK-LABEL: llvm.func internal @task
// CHECK-SAME: %{{.*}}: i64, %{{.*}}: i64)
llvm.func internal @task(%p: !llvm.ptr, %from: i64, %to: i64) attributes {no_inline} {
  %self = llvm.mlir.addressof @task : !llvm.ptr
  llvm.store %self, %p : !llvm.ptr, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @visible
// CHECK-SAME: (%{{.*}}: i64)
llvm.func @visible(%n: i64) attributes {no_inline} {
  llvm.return
}

// CHECK-LABEL: llvm.func internal @inlined
// CHECK-SAME: (%{{.*}}: i64)
llvm.func internal @inlined(%n: i64) {
  llvm.return
}

// A field of a descriptor is what was put there, and a place among the weights is a constant, too.
llvm.mlir.global external constant @weights() : !llvm.array<64 x i8>

// CHECK-LABEL: llvm.func internal @fields
// CHECK: llvm.call @kernel_1(%{{.*}}) : (!llvm.ptr) -> ()
llvm.func internal @fields(%p: !llvm.ptr) {
  %c4 = llvm.mlir.constant(4 : i64) : i64
  %weights = llvm.mlir.addressof @weights : !llvm.ptr
  %w = llvm.getelementptr %weights[16] : (!llvm.ptr) -> !llvm.ptr, i8
  %none = llvm.mlir.poison : !llvm.struct<(ptr, i64)>
  %some = llvm.insertvalue %p, %none[0] : !llvm.struct<(ptr, i64)>
  %all = llvm.insertvalue %c4, %some[1] : !llvm.struct<(ptr, i64)>
  %base = llvm.extractvalue %all[0] : !llvm.struct<(ptr, i64)>
  %size = llvm.extractvalue %all[1] : !llvm.struct<(ptr, i64)>
  llvm.call @kernel_1(%base, %size, %w) : (!llvm.ptr, i64, !llvm.ptr) -> ()
  llvm.return
}

// CHECK-LABEL: llvm.func internal @kernel_1
// CHECK-SAME: (%[[P:[^:]*]]: !llvm.ptr)
// CHECK-DAG: %[[C4:.*]] = llvm.mlir.constant(4 : i64) : i64
// CHECK-DAG: %[[WEIGHTS:.*]] = llvm.mlir.addressof @weights : !llvm.ptr
// CHECK-DAG: %[[W:.*]] = llvm.getelementptr %[[WEIGHTS]][16]
// CHECK: llvm.store %[[C4]], %[[P]]
// CHECK: llvm.store %[[W]], %[[P]]
llvm.func internal @kernel_1(%p: !llvm.ptr, %size: i64, %w: !llvm.ptr) attributes {no_inline} {
  llvm.store %size, %p : i64, !llvm.ptr
  llvm.store %w, %p : !llvm.ptr, !llvm.ptr
  llvm.return
}
