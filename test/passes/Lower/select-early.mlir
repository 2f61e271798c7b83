// RUN: lathe-opt %s --lower-select-early --canonicalize --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-select-early --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The end of an encoder of which the first token is read: keys and values of all 65 tokens, and one of all else. Both sums read
// the same token of %x.
// CHECK-LABEL: func @class_token
// CHECK-DAG: %[[ONE_ROW:.*]] = onnx.Constant dense<[1, 64]> : tensor<2xi64>
// CHECK-DAG: %[[Q:.*]] = "onnx.Slice"(%arg3, {{.*}}) {{.*}} -> tensor<1x1x2x32xf32>
// CHECK: %[[A:.*]] = nn.attention %[[Q]], %arg1, %arg2 {{.*}} -> tensor<1x1x2x32xf32>
// CHECK: %[[ROWS:.*]] = "onnx.Reshape"(%[[A]], %[[ONE_ROW]]) {{.*}} -> tensor<1x64xf32>
// CHECK: %[[P:.*]] = nn.linear %[[ROWS]], %{{.*}} -> tensor<1x64xf32>
// CHECK: %[[R:.*]] = "onnx.Reshape"(%[[P]], {{.*}} -> tensor<1x1x64xf32>
// CHECK: %[[XI:.*]] = "onnx.Slice"(%arg0, {{.*}} -> tensor<1x1x64xf32>
// CHECK: %[[S:.*]] = "onnx.Add"(%[[R]], %[[XI]]) {{.*}} -> tensor<1x1x64xf32>
// CHECK: %[[N:.*]] = nn.norm layer %[[S]] {{.*}} -> tensor<1x1x64xf32>
// CHECK: %[[M:.*]] = nn.linear %[[N]], %{{.*}} extras(%[[S]]) {{.*}}
// CHECK: "onnx.Gather"(%[[M]], {{.*}}) <{axis = 1 : i64}> : (tensor<1x1x64xf32>, tensor<i64>) -> tensor<1x64xf32>
// REMARK-DAG: SelectEarly {{.*}}Indices=1, Of=65, Op=nn.attention
// REMARK-DAG: SelectEarly {{.*}}Indices=1, Of=65, Op=onnx.Add
func.func @class_token(%x: tensor<1x65x64xf32>, %k: tensor<1x65x2x32xf32>, %v: tensor<1x65x2x32xf32>, %q: tensor<1x65x2x32xf32>)
    -> tensor<1x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %scale = onnx.Constant dense<0.5> : tensor<64xf32>
  %first = onnx.Constant dense<0> : tensor<i64>
  %rows = onnx.Constant dense<[65, 64]> : tensor<2xi64>
  %tokens = onnx.Constant dense<[1, 65, 64]> : tensor<3xi64>
  %0 = nn.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<1x65x2x32xf32>, tensor<1x65x2x32xf32>, tensor<1x65x2x32xf32>) -> tensor<1x65x2x32xf32>
  %1 = "onnx.Reshape"(%0, %rows) {allowzero = 0 : i64} : (tensor<1x65x2x32xf32>, tensor<2xi64>) -> tensor<65x64xf32>
  %2 = nn.linear %1, %w : (tensor<65x64xf32>, tensor<64x64xf32>) -> tensor<65x64xf32>
  %3 = "onnx.Reshape"(%2, %tokens) {allowzero = 0 : i64} : (tensor<65x64xf32>, tensor<3xi64>) -> tensor<1x65x64xf32>
  %4 = "onnx.Add"(%3, %x) : (tensor<1x65x64xf32>, tensor<1x65x64xf32>) -> tensor<1x65x64xf32>
  %5 = nn.norm layer %4 scale(%scale) {epsilon = 1.0e-6 : f32} : (tensor<1x65x64xf32>, tensor<64xf32>) -> tensor<1x65x64xf32>
  %6 = nn.linear %5, %w extras(%4) epilogue {
  ^bb0(%acc: f32, %residual: f32):
    %sum = arith.addf %acc, %residual : f32
    nn.yield %sum : f32
  } : (tensor<1x65x64xf32>, tensor<64x64xf32>, tensor<1x65x64xf32>) -> tensor<1x65x64xf32>
  %7 = "onnx.Gather"(%6, %first) {axis = 1 : i64} : (tensor<1x65x64xf32>, tensor<i64>) -> tensor<1x64xf32>
  return %7 : tensor<1x64xf32>
}

// -----

// The last queries of causal attention, in a symbolic batch.
// CHECK-LABEL: func @last_queries
// CHECK: %[[Q:.*]] = "onnx.Slice"(%arg0, {{.*}} -> tensor<?x2x1x32xf32>
// CHECK: nn.attention %[[Q]], %arg1, %arg1 {causal, heads_first, kv_heads_first, {{.*}} -> tensor<?x2x1x32xf32>
func.func @last_queries(%q: tensor<?x2x8x32xf32>, %k: tensor<?x2x8x32xf32>) -> tensor<?x2x32xf32> {
  %last = onnx.Constant dense<-1> : tensor<i64>
  %0 = nn.attention %q, %k, %k {causal, heads_first, kv_heads_first, scale = 1.0 : f32} : (tensor<?x2x8x32xf32>, tensor<?x2x8x32xf32>, tensor<?x2x8x32xf32>) -> tensor<?x2x8x32xf32>
  %1 = "onnx.Gather"(%0, %last) {axis = 2 : i64} : (tensor<?x2x8x32xf32>, tensor<i64>) -> tensor<?x2x32xf32>
  return %1 : tensor<?x2x32xf32>
}

// Others would see more keys than they do.
// CHECK-LABEL: func @first_queries
// CHECK: nn.attention {{.*}} -> tensor<?x2x8x32xf32>
func.func @first_queries(%q: tensor<?x2x8x32xf32>, %k: tensor<?x2x8x32xf32>) -> tensor<?x2x32xf32> {
  %first = onnx.Constant dense<0> : tensor<i64>
  %0 = nn.attention %q, %k, %k {causal, heads_first, kv_heads_first, scale = 1.0 : f32} : (tensor<?x2x8x32xf32>, tensor<?x2x8x32xf32>, tensor<?x2x8x32xf32>) -> tensor<?x2x8x32xf32>
  %1 = "onnx.Gather"(%0, %first) {axis = 2 : i64} : (tensor<?x2x8x32xf32>, tensor<i64>) -> tensor<?x2x32xf32>
  return %1 : tensor<?x2x32xf32>
}

// -----

// Two uses of the same rows, from the end and from the beginning, and a value that is the operand twice.
// CHECK-LABEL: func @same_rows
// CHECK: %[[A:.*]] = "onnx.Slice"(%arg0, {{.*}} -> tensor<2x64xf32>
// CHECK: %[[B:.*]] = "onnx.Slice"(%arg0, {{.*}} -> tensor<2x64xf32>
// CHECK: %[[M:.*]] = "onnx.Mul"(%[[A]], %[[B]]) {{.*}} -> tensor<2x64xf32>
// CHECK: return %[[M]], %[[M]]
func.func @same_rows(%x: tensor<8x64xf32>) -> (tensor<2x64xf32>, tensor<2x64xf32>) {
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %six = onnx.Constant dense<6> : tensor<1xi64>
  %second_last = onnx.Constant dense<-2> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %0 = "onnx.Mul"(%x, %x) : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = "onnx.Slice"(%0, %six, %end, %axis) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<8x64xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x64xf32>
  %2 = "onnx.Slice"(%0, %second_last, %end, %axis) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<8x64xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x64xf32>
  return %1, %2 : tensor<2x64xf32>, tensor<2x64xf32>
}

// -----

// Another use, other rows, most of the rows, elements of a sum over them, and columns of weights.
// CHECK-LABEL: func @kept
// CHECK: "onnx.Relu"(%arg0) {{.*}} -> tensor<8x64xf32>
// CHECK: "onnx.Neg"(%arg0) {{.*}} -> tensor<8x64xf32>
// CHECK: "onnx.Abs"(%arg0) {{.*}} -> tensor<8x64xf32>
// CHECK: nn.softmax {{.*}} -> tensor<8x64xf32>
// CHECK: nn.linear {{.*}} -> tensor<8x64xf32>
// CHECK: nn.linear %arg0, %arg1 : {{.*}} -> tensor<8x64xf32>
func.func @kept(%x: tensor<8x64xf32>, %weight: tensor<64x64xf32>)
    -> (tensor<8x64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<5x64xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %begin = onnx.Constant dense<0> : tensor<1xi64>
  %five = onnx.Constant dense<5> : tensor<1xi64>
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %0 = "onnx.Relu"(%x) : (tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = "onnx.Gather"(%0, %zero) {axis = 0 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<64xf32>
  %2 = "onnx.Neg"(%x) : (tensor<8x64xf32>) -> tensor<8x64xf32>
  %3 = "onnx.Gather"(%2, %zero) {axis = 0 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<64xf32>
  %4 = "onnx.Gather"(%2, %one) {axis = 0 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<64xf32>
  %5 = "onnx.Abs"(%x) : (tensor<8x64xf32>) -> tensor<8x64xf32>
  %6 = "onnx.Slice"(%5, %begin, %five, %begin) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<8x64xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<5x64xf32>
  %7 = nn.softmax %x : (tensor<8x64xf32>) -> tensor<8x64xf32>
  %8 = "onnx.Gather"(%7, %zero) {axis = 1 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<8xf32>
  %9 = nn.linear %x, %w : (tensor<8x64xf32>, tensor<64x64xf32>) -> tensor<8x64xf32>
  %10 = "onnx.Gather"(%9, %zero) {axis = 1 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<8xf32>
  %11 = nn.linear %x, %weight : (tensor<8x64xf32>, tensor<64x64xf32>) -> tensor<8x64xf32>
  %12 = "onnx.Gather"(%11, %zero) {axis = 1 : i64} : (tensor<8x64xf32>, tensor<i64>) -> tensor<8xf32>
  return %0, %1, %3, %4, %6, %8, %10, %12 : tensor<8x64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<5x64xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}
