// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(lower-prepare-kernels))' | FileCheck %s

// A GPU's weights stay as they are, but for bytes. Its convolutions know the borders, beyond which all is zero: padding moves into
// the input where it has another value, and where channels do.
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040>} {
// CHECK-LABEL: func.func @linear
// CHECK: nn.linear %arg0, %arg1 outs(%{{.*}}) : (tensor<7x1024xf32>, tensor<1024x1024xf32>, tensor<7x1024xf32>)
func.func @linear(%x: tensor<7x1024xf32>, %w: tensor<1024x1024xf32>) -> tensor<7x1024xf32> {
  %y = nn.linear %x, %w : (tensor<7x1024xf32>, tensor<1024x1024xf32>) -> tensor<7x1024xf32>
  return %y : tensor<7x1024xf32>
}

// Bytes are multiplied in words of four steps: weights have all columns in one panel, and inputs whole words.
// CHECK-LABEL: func.func @bytes
// CHECK: tensor.insert_slice %arg0 into %{{.*}} : tensor<7x10xi8> into tensor<7x12xi8>
// CHECK: nn.linear %{{.*}} : (tensor<7x12xi8>, tensor<1x3x24x4xi8>, tensor<7x24xi32>)
func.func @bytes(%x: tensor<7x10xi8>, %w: tensor<10x24xi8>) -> tensor<7x24xi32> {
  %y = nn.linear %x, %w : (tensor<7x10xi8>, tensor<10x24xi8>) -> tensor<7x24xi32>
  return %y : tensor<7x24xi32>
}

// CHECK-LABEL: func.func @bytes_of_windows
// CHECK: nn.conv %{{.*}} : (tensor<1x10x10x8xi8>, tensor<1x3x3x2x24x4xi8>, tensor<1x8x8x24xi32>)
func.func @bytes_of_windows(%x: tensor<1x8x8x6xi8>, %w: tensor<3x3x6x24xi8>) -> tensor<1x8x8x24xi32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x6xi8>, tensor<3x3x6x24xi8>) -> tensor<1x8x8x24xi32>
  return %y : tensor<1x8x8x24xi32>
}

// CHECK-LABEL: func.func @conv
// CHECK: nn.conv %arg0, %arg1 outs(%{{.*}}) {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x3xf32>, tensor<3x3x3x8xf32>, tensor<1x8x8x8xf32>)
func.func @conv(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x8xf32>) -> tensor<1x8x8x8xf32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x3xf32>, tensor<3x3x3x8xf32>) -> tensor<1x8x8x8xf32>
  return %y : tensor<1x8x8x8xf32>
}

// CHECK-LABEL: func.func @zero_point
// CHECK: %[[PADDED:.*]] = tensor.insert_slice %arg0 into %{{.*}} : tensor<1x8x8x4xi8> into tensor<1x10x10x4xi8>
// CHECK: nn.conv %[[PADDED]], %{{.*}} : (tensor<1x10x10x4xi8>, tensor<1x3x3x1x8x4xi8>, tensor<1x8x8x8xi32>)
func.func @zero_point(%x: tensor<1x8x8x4xi8>, %w: tensor<3x3x4x8xi8>) -> tensor<1x8x8x8xi32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>, pad_value = 7 : i64} : (tensor<1x8x8x4xi8>, tensor<3x3x4x8xi8>) -> tensor<1x8x8x8xi32>
  return %y : tensor<1x8x8x8xi32>
}
}
