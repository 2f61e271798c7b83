// RUN: lathe-opt %s --compress-reduce-tokens=merge=r:2 --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: lathe-opt %s --compress-reduce-tokens=merge=0,4 | FileCheck %s --check-prefix=LIST
// RUN: lathe-opt %s --compress-reduce-tokens | FileCheck %s --check-prefix=NOTHING

// The second layer weighs tokens by their sizes, and reshapes have fewer.
// REMARK: [Passed] MergeTokens | {{.*}}Merged=2, Tokens=9
// REMARK: [Passed] MergeTokens | {{.*}}Merged=2, Tokens=7
// CHECK-LABEL: func @class
// CHECK: %[[A:.*]] = nn.attention
// CHECK: %[[Y:.*]] = nn.linear {{.*}} extras(%arg0)
// CHECK: %[[M:.*]]:2 = nn.token_merge %[[Y]] metric(%{{.*}}) {protect_class, r = 2 : i64}
// CHECK-SAME: -> (tensor<1x7x8xf32>, tensor<1x7xf32>)
// CHECK: %[[TARGET:.*]] = onnx.Constant dense<[1, 7, 2, 4]>
// CHECK: %[[P:.*]] = "onnx.Reshape"(%{{.*}}, %[[TARGET]]) {{.*}} -> tensor<1x7x2x4xf32>
// CHECK: %[[LOG:.*]] = "onnx.Log"(%[[M]]#1) : (tensor<1x7xf32>)
// CHECK: %[[MASK:.*]] = "onnx.Unsqueeze"(%[[LOG]], {{.*}} -> tensor<1x1x1x7xf32>
// CHECK: nn.attention %[[P]], %[[P]], %[[P]] mask(%[[MASK]])
// CHECK: nn.linear {{.*}} extras(%[[M]]#0)
// CHECK: %[[N:.*]]:2 = nn.token_merge %{{.*}} metric(%[[P]]) sizes(%[[M]]#1) {protect_class, r = 2 : i64}
// CHECK: "onnx.Gather"(%[[N]]#0, {{.*}} (tensor<1x5x8xf32>, tensor<i64>) -> tensor<1x8xf32>

// Half of the tokens but the class at most.
// LIST-LABEL: func @class
// LIST: nn.token_merge {{.*}} {protect_class, r = 4 : i64} {{.*}} -> (tensor<1x5x8xf32>, tensor<1x5xf32>)
// LIST-NOT: nn.token_merge
// LIST-LABEL: func @slice
// NOTHING-NOT: nn.token_merge
// NOTHING: nn.attention {{.*}} -> tensor<1x9x2x4xf32>
// NOTHING-NOT: nn.token_merge
func.func @class(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %first = onnx.Constant dense<0> : tensor<i64>
  %class = "onnx.Gather"(%y1, %first) <{axis = 1 : i64}> : (tensor<1x9x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %class : tensor<1x8xf32>
}

// Slices of query, key and value, and of the class.
// CHECK-LABEL: func @slice
// CHECK: nn.token_merge {{.*}} {protect_class, r = 2 : i64}
// CHECK: nn.token_merge {{.*}} {protect_class, r = 2 : i64}
// CHECK: "onnx.Slice"{{.*}} (tensor<1x5x8xf32>, {{.*}} -> tensor<1x1x8xf32>
func.func @slice(%x: tensor<1x9x8xf32>) -> tensor<1x1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %many = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %w3 = onnx.Constant dense<0.5> : tensor<8x24xf32>
  %qkv = nn.linear %x, %w3 : (tensor<1x9x8xf32>, tensor<8x24xf32>) -> tensor<1x9x24xf32>
  %c = "onnx.Slice"(%qkv, %zero, %eight, %two) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<1x9x24xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%c, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %class = "onnx.Slice"(%y1, %zero, %one, %one) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<1x9x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1x8xf32>
  return %class : tensor<1x1x8xf32>
}

// Without class none is protected, and the mean counts all tokens.
// CHECK-LABEL: func @mean
// CHECK: nn.token_merge {{.*}} {r = 2 : i64}
// CHECK: %[[M:.*]]:2 = nn.token_merge {{.*}} {r = 2 : i64}
// CHECK: %[[F:.*]] = "onnx.Unsqueeze"(%[[M]]#1, {{.*}} -> tensor<1x5x1xf32>
// CHECK: %[[X:.*]] = "onnx.Mul"(%[[M]]#0, %[[F]])
// CHECK: %[[S:.*]] = "onnx.ReduceSum"(%[[X]]
// CHECK: %[[ONE:.*]] = onnx.Constant dense<0.111111112>
// CHECK: "onnx.Mul"(%[[S]], %[[ONE]])
func.func @mean(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %mean = "onnx.ReduceMean"(%y1, %one) <{keepdims = 0 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<1x9x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  return %mean : tensor<1x8xf32>
}

// The class is left out of the mean.
// CHECK-LABEL: func @patches
// CHECK: nn.token_merge {{.*}} {protect_class, r = 2 : i64}
// CHECK: %[[M:.*]]:2 = nn.token_merge {{.*}} {protect_class, r = 2 : i64}
// CHECK: %[[X:.*]] = "onnx.Slice"(%[[M]]#0, {{.*}} -> tensor<1x4x8xf32>
// CHECK: %[[Z:.*]] = "onnx.Slice"(%[[M]]#1, {{.*}} -> tensor<1x4xf32>
// CHECK: "onnx.Unsqueeze"(%[[Z]], {{.*}} -> tensor<1x4x1xf32>
// CHECK: onnx.Constant dense<1.250000e-01>
func.func @patches(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %many = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %some = "onnx.Slice"(%y1, %one, %many, %one) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<1x9x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x8x8xf32>
  %mean = "onnx.ReduceMean"(%some, %one) <{keepdims = 0 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<1x8x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  return %mean : tensor<1x8xf32>
}

// Attention that is no layer of an encoder is left alone, and told why.
// REMARK: [Missed] MergeTokens | {{.*}}Reason="its scores are masked"
// REMARK: [Missed] MergeTokens | {{.*}}Reason="query, key and value are not projections of one sequence"
// REMARK: [Missed] MergeTokens | {{.*}}Reason="no residual is added to its projection"
// CHECK-LABEL: func @others
// CHECK-COUNT-2: nn.token_merge
// CHECK-NOT: nn.token_merge
func.func @others(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a2 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p2 = "onnx.Reshape"(%a2, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s2 = nn.attention %p2, %p2, %p2 {scale = 0.5 : f32, causal} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r2 = "onnx.Reshape"(%s2, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y2 = nn.linear %r2, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a3 = nn.linear %y2, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p3 = "onnx.Reshape"(%a3, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s3 = nn.attention %p3, %p2, %p2 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r3 = "onnx.Reshape"(%s3, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y3 = nn.linear %r3, %w extras(%y2) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a4 = nn.linear %y3, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p4 = "onnx.Reshape"(%a4, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s4 = nn.attention %p4, %p4, %p4 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r4 = "onnx.Reshape"(%s4, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y4 = nn.linear %r4, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %a0 = nn.linear %y4, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%y4) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %first = onnx.Constant dense<0> : tensor<i64>
  %class = "onnx.Gather"(%y1, %first) <{axis = 1 : i64}> : (tensor<1x9x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %class : tensor<1x8xf32>
}
