// RUN: lathe-opt %s -lower-fuse-depthwise -split-input-file | FileCheck %s
// RUN: lathe-opt %s -lower-fuse-depthwise -split-input-file --remarks-filter=lower --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: @fused
//       CHECK: %[[E:.*]] = tensor.collapse_shape %arg1 {{\[}}[0, 1, 2], [3]] : tensor<1x1x16x96xf32> into tensor<16x96xf32>
//       CHECK: nn.expand_depthwise %arg0, %[[E]], %arg2 expand_extras(%arg3) {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} expand {
//       CHECK: arith.addf
//   CHECK-NOT: nn.conv
// REMARK: [Passed] FuseDepthwise{{.*}}SavedBytes=9633792
func.func @fused(%x: tensor<1x112x112x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>, %b: tensor<96xf32>)
    -> tensor<1x56x56x96xf32> {
  %e = nn.conv %x, %a extras(%b) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %s = arith.addf %acc, %bias : f32
    nn.yield %s : f32
  } : (tensor<1x112x112x16xf32>, tensor<1x1x16x96xf32>, tensor<96xf32>) -> tensor<1x112x112x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
    : (tensor<1x112x112x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x56x56x96xf32>
  return %y : tensor<1x56x56x96xf32>
}

// -----

// CHECK-LABEL: @small
//   CHECK-NOT: nn.expand_depthwise
// REMARK: [Missed] FuseDepthwise{{.*}}the expanded image stays in the cache
func.func @small(%x: tensor<1x7x7x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32> {
  %e = nn.conv %x, %a : (tensor<1x7x7x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x7x7x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64} : (tensor<1x7x7x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x5x5x96xf32>
  return %y : tensor<1x5x5x96xf32>
}

// -----

// CHECK-LABEL: @residual
//   CHECK-NOT: nn.expand_depthwise
// REMARK: [Missed] FuseDepthwise{{.*}}an operand of the expansion varies from pixel to pixel
func.func @residual(%x: tensor<1x56x56x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>,
                    %r: tensor<1x56x56x96xf32>) -> tensor<1x54x54x96xf32> {
  %e = nn.conv %x, %a extras(%r) epilogue {
  ^bb0(%acc: f32, %other: f32):
    %s = arith.addf %acc, %other : f32
    nn.yield %s : f32
  } : (tensor<1x56x56x16xf32>, tensor<1x1x16x96xf32>, tensor<1x56x56x96xf32>) -> tensor<1x56x56x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64} : (tensor<1x56x56x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x54x54x96xf32>
  return %y : tensor<1x54x54x96xf32>
}

// -----

// CHECK-LABEL: @dynamic
//   CHECK-NOT: nn.expand_depthwise
// REMARK: [Missed] FuseDepthwise{{.*}}they are not in f32 and of static shape
func.func @dynamic(%x: tensor<?x56x56x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>) -> tensor<?x54x54x96xf32> {
  %e = nn.conv %x, %a : (tensor<?x56x56x16xf32>, tensor<1x1x16x96xf32>) -> tensor<?x56x56x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64} : (tensor<?x56x56x96xf32>, tensor<3x3x1x96xf32>) -> tensor<?x54x54x96xf32>
  return %y : tensor<?x54x54x96xf32>
}

// -----

// What reads the expanded image beside it needs it in memory.
// CHECK-LABEL: @read_twice
//   CHECK-NOT: nn.expand_depthwise
//  REMARK-NOT: FuseDepthwise
func.func @read_twice(%x: tensor<1x56x56x16xf32>, %a: tensor<1x1x16x96xf32>, %w: tensor<3x3x1x96xf32>)
    -> (tensor<1x54x54x96xf32>, tensor<1x56x56x96xf32>) {
  %e = nn.conv %x, %a : (tensor<1x56x56x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x56x56x96xf32>
  %y = nn.conv %e, %w {group = 96 : i64} : (tensor<1x56x56x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x54x54x96xf32>
  return %y, %e : tensor<1x54x54x96xf32>, tensor<1x56x56x96xf32>
}
