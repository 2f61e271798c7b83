// RUN: lathe-opt %s -lower-winograd -split-input-file --remarks-filter=lower --remark-format=emitRemark -o %t 2> %t.remarks
// RUN: FileCheck %s < %t
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// Quantized convolutions in whole numbers: vectors of 8 channels, padding with the zero point, filters of G scaled by 24.
// CHECK-LABEL: @quantized
//       CHECK: arith.sitofp {{.*}} : i8 to f64
//       CHECK: arith.fptosi {{.*}} : f64 to i16
//       CHECK: nn.winograd_conv %arg0, %{{.*}} {m = 4 : i64, pad_value = 3 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: : (tensor<1x28x28x64xi16>, tensor<36x64x32xi16>) -> tensor<1x28x28x32xi32>
// REMARK: Winograd{{.*}}TileSize=4
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @quantized(%x: tensor<1x28x28x64xi16>) -> tensor<1x28x28x32xi32> {
    %w = arith.constant dense<5> : tensor<3x3x64x32xi8>
    %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>, pad_value = 3 : i64}
      : (tensor<1x28x28x64xi16>, tensor<3x3x64x32xi8>) -> tensor<1x28x28x32xi32>
    return %y : tensor<1x28x28x32xi32>
  }
}

// -----

// 9 * 128 * 127 * 255 > 2^25: sums that F(4x4) in 32 bits could not tell from others.
// CHECK-LABEL: @large
//       CHECK: nn.winograd_conv %arg0, {{.*}} {m = 2 : i64
// REMARK: Winograd{{.*}}TileSize=2
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @large(%x: tensor<1x28x28x128xi16>) -> tensor<1x28x28x32xi32> {
    %w = arith.constant dense<-127> : tensor<3x3x128x32xi8>
    %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x28x28x128xi16>, tensor<3x3x128x32xi8>) -> tensor<1x28x28x32xi32>
    return %y : tensor<1x28x28x32xi32>
  }
}

// -----

// CHECK-LABEL: @rest
//   CHECK-NOT: winograd
// REMARK: Winograd{{.*}}its channels fill no whole vectors
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @rest(%x: tensor<1x28x28x60xi16>) -> tensor<1x28x28x32xi32> {
    %w = arith.constant dense<5> : tensor<3x3x60x32xi8>
    %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x28x28x60xi16>, tensor<3x3x60x32xi8>) -> tensor<1x28x28x32xi32>
    return %y : tensor<1x28x28x32xi32>
  }
}
