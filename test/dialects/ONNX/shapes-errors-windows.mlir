// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// Windows that do not fit, of inputs whose rank the verifiers did not know.

func.func @kernel(%a_x: tensor<1x2x8x8xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x2x8x8xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected a kernel of rank 2, but got rank 1}}
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @window(%x: tensor<1x2x4x4xf32>) {
  // expected-error @+1 {{expected a window of at most the padded size}}
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 5, 5>} : (tensor<1x2x4x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @ceil(%x: tensor<1x2x?x4xf32>) {
  // expected-error @+1 {{has ceil_mode with strides that reach over the padding, which needs a constant size, but got}}
  %0 = "onnx.MaxPool"(%x) {ceil_mode = 1 : i64, kernel_shape = array<i64: 1, 1>, strides = array<i64: 3, 3>} : (tensor<1x2x?x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @pool_rank(%a_x: tensor<2x4xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected an input of rank 3 or more, but got rank 2}}
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2, 2>} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @global_rank(%a_x: tensor<2x4xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected an input of rank 3 or more, but got rank 2}}
  %0 = "onnx.GlobalAveragePool"(%x) : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @weight(%a_x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected input and weight of the same rank of 3 or more, but got ranks 4 and 3}}
  %0 = "onnx.Conv"(%x, %w) : (tensor<*xf32>, tensor<8x4x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @kernel_shape(%x: tensor<1x4x8x8xf32>, %a_w: tensor<8x4x3x3xf32>) {
  %w = "onnx.Identity"(%a_w) : (tensor<8x4x3x3xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected the weight's window in kernel_shape, but got another one}}
  %0 = "onnx.Conv"(%x, %w) {kernel_shape = array<i64: 5, 5>} : (tensor<1x4x8x8xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @groups(%x: tensor<1x4x8x8xf32>, %a_w: tensor<8x4x3x3xf32>) {
  %w = "onnx.Identity"(%a_w) : (tensor<8x4x3x3xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected a number of groups that divides the filters, but got 3}}
  %0 = "onnx.Conv"(%x, %w) {group = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @strides(%a_x: tensor<1x4x8x8xf32>, %a_w: tensor<8x4x3x3xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  %w = "onnx.Identity"(%a_w) : (tensor<8x4x3x3xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected positive values in strides, but got 0}}
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 0, 1>} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @offset_group(%x: tensor<1x4x4x4xf32>, %w: tensor<8x4x1x1xf32>, %o: tensor<1x6x4x4xf32>) {
  // expected-error @+1 {{expected an offset_group that divides the channels, but got 3}}
  %0 = "onnx.DeformConv"(%x, %w, %o) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, offset_group = 3 : i64} : (tensor<1x4x4x4xf32>, tensor<8x4x1x1xf32>, tensor<1x6x4x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @transposed(%x: tensor<1x4x2x2xf32>, %w: tensor<4x8x1x1xf32>) {
  // expected-error @+1 {{expected a result of positive size, but got}}
  %0 = "onnx.ConvTranspose"(%x, %w) {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x2x2xf32>, tensor<4x8x1x1xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @parameters(%a_x: tensor<1x4x2x2xf32>, %a_s: tensor<8xf32>, %b: tensor<4xf32>, %m: tensor<4xf32>, %v: tensor<4xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x4x2x2xf32>) -> tensor<*xf32>
  %s = "onnx.Identity"(%a_s) : (tensor<8xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected a parameter for each of 4 channels, but got another shape}}
  %0 = "onnx.BatchNormalization"(%x, %s, %b, %m, %v) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<*xf32>, tensor<*xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @scale(%a_x: tensor<1x4xf32>, %a_s: tensor<3x1xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x4xf32>) -> tensor<*xf32>
  %s = "onnx.Identity"(%a_s) : (tensor<3x1xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected scale and bias that broadcast to the input, but got size}}
  %0 = "onnx.LayerNormalization"(%x, %s) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @regions(%x: tensor<1x2x4xf32>, %r: tensor<3x4xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{expected input and regions of ranks 4 and 2, but got ranks 3 and 2}}
  %0 = "onnx.RoiAlign"(%x, %r, %i) : (tensor<1x2x4xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @images(%x: tensor<1x2x4x4xf32>, %r: tensor<3x4xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{expected regions of 4 coordinates and the image of each, but got other shapes}}
  %0 = "onnx.RoiAlign"(%x, %r, %i) : (tensor<1x2x4x4xf32>, tensor<3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @pooled(%x: tensor<1x2x4x4xf32>, %r: tensor<3x5xf32>) {
  // expected-error @+1 {{expected an input of rank 4, regions of rank 2 and two pooled sizes, but got others}}
  %0 = "onnx.MaxRoiPool"(%x, %r) {pooled_shape = array<i64: 2>} : (tensor<1x2x4x4xf32>, tensor<3x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @unpool_rank(%a_x: tensor<2x4xf32>, %i: tensor<2x4xi64>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected an input of rank 3 or more, but got rank 2}}
  %0 = "onnx.MaxUnpool"(%x, %i) {kernel_shape = array<i64: 2, 2>} : (tensor<*xf32>, tensor<2x4xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @unpool_indices(%x: tensor<1x2x4x4xf32>, %i: tensor<2x4x4xi64>) {
  // expected-error @+1 {{expected indices of rank 4, but got rank 3}}
  %0 = "onnx.MaxUnpool"(%x, %i) {kernel_shape = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>, tensor<2x4x4xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @blocks_rank(%x: tensor<5x4xf32>) {
  %s = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  %b = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  // expected-error @+1 {{expected an input of rank 3, but got rank 2}}
  %0 = "onnx.Col2Im"(%x, %s, %b) : (tensor<5x4xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @block_rank(%x: tensor<1x4x4xf32>) {
  %s = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  %b = onnx.Constant dense<[4]> : tensor<1xi64>
  // expected-error @+1 {{expected a block of rank 2, but got rank 1}}
  %0 = "onnx.Col2Im"(%x, %s, %b) : (tensor<1x4x4xf32>, tensor<2xi64>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @block_size(%x: tensor<1x5x4xf32>) {
  %s = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  %b = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  // expected-error @+1 {{expected blocks of a number of elements that divides 5, but got}}
  %0 = "onnx.Col2Im"(%x, %s, %b) : (tensor<1x5x4xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @output_shape(%a_x: tensor<1x2x4x4xf32>, %w: tensor<2x3x3x3xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<1x2x4x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected 2 values in output_shape and output_padding}}
  %0 = "onnx.ConvTranspose"(%x, %w) {output_shape = array<i64: 8>} : (tensor<*xf32>, tensor<2x3x3x3xf32>) -> tensor<*xf32>
  return
}
