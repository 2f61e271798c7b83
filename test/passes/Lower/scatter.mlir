// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func @scatter_elements
// The input stays: what is written to is a copy.
// CHECK: %[[COPY:.*]] = linalg.copy ins(%arg0
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %[[COPY]])
// CHECK: scf.for {{.*}} iter_args(%[[B:.*]] = %[[A]])
// CHECK: tensor.extract %[[B]]
// CHECK: arith.addf
// CHECK: tensor.insert {{.*}} into %[[B]]
func.func @scatter_elements(%x: tensor<4x8xf32>, %i: tensor<2x8xi64>, %u: tensor<2x8xf32>) -> tensor<4x8xf32> {
  %0 = "onnx.ScatterElements"(%x, %i, %u) {reduction = "add"} : (tensor<4x8xf32>, tensor<2x8xi64>, tensor<2x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func @top_k
// CHECK: scf.for
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
func.func @top_k(%x: tensor<4x8xf32>) -> (tensor<4x3xf32>, tensor<4x3xi64>) {
  %k = onnx.Constant dense<3> : tensor<1xi64>
  %0, %1 = "onnx.TopK"(%x, %k) : (tensor<4x8xf32>, tensor<1xi64>) -> (tensor<4x3xf32>, tensor<4x3xi64>)
  return %0, %1 : tensor<4x3xf32>, tensor<4x3xi64>
}

// CHECK-LABEL: func @sum_before
// CHECK: scf.for {{.*}} iter_args(%[[SUM:.*]] = {{.*}}, %[[RESULT:.*]] = {{.*}})
// CHECK: tensor.insert_slice %[[SUM]] into %[[RESULT]]
// CHECK: linalg.generic {{.*}} outs(%[[SUM]]
func.func @sum_before(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %axis = onnx.Constant dense<1> : tensor<i64>
  %0 = "onnx.CumSum"(%x, %axis) {exclusive = 1 : i64} : (tensor<4x8xf32>, tensor<i64>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func @product
// CHECK: %[[ONE:.*]] = arith.constant 1 : i32
// CHECK: linalg.fill ins(%[[ONE]]
// CHECK: scf.for
// CHECK: arith.muli
func.func @product(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %axis = onnx.Constant dense<-1> : tensor<i64>
  %0 = "onnx.CumProd"(%x, %axis) {reverse = 1 : i64} : (tensor<4x8xi32>, tensor<i64>) -> tensor<4x8xi32>
  return %0 : tensor<4x8xi32>
}
