// RUN: lathe-opt %s -split-input-file -lower-prepare-kernels -canonicalize | FileCheck %s

// CHECK-LABEL: @narrow
//       CHECK: %[[D:.*]] = tensor.dim %arg0
//       CHECK: tensor.empty(%[[D]]) : tensor<?x36xf32>
//       CHECK: tensor.pad {{.*}} high[0, 12]
//       CHECK: linalg.transpose {{.*}} outs(%{{.*}} : tensor<3x64x16xf32>) permutation = [1, 0, 2]
//       CHECK: nn.linear {{.*}} outs({{.*}}) : (tensor<?x64xf32>, tensor<3x64x16xf32>, tensor<?x36xf32>) -> tensor<?x36xf32>
func.func @narrow(%x: tensor<?x64xf32>, %w: tensor<64x36xf32>) -> tensor<?x36xf32> {
  %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x36xf32>) -> tensor<?x36xf32>
  return %y : tensor<?x36xf32>
}

// -----

// Bytes are packed in fours of the reduction, and the input follows.
// CHECK-LABEL: @bytes
//       CHECK: tensor.insert_slice %arg0 into {{.*}} : tensor<4x6xi8> into tensor<4x8xi8>
//       CHECK: nn.linear {{.*}} : (tensor<4x8xi8>, tensor<2x2x32x4xi8>, tensor<4x64xi32>) -> tensor<4x64xi32>
func.func @bytes(%x: tensor<4x6xi8>, %w: tensor<6x64xi8>) -> tensor<4x64xi32> {
  %y = nn.linear %x, %w : (tensor<4x6xi8>, tensor<6x64xi8>) -> tensor<4x64xi32>
  return %y : tensor<4x64xi32>
}

// -----

// CHECK-LABEL: @padded
//       CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<1x10x10x3xf32>
//       CHECK: %[[FILL:.*]] = linalg.fill {{.*}} outs(%[[EMPTY]]
//       CHECK: %[[IN:.*]] = tensor.insert_slice %arg0 into %[[FILL]][0, 1, 1, 0] [1, 8, 8, 3]
//       CHECK: nn.conv %[[IN]], {{.*}} {strides = array<i64: 2, 2>} : (tensor<1x10x10x3xf32>, tensor<2x3x3x3x32xf32>, tensor<1x4x4x64xf32>)
func.func @padded(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x64xf32>) -> tensor<1x4x4x64xf32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
    : (tensor<1x8x8x3xf32>, tensor<3x3x3x64xf32>) -> tensor<1x4x4x64xf32>
  return %y : tensor<1x4x4x64xf32>
}

// -----

// The zero point is what i8 padding holds; depthwise weights stay as they are.
// CHECK-LABEL: @depthwise
//       CHECK: linalg.fill ins(%c-128_i8
//       CHECK: nn.conv {{.*}} {group = 8 : i64} : (tensor<1x6x6x8xi8>, tensor<3x3x1x8xi8>
func.func @depthwise(%x: tensor<1x4x4x8xi8>, %w: tensor<3x3x1x8xi8>) -> tensor<1x4x4x8xi32> {
  %y = nn.conv %x, %w {group = 8 : i64, pads = array<i64: 1, 1, 1, 1>, pad_value = 128}
    : (tensor<1x4x4x8xi8>, tensor<3x3x1x8xi8>) -> tensor<1x4x4x8xi32>
  return %y : tensor<1x4x4x8xi32>
}

// -----

// Of floats in lines that are short enough, the kernel skips the padding.
// CHECK-LABEL: @short_lines
//   CHECK-NOT: linalg.fill
//       CHECK: nn.conv {{.*}} pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x4x8xf32>, tensor<3x3x1x8xf32>
func.func @short_lines(%x: tensor<1x4x4x8xf32>, %w: tensor<3x3x1x8xf32>) -> tensor<1x4x4x8xf32> {
  %y = nn.conv %x, %w {group = 8 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x4x4x8xf32>, tensor<3x3x1x8xf32>) -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// So it does where whole lines are padding.
// CHECK-LABEL: @padded_lines
//   CHECK-NOT: linalg.fill
//       CHECK: nn.conv {{.*}}pads = array<i64: 1, 0, 1, 0>} : (tensor<1x4x32x8xf32>, tensor<1x3x1x8x16xf32>
func.func @padded_lines(%x: tensor<1x4x32x8xf32>, %w: tensor<3x1x8x16xf32>) -> tensor<1x4x32x16xf32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 0, 1, 0>} : (tensor<1x4x32x8xf32>, tensor<3x1x8x16xf32>) -> tensor<1x4x32x16xf32>
  return %y : tensor<1x4x32x16xf32>
}

// Groups of which a vector has several keep their weight as it is, unless a shuffle would serve one multiply-add only.
// CHECK-LABEL: @small_groups
//       CHECK: nn.conv {{.*}} {group = 8 : i64} : (tensor<1x5x5x32xf32>, tensor<3x3x4x32xf32>, tensor<1x3x3x32xf32>)
//       CHECK: nn.conv {{.*}} {group = 4 : i64} : (tensor<1x5x5x32xf32>, tensor<4x1x1x8x16xf32>, tensor<1x5x5x32xf32>)
func.func @small_groups(%x: tensor<1x5x5x32xf32>, %w: tensor<3x3x4x32xf32>, %v: tensor<1x1x8x32xf32>) -> (tensor<1x3x3x32xf32>, tensor<1x5x5x32xf32>) {
  %y = nn.conv %x, %w {group = 8 : i64} : (tensor<1x5x5x32xf32>, tensor<3x3x4x32xf32>) -> tensor<1x3x3x32xf32>
  %z = nn.conv %x, %v {group = 4 : i64} : (tensor<1x5x5x32xf32>, tensor<1x1x8x32xf32>) -> tensor<1x5x5x32xf32>
  return %y, %z : tensor<1x3x3x32xf32>, tensor<1x5x5x32xf32>
}

// -----

// CHECK-LABEL: @grouped
//       CHECK: nn.conv {{.*}} {group = 4 : i64} : (tensor<1x5x5x12xf32>, tensor<4x3x3x3x16xf32>, tensor<1x3x3x20xf32>)
func.func @grouped(%x: tensor<1x5x5x12xf32>, %w: tensor<3x3x3x20xf32>) -> tensor<1x3x3x20xf32> {
  %y = nn.conv %x, %w {group = 4 : i64} : (tensor<1x5x5x12xf32>, tensor<3x3x3x20xf32>) -> tensor<1x3x3x20xf32>
  return %y : tensor<1x3x3x20xf32>
}

// -----

// Scales are packed as the weight is, whose words stay rows.
// CHECK-LABEL: @words
//       CHECK: nn.linear {{.*}} scales(%{{.*}}) outs({{.*}}) {bits = 4 : i64} : (tensor<4x64xf32>, tensor<2x8x32xi32>, tensor<2x2x32xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
func.func @words(%x: tensor<4x64xf32>, %w: tensor<8x64xi32>, %s: tensor<2x64xf32>) -> tensor<4x64xf32> {
  %y = nn.linear %x, %w scales(%s) {bits = 4 : i64} : (tensor<4x64xf32>, tensor<8x64xi32>, tensor<2x64xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// The padding of the tiles moves into the input; the weight has panels of 32 output channels and chunks of 16 input channels.
// CHECK-LABEL: @winograd
//       CHECK: tensor.insert_slice %arg0 into {{.*}}[0, 1, 1, 0] [1, 7, 7, 24] {{.*}} into tensor<1x10x10x24xf32>
//       CHECK: nn.winograd_input {{.*}} {m = 4 : i64} : (tensor<1x10x10x24xf32>, tensor<1x36x2x4x16xf32>) -> tensor<1x36x2x4x16xf32>
//       CHECK: nn.winograd_conv {{.*}} {m = 4 : i64} : (tensor<1x36x2x4x16xf32>, tensor<2x36x2x16x32xf32>, tensor<1x7x7x64xf32>)
func.func @winograd(%x: tensor<1x7x7x24xf32>, %w: tensor<36x24x64xf32>) -> tensor<1x7x7x64xf32> {
  %t = nn.winograd_input %x {m = 4 : i64, pads = array<i64: 1, 1, 2, 2>}
    : (tensor<1x7x7x24xf32>) -> tensor<1x36x2x4x16xf32>
  %y = nn.winograd_conv %t, %w {m = 4 : i64}
    : (tensor<1x36x2x4x16xf32>, tensor<36x24x64xf32>) -> tensor<1x7x7x64xf32>
  return %y : tensor<1x7x7x64xf32>
}

// -----

// Rows of 4096 bytes lie a line farther apart, unless they leave the function.
// CHECK-LABEL: @distant_rows
//       CHECK: %[[E:.*]] = tensor.empty() : tensor<16x1040xf32>
//       CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[E]][0, 0] [16, 1024] [1, 1] : tensor<16x1040xf32> to tensor<16x1024xf32>
//       CHECK: nn.linear %arg0, {{.*}} outs(%[[ROWS]])
//       CHECK: %[[OUT:.*]] = tensor.empty() : tensor<16x1024xf32>
//       CHECK: nn.linear {{.*}} outs(%[[OUT]])
func.func @distant_rows(%x: tensor<16x1024xf32>, %w: tensor<1024x1024xf32>) -> tensor<16x1024xf32> {
  %y = nn.linear %x, %w : (tensor<16x1024xf32>, tensor<1024x1024xf32>) -> tensor<16x1024xf32>
  %z = nn.linear %y, %w : (tensor<16x1024xf32>, tensor<1024x1024xf32>) -> tensor<16x1024xf32>
  return %z : tensor<16x1024xf32>
}

// -----

// CHECK-LABEL: @expand
//       CHECK: nn.expand_depthwise %arg0, {{.*}} : (tensor<1x8x8x16xf32>, tensor<2x16x32xf32>, tensor<3x3x1x64xf32>, tensor<1x6x6x64xf32>)
func.func @expand(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) -> tensor<1x6x6x64xf32> {
  %y = nn.expand_depthwise %x, %e, %w : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x6x6x64xf32>
  return %y : tensor<1x6x6x64xf32>
}

// -----

// Of long lines the ring holds one vector of channels, or it would not stay in the first cache.
// CHECK-LABEL: @expand_long
//       CHECK: nn.expand_depthwise %arg0, {{.*}} : (tensor<1x8x112x16xf32>, tensor<4x16x16xf32>,
func.func @expand_long(%x: tensor<1x8x112x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) -> tensor<1x6x110x64xf32> {
  %y = nn.expand_depthwise %x, %e, %w : (tensor<1x8x112x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x6x110x64xf32>
  return %y : tensor<1x6x110x64xf32>
}

// -----

#dots = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512, vector_registers = 32,
                   dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "avx512bf16">

// Elements of bf16 that meet bf16 are packed in pairs.
// CHECK-LABEL: @pairs
//       CHECK: nn.linear {{.*}} : (tensor<4x40xbf16>, tensor<2x20x32x2xbf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
func.func @pairs(%x: tensor<4x40xbf16>, %w: tensor<40x64xbf16>) -> tensor<4x64xf32> attributes {nn.target = #dots} {
  %y = nn.linear %x, %w : (tensor<4x40xbf16>, tensor<40x64xbf16>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// For tile registers a last chunk of 8 steps becomes one of 32, with zeros before its rows.
// CHECK-LABEL: @chunks
//       CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<64x64xbf16>
//       CHECK: %[[A:.*]] = tensor.extract_slice %arg1[0, 0] [32, 64] [1, 1]
//       CHECK: %[[B:.*]] = tensor.insert_slice %[[A]] into %[[ZEROS]][0, 0] [32, 64] [1, 1]
//       CHECK: %[[C:.*]] = tensor.extract_slice %arg1[32, 0] [8, 64] [1, 1]
//       CHECK: tensor.insert_slice %[[C]] into %[[B]][56, 0] [8, 64] [1, 1]
//       CHECK: nn.linear {{.*}} : (tensor<4x40xbf16>, tensor<2x32x32x2xbf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
func.func @chunks(%x: tensor<4x40xbf16>, %w: tensor<40x64xbf16>) -> tensor<4x64xf32> attributes {nn.target = #tiles} {
  %y = nn.linear %x, %w : (tensor<4x40xbf16>, tensor<40x64xbf16>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// An odd number of channels gets one more.
// CHECK-LABEL: @image
//       CHECK: nn.conv {{.*}} : (tensor<1x14x14x4xbf16>, tensor<1x7x7x2x32x2xbf16>, tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
func.func @image(%x: tensor<1x14x14x3xbf16>, %w: tensor<7x7x3x32xbf16>) -> tensor<1x8x8x32xf32> attributes {nn.target = #tiles} {
  %y = nn.conv %x, %w : (tensor<1x14x14x3xbf16>, tensor<7x7x3x32xbf16>) -> tensor<1x8x8x32xf32>
  return %y : tensor<1x8x8x32xf32>
}

// -----

#half = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "", vector_bits = 128, vector_registers = 32,
                   dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>

// Of f16 that meets f16 a vector has twice the columns of f32, and so has a panel; a weight that meets f32 is packed as f32 is.
// CHECK-LABEL: @halves
//       CHECK: nn.linear {{.*}} : (tensor<4x40xf16>, tensor<4x40x16xf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
//       CHECK: nn.linear {{.*}} : (tensor<4x64xf32>, tensor<8x64x8xf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
func.func @halves(%x: tensor<4x40xf16>, %w: tensor<40x64xf16>, %v: tensor<64x64xf16>) -> tensor<4x64xf32> attributes {nn.target = #half} {
  %y = nn.linear %x, %w : (tensor<4x40xf16>, tensor<40x64xf16>) -> tensor<4x64xf32>
  %z = nn.linear %y, %v : (tensor<4x64xf32>, tensor<64x64xf16>) -> tensor<4x64xf32>
  return %z : tensor<4x64xf32>
}

// -----

// A size of a collapsed tensor is the product of those that it has of the whole one; symbolic shapes do not reach it here.
// CHECK-LABEL: @collapsed
//   CHECK-DAG: %[[B:.*]] = tensor.dim %arg0, %c1
//   CHECK-DAG: %[[C:.*]] = tensor.dim %arg0, %c2
//       CHECK: %[[BC:.*]] = arith.muli %[[B]], %[[C]]
//       CHECK: tensor.empty(%{{.*}}, %[[BC]]) : tensor<?x?xf32>
//       CHECK: nn.softmax
func.func @collapsed(%x: tensor<?x?x?xf32>) -> tensor<?x?xf32> {
  %0 = tensor.collapse_shape %x [[0], [1, 2]] : tensor<?x?x?xf32> into tensor<?x?xf32>
  %1 = nn.softmax %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
