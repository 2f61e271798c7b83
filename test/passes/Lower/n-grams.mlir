// RUN: lathe-opt %s --split-input-file --verify-diagnostics -lower-onnx-to-linalg | FileCheck %s

// Counts for each n-gram of the pool, then each at its place.
// CHECK-LABEL: func.func @bigrams
// CHECK: %[[POOL:.*]] = arith.constant dense<[5, 5, 5, 6, 7, 8]> : tensor<6xi64>
// CHECK: %[[COUNTS:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]{{.*}}outs(%{{.*}} : tensor<2x3xf32>)
// CHECK-COUNT-4: tensor.extract %[[POOL]]
// CHECK: tensor.insert_slice %[[COUNTS]] into %{{.*}}[0, 2] [2, 3]
// CHECK: arith.constant dense<[-1, 2, 0, 1, 4, 3]> : tensor<6xi64>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x6xf32>)
func.func @bigrams(%x: tensor<2x6xi32>) -> tensor<2x6xf32> {
  %0 = "onnx.TfIdfVectorizer"(%x) {min_gram_length = 2 : i64, max_gram_length = 2 : i64, max_skip_count = 1 : i64, mode = "TF", ngram_counts = array<i64: 0, 2>, ngram_indexes = array<i64: 2, 3, 1, 5, 4>, pool_int64s = array<i64: 2, 3, 5, 5, 5, 6, 7, 8>} : (tensor<2x6xi32>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----

func.func @twice(%x: tensor<6xi32>) -> tensor<1xf32> {
  // expected-error @below {{expected a place of its own for each n-gram, but got two at 0}}
  %0 = "onnx.TfIdfVectorizer"(%x) {min_gram_length = 1 : i64, max_gram_length = 1 : i64, max_skip_count = 0 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0, 0>, pool_int64s = array<i64: 2, 3>} : (tensor<6xi32>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

func.func @pool(%x: tensor<6xi32>) -> tensor<1xf32> {
  // expected-error @below {{expected ngram_counts that divide the pool into n-grams, but got others}}
  %0 = "onnx.TfIdfVectorizer"(%x) {min_gram_length = 2 : i64, max_gram_length = 2 : i64, max_skip_count = 0 : i64, mode = "TF", ngram_counts = array<i64: 0, 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 2, 3, 4>} : (tensor<6xi32>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}
