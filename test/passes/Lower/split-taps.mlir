// RUN: lathe-opt %s --lower-split-taps --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-split-taps=split=false --split-input-file | FileCheck %s --check-prefix=DROP
// RUN: lathe-opt %s --lower-split-taps --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Only the tap in the middle meets the image.
// CHECK-LABEL: func @middle
// CHECK-SAME: %[[X:.*]]: tensor<1x14x14x64xf32>
// CHECK: %[[W:.*]] = tensor.extract_slice %{{.*}}[1, 1, 0, 0] [1, 1, 64, 32]
// CHECK: nn.conv %[[X]], %[[W]] {dilations = array<i64: 24, 24>}
// DROP-LABEL: func @middle
// DROP: nn.conv %{{.*}} (tensor<1x14x14x64xf32>, tensor<1x1x64x32xf32>)
// REMARK: SplitTaps {{.*}}Parts=1, Taps=9, TapsLeft=1
func.func @middle(%x: tensor<1x14x14x64xf32>) -> tensor<1x14x14x32xf32> {
  %w = onnx.Constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w {dilations = array<i64: 24, 24>, pads = array<i64: 24, 24, 24, 24>}
    : (tensor<1x14x14x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x14x14x32xf32>
  return %y : tensor<1x14x14x32xf32>
}

// -----

// Rows of the kernel meet two lines each but for the one in the middle, which comes last and has the epilogue.
// CHECK-LABEL: func @rows
// CHECK-SAME: %[[X:.*]]: tensor<1x14x20x64xf32>, %[[B:.*]]: tensor<32xf32>
// CHECK: %[[ZERO:.*]] = linalg.fill
// CHECK: %[[S0:.*]] = tensor.extract_slice %[[ZERO]][0, 12, 0, 0] [1, 2, 20, 32]
// CHECK: %[[X0:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [1, 2, 20, 64]
// CHECK: %[[W0:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0, 0] [1, 3, 64, 32]
// CHECK: %[[P0:.*]] = nn.conv %[[X0]], %[[W0]] extras(%[[S0]]) {dilations = array<i64: 12, 1>, pads = array<i64: 0, 1, 0, 1>} epilogue
// CHECK: arith.addf
// CHECK: %[[SUM0:.*]] = tensor.insert_slice %[[P0]] into %[[ZERO]][0, 12, 0, 0]
// CHECK: %[[P1:.*]] = nn.conv
// CHECK: %[[SUM1:.*]] = tensor.insert_slice %[[P1]] into %[[SUM0]][0, 0, 0, 0] [1, 2, 20, 32]
// CHECK: nn.conv %[[X]], %{{.*}} extras(%[[SUM1]], %[[B]])
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32, %[[BEFORE:.*]]: f32, %[[BIAS:.*]]: f32):
// CHECK-NEXT: %[[ALL:.*]] = arith.addf %[[ACC]], %[[BEFORE]]
// CHECK-NEXT: arith.addf %[[ALL]], %[[BIAS]]
// DROP-LABEL: func @rows
// DROP-NOT: tensor.extract_slice
// REMARK: SplitTaps {{.*}}Parts=3, Taps=9, TapsLeft=9
func.func @rows(%x: tensor<1x14x20x64xf32>, %b: tensor<32xf32>) -> tensor<1x14x20x32xf32> {
  %w = onnx.Constant dense<0.5> : tensor<3x3x64x32xf32>
  %y = nn.conv %x, %w extras(%b) {dilations = array<i64: 12, 1>, pads = array<i64: 12, 1, 12, 1>} epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %s = arith.addf %acc, %bias : f32
    nn.yield %s : f32
  } : (tensor<1x14x20x64xf32>, tensor<3x3x64x32xf32>, tensor<32xf32>) -> tensor<1x14x20x32xf32>
  return %y : tensor<1x14x20x32xf32>
}

// -----

// Borders are a small part, a quantized image has padding that is not zero, channels apart have little work, and sizes may be
// unknown.
// CHECK-LABEL: func @stay
// CHECK-NOT: tensor.extract_slice
// CHECK-NOT: linalg.fill
// CHECK: return
func.func @stay(%x: tensor<1x14x14x8xf32>, %q: tensor<1x14x14x8xi8>, %v: tensor<3x3x8x8xi8>, %d: tensor<1x?x14x8xf32>)
    -> (tensor<1x14x14x8xf32>, tensor<1x14x14x8xi32>, tensor<1x14x14x8xf32>, tensor<1x?x14x8xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<3x3x8x8xf32>
  %g = onnx.Constant dense<0.5> : tensor<3x3x1x8xf32>
  %0 = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x14x14x8xf32>, tensor<3x3x8x8xf32>) -> tensor<1x14x14x8xf32>
  %1 = nn.conv %q, %v {dilations = array<i64: 24, 24>, pads = array<i64: 24, 24, 24, 24>, pad_value = 3 : i64}
    : (tensor<1x14x14x8xi8>, tensor<3x3x8x8xi8>) -> tensor<1x14x14x8xi32>
  %2 = nn.conv %x, %g {dilations = array<i64: 24, 24>, pads = array<i64: 24, 24, 24, 24>, group = 8 : i64}
    : (tensor<1x14x14x8xf32>, tensor<3x3x1x8xf32>) -> tensor<1x14x14x8xf32>
  %3 = nn.conv %d, %w {dilations = array<i64: 24, 24>, pads = array<i64: 24, 24, 24, 24>}
    : (tensor<1x?x14x8xf32>, tensor<3x3x8x8xf32>) -> tensor<1x?x14x8xf32>
  return %0, %1, %2, %3 : tensor<1x14x14x8xf32>, tensor<1x14x14x8xi32>, tensor<1x14x14x8xf32>, tensor<1x?x14x8xf32>
}
