// RUN: lathe-opt %s --compress-reduce-activations --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

#half = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "", vector_bits = 128, vector_registers = 32,
                   dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>
#plain = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "generic", features = "", vector_bits = 128, vector_registers = 32,
                    dot_product = "none", l1_bytes = 32768, l2_bytes = 524288>
#avx512 = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512fp16", vector_bits = 512,
                     vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>
#tensor_cores = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255,
                           dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">

// An epilogue rounds what the next contraction reads, and the norm what both halves read; a residual is extended.
// CHECK-LABEL: func @layers
// CHECK: %[[N:.*]] = nn.norm layer {{.*}} : (tensor<65x96xf32>) -> tensor<65x96xf16>
// CHECK: %[[H:.*]] = nn.linear %[[N]], {{.*}} epilogue {
// CHECK: %[[T:.*]] = arith.truncf %{{.*}} : f32 to f16
// CHECK: nn.yield %[[T]] : f16
// CHECK: } : (tensor<65x96xf16>, tensor<96x384xf16>) -> tensor<65x384xf16>
// CHECK: nn.linear %[[H]], {{.*}} extras(%[[N]]) epilogue {
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: } : (tensor<65x384xf16>, tensor<384x96xf16>, tensor<65x96xf16>) -> tensor<65x96xf32>
// REMARK-DAG: [Passed] ReduceActivations{{.*}}Elements=6240, Stored="by its producer"
func.func @layers(%x: tensor<65x96xf32>) -> tensor<65x96xf32> attributes {nn.target = #half} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xf16>
  %v = onnx.Constant dense<1.0> : tensor<384x96xf16>
  %n = nn.norm layer %x {epsilon = 1.0e-5 : f32} : (tensor<65x96xf32>) -> tensor<65x96xf32>
  %h = nn.linear %n, %w epilogue {
  ^bb0(%acc: f32):
    %r = math.tanh %acc : f32
    nn.yield %r : f32
  } : (tensor<65x96xf32>, tensor<96x384xf16>) -> tensor<65x384xf32>
  %y = nn.linear %h, %v extras(%n) epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<65x384xf32>, tensor<384x96xf16>, tensor<65x96xf32>) -> tensor<65x96xf32>
  return %y : tensor<65x96xf32>
}

// An input is cast by ONNX's number of f16, where its contraction has enough work.
// CHECK-LABEL: func @cast
// CHECK: %[[C:.*]] = "onnx.Cast"(%arg0) <{{{.*}}to = 10 : i64}> : (tensor<65x96xf32>) -> tensor<65x96xf16>
// CHECK: nn.linear %[[C]], {{.*}} : (tensor<65x96xf16>, tensor<96x384xf16>) -> tensor<65x384xf32>
func.func @cast(%x: tensor<65x96xf32>) -> tensor<65x384xf32> attributes {nn.target = #avx512} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xf16>
  %y = nn.linear %x, %w : (tensor<65x96xf32>, tensor<96x384xf16>) -> tensor<65x384xf32>
  return %y : tensor<65x384xf32>
}

// A value that layers of both formats read is stored in one, and cast to the other.
// CHECK-LABEL: func @formats
// CHECK: %[[N:.*]] = nn.norm layer {{.*}} -> tensor<65x96xf16>
// CHECK: nn.linear %[[N]], {{.*}} : (tensor<65x96xf16>, tensor<96x384xf16>) -> tensor<65x384xf32>
// CHECK: nn.linear %{{.*}} : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
func.func @formats(%x: tensor<65x96xf32>) -> (tensor<65x384xf32>, tensor<65x384xf32>) attributes {nn.target = #half} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xf16>
  %v = onnx.Constant dense<1.0> : tensor<96x384xbf16>
  %n = nn.norm layer %x {epsilon = 1.0e-5 : f32} : (tensor<65x96xf32>) -> tensor<65x96xf32>
  %y = nn.linear %n, %w : (tensor<65x96xf32>, tensor<96x384xf16>) -> tensor<65x384xf32>
  %z = nn.linear %n, %v : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
  return %y, %z : tensor<65x384xf32>, tensor<65x384xf32>
}

// Three taps of 3 channels are 9 steps, fewer than a block that is added up in f16; of 8 channels they are 24. Between dilated
// taps lie others.
// CHECK-LABEL: func @short
// CHECK: nn.conv %{{.*}} : (tensor<1x64x64x3xf32>, tensor<3x3x3x32xf16>) -> tensor<1x62x62x32xf32>
// CHECK: nn.conv %{{.*}} : (tensor<1x64x64x8xf16>, tensor<3x3x8x32xf16>) -> tensor<1x62x62x32xf32>
// CHECK: nn.conv %{{.*}} : (tensor<1x64x64x8xf32>, tensor<3x3x8x32xf16>) -> tensor<1x60x60x32xf32>
// REMARK-DAG: [Missed] ReduceActivations{{.*}}reduction is too short for sums in f16
func.func @short(%x: tensor<1x64x64x3xf32>, %y: tensor<1x64x64x8xf32>)
    -> (tensor<1x62x62x32xf32>, tensor<1x62x62x32xf32>, tensor<1x60x60x32xf32>) attributes {nn.target = #half} {
  %w = onnx.Constant dense<1.0> : tensor<3x3x3x32xf16>
  %v = onnx.Constant dense<1.0> : tensor<3x3x8x32xf16>
  %a = nn.conv %x, %w : (tensor<1x64x64x3xf32>, tensor<3x3x3x32xf16>) -> tensor<1x62x62x32xf32>
  %b = nn.conv %y, %v : (tensor<1x64x64x8xf32>, tensor<3x3x8x32xf16>) -> tensor<1x62x62x32xf32>
  %c = nn.conv %y, %v {dilations = array<i64: 2, 2>} : (tensor<1x64x64x8xf32>, tensor<3x3x8x32xf16>) -> tensor<1x60x60x32xf32>
  return %a, %b, %c : tensor<1x62x62x32xf32>, tensor<1x62x62x32xf32>, tensor<1x60x60x32xf32>
}

// CHECK-LABEL: func @target
// CHECK: nn.linear %{{.*}} : (tensor<65x96xf32>, tensor<96x384xf16>) -> tensor<65x384xf32>
// REMARK-DAG: [Missed] ReduceActivations{{.*}}target has no arithmetic of f16
func.func @target(%x: tensor<65x96xf32>) -> tensor<65x384xf32> attributes {nn.target = #plain} {
  %w = onnx.Constant dense<1.0> : tensor<96x384xf16>
  %y = nn.linear %x, %w : (tensor<65x96xf32>, tensor<96x384xf16>) -> tensor<65x384xf32>
  return %y : tensor<65x384xf32>
}

// Tensor cores add products of f16 up in f32, however few. Attention reads it where it may, and only there.
// CHECK-LABEL: func @tensor_cores
// CHECK: %[[N:.*]] = nn.norm layer {{.*}} -> tensor<65x12xf16>
// CHECK: nn.linear %[[N]], {{.*}} : (tensor<65x12xf16>, tensor<12x384xf16>) -> tensor<65x384xf32>
// CHECK: nn.attention {{.*}} : (tensor<1x128x3x32xf16>, tensor<1x128x3x32xf16>, tensor<1x128x3x32xf16>) -> tensor<1x128x3x32xf32>
// CHECK: nn.attention {{.*}} : (tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>) -> tensor<1x128x3x32xf32>
func.func @tensor_cores(%x: tensor<65x12xf32>, %q: tensor<1x128x3x32xf32>)
    -> (tensor<65x384xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>) attributes {nn.target = #tensor_cores} {
  %w = onnx.Constant dense<1.0> : tensor<12x384xf16>
  %n = nn.norm layer %x {epsilon = 1.0e-5 : f32} : (tensor<65x12xf32>) -> tensor<65x12xf32>
  %y = nn.linear %n, %w : (tensor<65x12xf32>, tensor<12x384xf16>) -> tensor<65x384xf32>
  %a = nn.attention %q, %q, %q {nn.narrow = f16, nn.tf32, scale = 0.25 : f32}
    : (tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>) -> tensor<1x128x3x32xf32>
  %b = nn.attention %q, %q, %q {nn.tf32, scale = 0.25 : f32}
    : (tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>) -> tensor<1x128x3x32xf32>
  return %y, %a, %b : tensor<65x384xf32>, tensor<1x128x3x32xf32>, tensor<1x128x3x32xf32>
}
