// RUN: lathe-opt %s -split-input-file -verify-diagnostics -codegen-emit-kernels

func.func @tensors(%x: tensor<2x4xf32>, %w: tensor<4x8xf32>) -> tensor<2x8xf32> {
  // expected-error @+1 {{expected its memref form}}
  %y = nn.linear %x, %w : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// -----

func.func @types(%x: memref<2x4xf64>, %w: memref<1x4x32xf64>, %y: memref<2x8xf64>) {
  // expected-error @+1 {{expected operands of f32 (bf16 or f16 for a weight), bf16, f16, or i8 and i8, but got 'f64' and 'f64'}}
  nn.linear %x, %w outs(%y) : (memref<2x4xf64>, memref<1x4x32xf64>, memref<2x8xf64>) -> ()
  return
}

// -----

func.func @pads(%x: memref<1x4x4x4xf32>, %w: memref<1x3x3x4x32xf32>, %y: memref<1x4x4x32xf32>) {
  // expected-error @+1 {{expected its padding to be in the input}}
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>}
    : (memref<1x4x4x4xf32>, memref<1x3x3x4x32xf32>, memref<1x4x4x32xf32>) -> ()
  return
}

// -----

func.func @pads_of_groups(%x: memref<1x4x4x32xf32>, %w: memref<3x3x4x32xf32>, %y: memref<1x4x4x32xf32>) {
  // expected-error @+1 {{expected its padding to be in the input}}
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>, group = 8 : i64}
    : (memref<1x4x4x32xf32>, memref<3x3x4x32xf32>, memref<1x4x4x32xf32>) -> ()
  return
}

// -----

func.func @sparse_channels(%x: memref<2x5000xf32>, %v: memref<9xf32>, %c: memref<9xi16>, %p: memref<9xi32>, %y: memref<2x8xf32>) {
  // expected-error @+1 {{has too many input channels for a tile of rows: 5000}}
  nn.sparse_linear %x, %v, %c, %p outs(%y)
    : (memref<2x5000xf32>, memref<9xf32>, memref<9xi16>, memref<9xi32>, memref<2x8xf32>) -> ()
  return
}

// -----

func.func @sparse_columns(%x: memref<2x4xf32>, %v: memref<9xf32>, %c: memref<9xi16>, %p: memref<9xi32>, %y: memref<2x8xf32, strided<[16, 2]>>) {
  // expected-error @+1 {{expected a destination with contiguous rows, but got 'memref<2x8xf32, strided<[16, 2]>>'}}
  nn.sparse_linear %x, %v, %c, %p outs(%y)
    : (memref<2x4xf32>, memref<9xf32>, memref<9xi16>, memref<9xi32>, memref<2x8xf32, strided<[16, 2]>>) -> ()
  return
}

// -----

func.func @bfloats(%x: memref<2x64xbf16>, %w: memref<1x32x32x2xbf16>, %y: memref<2x8xf32>) {
  // expected-error @+1 {{expected a target that multiplies bf16}}
  nn.linear %x, %w outs(%y) : (memref<2x64xbf16>, memref<1x32x32x2xbf16>, memref<2x8xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

func.func @chunks(%x: memref<2x40xbf16>, %w: memref<1x20x32x2xbf16>, %y: memref<2x8xf32>) attributes {nn.target = #tiles} {
  // expected-error @+1 {{expected a weight [panels, K/2, n0, 2] packed for tile registers, but got}}
  nn.linear %x, %w outs(%y) : (memref<2x40xbf16>, memref<1x20x32x2xbf16>, memref<2x8xf32>) -> ()
  return
}

// -----

func.func @halves(%x: memref<2x64xf16>, %w: memref<1x64x32xf16>, %y: memref<2x8xf32>) {
  // expected-error @+1 {{expected a target that multiplies f16}}
  nn.linear %x, %w outs(%y) : (memref<2x64xf16>, memref<1x64x32xf16>, memref<2x8xf32>) -> ()
  return
}

// -----

#half = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "", vector_bits = 128, vector_registers = 32,
                   dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>

func.func @panels(%x: memref<2x64xf16>, %w: memref<64x8xf16>, %y: memref<2x8xf32>) attributes {nn.target = #half} {
  // expected-error @+1 {{expected a weight of 'f16' packed in panels, but got 'memref<64x8xf16>'}}
  nn.linear %x, %w outs(%y) : (memref<2x64xf16>, memref<64x8xf16>, memref<2x8xf32>) -> ()
  return
}

// -----

func.func @outputs(%x: memref<1x6x6x4xf32>, %w: memref<1x3x3x4x32xf32>, %y: memref<1x4x4x?xf32>) {
  // expected-error @+1 {{expected a static number of output channels}}
  nn.conv %x, %w outs(%y) : (memref<1x6x6x4xf32>, memref<1x3x3x4x32xf32>, memref<1x4x4x?xf32>) -> ()
  return
}

// -----

func.func @step(%x: memref<2x4xf32>, %w: memref<1x4x32xf32>, %m: memref<4xf32>, %y: memref<2x8xf32>) {
  // expected-error @+1 {{has 'memref.load' in its epilogue, expected elementwise ops}}
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%acc: f32):
    %c0 = arith.constant 0 : index
    %e = memref.load %m[%c0] : memref<4xf32>
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (memref<2x4xf32>, memref<1x4x32xf32>, memref<2x8xf32>) -> ()
  return
}
