// RUN: lathe-opt %s --split-input-file --compress-adopt-weights | FileCheck %s
// RUN: lathe-opt %s --split-input-file --compress-adopt-weights --remarks-filter=compress --remark-format=emitRemark \
// RUN:   -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Four bits are enough: half of the range moves to zero.
// CHECK-LABEL: func @nibbles
// CHECK: %[[I:.*]] = onnx.Constant dense<7> : tensor<32x2xi4>
// CHECK: %[[W:.*]] = quant.scast %[[I]] : tensor<32x2xi4> to tensor<32x2x!quant.uniform<i4:f32:{0:32, 1:1}, {{[{][{]}}5.000000e-01:-1, 2.500000e-01}}>>
// CHECK: nn.linear %arg0, %[[W]]
// REMARK: [Passed] AdoptWeight{{.*}}Bits=4, Group=32
func.func @nibbles(%x: tensor<?x32xf32>) -> tensor<?x2xf32> {
  %q = onnx.Constant dense<15> : tensor<32x2xui8>
  %s = onnx.Constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %z = onnx.Constant dense<[[7, 8]]> : tensor<1x2xui8>
  %w = "onnx.DequantizeLinear"(%q, %s, %z) {axis = 0 : i64, block_size = 32 : i64} : (tensor<32x2xui8>, tensor<1x2xf32>, tensor<1x2xui8>) -> tensor<32x2xf32>
  %y = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Bytes with a scale for each output, transposed.
// CHECK-LABEL: func @bytes
// CHECK: %[[I:.*]] = onnx.Constant dense<{{\[\[}}1, 3], [2, -4]]> : tensor<2x2xi8>
// CHECK: quant.scast %[[I]] : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01}>>
// REMARK: [Passed] AdoptWeight{{.*}}Bits=8, Group=0
func.func @bytes(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = onnx.Constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>
  %s = onnx.Constant dense<[0.5, 0.25]> : tensor<2xf32>
  %f = "onnx.DequantizeLinear"(%q, %s) {axis = 0 : i64} : (tensor<2x2xi8>, tensor<2xf32>) -> tensor<2x2xf32>
  %w = "onnx.Transpose"(%f) {perm = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Scales of rows are none that a column of sums could be multiplied by.
// CHECK-LABEL: func @rows
// CHECK: onnx.DequantizeLinear
// CHECK-NOT: quant.scast
// REMARK: [Missed] AdoptWeight{{.*}}scales are those of rows
func.func @rows(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %q = onnx.Constant dense<1> : tensor<2x3xi8>
  %s = onnx.Constant dense<[0.5, 0.25]> : tensor<2xf32>
  %w = "onnx.DequantizeLinear"(%q, %s) {axis = 0 : i64} : (tensor<2x3xi8>, tensor<2xf32>) -> tensor<2x3xf32>
  %y = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
