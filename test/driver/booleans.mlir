// Booleans are bits in the compiler's constants and bytes in memory.

// RUN: rm -rf %t && mkdir %t && lathe run %s --input=a=random:1 | FileCheck %s
// CHECK: y: bool [3] = 0 0 1
func.func @main(%a: tensor<3xi64> {onnx.name = "a"}) -> (tensor<3xi1> {onnx.name = "y"}) {
  %places = onnx.Constant dense<[0, 1, 2]> : tensor<3xi64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %0 = "onnx.Equal"(%places, %two) : (tensor<3xi64>, tensor<i64>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}
