// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// What shape inference refuses where ranks are not known before; verifiers say the same of types that are.

func.func @scalar(%a_x: tensor<f32>, %y: tensor<4x5xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<f32>) -> tensor<*xf32>
  // expected-error @+1 {{expected operands of rank 1 or more, but got a scalar}}
  %0 = "onnx.MatMul"(%x, %y) : (tensor<*xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @gemm_ranks(%a_x: tensor<2x3x4xf32>, %y: tensor<4x5xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x3x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected matrices, but got ranks 3 and 2}}
  %0 = "onnx.Gemm"(%x, %y) : (tensor<*xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @gemm_c(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>, %a_c: tensor<3x2x4xf32>) {
  %c = "onnx.Identity"(%a_c) : (tensor<3x2x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected C to broadcast to [2, 4], but got}}
  %0 = "onnx.Gemm"(%x, %y, %c) : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @term(%x: tensor<2x3x4xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{expected an operand for `ij`, but got one of rank 3}}
  %0 = "onnx.Einsum"(%x, %y) {equation = "ij,jk->ik"} : (tensor<2x3x4xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @letter(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{expected one size for `j`, but got two}}
  %0 = "onnx.Einsum"(%x, %y) {equation = "ij,jk->ik"} : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @recurrent(%a_x: tensor<2x4xf32>, %w: tensor<1x5x4xf32>, %r: tensor<1x5x5xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected X and R of rank 3, but got ranks 2 and 3}}
  %0 = "onnx.RNN"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>, hidden_size = 5 : i64} : (tensor<*xf32>, tensor<1x5x4xf32>, tensor<1x5x5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @directions(%x: tensor<3x2x4xf32>, %w: tensor<1x5x4xf32>, %a_r: tensor<2x5x5xf32>) {
  %r = "onnx.Identity"(%a_r) : (tensor<2x5x5xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected weights of 1 directions, but got 2}}
  %0 = "onnx.RNN"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>, hidden_size = 5 : i64} : (tensor<3x2x4xf32>, tensor<1x5x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @attention_rank(%q: tensor<1x4x8xf32>, %k: tensor<1x4x2x4xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected operands of rank 3, but got rank 4}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<1x4x8xf32>, tensor<1x4x2x4xf32>, tensor<1x4x8xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @attention_size(%q: tensor<1x4x7xf32>, %k: tensor<1x4x8xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected a size that 2 heads divide, but got 7}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<1x4x7xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @attention_heads(%q: tensor<1x4x6xf32>, %k: tensor<1x4x8xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected queries and keys of the same size of a head, but got 3 and 4}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<1x4x6xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @attention_state(%q: tensor<1x4x8xf32>, %k: tensor<1x4x8xf32>, %v: tensor<1x4x8xf32>, %s: tensor<1x4x4xf32>) {
  // expected-error @+1 {{expected a state of rank 4, but got rank 3}}
  %0 = "onnx.LinearAttention"(%q, %k, %v, %s) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @einsum_operands(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expected 2 operands as the equation says, but got 1}}
  %0 = "onnx.Einsum"(%x) {equation = "ij,jk->ik"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @batches(%x: tensor<2x4x3xf32>, %y: tensor<3x3x4xf32>) -> tensor<2x4x4xf32> {
  // expected-error @+1 {{has batch dimensions that do not broadcast}}
  %0 = nn.matmul %x, %y : (tensor<2x4x3xf32>, tensor<3x3x4xf32>) -> tensor<2x4x4xf32>
  return %0 : tensor<2x4x4xf32>
}
