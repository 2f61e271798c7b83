// RUN: lathe-opt %s --split-input-file --compress-clean-channels --remarks-filter=compress \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// Hidden neurons of a linear layer: 0 is kept, 1 holds relu(2) whatever the input is, 2 equals 0, nobody reads 3, and
// 4 holds relu(-1) = 0. The bias of the second layer takes 2 * [10, 20], the weight of neuron 0 that of neuron 2.
// REMARK-DAG: [Passed] CleanChannels | Category:compress{{.*}}Constant=2, Duplicate=1, Removed=4, Units=5, Unread=1
// CHECK-LABEL: func @hidden
// CHECK-DAG: %[[W0:.*]] = onnx.Constant dense<{{\[\[}}1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>
// CHECK-DAG: %[[B0:.*]] = onnx.Constant dense<5.000000e-01> : tensor<1xf32>
// CHECK-DAG: %[[W1:.*]] = onnx.Constant dense<{{\[\[}}3.100000e+01, 4.200000e+01]]> : tensor<1x2xf32>
// CHECK-DAG: %[[B1:.*]] = onnx.Constant dense<[2.100000e+01, 4.200000e+01]> : tensor<2xf32>
// CHECK: nn.linear %{{.*}}, %[[W0]] extras(%[[B0]])
// CHECK: nn.linear %{{.*}}, %[[W1]] extras(%[[B1]])
func.func @hidden(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w0 = onnx.Constant dense<[[1.0, 0.0, 1.0, 4.0, 0.0], [2.0, 0.0, 2.0, 5.0, 0.0]]> : tensor<2x5xf32>
  %b0 = onnx.Constant dense<[0.5, 2.0, 0.5, 0.1, -1.0]> : tensor<5xf32>
  %w1 = onnx.Constant dense<[[1.0, 2.0], [10.0, 20.0], [30.0, 40.0], [0.0, 0.0], [7.0, 7.0]]> : tensor<5x2xf32>
  %b1 = onnx.Constant dense<[1.0, 2.0]> : tensor<2xf32>
  %h = nn.linear %x, %w0 extras(%b0) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %zero = arith.constant 0.0 : f32
    %s = arith.addf %acc, %b : f32
    %r = arith.maximumf %s, %zero : f32
    nn.yield %r : f32
  } : (tensor<?x2xf32>, tensor<2x5xf32>, tensor<5xf32>) -> tensor<?x5xf32> loc("hidden")
  %y = nn.linear %h, %w1 extras(%b1) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<?x5xf32>, tensor<5x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A constant before a padded window would be 3 inside and 0 at the border: it stays. A constant before a window of
// one becomes a bias, of which there is none yet.
// REMARK-DAG: [Passed] CleanChannels | Category:compress{{.*}}Constant=1, Duplicate=0, Removed=1, Units=2, Unread=0
// CHECK-LABEL: func @padding
// CHECK: %[[A:.*]] = nn.conv {{.*}} epilogue {
// CHECK: -> tensor<1x4x4x2xf32>
// CHECK: %[[B:.*]] = nn.conv %[[A]], %{{.*}} {pads = array<i64: 1, 1, 1, 1>} epilogue {
// CHECK: -> tensor<1x4x4x1xf32>
// CHECK: %[[C:.*]] = nn.conv %[[B]], %{{.*}} extras(%{{.*}}) epilogue {
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32, %[[BIAS:.*]]: f32):
// CHECK-NEXT: arith.addf %[[ACC]], %[[BIAS]]
func.func @padding(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32> {
  %w0 = onnx.Constant dense<[[[[1.0, 0.0]]]]> : tensor<1x1x1x2xf32>
  %b0 = onnx.Constant dense<[0.0, 3.0]> : tensor<2xf32>
  %w1 = onnx.Constant dense_resource<w1> : tensor<3x3x2x2xf32>
  %b1 = onnx.Constant dense<[0.0, 4.0]> : tensor<2xf32>
  %w2 = onnx.Constant dense<[[[[5.0], [6.0]]]]> : tensor<1x1x2x1xf32>
  %a = nn.conv %x, %w0 extras(%b0) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<1x4x4x1xf32>, tensor<1x1x1x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  %b = nn.conv %a, %w1 extras(%b1) {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<1x4x4x2xf32>, tensor<3x3x2x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  %c = nn.conv %b, %w2 : (tensor<1x4x4x2xf32>, tensor<1x1x2x1xf32>) -> tensor<1x4x4x1xf32>
  return %c : tensor<1x4x4x1xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w1: "0x040000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f000000000000803f00000000"
    }
  }
#-}

// -----

// Channels of a residual go in all that is added up, through a depthwise filter and squeeze-and-excitation.
// REMARK-DAG: [Passed] CleanChannels | Category:compress{{.*}}Constant=1, Duplicate=0, Removed=1, Units=2, Unread=0
// CHECK-LABEL: func @residual
// CHECK: %[[A:.*]] = nn.conv {{.*}} -> tensor<1x4x4x1xf32>
// CHECK: %[[B:.*]] = nn.conv {{.*}} extras(%[[A]]) epilogue {
// CHECK: -> tensor<1x4x4x1xf32>
// CHECK: %[[D:.*]] = nn.conv %[[B]], %{{.*}} {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x4x1xf32>, tensor<3x3x1x1xf32>)
// CHECK: %[[M:.*]] = "onnx.ReduceMean"(%[[D]], {{.*}} -> tensor<1x1x1x1xf32>
// CHECK: %[[S:.*]] = nn.conv %[[M]], {{.*}} -> tensor<1x1x1x1xf32>
// CHECK: "onnx.Mul"(%[[D]], %[[S]]){{.*}} -> tensor<1x4x4x1xf32>
func.func @residual(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x3xf32> {
  %w = onnx.Constant dense<[[[[1.0, 0.0]]]]> : tensor<1x1x1x2xf32>
  %f = onnx.Constant dense<1.0> : tensor<3x3x1x2xf32>
  %g = onnx.Constant dense<[[[[0.5, 0.25], [0.125, 2.0]]]]> : tensor<1x1x2x2xf32>
  %o = onnx.Constant dense<[[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]> : tensor<1x1x2x3xf32>
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %a = nn.conv %x, %w : (tensor<1x4x4x1xf32>, tensor<1x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = nn.conv %x, %w extras(%a) epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<1x4x4x1xf32>, tensor<1x1x1x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %d = nn.conv %b, %f {group = 2 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x4x4x2xf32>, tensor<3x3x1x2xf32>) -> tensor<1x4x4x2xf32>
  %m = "onnx.ReduceMean"(%d, %axes) {keepdims = 1 : i64} : (tensor<1x4x4x2xf32>, tensor<2xi64>) -> tensor<1x1x1x2xf32>
  %s = nn.conv %m, %g : (tensor<1x1x1x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x1x2xf32>
  %p = "onnx.Mul"(%d, %s) : (tensor<1x4x4x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %y = nn.conv %p, %o : (tensor<1x4x4x2xf32>, tensor<1x1x2x3xf32>) -> tensor<1x4x4x3xf32>
  return %y : tensor<1x4x4x3xf32>
}

// -----

// Head 1 of a packed projection: nobody reads it. A concatenation has the channels of its parts one after the other.
// REMARK-DAG: [Passed] CleanChannels | Category:compress{{.*}}Constant=0, Duplicate=0, Removed=1, Units=2, Unread=1
// CHECK-LABEL: func @heads
// CHECK: nn.linear {{.*}} : (tensor<1x3x2xf32>, tensor<2x6xf32>) -> tensor<1x3x6xf32>
// CHECK: %[[SHAPE:.*]] = onnx.Constant dense<[1, 3, 3, 1, 2]> : tensor<5xi64>
// CHECK: "onnx.Reshape"(%{{.*}}, %[[SHAPE]]){{.*}} -> tensor<1x3x3x1x2xf32>
// CHECK: nn.attention {{.*}} -> tensor<1x3x1x2xf32>
// CHECK: nn.linear {{.*}} : (tensor<1x3x2xf32>, tensor<2x2xf32>)
func.func @heads(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = onnx.Constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0],
                            [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]]> : tensor<2x12xf32>
  %o = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [0.0, 0.0]]> : tensor<4x2xf32>
  %shape = onnx.Constant dense<[1, 3, 3, 2, 2]> : tensor<5xi64>
  %merged = onnx.Constant dense<[1, 3, 4]> : tensor<3xi64>
  %sizes = onnx.Constant dense<1> : tensor<3xi64>
  %axes = onnx.Constant dense<2> : tensor<1xi64>
  %p = nn.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x12xf32>) -> tensor<1x3x12xf32>
  %r = "onnx.Reshape"(%p, %shape) {allowzero = 0 : i64} : (tensor<1x3x12xf32>, tensor<5xi64>) -> tensor<1x3x3x2x2xf32>
  %qkv:3 = "onnx.Split"(%r, %sizes) {axis = 2 : i64} : (tensor<1x3x3x2x2xf32>, tensor<3xi64>)
    -> (tensor<1x3x1x2x2xf32>, tensor<1x3x1x2x2xf32>, tensor<1x3x1x2x2xf32>)
  %q = "onnx.Squeeze"(%qkv#0, %axes) : (tensor<1x3x1x2x2xf32>, tensor<1xi64>) -> tensor<1x3x2x2xf32>
  %k = "onnx.Squeeze"(%qkv#1, %axes) : (tensor<1x3x1x2x2xf32>, tensor<1xi64>) -> tensor<1x3x2x2xf32>
  %v = "onnx.Squeeze"(%qkv#2, %axes) : (tensor<1x3x1x2x2xf32>, tensor<1xi64>) -> tensor<1x3x2x2xf32>
  %a = nn.attention %q, %k, %v {scale = 1.0 : f32}
    : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %m = "onnx.Reshape"(%a, %merged) {allowzero = 0 : i64} : (tensor<1x3x2x2xf32>, tensor<3xi64>) -> tensor<1x3x4xf32>
  %y = nn.linear %m, %o : (tensor<1x3x4xf32>, tensor<4x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// REMARK-DAG: [Passed] CleanChannels | Category:compress{{.*}}Constant=0, Duplicate=0, Removed=1, Units=2, Unread=1
// CHECK-LABEL: func @concat
// CHECK: "onnx.Concat"(%{{.*}}, %{{.*}}) {{.*}} : (tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x3xf32>
func.func @concat(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w0 = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w1 = onnx.Constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %w2 = onnx.Constant dense<[[1.0], [2.0], [0.0], [3.0]]> : tensor<4x1xf32>
  %a = nn.linear %x, %w0 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %b = nn.linear %x, %w1 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %c = "onnx.Concat"(%a, %b) {axis = 1 : i64} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %y = nn.linear %c, %w2 : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// What reaches a result, a norm, groups of several channels or an op that is not known stays, though nobody reads it
// or it is zero.
// CHECK-LABEL: func @stays
// CHECK-COUNT-4: nn.conv {{.*}} -> tensor<1x4x4x4xf32>
// CHECK: nn.norm
// CHECK: return
func.func @stays(%x: tensor<1x4x4x4xf32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x4x1xf32>) {
  %w = onnx.Constant dense<0.0> : tensor<1x1x4x4xf32>
  %g = onnx.Constant dense<1.0> : tensor<1x1x2x4xf32>
  %o = onnx.Constant dense<1.0> : tensor<1x1x4x1xf32>
  %a = nn.conv %x, %w : (tensor<1x4x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x4x4xf32>
  %b = nn.conv %a, %g {group = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x4x4x4xf32>
  %c = nn.conv %b, %w : (tensor<1x4x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x4x4xf32>
  %d = nn.conv %c, %w : (tensor<1x4x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x4x4xf32>
  %n = nn.norm layer %d {epsilon = 0.1 : f32} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %y = nn.conv %n, %o : (tensor<1x4x4x4xf32>, tensor<1x1x4x1xf32>) -> tensor<1x4x4x1xf32>
  return %c, %y : tensor<1x4x4x4xf32>, tensor<1x4x4x1xf32>
}

// -----

// A result pins what it is made of through transposes and reshapes, though all channels are alike.
// CHECK-LABEL: func @heads
// CHECK: nn.linear {{.*}} -> tensor<2x3x32xf32>
// CHECK: return %{{.*}} : tensor<2x3x32xf32>
func.func @heads(%x: tensor<2x3x16xf32>) -> tensor<2x3x32xf32> {
  %w = onnx.Constant dense<1.0> : tensor<16x32xf32>
  %flat = onnx.Constant dense<[0, 0, -1]> : tensor<3xi64>
  %split = onnx.Constant dense<[0, 0, 4, -1]> : tensor<4xi64>
  %0 = nn.linear %x, %w : (tensor<2x3x16xf32>, tensor<16x32xf32>) -> tensor<2x3x32xf32>
  %1 = "onnx.Reshape"(%0, %split) : (tensor<2x3x32xf32>, tensor<4xi64>) -> tensor<2x3x4x8xf32>
  %2 = "onnx.Transpose"(%1) <{perm = array<i64: 0, 2, 1, 3>}> : (tensor<2x3x4x8xf32>) -> tensor<2x4x3x8xf32>
  %3 = "onnx.Transpose"(%2) <{perm = array<i64: 0, 2, 1, 3>}> : (tensor<2x4x3x8xf32>) -> tensor<2x3x4x8xf32>
  %4 = "onnx.Reshape"(%3, %flat) : (tensor<2x3x4x8xf32>, tensor<3xi64>) -> tensor<2x3x32xf32>
  return %4 : tensor<2x3x32xf32>
}
