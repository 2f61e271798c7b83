// RUN: lathe-opt %s --compress-quantize-weights="format=w8" | FileCheck %s --check-prefixes=CHECK,W8
// RUN: lathe-opt %s --compress-quantize-weights="format=w4" --remarks-filter=compress --remark-format=emitRemark \
// RUN:   -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t --check-prefixes=CHECK,W4
// RUN: lathe-opt %s --compress-quantize-weights="format=w2" | FileCheck %s --check-prefixes=CHECK,W4

// Rows of a table have scales of their own, never fewer than 4 bits; another reader keeps f32.
// CHECK-LABEL: func @main
// W8: %[[T:.*]] = quant.scast %{{.*}} : tensor<2x32xi8> to tensor<2x32x!quant.uniform<i8<-127:127>:f32:0, {0.0039{{[0-9]*}},0.0039{{[0-9]*}}}>>
// W4: %[[T:.*]] = quant.scast %{{.*}} : tensor<2x32xi4> to tensor<2x32x!quant.uniform<i4:f32:{0:1, 1:32}, {{[{][{]}}0.071{{[0-9]*}}}, {0.071{{[0-9]*}}{{[}][}]}}>>
// CHECK: "onnx.Gather"(%[[T]], %{{.*}}) <{axis = 0 : i64}> : (tensor<2x32x!quant.uniform{{.*}}, tensor<?xi64>) -> tensor<?x32xf32>
// CHECK: "onnx.Neg"(%{{.*}}) : (tensor<2x32xf32>)
// CHECK: "onnx.Gather"{{.*}} : (tensor<2x32xf32>, tensor<?xi64>) -> tensor<2x?xf32>
// CHECK: "onnx.Gather"{{.*}} : (tensor<2x32xf32>, tensor<1xi64>) -> tensor<1x32xf32>
// CHECK: "onnx.Gather"{{.*}} : (tensor<2x32xf32>, tensor<?xi64>) -> tensor<?x32xf32>

// REMARK-DAG: [Passed] QuantizeTable{{.*}}Bits=4, Group=32
// REMARK-DAG: [Missed] QuantizeTable{{.*}}not rows of a matrix
// REMARK-DAG: [Missed] QuantizeTable{{.*}}left as f32 by its settings
// REMARK-DAG: [Missed] QuantizeTable{{.*}}do not divide into groups of 32
func.func @main(%i: tensor<?xi64>)
    -> (tensor<?x32xf32>, tensor<2x32xf32>, tensor<2x?xf32>, tensor<1x32xf32>, tensor<?x32xf32>, tensor<?x3xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<2x32xf32>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %narrow = onnx.Constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  %a = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x32xf32>, tensor<?xi64>) -> tensor<?x32xf32>
  %b = "onnx.Neg"(%w) : (tensor<2x32xf32>) -> tensor<2x32xf32>
  %c = "onnx.Gather"(%w, %i) {axis = 1 : i64} : (tensor<2x32xf32>, tensor<?xi64>) -> tensor<2x?xf32>
  %d = "onnx.Gather"(%w, %first) {axis = 0 : i64} : (tensor<2x32xf32>, tensor<1xi64>) -> tensor<1x32xf32>
  %e = "onnx.Gather"(%w, %i) {axis = 0 : i64, lathe.compress = {quantize = "none"}} : (tensor<2x32xf32>, tensor<?xi64>) -> tensor<?x32xf32>
  %f = "onnx.Gather"(%narrow, %i) {axis = 0 : i64} : (tensor<1x3xf32>, tensor<?xi64>) -> tensor<?x3xf32>
  return %a, %b, %c, %d, %e, %f : tensor<?x32xf32>, tensor<2x32xf32>, tensor<2x?xf32>, tensor<1x32xf32>, tensor<?x32xf32>, tensor<?x3xf32>
}
