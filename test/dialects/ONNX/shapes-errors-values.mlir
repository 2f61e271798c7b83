// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// Attributes and operands that say no number, size or element type.

func.func @none() {
  // expected-error @+1 {{expected at least one operand, but got none}}
  %0 = "onnx.Sum"() : () -> tensor<*xf32>
  return
}

// -----

func.func @cast(%a_x: tensor<2xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.BitCast"(%x) {to = 8 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @window_type() {
  %n = onnx.Constant dense<8> : tensor<i64>
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.HannWindow"(%n) {output_datatype = 8 : i64} : (tensor<i64>) -> tensor<*xf32>
  return
}

// -----

func.func @eye_rank(%x: tensor<2xf32>) {
  // expected-error @+1 {{expected a matrix, but got rank 1}}
  %0 = "onnx.EyeLike"(%x) : (tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @eye_type(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.EyeLike"(%x) {dtype = 8 : i64} : (tensor<2x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @range() {
  %a = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %b = onnx.Constant dense<5> : tensor<i64>
  %c = onnx.Constant dense<1> : tensor<i64>
  // expected-error @+1 {{expected one number each as start, limit and delta, but got 2}}
  %0 = "onnx.Range"(%a, %b, %c) : (tensor<2xi64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return
}

// -----

func.func @range_delta() {
  %a = onnx.Constant dense<0> : tensor<i64>
  %b = onnx.Constant dense<5> : tensor<i64>
  %c = onnx.Constant dense<0> : tensor<i64>
  // expected-error @+1 {{expected a delta other than 0, but got 0}}
  %0 = "onnx.Range"(%a, %b, %c) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return
}

// -----

func.func @grams_rank(%x: tensor<1x2x3xi64>) {
  // expected-error @+1 {{expected an input of rank 1 or 2, but got rank 3}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 1>} : (tensor<1x2x3xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @grams_place(%x: tensor<3xi64>) {
  // expected-error @+1 {{expected places of at least 0 in ngram_indexes, but got -1}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: -1>, pool_int64s = array<i64: 1>} : (tensor<3xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @quantize_type(%x: tensor<2xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.QuantizeLinear"(%x, %s) {output_dtype = 8 : i64} : (tensor<2xf32>, tensor<f32>) -> tensor<*xui8>
  return
}

// -----

func.func @dequantize_type(%x: tensor<2xi8>, %s: tensor<f32>) {
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.DequantizeLinear"(%x, %s) {output_dtype = 8 : i64} : (tensor<2xi8>, tensor<f32>) -> tensor<*xf32>
  return
}

// -----

func.func @random_type() {
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.RandomNormal"() {dtype = 8 : i64, shape = array<i64: 2>} : () -> tensor<*xf32>
  return
}

// -----

func.func @random_shape() {
  // expected-error @+1 {{expected sizes of at least 0 in shape, but got -2}}
  %0 = "onnx.RandomNormal"() {shape = array<i64: -2>} : () -> tensor<*xf32>
  return
}

// -----

func.func @multinomial_rank(%x: tensor<2xf32>) {
  // expected-error @+1 {{expected an input of rank 2, but got rank 1}}
  %0 = "onnx.Multinomial"(%x) : (tensor<2xf32>) -> tensor<*xi32>
  return
}

// -----

func.func @multinomial_size(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expected a sample_size of at least 0, but got -1}}
  %0 = "onnx.Multinomial"(%x) {sample_size = -1 : i64} : (tensor<2x3xf32>) -> tensor<*xi32>
  return
}

// -----

func.func @complex_axis(%x: tensor<1x8x2xf32>) {
  %a = onnx.Constant dense<2> : tensor<i64>
  // expected-error @+1 {{expected an axis before that of complex numbers, but got 2}}
  %0 = "onnx.DFT"(%x, %a) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<1x8x2xf32>, tensor<i64>) -> tensor<*xf32>
  return
}

// -----

func.func @signal_rank(%x: tensor<1x8xf32>) {
  %s = onnx.Constant dense<2> : tensor<i64>
  %l = onnx.Constant dense<4> : tensor<i64>
  // expected-error @+1 {{expected a signal of rank 3, but got rank 2}}
  %0 = "onnx.STFT"(%x, %s, %l) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<1x8xf32>, tensor<i64>, tensor<i64>) -> tensor<*xf32>
  return
}

// -----

func.func @frame_step(%x: tensor<1x8x1xf32>) {
  %s = onnx.Constant dense<0> : tensor<i64>
  %l = onnx.Constant dense<4> : tensor<i64>
  // expected-error @+1 {{expected a positive frame_step, but got 0}}
  %0 = "onnx.STFT"(%x, %s, %l) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<1x8x1xf32>, tensor<i64>, tensor<i64>) -> tensor<*xf32>
  return
}

// -----

func.func @mel_type() {
  %a = onnx.Constant dense<8> : tensor<i64>
  %b = onnx.Constant dense<16> : tensor<i64>
  %c = onnx.Constant dense<8000> : tensor<i64>
  %l = onnx.Constant dense<0.0> : tensor<f32>
  %h = onnx.Constant dense<4000.0> : tensor<f32>
  // expected-error @+1 {{expected a number as element type, but got ONNX data type 8}}
  %0 = "onnx.MelWeightMatrix"(%a, %b, %c, %l, %h) {output_datatype = 8 : i64} : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return
}

// -----

func.func @repeats(%x: tensor<2x3xf32>) {
  %r = onnx.Constant dense<[1, 2, 3]> : tensor<3xi64>
  // expected-error @+1 {{expected 2 repeats, but got 3}}
  %0 = "onnx.Tile"(%x, %r) : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @pads(%x: tensor<2x3xf32>, %a_p: tensor<3xi64>) {
  %p = "onnx.Identity"(%a_p) : (tensor<3xi64>) -> tensor<*xi64>
  // expected-error @+1 {{expected 4 pads, but got another number}}
  %0 = "onnx.Pad"(%x, %p) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x3xf32>, tensor<*xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @sizes(%x: tensor<2x3xf32>, %s: tensor<3xi64>) {
  // expected-error @+1 {{expected 2 sizes or scales, but got another number}}
  %0 = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 0, 1>} : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}
