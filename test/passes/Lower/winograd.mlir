// RUN: lathe-opt %s -lower-winograd -split-input-file | FileCheck %s
// RUN: lathe-opt %s -lower-winograd -split-input-file --remarks-filter=lower --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// Large images take F(4x4); the input is padded to whole tiles: 7 of 4 pixels and a border.
// CHECK-LABEL: @large
//       CHECK: %[[T:.*]] = nn.winograd_input %arg0 {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: : (tensor<1x28x28x64xf32>) -> tensor<4x36x4x13x16xf32>
// The filters are transformed in f64, along the columns and along the rows.
//       CHECK: } -> tensor<6x3x64x32xf64>
//       CHECK: } -> tensor<6x6x64x32xf64>
//       CHECK: arith.truncf
//       CHECK: %[[U:.*]] = tensor.collapse_shape {{.*}} into tensor<36x64x32xf32>
//       CHECK: nn.winograd_conv %[[T]], %[[U]] extras(%arg1) {m = 4 : i64} epilogue
//       CHECK: arith.addf
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=false
func.func @large(%x: tensor<1x28x28x64xf32>, %b: tensor<32xf32>) -> tensor<1x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w extras(%b) {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32, %e: f32):
    %s = arith.addf %acc, %e : f32
    nn.yield %s : f32
  } : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>, tensor<32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// Sizes that are no multiple of the tile: 5 tiles of 4 for 17 pixels reach 3 pixels past the padding.
// CHECK-LABEL: @odd
//       CHECK: nn.winograd_input %arg0 {m = 4 : i64, pads = array<i64: 1, 0, 4, 5>}
//  CHECK-SAME: -> tensor<4x36x3x13x16xf32>
func.func @odd(%x: tensor<2x17x17x48xf32>) -> tensor<2x17x17x64xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x48x64xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 0, 1, 2>}
    : (tensor<2x17x17x48xf32>, tensor<3x3x48x64xf32>) -> tensor<2x17x17x64xf32>
  return %y : tensor<2x17x17x64xf32>
}

// -----

// More tiles than stay in the cache, and a weight that does: each task transforms what it multiplies.
// CHECK-LABEL: @tasks
//   CHECK-NOT: nn.winograd_input
//       CHECK: nn.winograd_conv %arg0, %{{.*}} {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: : (tensor<1x56x56x64xf32>, tensor<36x64x64xf32>) -> tensor<1x56x56x64xf32>
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=true
func.func @tasks(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x64xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
  return %y : tensor<1x56x56x64xf32>
}

// -----

// A block of as many tiles as a register tile has rows would not fit the stack of a task, but one of fewer does.
// CHECK-LABEL: @narrow_tasks
//   CHECK-NOT: nn.winograd_input
//       CHECK: nn.winograd_conv %arg0, %{{.*}} {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=true
func.func @narrow_tasks(%x: tensor<1x56x56x128xf32>) -> tensor<1x56x56x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x128x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x56x56x128xf32>, tensor<3x3x128x32xf32>) -> tensor<1x56x56x32xf32>
  return %y : tensor<1x56x56x32xf32>
}

// -----

// With so many channels too few tiles would.
// CHECK-LABEL: @wide_tasks
//       CHECK: nn.winograd_input
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=false
func.func @wide_tasks(%x: tensor<1x56x56x256xf32>) -> tensor<1x56x56x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x256x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x56x56x256xf32>, tensor<3x3x256x32xf32>) -> tensor<1x56x56x32xf32>
  return %y : tensor<1x56x56x32xf32>
}

// -----

// So many weights, for so few pixels, that reading them takes longer than multiplying less saves.
// CHECK-LABEL: @weights
//   CHECK-NOT: winograd
// REMARK: Winograd{{.*}}the direct convolution is estimated to be faster
func.func @weights(%x: tensor<1x4x4x1024xf32>) -> tensor<1x4x4x1024xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x1024x1024xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x4x4x1024xf32>, tensor<3x3x1024x1024xf32>) -> tensor<1x4x4x1024xf32>
  return %y : tensor<1x4x4x1024xf32>
}

// -----

// A symbolic batch: the number of blocks is that of the tiles, 49 of each image, in equal blocks.
// CHECK-LABEL: @batch
//       CHECK: %[[T:.*]] = nn.winograd_input %arg0 {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: : (tensor<?x28x28x64xf32>) -> tensor<?x36x4x7x16xf32>
//       CHECK: nn.winograd_conv %[[T]], %{{.*}} {m = 4 : i64}
//  CHECK-SAME: -> tensor<?x28x28x32xf32>
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=false
func.func @batch(%x: tensor<?x28x28x64xf32>) -> tensor<?x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<?x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<?x28x28x32xf32>
  return %y : tensor<?x28x28x32xf32>
}

// -----

// More tiles in each image than stay in the cache.
// CHECK-LABEL: @batch_tasks
//       CHECK: nn.winograd_conv %arg0, %{{.*}} {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: : (tensor<?x56x56x64xf32>, tensor<36x64x64xf32>) -> tensor<?x56x56x64xf32>
// REMARK: Winograd{{.*}}TileSize=4{{.*}}TransformInTasks=true
func.func @batch_tasks(%x: tensor<?x56x56x64xf32>) -> tensor<?x56x56x64xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x64xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<?x56x56x64xf32>, tensor<3x3x64x64xf32>) -> tensor<?x56x56x64xf32>
  return %y : tensor<?x56x56x64xf32>
}

// -----

// A symbolic size: the padding is enough for a last tile with a single line, or column, of pixels.
// CHECK-LABEL: @sizes
//       CHECK: nn.winograd_input %arg0 {m = 4 : i64, pads = array<i64: 1, 0, 4, 5>}
//  CHECK-SAME: : (tensor<1x?x?x64xf32>) -> tensor<?x36x4x4x16xf32>
// REMARK: Winograd{{.*}}TileSize=4
func.func @sizes(%x: tensor<1x?x?x64xf32>) -> tensor<1x?x?x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 0, 1, 2>}
    : (tensor<1x?x?x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x?x?x32xf32>
  return %y : tensor<1x?x?x32xf32>
}

// -----

// One pixel in each image: whatever the batch, the transforms cost more than they save.
// CHECK-LABEL: @batch_of_pixels
//   CHECK-NOT: winograd
// REMARK: Winograd{{.*}}the direct convolution is estimated to be faster
func.func @batch_of_pixels(%x: tensor<?x1x1x64xf32>) -> tensor<?x1x1x64xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x64xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<?x1x1x64xf32>, tensor<3x3x64x64xf32>) -> tensor<?x1x1x64xf32>
  return %y : tensor<?x1x1x64xf32>
}

// -----

// CHECK-LABEL: @channels
//   CHECK-NOT: winograd
// REMARK: Winograd{{.*}}its number of channels is dynamic
func.func @channels(%x: tensor<1x28x28x?xf32>) -> tensor<1x28x28x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x?xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// CHECK-LABEL: @computed
//   CHECK-NOT: winograd
// REMARK: Winograd{{.*}}its weight is not constant
func.func @computed(%x: tensor<1x28x28x64xf32>, %w: tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32> {
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
  return %y : tensor<1x28x28x32xf32>
}

// -----

// Groups of whole vectors: a task transforms the channels of one, which no other reads.
// CHECK-LABEL: @groups
//   CHECK-NOT: nn.winograd_input
//       CHECK: nn.winograd_conv %arg0, %{{.*}} {group = 4 : i64, m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
//  CHECK-SAME: (tensor<1x28x28x64xf32>, tensor<36x16x128xf32>) -> tensor<1x28x28x128xf32>
func.func @groups(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x128xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x16x128xf32>
  %y = nn.conv %x, %w {group = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x16x128xf32>) -> tensor<1x28x28x128xf32>
  return %y : tensor<1x28x28x128xf32>
}

// -----

// CHECK-LABEL: @narrow_groups
//   CHECK-NOT: winograd
//      REMARK: Winograd{{.*}}its channels fill no whole vectors
func.func @narrow_groups(%x: tensor<1x28x28x96xf32>) -> tensor<1x28x28x128xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x24x128xf32>
  %y = nn.conv %x, %w {group = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x96xf32>, tensor<3x3x24x128xf32>) -> tensor<1x28x28x128xf32>
  return %y : tensor<1x28x28x128xf32>
}

// -----

// CHECK-LABEL: @narrow_outputs
//   CHECK-NOT: winograd
//      REMARK: Winograd{{.*}}the outputs of a group fill no whole vectors
func.func @narrow_outputs(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x96xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x16x96xf32>
  %y = nn.conv %x, %w {group = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x16x96xf32>) -> tensor<1x28x28x96xf32>
  return %y : tensor<1x28x28x96xf32>
}

// -----

// A stride is no candidate, and says nothing.
// CHECK-LABEL: @strided
//   CHECK-NOT: winograd
//  REMARK-NOT: Winograd
func.func @strided(%x: tensor<1x28x28x64xf32>) -> tensor<1x14x14x32xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
    : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x14x14x32xf32>
  return %y : tensor<1x14x14x32xf32>
}
