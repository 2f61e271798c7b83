// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// Each element is a function of its number and the seed alone.
// CHECK-LABEL: func.func @uniform
// CHECK: linalg.generic
// CHECK: %[[ROW:.*]] = linalg.index 0
// CHECK: %[[COLUMN:.*]] = linalg.index 1
// CHECK: %[[FIRST:.*]] = arith.muli %[[ROW]], %{{.*}} : index
// CHECK: %[[PLACE:.*]] = arith.addi %[[FIRST]], %[[COLUMN]]
// CHECK: %[[COUNTER:.*]] = arith.index_cast %[[PLACE]] : index to i64
// CHECK: arith.muli %[[COUNTER]], %{{.*}} : i64
// CHECK-COUNT-3: arith.xori
// CHECK: arith.uitofp %{{.*}} : i64 to f32
// CHECK-NOT: func.call
func.func @uniform() -> tensor<3x4xf32> {
  %0 = "onnx.RandomUniform"() {shape = array<i64: 3, 4>, low = -1.0 : f32, high = 2.0 : f32, seed = 7.0 : f32} : () -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @normal
// CHECK: math.log
// CHECK: math.sqrt
// CHECK: math.cos
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @normal(%x: tensor<8xf16>) -> tensor<8xf16> {
  %0 = "onnx.RandomNormalLike"(%x) {mean = 1.0 : f32, scale = 0.5 : f32, seed = 7.0 : f32} : (tensor<8xf16>) -> tensor<8xf16>
  return %0 : tensor<8xf16>
}

// CHECK-LABEL: func.func @bernoulli
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<8xf64>)
// CHECK: %[[DRAWN:.*]] = arith.cmpf olt
// CHECK: linalg.yield %[[DRAWN]] : i1
func.func @bernoulli(%x: tensor<8xf64>) -> tensor<8xi1> {
  %0 = "onnx.Bernoulli"(%x) {dtype = 9 : i64, seed = 7.0 : f32} : (tensor<8xf64>) -> tensor<8xi1>
  return %0 : tensor<8xi1>
}

// The largest of scores with added noise.
// CHECK-LABEL: func.func @multinomial
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-COUNT-2: math.log
func.func @multinomial(%x: tensor<2x5xf32>) -> tensor<2x3xi32> {
  %0 = "onnx.Multinomial"(%x) {sample_size = 3 : i64, seed = 7.0 : f32} : (tensor<2x5xf32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// Whether it is training may be an input.
// CHECK-LABEL: func.func @dropout
// CHECK: %[[TRAINING:.*]] = tensor.extract %arg2[]
// CHECK: %[[RATIO:.*]] = arith.select %[[TRAINING]]
// CHECK: %[[MASK:.*]] = linalg.generic
// CHECK: arith.cmpf ole, %[[RATIO]]
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[MASK]]
func.func @dropout(%x: tensor<8xf32>, %ratio: tensor<f32>, %training: tensor<i1>) -> (tensor<8xf32>, tensor<8xi1>) {
  %0, %1 = "onnx.Dropout"(%x, %ratio, %training) {seed = 7 : i64, operandSegmentSizes = array<i32: 1, 1, 1>, resultSegmentSizes = array<i32: 1, 1>} : (tensor<8xf32>, tensor<f32>, tensor<i1>) -> (tensor<8xf32>, tensor<8xi1>)
  return %0, %1 : tensor<8xf32>, tensor<8xi1>
}
