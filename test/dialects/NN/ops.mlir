// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s --mlir-print-op-generic | lathe-opt | FileCheck %s

// CHECK-LABEL: func.func @linear
// CHECK: nn.linear %{{.*}}, %{{.*}} extras(%{{.*}}) epilogue {
// CHECK: nn.yield %{{.*}} : f32
// CHECK: } : (tensor<?x64xf32>, tensor<64x36xf32>, tensor<36xf32>) -> tensor<?x36xf32>
// CHECK: nn.linear %{{.*}}, %{{.*}} : (tensor<?x64xf32>, tensor<3x64x16xf32>) -> tensor<?x36xf32>
func.func @linear(%x: tensor<?x64xf32>, %w: tensor<64x36xf32>, %p: tensor<3x64x16xf32>, %bias: tensor<36xf32>) -> (tensor<?x36xf32>, tensor<?x36xf32>) {
  %0 = nn.linear %x, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<?x64xf32>, tensor<64x36xf32>, tensor<36xf32>) -> tensor<?x36xf32>
  %1 = nn.linear %x, %p : (tensor<?x64xf32>, tensor<3x64x16xf32>) -> tensor<?x36xf32>
  return %0, %1 : tensor<?x36xf32>, tensor<?x36xf32>
}

// CHECK-LABEL: func.func @sparse_linear
// CHECK: nn.sparse_linear %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} extras(%{{.*}}) epilogue {
// CHECK: } : (tensor<?x64xf32>, tensor<230xf32>, tensor<230xi8>, tensor<37xi32>, tensor<36xf32>) -> tensor<?x36xf32>
func.func @sparse_linear(%x: tensor<?x64xf32>, %v: tensor<230xf32>, %c: tensor<230xi8>, %p: tensor<37xi32>, %bias: tensor<36xf32>) -> tensor<?x36xf32> {
  %0 = nn.sparse_linear %x, %v, %c, %p extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<?x64xf32>, tensor<230xf32>, tensor<230xi8>, tensor<37xi32>, tensor<36xf32>) -> tensor<?x36xf32>
  return %0 : tensor<?x36xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK: nn.matmul %{{.*}}, %{{.*}} : (tensor<2x3x4x5xf32>, tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32>
// CHECK: nn.matmul %{{.*}}, %{{.*}} {packed} :
func.func @matmul(%a: tensor<2x3x4x5xf32>, %b: tensor<3x5x6xf32>, %p: tensor<3x1x5x16xf32>) -> (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>) {
  %0 = nn.matmul %a, %b : (tensor<2x3x4x5xf32>, tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32>
  %1 = nn.matmul %a, %p {packed} : (tensor<2x3x4x5xf32>, tensor<3x1x5x16xf32>) -> tensor<2x3x4x6xf32>
  return %0, %1 : tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>
}

// CHECK-LABEL: func.func @images
// CHECK: nn.conv %{{.*}}, %{{.*}} outs(%{{.*}}) {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} :
// CHECK: nn.pool max %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} :
// CHECK: nn.pool avg %{{.*}} {count_include_pad, kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>} :
func.func @images(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x6xf32>, %init: tensor<1x4x4x6xf32>) -> (tensor<1x2x2x6xf32>, tensor<1x4x4x6xf32>) {
  %0 = nn.conv %x, %w outs(%init) {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x4xf32>, tensor<3x3x4x6xf32>, tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x4x4x6xf32>) -> tensor<1x2x2x6xf32>
  %2 = nn.pool avg %0 {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, count_include_pad} : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32>
  return %1, %2 : tensor<1x2x2x6xf32>, tensor<1x4x4x6xf32>
}

// CHECK-LABEL: func.func @tokens
// CHECK: nn.norm layer %{{.*}} scale(%{{.*}}) bias(%{{.*}}) {epsilon = {{.*}} : f32} :
// CHECK: nn.norm rms %{{.*}} {epsilon = {{.*}} : f32} :
// CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%{{.*}}) {causal, heads_first, scale = 5.000000e-01 : f32} :
// CHECK: nn.softmax %{{.*}} {log} :
func.func @tokens(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %q: tensor<1x4x?x8xf32>, %k: tensor<1x?x2x8xf32>, %m: tensor<?x?xi1>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<1x4x?x8xf32>) {
  %0 = nn.norm layer %x scale(%s) bias(%s) {epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = nn.norm rms %0 {epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = nn.attention %q, %k, %k mask(%m) {scale = 0.5 : f32, causal, heads_first} : (tensor<1x4x?x8xf32>, tensor<1x?x2x8xf32>, tensor<1x?x2x8xf32>, tensor<?x?xi1>) -> tensor<1x4x?x8xf32>
  %3 = nn.softmax %1 {log} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1, %3, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<1x4x?x8xf32>
}

// CHECK-LABEL: func.func @memrefs
// CHECK: nn.softmax %{{.*}} outs(%{{.*}}) : (memref<2x8xf32>, memref<2x8xf32>) -> ()
func.func @memrefs(%x: memref<2x8xf32>, %y: memref<2x8xf32>) {
  nn.softmax %x outs(%y) : (memref<2x8xf32>, memref<2x8xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @fewer_tokens
// CHECK: nn.token_merge %{{.*}} metric(%{{.*}}) {protect_class, r = 2 : i64} : (tensor<?x9x8xf32>, tensor<?x9x2x4xf32>) ->
// CHECK: nn.token_prune %{{.*}} query(%{{.*}}) key(%{{.*}}) {kept = 3 : i64, scale = 5.000000e-01 : f32} :
// CHECK: nn.token_prune %{{.*}} query(%{{.*}}) key(%{{.*}}) sizes(%{{.*}}) {kept = 3 : i64, kv_heads_first, scale = 5.000000e-01 : f32} :
// CHECK: nn.token_prune %{{.*}} query(%{{.*}}) key(%{{.*}}) outs(%{{.*}}) {kept = 3 : i64, scale = 5.000000e-01 : f32} :
// CHECK: nn.token_prune %{{.*}} query(%{{.*}}) key(%{{.*}}) sizes(%{{.*}}) outs(%{{.*}}, %{{.*}}) {kept = 3 : i64, scale = 5.000000e-01 : f32} :
func.func @fewer_tokens(%x: tensor<?x9x8xf32>, %k: tensor<?x9x2x4xf32>, %h: tensor<?x2x9x4xf32>, %n: tensor<?x9xf32>, %m: memref<1x9x8xf32>, %c: memref<1x9x2x4xf32>, %z: memref<1x9xf32>, %y: memref<1x5x8xf32>, %o: memref<1x5xf32>) {
  %0:2 = nn.token_merge %x metric(%k) {r = 2 : i64, protect_class} : (tensor<?x9x8xf32>, tensor<?x9x2x4xf32>) -> (tensor<?x7x8xf32>, tensor<?x7xf32>)
  %1 = nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 0.5 : f32} : (tensor<?x9x8xf32>, tensor<?x9x2x4xf32>, tensor<?x9x2x4xf32>) -> tensor<?x5x8xf32>
  %2:2 = nn.token_prune %x query(%k) key(%h) sizes(%n) {kept = 3 : i64, kv_heads_first, scale = 0.5 : f32} : (tensor<?x9x8xf32>, tensor<?x9x2x4xf32>, tensor<?x2x9x4xf32>, tensor<?x9xf32>) -> (tensor<?x5x8xf32>, tensor<?x5xf32>)
  nn.token_prune %m query(%c) key(%c) outs(%y) {kept = 3 : i64, scale = 0.5 : f32} : (memref<1x9x8xf32>, memref<1x9x2x4xf32>, memref<1x9x2x4xf32>, memref<1x5x8xf32>) -> ()
  nn.token_prune %m query(%c) key(%c) sizes(%z) outs(%y, %o) {kept = 3 : i64, scale = 0.5 : f32} : (memref<1x9x8xf32>, memref<1x9x2x4xf32>, memref<1x9x2x4xf32>, memref<1x9xf32>, memref<1x5x8xf32>, memref<1x5xf32>) -> ()
  return
}
