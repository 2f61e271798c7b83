// RUN: lathe-opt %s --lower-onnx-to-linalg --split-input-file | FileCheck %s

// The list is as long as it can become; the result is what was found of it.
// CHECK-LABEL: func.func @nonzero
// CHECK: %[[BOUND:.*]] = affine.apply
// CHECK: %[[END:.*]]:2 = scf.for
// CHECK: %[[SIZE:.*]] = arith.minsi %[[END]]#1
// CHECK: %[[USED:.*]] = tensor.extract_slice %[[END]]#0[0] [%[[SIZE]]] [1]
// CHECK: %[[EMPTY:.*]] = tensor.empty(%[[SIZE]]) : tensor<2x?xi64>
// CHECK: linalg.generic {{.*}} ins(%[[USED]] : tensor<?xi64>) outs(%[[EMPTY]]
// CHECK-NOT: lathe.status
func.func @nonzero(%x: tensor<?x2xf32> {onnx.dims = ["n", ""]}) -> tensor<2x?xi64> {
  %0 = "onnx.NonZero"(%x) : (tensor<?x2xf32>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}

// -----

// Two ops with one condition: the size is found once, and neither is longer than it.
// CHECK-LABEL: func.func @compress
// CHECK-COUNT-1: arith.minsi %{{.*}}#1
// CHECK: return %{{.*}} : tensor<?x3xf32>
func.func @compress(%x: tensor<4x3xf32>, %c: tensor<4xi1>) -> tensor<?x3xf32> {
  %a = "onnx.Compress"(%x, %c) <{axis = 0 : i64}> : (tensor<4x3xf32>, tensor<4xi1>) -> tensor<?x3xf32>
  %b = "onnx.Compress"(%x, %c) <{axis = 0 : i64}> : (tensor<4x3xf32>, tensor<4xi1>) -> tensor<?x3xf32>
  %s = "onnx.Add"(%a, %b) : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return %s : tensor<?x3xf32>
}

// -----

// What data tells is held within the bound, and refused if it is not.
// CHECK-LABEL: func.func @fill
// CHECK-SAME: -> (tensor<?xf32>, tensor<1xi64> {lathe.status})
// CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: %[[GOOD:.*]] = arith.cmpi ule, %[[N]], %[[C:.*]] : index
// CHECK: %[[LOW:.*]] = arith.maxsi %[[N]], %{{.*}} : index
// CHECK: %[[SIZE:.*]] = arith.minsi %[[LOW]], %[[C]] : index
// CHECK: tensor.empty(%[[SIZE]]) : tensor<?xf32>
// CHECK: %[[STATUS:.*]] = arith.select %[[GOOD]], %{{.*}}, %{{.*}} : i64
// CHECK: %[[LIST:.*]] = tensor.from_elements %[[STATUS]] : tensor<1xi64>
// CHECK: return %{{.*}}, %[[LIST]]
func.func @fill(%s: tensor<1xi64>) -> tensor<?xf32> {
  %0 = "onnx.ConstantOfShape"(%s) : (tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// A slice at places of run time is a slice; it cannot be longer than what it is of.
// CHECK-LABEL: func.func @slice
// CHECK: arith.ceildivsi
// CHECK: %[[SIZE:.*]] = arith.minsi %{{.*}}, %{{.*}} : index
// CHECK: tensor.extract_slice %arg0[%{{.*}}, 0] [%[[SIZE]], 5] [1, 1]
// CHECK-NOT: lathe.status
func.func @slice(%x: tensor<8x5xf32>, %b: tensor<1xi64>, %e: tensor<1xi64>) -> tensor<?x5xf32> {
  %0 = "onnx.Slice"(%x, %b, %e) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<8x5xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}
