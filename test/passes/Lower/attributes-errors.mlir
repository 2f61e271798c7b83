// RUN: lathe-opt %s -split-input-file -verify-diagnostics -lower-onnx-to-linalg

// Attributes that verifiers take, and lowerings do not.

func.func @resize_region(%x: tensor<1x2x4x4xf32>) {
  %s = onnx.Constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  // expected-error @+1 {{expected a region for tf_crop_and_resize, but got none}}
  %0 = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>, coordinate_transformation_mode = "tf_crop_and_resize"} : (tensor<1x2x4x4xf32>, tensor<4xf32>) -> tensor<1x2x8x8xf32>
  return
}

// -----

func.func @grid_mode(%x: tensor<1x2x4x4xf32>, %g: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{expected mode bilinear, nearest or bicubic, but got area}}
  %0 = "onnx.GridSample"(%x, %g) {mode = "area"} : (tensor<1x2x4x4xf32>, tensor<1x4x4x2xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @grid_padding(%x: tensor<1x2x4x4xf32>, %g: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{expected padding_mode zeros, border or reflection, but got wrap}}
  %0 = "onnx.GridSample"(%x, %g) {mode = "bilinear", padding_mode = "wrap"} : (tensor<1x2x4x4xf32>, tensor<1x4x4x2xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @regions(%x: tensor<1x2x4x4xf32>, %r: tensor<3x4xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{expected mode avg or max, but got sum}}
  %0 = "onnx.RoiAlign"(%x, %r, %i) {mode = "sum"} : (tensor<1x2x4x4xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x1x1xf32>
  return
}

// -----

func.func @region_places(%x: tensor<1x2x4x4xf32>, %r: tensor<3x4xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{expected coordinate_transformation_mode half_pixel or output_half_pixel, but got pixel}}
  %0 = "onnx.RoiAlign"(%x, %r, %i) {coordinate_transformation_mode = "pixel"} : (tensor<1x2x4x4xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x1x1xf32>
  return
}

// -----

func.func @scatter(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{expected reduction none, add, mul, max or min, but got sum}}
  %0 = "onnx.ScatterElements"(%x, %i, %u) {reduction = "sum"} : (tensor<4xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @norm_order(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{expected p 1 or 2, but got 3}}
  %0 = "onnx.LpNormalization"(%x) {axis = 1 : i64, p = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @pool_order(%x: tensor<1x2x4x4xf32>) {
  // expected-error @+1 {{expected a positive p, but got 0}}
  %0 = "onnx.LpPool"(%x) {kernel_shape = array<i64: 2, 2>, p = 0 : i64} : (tensor<1x2x4x4xf32>) -> tensor<1x2x3x3xf32>
  return
}

// -----

func.func @training(%x: tensor<1x2x4x4xf32>, %s: tensor<2xf32>, %b: tensor<2xf32>, %m: tensor<2xf32>, %v: tensor<2xf32>) {
  // expected-error @+1 {{in training mode is not supported}}
  %0 = "onnx.BatchNormalization"(%x, %s, %b, %m, %v) {resultSegmentSizes = array<i32: 1, 0, 0>, training_mode = 1 : i64} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @log_sum(%x: tensor<2x4xi32>) {
  // expected-error @+1 {{on integers is not supported}}
  %0 = "onnx.ReduceLogSumExp"(%x) : (tensor<2x4xi32>) -> tensor<1x1xi32>
  return
}

// -----

func.func @grams_mode(%x: tensor<3xi64>) {
  // expected-error @+1 {{expected mode TF, IDF or TFIDF, but got COUNT}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "COUNT", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 1>} : (tensor<3xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @grams_length(%x: tensor<3xi64>) {
  // expected-error @+1 {{expected n-grams of 1 <= min_gram_length <= max_gram_length <= 1, but got 1 to 2}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 2 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 1>} : (tensor<3xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @grams_indexes(%x: tensor<3xi64>) {
  // expected-error @+1 {{expected an index and a weight for each of 2 n-grams, but got}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 1, 2>} : (tensor<3xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @rule(%q: tensor<1x4x8xf32>, %k: tensor<1x4x8xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected update_rule linear, gated, delta or gated_delta, but got none}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64, update_rule = "none"} : (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @decay(%q: tensor<1x4x8xf32>, %k: tensor<1x4x8xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected decay and beta as update_rule gated needs them, but got fewer}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64, update_rule = "gated"} : (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @recurrent(%x: tensor<3x2x4xf64>, %w: tensor<1x5x4xf64>, %r: tensor<1x5x5xf64>) {
  // expected-error @+1 {{expected elements of f32, but got}}
  %0 = "onnx.RNN"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>, hidden_size = 5 : i64} : (tensor<3x2x4xf64>, tensor<1x5x4xf64>, tensor<1x5x5xf64>) -> tensor<3x1x2x5xf64>
  return
}

// -----

func.func @data_size(%x: tensor<2x4xf32>, %a: tensor<1xi64>) {
  // expected-error @+1 {{expected axes that are known at compile time}}
  %0 = "onnx.ReduceSum"(%x, %a) : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<1x4xf32>
  return
}

// -----

func.func @slice_axes(%x: tensor<4x3xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>, %a: tensor<1xi64>) {
  // expected-error @+1 {{expected starts, axes and steps that are known at compile time}}
  %0 = "onnx.Slice"(%x, %s, %e, %a) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<4x3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @tile(%x: tensor<4x3xf32>, %r: tensor<2xi64>) {
  // expected-error @+1 {{expected repeats that are known at compile time}}
  %0 = "onnx.Tile"(%x, %r) : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @filled(%s: tensor<1xi64>) {
  // expected-error @+1 {{expected a value of one element}}
  %0 = "onnx.ConstantOfShape"(%s) {value = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<1xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @constant() {
  // expected-error @+1 {{has elements that are not supported}}
  %0 = onnx.Constant dense<(1.0, 2.0)> : tensor<2xcomplex<f32>>
  return
}

// -----

func.func @strings(%x: tensor<3xi64>) {
  // expected-error @+1 {{on strings is not supported}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_strings = ["a"]} : (tensor<3xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @scales(%x: tensor<2x3xf32>, %s: tensor<1x1x1xf32>) {
  // expected-error @+1 {{expected one for the tensor, one for each slice, or blocks, but got scales of rank 3}}
  %0 = "onnx.QuantizeLinear"(%x, %s) : (tensor<2x3xf32>, tensor<1x1x1xf32>) -> tensor<2x3xui8>
  return
}

// -----

func.func @activations(%x: tensor<3x2x4xf32>, %w: tensor<1x5x4xf32>, %r: tensor<1x5x5xf32>) {
  // expected-error @+1 {{expected 1 activations, but got 2}}
  %0 = "onnx.RNN"(%x, %w, %r) {activations = ["Tanh", "Relu"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>, hidden_size = 5 : i64} : (tensor<3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x5x5xf32>) -> tensor<3x1x2x5xf32>
  return
}

// -----

func.func @region(%x: tensor<1x2x4x4xf32>, %r: tensor<4xf32>) {
  %s = onnx.Constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  // expected-error @+1 {{expected a region of 8 numbers}}
  %0 = "onnx.Resize"(%x, %r, %s) {operandSegmentSizes = array<i32: 1, 1, 1, 0>, coordinate_transformation_mode = "tf_crop_and_resize"} : (tensor<1x2x4x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x2x8x8xf32>
  return
}

// -----

func.func @power(%x: tensor<4xf32>, %y: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{has element types that are not supported}}
  %0 = "onnx.Pow"(%x, %y) : (tensor<4xf32>, tensor<4xcomplex<f32>>) -> tensor<4xf32>
  return
}

// -----

func.func @non_zero(%x: tensor<6x2xf32>) {
  // expected-error @+1 {{expected a declared result of 2 rows}}
  %0 = "onnx.NonZero"(%x) : (tensor<6x2xf32>) -> tensor<3x4xi64>
  return
}

// -----

func.func @boxes(%b: tensor<1x5x4xf32>, %s: tensor<1x1x5xf32>) {
  // expected-error @+1 {{expected a declared result of 3 columns}}
  %0 = "onnx.NonMaxSuppression"(%b, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<1x5x4xf32>, tensor<1x1x5xf32>) -> tensor<4x2xi64>
  return
}

// -----

func.func @quantize(%x: tensor<2x4xf32>) -> tensor<2x4x!quant.uniform<u8:f32:1, {0.5, 0.5, 0.5, 0.5}>> {
  // expected-error @+1 {{expected one scale for the tensor and f32 elements}}
  %0 = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!quant.uniform<u8:f32:1, {0.5, 0.5, 0.5, 0.5}>>
  return %0 : tensor<2x4x!quant.uniform<u8:f32:1, {0.5, 0.5, 0.5, 0.5}>>
}

// -----

func.func @dequantize(%x: tensor<2x4x!quant.uniform<u8:f32:1, {0.5, 0.5, 0.5, 0.5}>>) -> tensor<2x4xf32> {
  // expected-error @+1 {{expected one scale for the tensor and f32 elements}}
  %0 = quant.dcast %x : tensor<2x4x!quant.uniform<u8:f32:1, {0.5, 0.5, 0.5, 0.5}>> to tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// expected-error @+1 {{expected a function of one block}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}
