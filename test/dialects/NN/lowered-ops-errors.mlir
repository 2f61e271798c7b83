// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @winograd_tile(%x: tensor<1x6x6x32xf32>) {
  // expected-error@+1 {{expected tiles of m = 2 or 4 pixels, but got 3}}
  %t = nn.winograd_input %x {m = 3 : i64} : (tensor<1x6x6x32xf32>) -> tensor<1x25x2x4x16xf32>
  return
}

// -----

func.func @winograd_padding(%x: tensor<1x7x6x32xf32>) {
  // expected-error@+1 {{expected whole tiles, a padded size of 2 n + 2, but got 7}}
  %t = nn.winograd_input %x {m = 2 : i64} : (tensor<1x7x6x32xf32>) -> tensor<1x16x2x4x16xf32>
  return
}

// -----

func.func @winograd_tiles(%x: tensor<1x6x6x32xf32>) {
  // expected-error@+1 {{expected a result [blocks, 16, chunks, tiles, lanes] for 4 tiles, but got}}
  %t = nn.winograd_input %x {m = 2 : i64} : (tensor<1x6x6x32xf32>) -> tensor<1x16x2x3x16xf32>
  return
}

// -----

func.func @winograd_dynamic_tiles(%x: tensor<?x6x6x32xf32>) {
  // expected-error@+1 {{expected a result [blocks, 16, chunks, tiles, lanes] for all tiles, but got 'tensor<?x16x1x4x16xf32>'}}
  %t = nn.winograd_input %x {m = 2 : i64} : (tensor<?x6x6x32xf32>) -> tensor<?x16x1x4x16xf32>
  return
}

// -----

func.func @winograd_channels(%x: tensor<1x6x6x?xf32>) {
  // expected-error@+1 {{expected an input [N, H, W, C] of f32 or i16 with static C, but got}}
  %t = nn.winograd_input %x {m = 2 : i64} : (tensor<1x6x6x?xf32>) -> tensor<1x16x2x4x16xf32>
  return
}

// -----

func.func @winograd_outputs(%t: tensor<?x16x2x4x16xf32>, %w: tensor<16x32x32xf32>) {
  // expected-error@+1 {{expected a result [N, OH, OW, O] with static O, but got}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<?x16x2x4x16xf32>, tensor<16x32x32xf32>) -> tensor<?x4x4x?xf32>
  return
}

// -----

func.func @winograd_weight(%t: tensor<1x16x2x4x16xf32>, %w: tensor<16x48x32xf32>) {
  // expected-error@+1 {{expected a weight [16, C/group, O], or packed for the tiles, but got 'tensor<16x48x32xf32>'}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<1x16x2x4x16xf32>, tensor<16x48x32xf32>) -> tensor<1x4x4x32xf32>
  return
}

// -----

func.func @winograd_groups(%x: tensor<1x6x6x32xf32>, %w: tensor<16x16x33xf32>) {
  // expected-error@+1 {{expected groups of an image that divide 32 and 33 channels, but got 2 of 'tensor<1x6x6x32xf32>'}}
  %y = nn.winograd_conv %x, %w {m = 2 : i64, group = 2 : i64} : (tensor<1x6x6x32xf32>, tensor<16x16x33xf32>) -> tensor<1x4x4x33xf32>
  return
}

// -----

func.func @winograd_groups_of_tiles(%t: tensor<1x16x2x4x16xf32>, %w: tensor<16x16x32xf32>) {
  // expected-error@+1 {{expected groups of an image that divide 32 and 32 channels, but got 2 of 'tensor<1x16x2x4x16xf32>'}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64, group = 2 : i64} : (tensor<1x16x2x4x16xf32>, tensor<16x16x32xf32>) -> tensor<1x4x4x32xf32>
  return
}

// -----

func.func @winograd_group_panels(%x: tensor<1x6x6x32xf32>, %w: tensor<3x16x1x16x32xf32>) {
  // expected-error@+1 {{expected a weight [16, C/group, O], or packed for the tiles, but got 'tensor<3x16x1x16x32xf32>'}}
  %y = nn.winograd_conv %x, %w {m = 2 : i64, group = 2 : i64} : (tensor<1x6x6x32xf32>, tensor<3x16x1x16x32xf32>) -> tensor<1x4x4x96xf32>
  return
}

// -----

func.func @winograd_image(%x: tensor<1x6x6x32xf32>, %w: tensor<16x32x32xf32>) {
  // expected-error@+1 {{expected an image of 16 tiles, but it has 4}}
  %y = nn.winograd_conv %x, %w {m = 2 : i64} : (tensor<1x6x6x32xf32>, tensor<16x32x32xf32>) -> tensor<1x8x8x32xf32>
  return
}

// -----

func.func @winograd_image_weight(%x: tensor<1x10x10x24xf32>, %w: tensor<16x32x32xf32>) {
  // expected-error@+1 {{expected a weight [16, C/group, O], or packed for the tiles, but got 'tensor<16x32x32xf32>'}}
  %y = nn.winograd_conv %x, %w {m = 2 : i64} : (tensor<1x10x10x24xf32>, tensor<16x32x32xf32>) -> tensor<1x8x8x32xf32>
  return
}

// -----

func.func @winograd_blocks(%t: tensor<1x16x2x4x16xf32>, %w: tensor<16x32x32xf32>) {
  // expected-error@+1 {{expected blocks for 16 tiles}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<1x16x2x4x16xf32>, tensor<16x32x32xf32>) -> tensor<1x8x8x32xf32>
  return
}

// -----

func.func @expand_weight(%x: tensor<1x8x8x16xf32>, %e: tensor<8x64xf32>, %w: tensor<3x3x1x64xf32>) {
  // expected-error@+1 {{expected a weight [Ci, C], or packed in panels, to expand by, but got 'tensor<8x64xf32>'}}
  %y = nn.expand_depthwise %x, %e, %w : (tensor<1x8x8x16xf32>, tensor<8x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x6x6x64xf32>
  return
}

// -----

func.func @expand_size(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) {
  // expected-error@+1 {{expected a result of size 3, but got 4}}
  %y = nn.expand_depthwise %x, %e, %w {strides = array<i64: 2, 2>}
    : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x4x4x64xf32>
  return
}

// -----

func.func @expand_extra(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>, %r: tensor<1x8x8x64xf32>) {
  // expected-error@+1 {{expected operands [C] or [1] of the first epilogue, but got 'tensor<1x8x8x64xf32>'}}
  %y = nn.expand_depthwise %x, %e, %w expand_extras(%r) expand {
  ^bb0(%acc: f32, %other: f32):
    %s = arith.addf %acc, %other : f32
    nn.yield %s : f32
  } : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>, tensor<1x8x8x64xf32>) -> tensor<1x6x6x64xf32>
  return
}

// -----

func.func @winograd_pads(%x: tensor<1x6x6x32xf32>) {
  // expected-error@+1 {{expected four pads that are not negative}}
  %t = nn.winograd_input %x {m = 2 : i64, pads = array<i64: 0, 0, -1, 0>} : (tensor<1x6x6x32xf32>) -> tensor<1x16x2x4x16xf32>
  return
}

// -----

func.func @winograd_form(%t: tensor<1x12x2x4x16xf32>, %w: tensor<16x32x32xf32>) {
  // expected-error@+1 {{expected tiles [blocks, 16, chunks, tiles, lanes], but got 'tensor<1x12x2x4x16xf32>'}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<1x12x2x4x16xf32>, tensor<16x32x32xf32>) -> tensor<1x4x4x32xf32>
  return
}

// -----

func.func @winograd_types(%t: tensor<1x16x2x4x16xf32>, %w: tensor<16x32x32xi16>) {
  // expected-error@+1 {{expected tiles and a weight of one type, but got 'tensor<1x16x2x4x16xf32>' and 'tensor<16x32x32xi16>'}}
  %y = nn.winograd_conv %t, %w {m = 2 : i64} : (tensor<1x16x2x4x16xf32>, tensor<16x32x32xi16>) -> tensor<1x4x4x32xf32>
  return
}

// -----

func.func @expand_dynamic(%x: tensor<?x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) {
  // expected-error@+1 {{expected operands and a result of f32 and of static shape, but got 'tensor<?x8x8x16xf32>'}}
  %y = nn.expand_depthwise %x, %e, %w : (tensor<?x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x6x6x64xf32>
  return
}

// -----

func.func @expand_filters(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x2x64xf32>) {
  // expected-error@+1 {{expected an input [N, H, W, Ci], a weight [KH, KW, 1, C] and a result [N, OH, OW, C]}}
  %y = nn.expand_depthwise %x, %e, %w : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x2x64xf32>) -> tensor<1x6x6x64xf32>
  return
}

// -----

func.func @expand_pads(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) {
  // expected-error@+1 {{expected two strides and four pads}}
  %y = nn.expand_depthwise %x, %e, %w {pads = array<i64: 1, 1>} : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x6x6x64xf32>
  return
}

// -----

func.func @expand_strides(%x: tensor<1x8x8x16xf32>, %e: tensor<16x64xf32>, %w: tensor<3x3x1x64xf32>) {
  // expected-error@+1 {{expected strides of 1 to the window's size, and pads that are not negative}}
  %y = nn.expand_depthwise %x, %e, %w {strides = array<i64: 4, 4>} : (tensor<1x8x8x16xf32>, tensor<16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x2x2x64xf32>
  return
}
