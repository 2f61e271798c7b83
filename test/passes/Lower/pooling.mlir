// RUN: lathe-opt %s --lower-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @max_pool
// CHECK: %[[POOL:.*]]:2 = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: tensor.extract %arg0
// CHECK: arith.cmpf olt
// CHECK: linalg.yield %{{.*}}, %{{.*}} : f32, i64
// CHECK: return %[[POOL]]#0, %[[POOL]]#1
func.func @max_pool(%x: tensor<1x2x8xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xi64>) {
  %0, %1 = "onnx.MaxPool"(%x) <{kernel_shape = array<i64: 2>, strides = array<i64: 2>}> : (tensor<1x2x8xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xi64>)
  return %0, %1 : tensor<1x2x4xf32>, tensor<1x2x4xi64>
}

// CHECK-LABEL: func.func @average_pool
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"]
// CHECK-COUNT-2: arith.addf
// CHECK: arith.divf
func.func @average_pool(%x: tensor<1x2x4x4x4xf32>) -> tensor<1x2x3x3x3xf32> {
  %0 = "onnx.AveragePool"(%x) <{kernel_shape = array<i64: 2, 2, 2>}> : (tensor<1x2x4x4x4xf32>) -> tensor<1x2x3x3x3xf32>
  return %0 : tensor<1x2x3x3x3xf32>
}

// CHECK-LABEL: func.func @lp_pool
// CHECK: math.absf
// CHECK: math.powf
// CHECK: math.powf
func.func @lp_pool(%x: tensor<1x2x8xf32>) -> tensor<1x2x7xf32> {
  %0 = "onnx.LpPool"(%x) <{kernel_shape = array<i64: 2>, p = 3 : i64}> : (tensor<1x2x8xf32>) -> tensor<1x2x7xf32>
  return %0 : tensor<1x2x7xf32>
}

// CHECK-LABEL: func.func @max_unpool
// CHECK: scf.for
// CHECK: tensor.insert
func.func @max_unpool(%x: tensor<1x1x2xf32>, %i: tensor<1x1x2xi64>) -> tensor<1x1x4xf32> {
  %0 = "onnx.MaxUnpool"(%x, %i) <{kernel_shape = array<i64: 2>, strides = array<i64: 2>}> : (tensor<1x1x2xf32>, tensor<1x1x2xi64>) -> tensor<1x1x4xf32>
  return %0 : tensor<1x1x4xf32>
}

// CHECK-LABEL: func.func @col2im
// CHECK: linalg.generic {{.*}}"reduction"]
// CHECK: tensor.extract %arg0
func.func @col2im(%x: tensor<1x5x5xf32>, %image: tensor<2xi64>, %block: tensor<2xi64>) -> tensor<1x1x5x5xf32> {
  %0 = "onnx.Col2Im"(%x, %image, %block) : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x1x5x5xf32>
  return %0 : tensor<1x1x5x5xf32>
}
