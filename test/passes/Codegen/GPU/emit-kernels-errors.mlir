// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-gpu-emit-kernels))' -split-input-file -verify-diagnostics

// Panels are for the vectors of a CPU.
func.func @packed(%x: memref<7x5xf32>, %w: memref<1x5x16xf32>, %y: memref<7x3xf32>) {
  // expected-error @below {{'nn.linear' op expected a weight of rank 2, but got 'memref<1x5x16xf32>'}}
  nn.linear %x, %w outs(%y) : (memref<7x5xf32>, memref<1x5x16xf32>, memref<7x3xf32>) -> ()
  return
}

// -----

// Beyond the borders all is zero; another zero point must be there to be read.
func.func @padded(%x: memref<1x8x8x4xi8>, %w: memref<3x3x4x4xi8>, %y: memref<1x8x8x4xi32>) {
  // expected-error @below {{'nn.conv' op expected padding with 7 to be in the input}}
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>, pad_value = 7 : i64} : (memref<1x8x8x4xi8>, memref<3x3x4x4xi8>, memref<1x8x8x4xi32>) -> ()
  return
}

// -----

func.func @doubles(%x: memref<7x16xf64>, %y: memref<7x16xf64>) {
  // expected-error @below {{'nn.softmax' op expected f32, bf16 or f16, but got 'memref<7x16xf64>'}}
  nn.softmax %x outs(%y) : (memref<7x16xf64>, memref<7x16xf64>) -> ()
  return
}

// -----

func.func @tokens(%x: memref<1x9x8xf64>, %m: memref<1x9x8xf32>, %y: memref<1x7x8xf64>, %n: memref<1x7xf32>) {
  // expected-error @below {{'nn.token_merge' op expected f32, bf16 or f16, but got 'memref<1x9x8xf64>'}}
  nn.token_merge %x metric(%m) outs(%y, %n) {r = 2 : i64}
    : (memref<1x9x8xf64>, memref<1x9x8xf32>, memref<1x7x8xf64>, memref<1x7xf32>) -> ()
  return
}

// -----

func.func @pruned(%x: memref<1x9x8xf32>, %q: memref<1x9x1x8xf64>, %k: memref<1x9x1x8xf64>, %y: memref<1x6x8xf32>) {
  // expected-error @below {{'nn.token_prune' op expected f32, bf16 or f16, but got 'memref<1x9x1x8xf64>'}}
  nn.token_prune %x query(%q) key(%k) outs(%y) {kept = 4 : i64, scale = 1.0 : f32}
    : (memref<1x9x8xf32>, memref<1x9x1x8xf64>, memref<1x9x1x8xf64>, memref<1x6x8xf32>) -> ()
  return
}

// -----

// What only a CPU has.
func.func @sparse(%x: memref<4x8xf32>, %v: memref<3xf32>, %r: memref<3xi8>, %s: memref<5xi32>, %y: memref<4x4xf32>) {
  // expected-error @below {{'nn.sparse_linear' op has no kernel for this target}}
  nn.sparse_linear %x, %v, %r, %s outs(%y) : (memref<4x8xf32>, memref<3xf32>, memref<3xi8>, memref<5xi32>, memref<4x4xf32>) -> ()
  return
}

// -----

func.func @pool(%x: memref<1x4x4x8xf64>, %y: memref<1x2x2x8xf64>) {
  // expected-error @below {{expected f32, bf16 or f16, or i8 for a maximum, but got 'f64'}}
  nn.pool max %x outs(%y) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (memref<1x4x4x8xf64>, memref<1x2x2x8xf64>) -> ()
  return
}

// -----

func.func @packed(%x: memref<4x8xf32>, %w: memref<1x8x16xf32>, %y: memref<4x16xf32>) {
  // expected-error @below {{expected a right operand in rows}}
  nn.matmul %x, %w outs(%y) {packed} : (memref<4x8xf32>, memref<1x8x16xf32>, memref<4x16xf32>) -> ()
  return
}
