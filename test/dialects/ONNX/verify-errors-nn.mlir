// RUN: lathe-opt %s -verify-diagnostics -split-input-file

// Shapes that are not known yet pass.
func.func @unranked(%x: tensor<*xf32>, %w: tensor<*xf32>) -> tensor<*xf32> {
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 2>} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %1 = "onnx.Gemm"(%0, %w) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %2 = "onnx.Softmax"(%1) {axis = 7 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  return %2 : tensor<*xf32>
}

// -----

func.func @strides(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.Conv' op expected 2 values in strides, but got 3}}
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 2, 2, 2>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @pads(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected 4 values in pads, but got 2}}
  %0 = "onnx.Conv"(%x, %w) {pads = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @dilations(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected values of at least 1 in dilations, but got 0}}
  %0 = "onnx.Conv"(%x, %w) {dilations = array<i64: 1, 0>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @input_rank(%x: tensor<1x4xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an input of rank 3 or more, but got 'tensor<1x4xf32>'}}
  %0 = "onnx.Conv"(%x, %w) : (tensor<1x4xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @weight_rank(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a weight of the input's rank, 4, but got 'tensor<8x4x3xf32>'}}
  %0 = "onnx.Conv"(%x, %w) : (tensor<1x4x8x8xf32>, tensor<8x4x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @group(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a group of at least 1, but got 0}}
  %0 = "onnx.Conv"(%x, %w) {group = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @filters(%x: tensor<1x12x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a group that divides the weight's 8 channels, but got 3}}
  %0 = "onnx.Conv"(%x, %w) {group = 3 : i64} : (tensor<1x12x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @channels(%x: tensor<1x3x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected 8 input channels, but got 3}}
  %0 = "onnx.Conv"(%x, %w) {group = 2 : i64} : (tensor<1x3x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @kernel(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected the weight's window in kernel_shape, 3, but got 5}}
  %0 = "onnx.Conv"(%x, %w) {kernel_shape = array<i64: 3, 5>} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @bias(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<1x8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a bias of rank 1, but got 'tensor<1x8xf32>'}}
  %0 = "onnx.Conv"(%x, %w, %b) : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<1x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @integer(%x: tensor<1x3x8x8xi8>, %w: tensor<8x4x3x3xi8>) -> tensor<*xi32> {
  // expected-error@+1 {{'onnx.ConvInteger' op expected 4 input channels, but got 3}}
  %0 = "onnx.ConvInteger"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<1x3x8x8xi8>, tensor<8x4x3x3xi8>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

// The weight's first dimension is the input's channels.
func.func @transposed(%x: tensor<1x4x8x8xf32>, %w: tensor<4x2x3x3xf32>, %v: tensor<8x2x3x3xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = "onnx.ConvTranspose"(%x, %w) {group = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<*xf32>
  // expected-error@+1 {{'onnx.ConvTranspose' op expected 8 input channels, but got 4}}
  %1 = "onnx.ConvTranspose"(%x, %v) : (tensor<1x4x8x8xf32>, tensor<8x2x3x3xf32>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @output_padding(%x: tensor<1x4x8x8xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected 2 values in output_padding, but got 1}}
  %0 = "onnx.ConvTranspose"(%x, %w) {output_padding = array<i64: 1>} : (tensor<1x4x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @max_pool(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.MaxPool' op expected 2 values in kernel_shape, but got 3}}
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2, 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @average_pool(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected values of at least 1 in kernel_shape, but got -2}}
  %0 = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 2, -2>} : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @auto_pad(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, but got 'SAME'}}
  %0 = "onnx.LpPool"(%x) {kernel_shape = array<i64: 2, 2>, auto_pad = "SAME"} : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @batch_norm(%x: tensor<2x4x8xf32>, %a: tensor<4xf32>, %b: tensor<4x1xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected parameters of rank 1, but got 'tensor<4x1xf32>'}}
  %0 = "onnx.BatchNormalization"(%x, %a, %b, %a, %a) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<4x1xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @instance_norm(%x: tensor<2x4x8xf32>, %a: tensor<4xf32>, %b: tensor<8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected parameters for 4 channels, but got 'tensor<8xf32>'}}
  %0 = "onnx.InstanceNormalization"(%x, %a, %b) : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @channel_rank(%x: tensor<4xf32>, %a: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an input of rank 2 or more, but got 'tensor<4xf32>'}}
  %0 = "onnx.InstanceNormalization"(%x, %a, %a) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @group_norm(%x: tensor<2x4x8xf32>, %a: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a num_groups that divides the channels, but got 3}}
  %0 = "onnx.GroupNormalization"(%x, %a, %a) {num_groups = 3 : i64} : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @layer_norm(%x: tensor<2x4x8xf32>, %a: tensor<8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-3, 3), but got 3}}
  %0 = "onnx.LayerNormalization"(%x, %a) {axis = 3 : i64, resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x4x8xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @layer_norm_scale(%x: tensor<4x8xf32>, %a: tensor<1x4x8xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected parameters of at most the input's rank, 2, but got 'tensor<1x4x8xf32>'}}
  %0 = "onnx.LayerNormalization"(%x, %a) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<4x8xf32>, tensor<1x4x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
