// RUN: lathe-opt %s -codegen-plan-arena | FileCheck %s

// The first and third buffer are never alive together: they share a place. Dynamic sizes count as their bound.
// CHECK: lathe.workspace_bytes = 4352 : i64
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[ARENA:[a-z0-9]*]]: memref<4352xi8>)
// CHECK: memref.view %[[ARENA]][%{{.*}}][] {lathe.bytes = 4096 : i64} : memref<4352xi8> to memref<1024xf32>
// CHECK: %[[B:.*]] = arith.constant 4096 : index
// CHECK: memref.view %[[ARENA]][%[[B]]][%{{.*}}] {lathe.bytes = 256 : i64} : memref<4352xi8> to memref<?xf32>
// CHECK: memref.view %[[ARENA]][%{{.*}}][] {lathe.bytes = 2048 : i64}
module attributes {lathe.dims = [{name = "n", lower = 1 : i64, upper = 32 : i64}],
                   lathe.inputs = [{name = "x", dtype = 1 : i32, shape = array<i64: -1>, dims = "n"}]} {
  func.func @main(%x: memref<?xf32>) {
    %c0 = arith.constant 0 : index
    %v = arith.constant 1.0 : f32
    %n = memref.dim %x, %c0 : memref<?xf32>
    %twice = affine.apply affine_map<()[s] -> (s * 2)>()[%n]
    %a = memref.alloc() : memref<1024xf32>
    %b = memref.alloc(%twice) : memref<?xf32>
    %c = memref.alloc() : memref<512xf32>
    linalg.fill ins(%v : f32) outs(%a : memref<1024xf32>)
    linalg.fill ins(%v : f32) outs(%b : memref<?xf32>)
    %use = memref.load %a[%c0] : memref<1024xf32>
    linalg.fill ins(%use : f32) outs(%c : memref<512xf32>)
    %last = memref.load %c[%c0] : memref<512xf32>
    memref.store %last, %b[%c0] : memref<?xf32>
    return
  }
}
