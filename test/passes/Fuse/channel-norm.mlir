// RUN: lathe-opt %s -fuse-norm | FileCheck %s
// RUN: lathe-opt %s -fuse-norm --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: lathe-opt %s -fuse-norm -fuse-propagate-layout -canonicalize -cse | FileCheck %s --check-prefix=LAYOUT

// Statistics of each channel, and one product and one sum for each element.
// CHECK-LABEL: func @instance
func.func @instance(%x: tensor<?x8x5x5xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8x5x5xf32> {
  // CHECK: %[[M:.*]] = "onnx.ReduceMean"(%arg0, {{.*}} -> tensor<?x8x1x1xf32>
  // CHECK: "onnx.Sub"(%arg0,
  // CHECK: "onnx.Sqrt"
  // CHECK: %[[P:.*]] = "onnx.Mul"(%arg0, {{.*}} : (tensor<?x8x5x5xf32>, tensor<?x8x1x1xf32>)
  // CHECK: %[[Y:.*]] = "onnx.Add"(%[[P]], {{.*}} : (tensor<?x8x5x5xf32>, tensor<?x8x1x1xf32>)
  // CHECK: return %[[Y]]
  %0 = "onnx.InstanceNormalization"(%x, %s, %b) : (tensor<?x8x5x5xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x5x5xf32>
  return %0 : tensor<?x8x5x5xf32>
}

// Groups of channels as exporters spell them: no reshape of the tensor is left, and so none that would need channels first.
// CHECK-LABEL: func @groups
// CHECK-NOT: onnx.InstanceNormalization
// LAYOUT-LABEL: func @groups
func.func @groups(%x: tensor<2x5x5x8xf32>) -> tensor<2x5x5x8xf32> {
  // LAYOUT: %[[M:.*]] = "onnx.ReduceMean"(%arg0, {{.*}} -> tensor<2x1x1x8xf32>
  // LAYOUT: "onnx.ReduceMean"({{.*}} : (tensor<2x2x4xf32>, tensor<1xi64>) -> tensor<2x2x1xf32>
  // LAYOUT: "onnx.Expand"
  // LAYOUT-NOT: onnx.Transpose
  // LAYOUT: %[[P:.*]] = "onnx.Mul"(%arg0, {{.*}} : (tensor<2x5x5x8xf32>, tensor<2x1x1x8xf32>)
  // LAYOUT: %[[Y:.*]] = "onnx.Add"(%[[P]],
  // LAYOUT: return %[[Y]]
  %shape = onnx.Constant dense<[0, 2, -1]> : tensor<3xi64>
  %back = onnx.Constant dense<[2, 8, 5, 5]> : tensor<4xi64>
  %ones = onnx.Constant dense<1.0> : tensor<2xf32>
  %zeros = onnx.Constant dense<0.0> : tensor<2xf32>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<2x5x5x8xf32>) -> tensor<2x8x5x5xf32>
  %1 = "onnx.Reshape"(%0, %shape) : (tensor<2x8x5x5xf32>, tensor<3xi64>) -> tensor<2x2x100xf32>
  %2 = "onnx.InstanceNormalization"(%1, %ones, %zeros) : (tensor<2x2x100xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x2x100xf32>
  %3 = "onnx.Reshape"(%2, %back) : (tensor<2x2x100xf32>, tensor<4xi64>) -> tensor<2x8x5x5xf32>
  %4 = "onnx.Transpose"(%3) {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x8x5x5xf32>) -> tensor<2x5x5x8xf32>
  return %4 : tensor<2x5x5x8xf32>
}

// CHECK-LABEL: func @group_norm
func.func @group_norm(%x: tensor<?x8x5x5xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8x5x5xf32> {
  // CHECK: "onnx.ReduceMean"({{.*}} : (tensor<?x2x4xf32>, tensor<1xi64>) -> tensor<?x2x1xf32>
  // CHECK: "onnx.Div"({{.*}} : (tensor<1x2x4xf32>, tensor<?x2x1xf32>) -> tensor<?x2x4xf32>
  // CHECK: "onnx.Mul"(%arg0, {{.*}} : (tensor<?x8x5x5xf32>, tensor<?x8x1x1xf32>)
  %0 = "onnx.GroupNormalization"(%x, %s, %b) {num_groups = 2 : i64} : (tensor<?x8x5x5xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x5x5xf32>
  return %0 : tensor<?x8x5x5xf32>
}

// Sums of neighbours are sums of slices; x^0.75 takes two roots.
// CHECK-LABEL: func @lrn
func.func @lrn(%x: tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32> {
  // CHECK: %[[Q:.*]] = "onnx.Mul"(%arg0, %arg0)
  // CHECK: %[[P:.*]] = "onnx.Pad"(%[[Q]], {{.*}} -> tensor<1x10x5x5xf32>
  // CHECK-COUNT-3: "onnx.Slice"(%[[P]]
  // CHECK-COUNT-2: "onnx.Sqrt"
  // CHECK: "onnx.Div"(%arg0,
  %0 = "onnx.LRN"(%x) {size = 3 : i64, alpha = 1.0e-4 : f32, beta = 0.75 : f32, bias = 2.0 : f32} : (tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32>
  return %0 : tensor<1x8x5x5xf32>
}

// Half floats are summed by ops that know how; channels must be known.
// REMARK: remark: [Missed] Norm
// REMARK-SAME: element type is not f32
// REMARK: remark: [Missed] Norm
// REMARK-SAME: channels are not known
// REMARK-NOT: [Missed]
// CHECK-LABEL: func @others
func.func @others(%x: tensor<1x8x5xf16>, %s: tensor<8xf16>, %y: tensor<1x?x5xf32>) -> (tensor<1x8x5xf16>, tensor<1x?x5xf32>) {
  // CHECK: onnx.InstanceNormalization
  // CHECK: onnx.LRN
  %0 = "onnx.InstanceNormalization"(%x, %s, %s) : (tensor<1x8x5xf16>, tensor<8xf16>, tensor<8xf16>) -> tensor<1x8x5xf16>
  %1 = "onnx.LRN"(%y) {size = 3 : i64} : (tensor<1x?x5xf32>) -> tensor<1x?x5xf32>
  return %0, %1 : tensor<1x8x5xf16>, tensor<1x?x5xf32>
}

// What is reshaped to is not what it was: the instance norm stays one of the reshaped tensor.
// CHECK-LABEL: func @other_shape
func.func @other_shape(%x: tensor<2x8x4x6xf32>) -> tensor<2x8x6x4xf32> {
  // CHECK: "onnx.Reshape"(%arg0
  // CHECK: "onnx.ReduceMean"({{.*}} : (tensor<2x2x96xf32>
  %shape = onnx.Constant dense<[2, 2, 96]> : tensor<3xi64>
  %back = onnx.Constant dense<[2, 8, 6, 4]> : tensor<4xi64>
  %ones = onnx.Constant dense<1.0> : tensor<2xf32>
  %0 = "onnx.Reshape"(%x, %shape) : (tensor<2x8x4x6xf32>, tensor<3xi64>) -> tensor<2x2x96xf32>
  %1 = "onnx.InstanceNormalization"(%0, %ones, %ones) : (tensor<2x2x96xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x2x96xf32>
  %2 = "onnx.Reshape"(%1, %back) : (tensor<2x2x96xf32>, tensor<4xi64>) -> tensor<2x8x6x4xf32>
  return %2 : tensor<2x8x6x4xf32>
}
