// RUN: lathe-opt %s --import-fold-constants | FileCheck %s

// A constant of another shape shares its data; nothing has to run.
// CHECK-LABEL: func.func @reshape
// CHECK-DAG: onnx.Constant dense<{{.*}}> : tensor<2x3xf32>
// CHECK-DAG: onnx.Constant dense_resource<weight> : tensor<4x1xf32>
// CHECK-NOT: onnx.Reshape
// CHECK-NOT: onnx.Unsqueeze
func.func @reshape() -> (tensor<2x3xf32>, tensor<4x1xf32>) {
  %x = onnx.Constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]> : tensor<6xf32>
  %w = onnx.Constant dense_resource<weight> : tensor<4xf32>
  %shape = onnx.Constant dense<[2, 3]> : tensor<2xi64>
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %y = "onnx.Reshape"(%x, %shape) : (tensor<6xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  %z = "onnx.Unsqueeze"(%w, %axis) : (tensor<4xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  return %y, %z : tensor<2x3xf32>, tensor<4x1xf32>
}

// Without an evaluator the rest stays.
// CHECK-LABEL: func.func @transpose
// CHECK: onnx.Transpose
func.func @transpose() -> tensor<3x2xf32> {
  %x = onnx.Constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = "onnx.Transpose"(%x) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weight: "0x040000000000803F000000400000404000008040"
    }
  }
#-}
