// RUN: lathe-opt %s -fuse-norm | FileCheck %s
// RUN: lathe-opt %s -fuse-norm --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func @layer_norm
func.func @layer_norm(%x: tensor<?x7x16xf32>) -> tensor<?x7x16xf32> {
  %s = onnx.Constant dense<1.0> : tensor<16xf32>
  %b = onnx.Constant dense<2.0> : tensor<16xf32>
  // CHECK: nn.norm layer %arg0 scale(%{{.*}}) bias(%{{.*}}) {epsilon = 9.99999974E-6 : f32}
  %0 = "onnx.LayerNormalization"(%x, %s, %b) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<?x7x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<?x7x16xf32>
  return %0 : tensor<?x7x16xf32>
}

// CHECK-LABEL: func @layer_norm_spelled_out
func.func @layer_norm_spelled_out(%x: tensor<?x7x16xf32>) -> tensor<?x7x16xf32> {
  %s = onnx.Constant dense<1.0> : tensor<16xf32>
  %b = onnx.Constant dense<2.0> : tensor<1x1x16xf32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-5> : tensor<f32>
  // CHECK: %[[B:.*]] = "onnx.Reshape"
  // CHECK: %[[N:.*]] = nn.norm layer %arg0 scale(%{{.*}}) bias(%[[B]])
  // CHECK: return %[[N]]
  %mean = "onnx.ReduceMean"(%x, %last) : (tensor<?x7x16xf32>, tensor<1xi64>) -> tensor<?x7x1xf32>
  %d = "onnx.Sub"(%x, %mean) : (tensor<?x7x16xf32>, tensor<?x7x1xf32>) -> tensor<?x7x16xf32>
  %sq = "onnx.Pow"(%d, %two) : (tensor<?x7x16xf32>, tensor<f32>) -> tensor<?x7x16xf32>
  %var = "onnx.ReduceMean"(%sq, %last) : (tensor<?x7x16xf32>, tensor<1xi64>) -> tensor<?x7x1xf32>
  %sum = "onnx.Add"(%var, %eps) : (tensor<?x7x1xf32>, tensor<f32>) -> tensor<?x7x1xf32>
  %root = "onnx.Sqrt"(%sum) : (tensor<?x7x1xf32>) -> tensor<?x7x1xf32>
  %n = "onnx.Div"(%d, %root) : (tensor<?x7x16xf32>, tensor<?x7x1xf32>) -> tensor<?x7x16xf32>
  %m = "onnx.Mul"(%n, %s) : (tensor<?x7x16xf32>, tensor<16xf32>) -> tensor<?x7x16xf32>
  %y = "onnx.Add"(%b, %m) : (tensor<1x1x16xf32>, tensor<?x7x16xf32>) -> tensor<?x7x16xf32>
  return %y : tensor<?x7x16xf32>
}

// A bias is not part of RMSNorm.
// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %s = onnx.Constant dense<1.0> : tensor<16xf32>
  %last = onnx.Constant dense<1> : tensor<1xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-5> : tensor<f32>
  // CHECK: %[[N:.*]] = nn.norm rms %arg0 scale(%{{.*}}) {epsilon
  // CHECK: "onnx.Add"(%[[N]]
  %sq = "onnx.Mul"(%x, %x) : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  %var = "onnx.ReduceMean"(%sq, %last) : (tensor<?x16xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %sum = "onnx.Add"(%var, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %root = "onnx.Sqrt"(%sum) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %inverse = "onnx.Div"(%one, %root) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %n = "onnx.Mul"(%x, %inverse) : (tensor<?x16xf32>, tensor<?x1xf32>) -> tensor<?x16xf32>
  %m = "onnx.Mul"(%s, %n) : (tensor<16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = "onnx.Add"(%m, %s) : (tensor<?x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// The mean square of one value normalises another: that is no norm.
// REMARK: remark: [Missed] Norm
// REMARK-SAME: the mean square is of another value
// CHECK-LABEL: func @other_value
func.func @other_value(%x: tensor<4x16xf32>, %z: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %last = onnx.Constant dense<1> : tensor<1xi64>
  %eps = onnx.Constant dense<1.0e-5> : tensor<f32>
  // CHECK-NOT: nn.norm
  %sq = "onnx.Mul"(%z, %z) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %var = "onnx.ReduceMean"(%sq, %last) : (tensor<4x16xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  %sum = "onnx.Add"(%var, %eps) : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %root = "onnx.Sqrt"(%sum) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %n = "onnx.Div"(%x, %root) : (tensor<4x16xf32>, tensor<4x1xf32>) -> tensor<4x16xf32>
  return %n : tensor<4x16xf32>
}

// REMARK: remark: [Missed] Norm
// REMARK-SAME: not over the last dimension alone
// CHECK-LABEL: func @over_rows
func.func @over_rows(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %eps = onnx.Constant dense<1.0e-5> : tensor<f32>
  // CHECK-NOT: nn.norm
  %sq = "onnx.Mul"(%x, %x) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %var = "onnx.ReduceMean"(%sq, %first) : (tensor<4x16xf32>, tensor<1xi64>) -> tensor<1x16xf32>
  %sum = "onnx.Add"(%eps, %var) : (tensor<f32>, tensor<1x16xf32>) -> tensor<1x16xf32>
  %root = "onnx.Sqrt"(%sum) : (tensor<1x16xf32>) -> tensor<1x16xf32>
  %n = "onnx.Div"(%x, %root) : (tensor<4x16xf32>, tensor<1x16xf32>) -> tensor<4x16xf32>
  return %n : tensor<4x16xf32>
}

// The root of the mean square of rows, and one row for all of them.
// REMARK: remark: [Missed] Norm
// REMARK-SAME: the root enlarges what is divided
// CHECK-LABEL: func @enlarged
func.func @enlarged(%x: tensor<1x16xf32>, %z: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %last = onnx.Constant dense<1> : tensor<1xi64>
  %eps = onnx.Constant dense<1.0e-5> : tensor<f32>
  // CHECK-NOT: nn.norm
  %sq = "onnx.Mul"(%z, %z) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %var = "onnx.ReduceMean"(%sq, %last) : (tensor<4x16xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  %sum = "onnx.Add"(%var, %eps) : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %root = "onnx.Sqrt"(%sum) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %n = "onnx.Div"(%x, %root) : (tensor<1x16xf32>, tensor<4x1xf32>) -> tensor<4x16xf32>
  return %n : tensor<4x16xf32>
}

// REMARK: remark: [Missed] Norm
// REMARK-SAME: not over the last dimension alone
// CHECK-LABEL: func @two_axes
func.func @two_axes(%x: tensor<2x7x16xf32>, %s: tensor<7x16xf32>) -> tensor<2x7x16xf32> {
  // CHECK: onnx.LayerNormalization
  %0 = "onnx.LayerNormalization"(%x, %s) {axis = 1 : i64, resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x7x16xf32>, tensor<7x16xf32>) -> tensor<2x7x16xf32>
  return %0 : tensor<2x7x16xf32>
}
