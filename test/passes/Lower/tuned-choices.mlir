// RUN: lathe-opt %s -lower-winograd -lower-fuse-depthwise -lower-prepare-kernels -split-input-file | FileCheck %s
// RUN: lathe-opt %s -lower-winograd -lower-fuse-depthwise -lower-prepare-kernels -split-input-file --remarks-filter=tuning \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Without a tuning this is F(4x4), of 13 tiles to a block, in panels of 32.
// CHECK-LABEL: @small_tiles
//       CHECK: nn.winograd_input {{.*}} {m = 2 : i64
//  CHECK-SAME: -> tensor<28x16x4x7x16xf32>
//       CHECK: nn.winograd_conv {{.*}} {m = 2 : i64, nn.tuning = #nn.tuning<winograd = 2, panel_width = 16, tile_rows = 7>}
//  CHECK-SAME: tensor<2x16x4x16x16xf32>
func.func @small_tiles(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {nn.tuning = #nn.tuning<winograd = 2, panel_width = 16, tile_rows = 7>,
                       pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// CHECK-LABEL: @direct
//   CHECK-NOT: nn.winograd
//       CHECK: nn.conv {{.*}} {nn.tuning = #nn.tuning<winograd = 0, panel_width = 48>
//  CHECK-SAME: tensor<1x3x3x64x48xf32>
func.func @direct(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {nn.tuning = #nn.tuning<winograd = 0, panel_width = 48>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// What an op cannot have is as if it were not there.
// CHECK-LABEL: @strided
//   CHECK-NOT: nn.winograd
//       CHECK: tensor<1x3x3x64x32xf32>
// REMARK: [Missed] Tuning{{.*}}panel_width = 24 cannot be had: a panel has whole vectors of columns
func.func @strided(%x: tensor<1x28x28x64xf32>) -> tensor<1x13x13x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {nn.tuning = #nn.tuning<winograd = 4, panel_width = 24>, strides = array<i64: 2, 2>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x13x13x32xf32>
  return %y : tensor<1x13x13x32xf32>
}

// -----

// CHECK-LABEL: @grouped
//   CHECK-NOT: nn.winograd
// REMARK: [Missed] Tuning{{.*}}winograd = 4 cannot be had: its channels fill no whole vectors
func.func @grouped(%x: tensor<1x28x28x48xf32>) -> tensor<1x26x26x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x24x32xf32>
  %y = nn.conv %x, %w {group = 2 : i64, nn.tuning = #nn.tuning<winograd = 4>}
    : (tensor<1x28x28x48xf32>, tensor<3x3x24x32xf32>) -> tensor<1x26x26x32xf32>
  return %y : tensor<1x26x26x32xf32>
}

// -----

// CHECK-LABEL: @grouped_panels
//       CHECK: nn.winograd_conv {{.*}} {group = 2 : i64, m = 4 : i64
// REMARK: [Missed] Tuning{{.*}}panel_width = 32 cannot be had: a group has whole panels
func.func @grouped_panels(%x: tensor<1x28x28x64xf32>) -> tensor<1x26x26x96xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x32x96xf32>
  %y = nn.conv %x, %w {group = 2 : i64, nn.tuning = #nn.tuning<winograd = 4, panel_width = 32>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x32x96xf32>) -> tensor<1x26x26x96xf32>
  return %y : tensor<1x26x26x96xf32>
}

// -----

// Rows of a block that the registers do not hold: as many as usual.
// CHECK-LABEL: @many_rows
//       CHECK: -> tensor<4x36x4x13x16xf32>
// REMARK: [Missed] Tuning{{.*}}tile_rows = 15 cannot be had: so many rows do not fit the registers
func.func @many_rows(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {nn.tuning = #nn.tuning<tile_rows = 15>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// An image that the cache holds is fused with its expansion if that was measured to be faster.
// CHECK-LABEL: @fused
//       CHECK: nn.expand_depthwise {{.*}} {nn.tuning = #nn.tuning<fuse = 1, panel_width = 32>}
//  CHECK-SAME: tensor<3x16x32xf32>
func.func @fused(%x: tensor<1x7x7x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32> {
  %e = nn.conv %x, %a : (tensor<1x7x7x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x7x7x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64, nn.tuning = #nn.tuning<fuse = 1, panel_width = 32>}
    : (tensor<1x7x7x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32>
  return %y : tensor<1x5x5x96xf32>
}

// -----

// And a large one is not.
// CHECK-LABEL: @apart
//   CHECK-NOT: nn.expand_depthwise
func.func @apart(%x: tensor<1x112x112x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>)
    -> tensor<1x110x110x96xf32> {
  %e = nn.conv %x, %a : (tensor<1x112x112x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x112x112x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64, nn.tuning = #nn.tuning<fuse = 0>}
    : (tensor<1x112x112x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x110x110x96xf32>
  return %y : tensor<1x110x110x96xf32>
}

// -----

// REMARK: [Missed] Tuning{{.*}}fuse = 1 cannot be had: no 1x1 convolution expands its input for it alone
func.func @alone(%x: tensor<1x7x7x96xf32>, %w: tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32> {
  %y = nn.conv %x, %w {group = 96 : i64, nn.tuning = #nn.tuning<fuse = 1>}
    : (tensor<1x7x7x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32>
  return %y : tensor<1x5x5x96xf32>
}
