// RUN: lathe-opt %s --lower-onnx-to-linalg --split-input-file -verify-diagnostics

!columns = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @columns(%i: tensor<1xi64>) -> tensor<1x2xf32> {
  %c = onnx.Constant dense<1> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!columns>
  // expected-error @+1 {{expected rows of a table of signed 8 or 4 bits with scales for each row or for groups of its elements}}
  %y = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x2x!columns>, tensor<1xi64>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!rows = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>

func.func @unknown(%c: tensor<2x2xi8>, %i: tensor<1xi64>) -> tensor<1x2xf32> {
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!rows>
  // expected-error @+1 {{expected a constant table, because it is quantized}}
  %y = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x2x!rows>, tensor<1xi64>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
