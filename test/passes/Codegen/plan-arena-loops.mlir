// RUN: lathe-opt %s -codegen-plan-arena -split-input-file | FileCheck %s

// Buffers of a loop's body share places as those outside do. One from before the loop keeps its place until the last
// iteration.
// CHECK: lathe.workspace_bytes = 8192 : i64
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[ARENA:[a-z0-9]*]]: memref<8192xi8>)
// CHECK: %[[P:.*]] = arith.constant 4096 : index
// CHECK: memref.view %[[ARENA]][%[[P]]][] {{.*}} to memref<512xf32>
// CHECK: scf.for
// CHECK:   %[[A:.*]] = arith.constant 0 : index
// CHECK:   memref.view %[[ARENA]][%[[A]]][] {{.*}} to memref<1024xf32>
// CHECK:   %[[B:.*]] = arith.constant 6144 : index
// CHECK:   memref.view %[[ARENA]][%[[B]]][] {{.*}} to memref<512xf32>
// CHECK:   %[[C:.*]] = arith.constant 0 : index
// CHECK:   memref.view %[[ARENA]][%[[C]]][] {{.*}} to memref<768xf32>
func.func @main(%y: memref<512xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %v = arith.constant 1.0 : f32
  %kept = memref.alloc() : memref<512xf32>
  linalg.fill ins(%v : f32) outs(%kept : memref<512xf32>)
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.alloc() : memref<1024xf32>
    linalg.fill ins(%v : f32) outs(%a : memref<1024xf32>)
    %k = memref.load %kept[%c0] : memref<512xf32>
    %b = memref.alloc() : memref<512xf32>
    linalg.fill ins(%k : f32) outs(%b : memref<512xf32>)
    %la = memref.load %a[%c0] : memref<1024xf32>
    memref.store %la, %b[%c1] : memref<512xf32>
    %c = memref.alloc() : memref<768xf32>
    linalg.fill ins(%v : f32) outs(%c : memref<768xf32>)
    %lb = memref.load %b[%c0] : memref<512xf32>
    memref.store %lb, %c[%c0] : memref<768xf32>
    %lc = memref.load %c[%c0] : memref<768xf32>
    memref.store %lc, %y[%c0] : memref<512xf32>
  }
  return
}

// -----

// What a loop carries is alive in all of it: none of both buffers may be at the place of the other or of the third.
// CHECK: lathe.workspace_bytes = 768 : i64
func.func @main(%y: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %v = arith.constant 1.0 : f32
  %first = memref.alloc() : memref<64xf32>
  linalg.fill ins(%v : f32) outs(%first : memref<64xf32>)
  %last = scf.for %i = %c0 to %c4 step %c1 iter_args(%carried = %first) -> (memref<64xf32>) {
    %temporary = memref.alloc() : memref<64xf32>
    linalg.fill ins(%v : f32) outs(%temporary : memref<64xf32>)
    %t = memref.load %temporary[%c0] : memref<64xf32>
    %next = memref.alloc() : memref<64xf32>
    %p = memref.load %carried[%c0] : memref<64xf32>
    linalg.fill ins(%p : f32) outs(%next : memref<64xf32>)
    memref.store %t, %next[%c0] : memref<64xf32>
    scf.yield %next : memref<64xf32>
  }
  memref.copy %last, %y : memref<64xf32> to memref<64xf32>
  return
}
