// RUN: lathe-opt %s -codegen-outline-parallel -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func private @kernel_a(
// CHECK-SAME: %[[A:.*]]: memref<8x4xf32> {lathe.noalias}, %[[EXECUTOR:.*]]: !llvm.ptr)
// CHECK: call @kernel_a_task_0(%[[A]], %{{.*}}, %{{.*}}) {lathe.parallel}
// CHECK: func.func private @kernel_a_task_0(%[[B:.*]]: memref<8x4xf32> {lathe.noalias}, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
// CHECK: scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]]
// CHECK: scf.for %[[J:.*]] =
// CHECK: memref.store %{{.*}}, %[[B]][%[[I]], %[[J]]]
// CHECK-NOT: scf.parallel
func.func private @kernel_a(%a: memref<8x4xf32> {lathe.noalias}, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %v = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    scf.parallel (%j) = (%c0) to (%c4) step (%c1) {
      memref.store %v, %a[%i, %j] : memref<8x4xf32>
    }
  }
  return
}

// -----

// Scratch memory is allocated once for all iterations of a task, and the range is that of the iterations.
// CHECK-LABEL: func.func private @kernel_b(
// CHECK: %[[LENGTH:.*]] = arith.subi
// CHECK: arith.ceildivsi %[[LENGTH]]
// CHECK-LABEL: func.func private @kernel_b_task_0(
// CHECK: memref.alloca
// CHECK: scf.for %[[I:.*]] =
// CHECK: %[[SCALED:.*]] = arith.muli %[[I]]
// CHECK: arith.addi %[[SCALED]]
// CHECK-NOT: memref.alloca
func.func private @kernel_b(%a: memref<?xf32>, %begin: index, %end: index, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  scf.parallel (%i) = (%begin) to (%end) step (%c3) {
    %s = memref.alloca() : memref<4xf32>
    %v = memref.load %s[%c0] : memref<4xf32>
    memref.store %v, %a[%i] : memref<?xf32>
  }
  return
}

// -----

func.func private @kernel_c(%a: memref<8xf32>, %executor: !llvm.ptr) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  // expected-error@+1 {{expected a parallel loop without reductions}}
  %sum = scf.parallel (%i) = (%c0) to (%c8) step (%c1) init (%zero) -> f32 {
    %v = memref.load %a[%i] : memref<8xf32>
    scf.reduce(%v : f32) {
    ^bb0(%x: f32, %y: f32):
      %s = arith.addf %x, %y : f32
      scf.reduce.return %s : f32
    }
  }
  return %sum : f32
}
