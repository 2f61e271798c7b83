// RUN: lathe-opt %s --compress-low-rank="spec=energy:0.9" --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: lathe-opt %s --compress-low-rank="spec=none" | FileCheck %s --check-prefix=NONE
// RUN: lathe-opt %s --compress-low-rank="spec=energy:0.9 multiple=32" | FileCheck %s --check-prefix=MULTIPLE

// Two ops share the factors of a weight; the second product has the epilogue. The third keeps the weight.
// CHECK-LABEL: func @products
// CHECK: %[[W:.*]] = onnx.Constant dense<5.000000e-01> : tensor<64x64xf32>
// CHECK: %[[V:.*]] = onnx.Constant dense<{{.*}}> : tensor<64x16xf32>
// CHECK: %[[U:.*]] = onnx.Constant dense<{{.*}}> : tensor<16x64xf32>
// CHECK: %[[A:.*]] = nn.linear %{{.*}}, %[[V]] : (tensor<?x64x64xf32>, tensor<64x16xf32>) -> tensor<?x64x16xf32>
// CHECK: nn.linear %[[A]], %[[U]] extras(%{{.*}}) epilogue {
// CHECK: arith.maximumf
// CHECK: (tensor<?x64x16xf32>, tensor<16x64xf32>, tensor<64xf32>) -> tensor<?x64x64xf32>
// CHECK: %[[B:.*]] = nn.linear %{{.*}}, %[[V]] {lathe.compress = {quantize = "none"}} :
// CHECK: nn.linear %[[B]], %[[U]] {lathe.compress = {quantize = "none"}} : (tensor<?x64x16xf32>, tensor<16x64xf32>)
// CHECK: nn.linear %{{.*}}, %[[W]] {lathe.compress = {"low-rank" = "none"}}
// CHECK: nn.linear %{{.*}}, %{{.*}} : (tensor<?x64x64xf32>, tensor<64x64xf32>)
// CHECK: nn.linear %{{.*}}, %{{.*}} : (tensor<?x64x64xf32>, tensor<64x8xf32>)

// NONE-NOT: tensor<64x16xf32>
// NONE-COUNT-3: nn.linear {{.*}}tensor<64x64xf32>
// NONE-NOT: tensor<64x16xf32>
// MULTIPLE: tensor<3x3x32x32xf32>

// REMARK-DAG: [Passed] LowRank | Category:compress{{.*}}FlopsAfter=524288, FlopsBefore=1048576, FullRank=64, Rank=16, RelativeWeightError=
// REMARK-DAG: [Missed] LowRank | Category:compress{{.*}}skipped by recipe
// REMARK-DAG: [Missed] LowRank | Category:compress{{.*}}weight is not constant
// REMARK-DAG: [Missed] LowRank | Category:compress{{.*}}does not break even: 65536 FLOPs would become 147456 with rank 16
// REMARK-DAG: [Missed] LowRank | Category:compress{{.*}}weight is zero or not finite
func.func @products(%x: tensor<?x64x64xf32>, %v: tensor<64x64xf32>)
    -> (tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x8xf32>, tensor<?x64x64xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %bias = onnx.Constant dense<1.0> : tensor<64xf32>
  %small = onnx.Constant dense<0.5> : tensor<64x8xf32>
  %zero = onnx.Constant dense<0.0> : tensor<64x64xf32>
  %a = nn.linear %x, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    %c0 = arith.constant 0.0 : f32
    %r = arith.maximumf %s, %c0 : f32
    nn.yield %r : f32
  } : (tensor<?x64x64xf32>, tensor<64x64xf32>, tensor<64xf32>) -> tensor<?x64x64xf32> loc("first")
  %b = nn.linear %x, %w {lathe.compress = {quantize = "none"}} : (tensor<?x64x64xf32>, tensor<64x64xf32>) -> tensor<?x64x64xf32> loc("second")
  %c = nn.linear %x, %w {lathe.compress = {"low-rank" = "none"}} : (tensor<?x64x64xf32>, tensor<64x64xf32>) -> tensor<?x64x64xf32> loc("third")
  %d = nn.linear %x, %v : (tensor<?x64x64xf32>, tensor<64x64xf32>) -> tensor<?x64x64xf32> loc("unknown")
  %e = nn.linear %x, %small : (tensor<?x64x64xf32>, tensor<64x8xf32>) -> tensor<?x64x8xf32> loc("small")
  %f = nn.linear %x, %zero : (tensor<?x64x64xf32>, tensor<64x64xf32>) -> tensor<?x64x64xf32> loc("zero")
  return %a, %b, %c, %d, %e, %f : tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x64xf32>, tensor<?x64x8xf32>, tensor<?x64x64xf32>
}

// The window stays in the first convolution; the second has the epilogue. The first one's weight is no longer read.
// CHECK-LABEL: func @windows
// CHECK-NOT: tensor<3x3x32x64xf32>
// CHECK: nn.conv %{{.*}} {dilations = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} :
// CHECK-SAME: (tensor<1x32x32x32xf32>, tensor<3x3x32x16xf32>) -> tensor<1x15x15x16xf32>
// CHECK: nn.conv %{{.*}} epilogue {
// CHECK: math.absf
// CHECK: (tensor<1x15x15x16xf32>, tensor<1x1x16x64xf32>) -> tensor<1x15x15x64xf32>
// CHECK: nn.conv %{{.*}} {group = 2 : i64}

// REMARK-DAG: [Missed] LowRank | Category:compress{{.*}}convolution of groups
func.func @windows(%x: tensor<1x32x32x32xf32>) -> (tensor<1x15x15x64xf32>, tensor<1x32x32x64xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<3x3x32x64xf32>
  %g = onnx.Constant dense<0.5> : tensor<1x1x16x64xf32>
  %a = nn.conv %x, %w {dilations = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} epilogue {
  ^bb0(%acc: f32):
    %r = math.absf %acc : f32
    nn.yield %r : f32
  } : (tensor<1x32x32x32xf32>, tensor<3x3x32x64xf32>) -> tensor<1x15x15x64xf32> loc("conv")
  %b = nn.conv %x, %g {group = 2 : i64} : (tensor<1x32x32x32xf32>, tensor<1x1x16x64xf32>) -> tensor<1x32x32x64xf32> loc("groups")
  return %a, %b : tensor<1x15x15x64xf32>, tensor<1x32x32x64xf32>
}
