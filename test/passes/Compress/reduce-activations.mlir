// RUN: lathe-opt %s --compress-reduce-activations --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

#dots = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512, vector_registers = 32,
                   dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "avx512bf16">
#none = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "", vector_bits = 512, vector_registers = 32,
                   dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>

#tensor_cores = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255,
                           dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">

// An epilogue rounds what the next contraction reads, and the norm what both halves read.
// CHECK-LABEL: func @layers
// CHECK: %[[N:.*]] = nn.norm layer {{.*}} : (tensor<65x96xf32>) -> tensor<65x96xbf16>
// CHECK: %[[H:.*]] = nn.linear %[[N]], {{.*}} epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: f32):
// CHECK: %[[R:.*]] = math.tanh %[[ACC]] : f32
// CHECK: %[[T:.*]] = arith.truncf %[[R]] : f32 to bf16
// CHECK: nn.yield %[[T]] : bf16
// CHECK: } : (tensor<65x96xbf16>, tensor<96x384xbf16>) -> tensor<65x384xbf16>
// CHECK: nn.linear %[[H]], {{.*}} extras(%arg0) epilogue {
// CHECK: } : (tensor<65x384xbf16>, tensor<384x96xbf16>, tensor<65x96xf32>) -> tensor<65x96xf32>
// REMARK-DAG: [Passed] ReduceActivations{{.*}}Elements=6240, Stored="by its producer"
func.func @layers(%x: tensor<65x96xf32>) -> tensor<65x96xf32> attributes {nn.target = #dots} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xbf16>
  %v = onnx.Constant dense<1.0> : tensor<384x96xbf16>
  %n = nn.norm layer %x {epsilon = 1.0e-5 : f32} : (tensor<65x96xf32>) -> tensor<65x96xf32>
  %h = nn.linear %n, %w epilogue {
  ^bb0(%acc: f32):
    %r = math.tanh %acc : f32
    nn.yield %r : f32
  } : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
  %y = nn.linear %h, %v extras(%x) epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<65x384xf32>, tensor<384x96xbf16>, tensor<65x96xf32>) -> tensor<65x96xf32>
  return %y : tensor<65x96xf32>
}

// A residual is extended where it is added, a maximum is taken of rounded values, a depthwise convolution reads them; who
// else reads one does so through a cast. An empty epilogue becomes one that rounds.
// CHECK-LABEL: func @block
// CHECK: %[[I:.*]] = "onnx.Cast"(%arg0) <{{.*}}to = 16{{.*}} : (tensor<1x16x16x32xf32>) -> tensor<1x16x16x32xbf16>
// CHECK: %[[A:.*]] = nn.conv %[[I]], {{.*}} epilogue {
// CHECK: arith.truncf
// CHECK: } : (tensor<1x16x16x32xbf16>, tensor<3x3x32x32xbf16>) -> tensor<1x16x16x32xbf16>
// CHECK: %[[B:.*]] = nn.conv %[[A]], {{.*}} extras(%[[A]]) {{.*}} epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[E:.*]]: bf16):
// CHECK: %[[W:.*]] = arith.extf %[[E]] : bf16 to f32
// CHECK: arith.addf %[[ACC]], %[[W]] : f32
// CHECK: } : {{.*}} -> tensor<1x16x16x32xbf16>
// CHECK: %[[P:.*]] = nn.pool max %[[B]] {{.*}} : (tensor<1x16x16x32xbf16>) -> tensor<1x8x8x32xbf16>
// CHECK: %[[F:.*]] = "onnx.Cast"(%[[P]]) <{{.*}}to = 1 {{.*}} -> tensor<1x8x8x32xf32>
// CHECK: nn.conv %[[P]], {{.*}} -> tensor<1x8x8x64xf32>
// CHECK: nn.conv %[[P]], {{.*}} {group = 32 : i64} : (tensor<1x8x8x32xbf16>, tensor<1x1x1x32xf32>) -> tensor<1x8x8x32xf32>
// CHECK: "onnx.Sin"(%[[F]])
func.func @block(%x: tensor<1x16x16x32xf32>) -> (tensor<1x8x8x64xf32>, tensor<1x8x8x32xf32>, tensor<1x8x8x32xf32>)
    attributes {nn.target = #dots} {
  %w = onnx.Constant dense<1.0> : tensor<3x3x32x32xbf16>
  %v = onnx.Constant dense<1.0> : tensor<1x1x32x64xbf16>
  %d = onnx.Constant dense<1.0> : tensor<1x1x1x32xf32>
  %a = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x16x16x32xf32>, tensor<3x3x32x32xbf16>) -> tensor<1x16x16x32xf32>
  %b = nn.conv %a, %w extras(%a) {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<1x16x16x32xf32>, tensor<3x3x32x32xbf16>, tensor<1x16x16x32xf32>) -> tensor<1x16x16x32xf32>
  %p = nn.pool max %b {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x16x16x32xf32>) -> tensor<1x8x8x32xf32>
  %y = nn.conv %p, %v : (tensor<1x8x8x32xf32>, tensor<1x1x32x64xbf16>) -> tensor<1x8x8x64xf32>
  %z = nn.conv %p, %d {group = 32 : i64} : (tensor<1x8x8x32xf32>, tensor<1x1x1x32xf32>) -> tensor<1x8x8x32xf32>
  %s = "onnx.Sin"(%p) : (tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  return %y, %z, %s : tensor<1x8x8x64xf32>, tensor<1x8x8x32xf32>, tensor<1x8x8x32xf32>
}

// Elements that move on their way stay in bf16.
// CHECK-LABEL: func @moved
// CHECK: nn.attention {{.*}} -> tensor<1x65x3x32xbf16>
// CHECK: "onnx.Reshape"{{.*}} : (tensor<1x65x3x32xbf16>, tensor<3xi64>) -> tensor<1x65x96xbf16>
// CHECK: nn.linear {{.*}} : (tensor<1x65x96xbf16>, tensor<96x96xbf16>) -> tensor<1x65x96xf32>
func.func @moved(%q: tensor<1x65x3x32xf32>) -> tensor<1x65x96xf32> attributes {nn.target = #dots} {
  %w = onnx.Constant dense<1.0> : tensor<96x96xbf16>
  %shape = onnx.Constant dense<[1, 65, 96]> : tensor<3xi64>
  %a = nn.attention %q, %q, %q {scale = 1.0 : f32}
    : (tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>) -> tensor<1x65x3x32xf32>
  %r = "onnx.Reshape"(%a, %shape) {allowzero = 0 : i64} : (tensor<1x65x3x32xf32>, tensor<3xi64>) -> tensor<1x65x96xf32>
  %y = nn.linear %r, %w : (tensor<1x65x96xf32>, tensor<96x96xbf16>) -> tensor<1x65x96xf32>
  return %y : tensor<1x65x96xf32>
}

// A cast of the input would cost more than it saves; a table's rows are there in bf16.
// CHECK-LABEL: func @little
// CHECK: nn.linear %arg0, {{.*}} : (tensor<?x96xf32>, tensor<96x32xbf16>) -> tensor<?x32xf32>
// CHECK: %[[G:.*]] = "onnx.Gather"
// CHECK: nn.linear %[[G]], {{.*}} : (tensor<4x96xbf16>, tensor<96x32xbf16>) -> tensor<4x32xf32>
// REMARK-DAG: [Missed] ReduceActivations{{.*}}too little work for a cast
func.func @little(%x: tensor<?x96xf32>, %i: tensor<4xi64>) -> (tensor<?x32xf32>, tensor<4x32xf32>) attributes {nn.target = #dots} {
  %w = onnx.Constant dense<1.0> : tensor<96x32xbf16>
  %t = onnx.Constant dense<1.0> : tensor<10x96xbf16>
  %y = nn.linear %x, %w : (tensor<?x96xf32>, tensor<96x32xbf16>) -> tensor<?x32xf32>
  %g = "onnx.Gather"(%t, %i) {axis = 0 : i64} : (tensor<10x96xbf16>, tensor<4xi64>) -> tensor<4x96xbf16>
  %c = "onnx.Cast"(%g) {to = 1 : i64} : (tensor<4x96xbf16>) -> tensor<4x96xf32>
  %z = nn.linear %c, %w : (tensor<4x96xf32>, tensor<96x32xbf16>) -> tensor<4x32xf32>
  return %y, %z : tensor<?x32xf32>, tensor<4x32xf32>
}

// CHECK-LABEL: func @target
// CHECK: nn.linear %{{.*}} : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
// REMARK-DAG: [Missed] ReduceActivations{{.*}}target multiplies f32 as fast
func.func @target(%x: tensor<65x96xf32>) -> tensor<65x384xf32> attributes {nn.target = #none} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xbf16>
  %y = nn.linear %x, %w : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
  return %y : tensor<65x384xf32>
}

// Query, key and value that a contraction stores, maybe moved on their way, are stored in bf16 for an attention that may have
// them so. A mask stays as it is.
// CHECK-LABEL: func @attention
// CHECK: arith.truncf
// CHECK: -> tensor<1x65x288xbf16>
// CHECK: "onnx.Reshape"{{.*}} -> tensor<1x65x3x3x32xbf16>
// CHECK: %[[S:.*]]:3 = "onnx.Split"
// CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%arg1) {{.*}} : (tensor<1x65x3x32xbf16>, tensor<1x65x3x32xbf16>, tensor<1x65x3x32xbf16>, tensor<65x65xf32>) -> tensor<1x65x3x32xf32>
// REMARK-DAG: [Passed] ReduceActivations{{.*}}Elements=6240, Stored="by its producer"
func.func @attention(%x: tensor<1x65x96xbf16>, %mask: tensor<65x65xf32>) -> tensor<1x65x3x32xf32> attributes {nn.target = #tensor_cores} {
  %w = onnx.Constant dense<1.0> : tensor<96x288xbf16>
  %shape = onnx.Constant dense<[1, 65, 3, 3, 32]> : tensor<5xi64>
  %one = onnx.Constant dense<[1, 65, 3, 32]> : tensor<4xi64>
  %sizes = onnx.Constant dense<1> : tensor<3xi64>
  %p = nn.linear %x, %w : (tensor<1x65x96xbf16>, tensor<96x288xbf16>) -> tensor<1x65x288xf32>
  %r = "onnx.Reshape"(%p, %shape) {allowzero = 0 : i64} : (tensor<1x65x288xf32>, tensor<5xi64>) -> tensor<1x65x3x3x32xf32>
  %s:3 = "onnx.Split"(%r, %sizes) {axis = 2 : i64} : (tensor<1x65x3x3x32xf32>, tensor<3xi64>) -> (tensor<1x65x1x3x32xf32>, tensor<1x65x1x3x32xf32>, tensor<1x65x1x3x32xf32>)
  %q = "onnx.Reshape"(%s#0, %one) {allowzero = 0 : i64} : (tensor<1x65x1x3x32xf32>, tensor<4xi64>) -> tensor<1x65x3x32xf32>
  %k = "onnx.Reshape"(%s#1, %one) {allowzero = 0 : i64} : (tensor<1x65x1x3x32xf32>, tensor<4xi64>) -> tensor<1x65x3x32xf32>
  %v = "onnx.Reshape"(%s#2, %one) {allowzero = 0 : i64} : (tensor<1x65x1x3x32xf32>, tensor<4xi64>) -> tensor<1x65x3x32xf32>
  %y = nn.attention %q, %k, %v mask(%mask) {nn.narrow = bf16, nn.tf32, scale = 0.25 : f32}
    : (tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>, tensor<65x65xf32>) -> tensor<1x65x3x32xf32>
  return %y : tensor<1x65x3x32xf32>
}

// One query is too little work to cast keys that come from outside, and then it stays f32, too.
// CHECK-LABEL: func @cache
// CHECK: nn.attention {{.*}} : (tensor<1x1x3x32xf32>, tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>) -> tensor<1x1x3x32xf32>
// REMARK-DAG: [Missed] ReduceActivations{{.*}}too little work for casts of query, key and value
func.func @cache(%q: tensor<1x1x3x32xf32>, %k: tensor<1x65x3x32xf32>) -> tensor<1x1x3x32xf32> attributes {nn.target = #tensor_cores} {
  %y = nn.attention %q, %k, %k {nn.narrow = bf16, nn.tf32, scale = 0.25 : f32}
    : (tensor<1x1x3x32xf32>, tensor<1x65x3x32xf32>, tensor<1x65x3x32xf32>) -> tensor<1x1x3x32xf32>
  return %y : tensor<1x1x3x32xf32>
}

// With many queries it pays.
// CHECK-LABEL: func @prompt
// CHECK: %[[K:.*]] = "onnx.Cast"(%arg1) <{{.*}} -> tensor<1x128x3x32xbf16>
// CHECK: nn.attention %{{.*}}, %[[K]], %[[K]] {{.*}} : (tensor<1x128x3x32xbf16>, tensor<1x128x3x32xbf16>, tensor<1x128x3x32xbf16>) -> tensor<1x128x3x32xf32>
func.func @prompt(%q: tensor<1x128x3x32xf32>, %k: tensor<1x128x3x32xf32>) -> tensor<1x128x3x32xf32> attributes {nn.target = #tensor_cores} {
  %y = nn.attention %q, %k, %k {nn.narrow = bf16, nn.tf32, scale = 0.25 : f32}
    : (tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>) -> tensor<1x128x3x32xf32>
  return %y : tensor<1x128x3x32xf32>
}
