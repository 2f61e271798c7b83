// RUN: lathe-opt %s -split-input-file -verify-diagnostics -lower-prepare-kernels

// No product may reach over a group: bytes are multiplied in fours of channels.
func.func @groups(%x: tensor<1x4x4x12xi8>, %w: tensor<1x1x6x8xi8>) -> tensor<1x4x4x8xi32> {
  // expected-error @+1 {{expected groups of a multiple of 4 channels of 'i8', but got 6}}
  %y = nn.conv %x, %w {group = 2 : i64} : (tensor<1x4x4x12xi8>, tensor<1x1x6x8xi8>) -> tensor<1x4x4x8xi32>
  return %y : tensor<1x4x4x8xi32>
}

// -----

func.func @dynamic_weight(%x: tensor<1x4x4x8xf32>, %w: tensor<?x?x8x16xf32>, %y: tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32> {
  // expected-error @+1 {{expected a weight of static shape, but got 'tensor<?x?x8x16xf32>'}}
  %0 = nn.conv %x, %w outs(%y) : (tensor<1x4x4x8xf32>, tensor<?x?x8x16xf32>, tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32>
  return %0 : tensor<1x?x?x16xf32>
}

// -----

// Tiles do not tell how large the image was that they were cut from.
func.func @unknown_image(%t: tensor<?x16x2x4x16xf32>, %w: tensor<16x32x32xf32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{expected the image of a result of dynamic shape to be known}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<?x16x2x4x16xf32>, tensor<16x32x32xf32>) -> tensor<?x?x?x32xf32>
  return %y : tensor<?x?x?x32xf32>
}
