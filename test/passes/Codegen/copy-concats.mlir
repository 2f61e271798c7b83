// RUN: lathe-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(codegen-copy-concats))' | FileCheck %s

// Many parts at offsets that only a run knows are copied; bufferisation sees one buffer.
// CHECK-LABEL: func.func @many(
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>, %[[N:.*]]: index, %[[SIZE:.*]]: index)
// CHECK: %[[BUFFER:.*]] = memref.alloc(%[[SIZE]]) : memref<?xf32>
// CHECK: %[[PLACE:.*]] = memref.subview %[[BUFFER]][0] [%[[N]]] [1]
// CHECK: %[[SOURCE:.*]] = bufferization.to_buffer %[[X]] read_only : tensor<?xf32> to memref<?xf32, strided<[?], offset: ?>>
// CHECK: memref.copy %[[SOURCE]], %[[PLACE]]
// CHECK-COUNT-15: memref.copy
// CHECK-NOT: insert_slice
// CHECK: %[[ALL:.*]] = bufferization.to_tensor %[[BUFFER]] restrict :
// CHECK: return %[[ALL]]
func.func @many(%x: tensor<?xf32>, %n: index, %size: index) -> tensor<?xf32> {
  %empty = tensor.empty(%size) : tensor<?xf32>
  %p0 = tensor.insert_slice %x into %empty[0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o0 = arith.addi %n, %n : index
  %p1 = tensor.insert_slice %x into %p0[%o0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o1 = arith.addi %o0, %n : index
  %p2 = tensor.insert_slice %x into %p1[%o1] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o2 = arith.addi %o1, %n : index
  %p3 = tensor.insert_slice %x into %p2[%o2] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o3 = arith.addi %o2, %n : index
  %p4 = tensor.insert_slice %x into %p3[%o3] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o4 = arith.addi %o3, %n : index
  %p5 = tensor.insert_slice %x into %p4[%o4] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o5 = arith.addi %o4, %n : index
  %p6 = tensor.insert_slice %x into %p5[%o5] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o6 = arith.addi %o5, %n : index
  %p7 = tensor.insert_slice %x into %p6[%o6] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o7 = arith.addi %o6, %n : index
  %p8 = tensor.insert_slice %x into %p7[%o7] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o8 = arith.addi %o7, %n : index
  %p9 = tensor.insert_slice %x into %p8[%o8] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o9 = arith.addi %o8, %n : index
  %p10 = tensor.insert_slice %x into %p9[%o9] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o10 = arith.addi %o9, %n : index
  %p11 = tensor.insert_slice %x into %p10[%o10] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o11 = arith.addi %o10, %n : index
  %p12 = tensor.insert_slice %x into %p11[%o11] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o12 = arith.addi %o11, %n : index
  %p13 = tensor.insert_slice %x into %p12[%o12] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o13 = arith.addi %o12, %n : index
  %p14 = tensor.insert_slice %x into %p13[%o13] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o14 = arith.addi %o13, %n : index
  %p15 = tensor.insert_slice %x into %p14[%o14] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return %p15 : tensor<?xf32>
}

// -----

// Few are computed in their places.
// CHECK-LABEL: func.func @few(
// CHECK-NOT: memref.copy
// CHECK-COUNT-15: tensor.insert_slice
func.func @few(%x: tensor<?xf32>, %n: index, %size: index) -> tensor<?xf32> {
  %empty = tensor.empty(%size) : tensor<?xf32>
  %p0 = tensor.insert_slice %x into %empty[0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o0 = arith.addi %n, %n : index
  %p1 = tensor.insert_slice %x into %p0[%o0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o1 = arith.addi %o0, %n : index
  %p2 = tensor.insert_slice %x into %p1[%o1] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o2 = arith.addi %o1, %n : index
  %p3 = tensor.insert_slice %x into %p2[%o2] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o3 = arith.addi %o2, %n : index
  %p4 = tensor.insert_slice %x into %p3[%o3] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o4 = arith.addi %o3, %n : index
  %p5 = tensor.insert_slice %x into %p4[%o4] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o5 = arith.addi %o4, %n : index
  %p6 = tensor.insert_slice %x into %p5[%o5] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o6 = arith.addi %o5, %n : index
  %p7 = tensor.insert_slice %x into %p6[%o6] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o7 = arith.addi %o6, %n : index
  %p8 = tensor.insert_slice %x into %p7[%o7] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o8 = arith.addi %o7, %n : index
  %p9 = tensor.insert_slice %x into %p8[%o8] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o9 = arith.addi %o8, %n : index
  %p10 = tensor.insert_slice %x into %p9[%o9] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o10 = arith.addi %o9, %n : index
  %p11 = tensor.insert_slice %x into %p10[%o10] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o11 = arith.addi %o10, %n : index
  %p12 = tensor.insert_slice %x into %p11[%o11] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o12 = arith.addi %o11, %n : index
  %p13 = tensor.insert_slice %x into %p12[%o12] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o13 = arith.addi %o12, %n : index
  %p14 = tensor.insert_slice %x into %p13[%o13] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return %p14 : tensor<?xf32>
}

// -----

// So are those whose places are known: they may be images.
// CHECK-LABEL: func.func @known(
// CHECK-NOT: memref.copy
// CHECK-COUNT-16: tensor.insert_slice
func.func @known(%x: tensor<?xf32>, %n: index, %size: index) -> tensor<?xf32> {
  %empty = tensor.empty(%size) : tensor<?xf32>
  %p0 = tensor.insert_slice %x into %empty[0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p1 = tensor.insert_slice %x into %p0[8] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p2 = tensor.insert_slice %x into %p1[16] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p3 = tensor.insert_slice %x into %p2[24] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p4 = tensor.insert_slice %x into %p3[32] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p5 = tensor.insert_slice %x into %p4[40] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p6 = tensor.insert_slice %x into %p5[48] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p7 = tensor.insert_slice %x into %p6[56] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p8 = tensor.insert_slice %x into %p7[64] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p9 = tensor.insert_slice %x into %p8[72] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p10 = tensor.insert_slice %x into %p9[80] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p11 = tensor.insert_slice %x into %p10[88] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p12 = tensor.insert_slice %x into %p11[96] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p13 = tensor.insert_slice %x into %p12[104] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p14 = tensor.insert_slice %x into %p13[112] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %p15 = tensor.insert_slice %x into %p14[120] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return %p15 : tensor<?xf32>
}

// -----

// What somebody else reads on the way stays.
// CHECK-LABEL: func.func @read(
// CHECK-NOT: memref.copy
// CHECK-COUNT-16: tensor.insert_slice
func.func @read(%x: tensor<?xf32>, %n: index, %size: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %empty = tensor.empty(%size) : tensor<?xf32>
  %p0 = tensor.insert_slice %x into %empty[0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o0 = arith.addi %n, %n : index
  %p1 = tensor.insert_slice %x into %p0[%o0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o1 = arith.addi %o0, %n : index
  %p2 = tensor.insert_slice %x into %p1[%o1] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o2 = arith.addi %o1, %n : index
  %p3 = tensor.insert_slice %x into %p2[%o2] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o3 = arith.addi %o2, %n : index
  %p4 = tensor.insert_slice %x into %p3[%o3] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o4 = arith.addi %o3, %n : index
  %p5 = tensor.insert_slice %x into %p4[%o4] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o5 = arith.addi %o4, %n : index
  %p6 = tensor.insert_slice %x into %p5[%o5] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o6 = arith.addi %o5, %n : index
  %p7 = tensor.insert_slice %x into %p6[%o6] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o7 = arith.addi %o6, %n : index
  %p8 = tensor.insert_slice %x into %p7[%o7] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o8 = arith.addi %o7, %n : index
  %p9 = tensor.insert_slice %x into %p8[%o8] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o9 = arith.addi %o8, %n : index
  %p10 = tensor.insert_slice %x into %p9[%o9] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o10 = arith.addi %o9, %n : index
  %p11 = tensor.insert_slice %x into %p10[%o10] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o11 = arith.addi %o10, %n : index
  %p12 = tensor.insert_slice %x into %p11[%o11] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o12 = arith.addi %o11, %n : index
  %p13 = tensor.insert_slice %x into %p12[%o12] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o13 = arith.addi %o12, %n : index
  %p14 = tensor.insert_slice %x into %p13[%o13] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  %o14 = arith.addi %o13, %n : index
  %p15 = tensor.insert_slice %x into %p14[%o14] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return %p15, %p7 : tensor<?xf32>, tensor<?xf32>
}
