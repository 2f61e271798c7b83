// RUN: lathe-opt %s -split-input-file -verify-diagnostics -codegen-emit-kernels

// What kernels demand of the layouts and types that passes before them choose.

!gapped = memref<1x4x4x8xf32, strided<[256, 64, 16, 2]>>

func.func @conv_input(%x: !gapped, %w: memref<1x1x1x8x16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @+1 {{expected contiguous channels}}
  nn.conv %x, %w outs(%y) : (!gapped, memref<1x1x1x8x16xf32>, memref<1x4x4x16xf32>) -> ()
  return
}

// -----

func.func @conv_weight(%x: memref<1x4x4x8xf32>, %w: memref<1x1x8x16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @+1 {{expected a packed weight of static shape, but got 'memref<1x1x8x16xf32>'}}
  nn.conv %x, %w outs(%y) : (memref<1x4x4x8xf32>, memref<1x1x8x16xf32>, memref<1x4x4x16xf32>) -> ()
  return
}

// -----

func.func @conv_panels(%x: memref<1x4x4x8xf32>, %w: memref<2x1x1x8x12xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @+1 {{expected panels of whole vectors of 16 columns, but got 12}}
  nn.conv %x, %w outs(%y) : (memref<1x4x4x8xf32>, memref<2x1x1x8x12xf32>, memref<1x4x4x16xf32>) -> ()
  return
}

// -----

func.func @conv_words(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x16x4xi8, strided<[256, 256, 256, 128, 8, 1]>>, %y: memref<1x4x4x16xi32>) {
  // expected-error @+1 {{expected a contiguous weight, but got}}
  nn.conv %x, %w outs(%y)
    : (memref<1x4x4x8xi8>, memref<1x1x1x2x16x4xi8, strided<[256, 256, 256, 128, 8, 1]>>, memref<1x4x4x16xi32>) -> ()
  return
}

// -----

!gapped = memref<1x4x4x8xf32, strided<[256, 64, 16, 2]>>

func.func @depthwise(%x: !gapped, %w: memref<1x1x1x8xf32>, %y: memref<1x4x4x8xf32>) {
  // expected-error @+1 {{expected contiguous channels}}
  nn.conv %x, %w outs(%y) {group = 8 : i64} : (!gapped, memref<1x1x1x8xf32>, memref<1x4x4x8xf32>) -> ()
  return
}

// -----

func.func @matmul_types(%a: memref<4x8xbf16>, %b: memref<8x16xbf16>, %y: memref<4x16xf32>) {
  // expected-error @+1 {{expected operands of f32, but got 'bf16' and 'bf16'}}
  nn.matmul %a, %b outs(%y) : (memref<4x8xbf16>, memref<8x16xbf16>, memref<4x16xf32>) -> ()
  return
}

// -----

!columns = memref<8x16xf32, strided<[1, 8]>>

func.func @matmul_rows(%a: memref<4x8xf32>, %b: !columns, %y: memref<4x16xf32>) {
  // expected-error @+1 {{expected a right operand and a destination with contiguous rows}}
  nn.matmul %a, %b outs(%y) : (memref<4x8xf32>, !columns, memref<4x16xf32>) -> ()
  return
}

// -----

func.func @matmul_panels(%a: memref<2x4x8xf32>, %b: memref<2x2x8x12xf32>, %y: memref<2x4x24xf32>) {
  // expected-error @+1 {{expected panels of whole vectors of 16 columns, but got 12}}
  nn.matmul %a, %b outs(%y) {packed} : (memref<2x4x8xf32>, memref<2x2x8x12xf32>, memref<2x4x24xf32>) -> ()
  return
}

// -----

func.func @linear_panels(%x: memref<4x8xf32>, %w: memref<2x8x12xf32>, %y: memref<4x24xf32>) {
  // expected-error @+1 {{expected panels of whole vectors of 16 columns, but got 12}}
  nn.linear %x, %w outs(%y) : (memref<4x8xf32>, memref<2x8x12xf32>, memref<4x24xf32>) -> ()
  return
}

// -----

func.func @linear_words(%x: memref<4x8xi8>, %w: memref<2x2x16x4xi8, strided<[256, 128, 8, 1]>>, %y: memref<4x32xi32>) {
  // expected-error @+1 {{expected a contiguous weight, but got}}
  nn.linear %x, %w outs(%y) : (memref<4x8xi8>, memref<2x2x16x4xi8, strided<[256, 128, 8, 1]>>, memref<4x32xi32>) -> ()
  return
}

// -----

func.func @linear_steps(%x: memref<4x8xi8>, %w: memref<8x32xi8>, %y: memref<4x32xi32>) {
  // expected-error @+1 {{expected a packed weight [panels, K/4, n0, 4] for i8 or [panels, K/2, n0, 2] for i16 or bf16, but got 'memref<8x32xi8>'}}
  nn.linear %x, %w outs(%y) : (memref<4x8xi8>, memref<8x32xi8>, memref<4x32xi32>) -> ()
  return
}

// -----

func.func @norm_type(%x: memref<4x8xf64>, %y: memref<4x8xf64>) {
  // expected-error @+1 {{expected f32, bf16 or f16, but got 'f64'}}
  nn.norm rms %x outs(%y) {epsilon = 1.0e-5 : f32} : (memref<4x8xf64>, memref<4x8xf64>) -> ()
  return
}

// -----

!gapped = memref<4x8xf32, strided<[16, 2]>>

func.func @norm_rows(%x: !gapped, %y: memref<4x8xf32>) {
  // expected-error @+1 {{expected contiguous rows}}
  nn.norm rms %x outs(%y) {epsilon = 1.0e-5 : f32} : (!gapped, memref<4x8xf32>) -> ()
  return
}

// -----

func.func @softmax_type(%x: memref<4x8xf64>, %y: memref<4x8xf64>) {
  // expected-error @+1 {{expected f32, but got 'f64'}}
  nn.softmax %x outs(%y) : (memref<4x8xf64>, memref<4x8xf64>) -> ()
  return
}

// -----

!gapped = memref<4x8xf32, strided<[16, 2]>>

func.func @softmax_rows(%x: memref<4x8xf32>, %y: !gapped) {
  // expected-error @+1 {{expected contiguous rows}}
  nn.softmax %x outs(%y) : (memref<4x8xf32>, !gapped) -> ()
  return
}

// -----

func.func @pool_type(%x: memref<1x4x4x8xi8>, %y: memref<1x2x2x8xi8>) {
  // expected-error @+1 {{expected f32, bf16 or f16, or i8 or i16 for a maximum, but got 'i8'}}
  nn.pool avg %x outs(%y) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (memref<1x4x4x8xi8>, memref<1x2x2x8xi8>) -> ()
  return
}

// -----

!gapped = memref<1x4x4x8xf32, strided<[256, 64, 16, 2]>>

func.func @pool_channels(%x: !gapped, %y: memref<1x2x2x8xf32>) {
  // expected-error @+1 {{expected contiguous channels}}
  nn.pool max %x outs(%y) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (!gapped, memref<1x2x2x8xf32>) -> ()
  return
}
