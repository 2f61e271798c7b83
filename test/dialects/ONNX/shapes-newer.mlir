// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(import-infer-shapes{annotate=true}))' --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @signal
// CHECK: "onnx.DFT"{{.*}}onnx.shape = {{\[}}["n", "17", "2"]]
// CHECK: "onnx.DFT"{{.*}} -> tensor<4x30x1xf32>
// CHECK: "onnx.STFT"{{.*}}onnx.shape = {{\[}}["n", "5", "9", "2"]]
// CHECK: "onnx.MelWeightMatrix"{{.*}} -> tensor<9x8xf32>
func.func @signal(%x: tensor<?x32x1xf32> {onnx.dims = ["n", "", ""]}, %c: tensor<4x16x2xf32>, %rate: tensor<i64>, %low: tensor<f32>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %one = onnx.Constant dense<1> : tensor<i64>
  %four = onnx.Constant dense<4> : tensor<i64>
  %eight = onnx.Constant dense<8> : tensor<i64>
  %sixteen = onnx.Constant dense<16> : tensor<i64>
  %0 = "onnx.DFT"(%x, %one) {onesided = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<?x32x1xf32>, tensor<i64>) -> tensor<*xf32>
  %1 = "onnx.DFT"(%c) {onesided = 1 : i64, inverse = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<4x16x2xf32>) -> tensor<*xf32>
  %2 = "onnx.STFT"(%x, %four, %sixteen) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<?x32x1xf32>, tensor<i64>, tensor<i64>) -> tensor<*xf32>
  %3 = "onnx.MelWeightMatrix"(%eight, %sixteen, %rate, %low, %low) : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return %0, %1, %2, %3 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @regions
// CHECK: "onnx.MaxUnpool"{{.*}} -> tensor<1x2x6x8xf32>
// CHECK: "onnx.Col2Im"{{.*}} -> tensor<1x5x5x5xf32>
// CHECK: "onnx.MaxRoiPool"{{.*}}onnx.shape = {{\[}}["r", "2", "2", "2"]]
// CHECK: "onnx.AffineGrid"{{.*}} -> tensor<1x4x6x2xf32>
// CHECK: "onnx.DeformConv"{{.*}} -> tensor<1x4x2x3xf32>
func.func @regions(%x: tensor<1x2x3x4xf32>, %i: tensor<1x2x3x4xi64>, %blocks: tensor<1x20x5xf32>, %rois: tensor<?x5xf32> {onnx.dims = ["r", ""]},
                   %theta: tensor<1x2x3xf32>, %w: tensor<4x2x2x2xf32>, %offset: tensor<1x8x2x3xf32>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %image = onnx.Constant dense<[5, 5]> : tensor<2xi64>
  %block = onnx.Constant dense<[1, 4]> : tensor<2xi64>
  %size = onnx.Constant dense<[1, 3, 4, 6]> : tensor<4xi64>
  %0 = "onnx.MaxUnpool"(%x, %i) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xi64>) -> tensor<*xf32>
  %1 = "onnx.Col2Im"(%blocks, %image, %block) : (tensor<1x20x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<*xf32>
  %2 = "onnx.MaxRoiPool"(%x, %rois) {pooled_shape = array<i64: 2, 2>} : (tensor<1x2x3x4xf32>, tensor<?x5xf32>) -> tensor<*xf32>
  %3 = "onnx.AffineGrid"(%theta, %size) : (tensor<1x2x3xf32>, tensor<4xi64>) -> tensor<*xf32>
  %4 = "onnx.DeformConv"(%x, %w, %offset) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<1x2x3x4xf32>, tensor<4x2x2x2xf32>, tensor<1x8x2x3xf32>) -> tensor<*xf32>
  return %0, %1, %2, %3, %4 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @others
// CHECK: "onnx.BitCast"{{.*}} -> tensor<?xi32>
// CHECK: "onnx.RandomNormal"{{.*}} -> tensor<2x3xf16>
// CHECK: "onnx.Bernoulli"{{.*}} -> tensor<?xi1>
// CHECK: "onnx.TfIdfVectorizer"{{.*}} -> tensor<4xf32>
// CHECK: "onnx.LinearAttention"{{.*}}onnx.shape = {{\[}}["n", "t", "24"], ["n", "2", "4", "6"]]
func.func @others(%x: tensor<?xf32> {onnx.dims = ["k"]}, %words: tensor<9xi64>, %q: tensor<?x?x16xf32> {onnx.dims = ["n", "t", ""]},
                  %k: tensor<?x?x8xf32> {onnx.dims = ["n", "t", ""]}, %v: tensor<?x?x12xf32> {onnx.dims = ["n", "t", ""]})
    -> (tensor<*xi32>, tensor<*xf16>, tensor<*xi1>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %0 = "onnx.BitCast"(%x) {to = 6 : i64} : (tensor<?xf32>) -> tensor<*xi32>
  %1 = "onnx.RandomNormal"() {shape = array<i64: 2, 3>, dtype = 10 : i64} : () -> tensor<*xf16>
  %2 = "onnx.Bernoulli"(%x) {dtype = 9 : i64} : (tensor<?xf32>) -> tensor<*xi1>
  %3 = "onnx.TfIdfVectorizer"(%words) {min_gram_length = 1 : i64, max_gram_length = 1 : i64, max_skip_count = 0 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 3, 1>, pool_int64s = array<i64: 5, 7>} : (tensor<9xi64>) -> tensor<*xf32>
  %4:2 = "onnx.LinearAttention"(%q, %k, %v) {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, update_rule = "linear", operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<?x?x16xf32>, tensor<?x?x8xf32>, tensor<?x?x12xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0, %1, %2, %3, %4#0, %4#1 : tensor<*xi32>, tensor<*xf16>, tensor<*xi1>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @width(%x: tensor<4xf32>) -> tensor<*xi64> {
  // expected-error @below {{expected a type of 32 bits, but got 'i64'}}
  %0 = "onnx.BitCast"(%x) {to = 7 : i64} : (tensor<4xf32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

func.func @heads(%q: tensor<1x3x24xf32>) -> tensor<*xf32> {
  // expected-error @below {{expected q_num_heads to be a multiple of kv_num_heads, but got 3 and 2}}
  %0 = "onnx.LinearAttention"(%q, %q, %q) {q_num_heads = 3 : i64, kv_num_heads = 2 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<1x3x24xf32>, tensor<1x3x24xf32>, tensor<1x3x24xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @offsets(%x: tensor<1x2x3x4xf32>, %w: tensor<4x2x2x2xf32>, %offset: tensor<1x4x2x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{expected offsets and masks of 4 elements for each place of the result and 2 dimensions, but got others}}
  %0 = "onnx.DeformConv"(%x, %w, %offset) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<1x2x3x4xf32>, tensor<4x2x2x2xf32>, tensor<1x4x2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
