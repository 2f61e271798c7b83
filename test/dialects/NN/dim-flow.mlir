// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @linear(%x: tensor<?x64xf32>, %w: tensor<64x36xf32>, %p: tensor<9x16x4x4xf32>, %bias: tensor<36xf32>) {
  // expected-remark@+3 {{operand 0 to result 0: same(0) reduced}}
  // expected-remark@+2 {{operand 1 to result 0: none same(1)}}
  // expected-remark@+1 {{operand 2 to result 0: same(1)}}
  %0 = nn.linear %x, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    nn.yield %b : f32
  } : (tensor<?x64xf32>, tensor<64x36xf32>, tensor<36xf32>) -> tensor<?x36xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: split(1) none split(1) none}}
  %1 = nn.linear %x, %p : (tensor<?x64xf32>, tensor<9x16x4x4xf32>) -> tensor<?x36xf32>
  return
}

func.func @sparse(%x: tensor<?x64xf32>, %v: tensor<230xf32>, %c: tensor<230xi8>, %p: tensor<37xi32>, %bias: tensor<36xf32>) {
  // expected-remark@+5 {{operand 0 to result 0: same(0) reduced}}
  // expected-remark@+4 {{operand 1 to result 0: none}}
  // expected-remark@+3 {{operand 2 to result 0: none}}
  // expected-remark@+2 {{operand 3 to result 0: none}}
  // expected-remark@+1 {{operand 4 to result 0: same(1)}}
  %0 = nn.sparse_linear %x, %v, %c, %p extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    nn.yield %b : f32
  } : (tensor<?x64xf32>, tensor<230xf32>, tensor<230xi8>, tensor<37xi32>, tensor<36xf32>) -> tensor<?x36xf32>
  return
}

func.func @matmul(%a: tensor<2x3x4x5xf32>, %b: tensor<1x5x6xf32>, %p: tensor<3x1x5x16xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) same(2) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: broadcast(1) reduced same(3)}}
  %0 = nn.matmul %a, %b : (tensor<2x3x4x5xf32>, tensor<1x5x6xf32>) -> tensor<2x3x4x6xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) same(2) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: same(1) split(3) reduced split(3)}}
  %1 = nn.matmul %a, %p {packed} : (tensor<2x3x4x5xf32>, tensor<3x1x5x16xf32>) -> tensor<2x3x4x6xf32>
  return
}

func.func @images(%x: tensor<1x8x8x4xf32>, %w: tensor<3x1x4x6xf32>, %d: tensor<3x3x1x4xf32>, %g: tensor<3x3x2x4xf32>, %p: tensor<1x3x3x4x16xf32>, %init: tensor<1x6x8x6xf32>) {
  // expected-remark@+3 {{operand 0 to result 0: same(0) windowed(1) same(2) reduced}}
  // expected-remark@+2 {{operand 1 to result 0: none none none same(3)}}
  // expected-remark@+1 {{operand 2 to result 0: same(0) same(1) same(2) same(3)}}
  %0 = nn.conv %x, %w outs(%init) : (tensor<1x8x8x4xf32>, tensor<3x1x4x6xf32>, tensor<1x6x8x6xf32>) -> tensor<1x6x8x6xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1) windowed(2) same(3)}}
  // expected-remark@+1 {{operand 1 to result 0: none none none same(3)}}
  %1 = nn.conv %x, %d {group = 4 : i64} : (tensor<1x8x8x4xf32>, tensor<3x3x1x4xf32>) -> tensor<1x6x6x4xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1) windowed(2) mixed(3)}}
  // expected-remark@+1 {{operand 1 to result 0: none none none same(3)}}
  %2 = nn.conv %x, %g {group = 2 : i64} : (tensor<1x8x8x4xf32>, tensor<3x3x2x4xf32>) -> tensor<1x6x6x4xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1) windowed(2) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: split(3) none none none split(3)}}
  %3 = nn.conv %x, %p : (tensor<1x8x8x4xf32>, tensor<1x3x3x4x16xf32>) -> tensor<1x6x6x12xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) windowed(1) windowed(2) same(3)}}
  %4 = nn.pool max %x {kernel = array<i64: 2, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x7x7x4xf32>
  return
}

func.func @attention(%q: tensor<2x4x?x8xf32>, %k: tensor<2x?x2x8xf32>, %v: tensor<2x?x4x8xf32>, %m: tensor<?x?xi1>) {
  // expected-remark@+4 {{operand 0 to result 0: same(0) same(1) same(2) reduced}}
  // expected-remark@+3 {{operand 1 to result 0: same(0) reduced split(1) reduced}}
  // expected-remark@+2 {{operand 2 to result 0: same(0) reduced same(1) same(3)}}
  // expected-remark@+1 {{operand 3 to result 0: same(2) reduced}}
  %0 = nn.attention %q, %k, %v mask(%m) {scale = 0.5 : f32, heads_first} : (tensor<2x4x?x8xf32>, tensor<2x?x2x8xf32>, tensor<2x?x4x8xf32>, tensor<?x?xi1>) -> tensor<2x4x?x8xf32>
  return
}

func.func @rows(%x: tensor<?x8xf32>, %s: tensor<8xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) mixed(1)}}
  // expected-remark@+1 {{operand 1 to result 0: same(1)}}
  %0 = nn.norm rms %x scale(%s) {epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) mixed(1)}}
  %1 = nn.softmax %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// In memref form the destination is the result.
func.func @memrefs(%x: memref<2x8xf32>, %y: memref<2x8xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) mixed(1)}}
  // expected-remark@+1 {{operand 1 to result 0: same(0) same(1)}}
  nn.softmax %x outs(%y) : (memref<2x8xf32>, memref<2x8xf32>) -> ()
  return
}
