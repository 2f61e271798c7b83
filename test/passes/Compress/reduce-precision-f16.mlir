// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(compress-reduce-precision{format=f16}))' --split-input-file \
// RUN:   --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// Half-way cases go to the even neighbour: 1 + 2^-11 to 1, 1 + 3 * 2^-11 to 1 + 2^-9; of 65519.996, just below half way to
// 65536, the largest number is the nearest. Below 2^-14 numbers are multiples of 2^-24: 2^-25 is half way to the first, 3 * 2^-25
// to the second, and 2^-14 less 2^-26 rounds to the first that has a whole mantissa.
// CHECK-LABEL: func @rounding
// CHECK-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}1.000000e+00, 1.001950e+00], [-1.000000e+00, 6.550400e+04]]> : tensor<2x2xf16>
// CHECK-DAG: %[[S:.*]] = onnx.Constant dense<{{\[\[}}0.000000e+00, 1.192090e-07], [-6.103520e-05, 0x7E00]]> : tensor<2x2xf16>
// CHECK: nn.linear %{{.*}}, %[[W]] : (tensor<?x2xf32>, tensor<2x2xf16>) -> tensor<?x2xf32>
// CHECK: nn.linear %{{.*}}, %[[S]] : (tensor<?x2xf32>, tensor<2x2xf16>) -> tensor<?x2xf32>
// CHECK: %[[R:.*]] = "onnx.Gather"(%[[W]], %{{.*}}) <{axis = 0 : i64}> : (tensor<2x2xf16>, tensor<?xi64>) -> tensor<?x2xf16>
// CHECK: "onnx.Cast"(%[[R]]) <{{{.*}}to = 1 : i64}> : (tensor<?x2xf16>) -> tensor<?x2xf32>
// REMARK: [Passed] ReducePrecision{{.*}}Bits=16, Elements=4
func.func @rounding(%x: tensor<?x2xf32>, %i: tensor<?xi64>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = onnx.Constant dense<[[1.00048828125, 1.00146484375], [-1.00048828125, 65519.996]]> : tensor<2x2xf32>
  %s = onnx.Constant dense<[[2.98023224e-8, 8.94069672e-8], [-6.10202552e-5, 0x7FC00001]]> : tensor<2x2xf32>
  %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %b = nn.linear %x, %s : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %f = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  return %a, %b, %f : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// A weight that f16 cannot hold stays.
// CHECK-LABEL: func @range
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
// REMARK: [Missed] ReducePrecision{{.*}}has elements beyond the range of f16
func.func @range(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, -65520.0]]> : tensor<2x2xf32>
  %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %a : tensor<?x2xf32>
}

// -----

// So do those of machines that would convert f16 by many instructions.
// CHECK-LABEL: func @sse
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
// REMARK: [Missed] ReducePrecision{{.*}}target has no conversion of f16
module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v2", features = "", vector_bits = 128, vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>} {
  func.func @sse(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    return %a : tensor<?x2xf32>
  }
}

// -----

// A GPU converts it.
// CHECK-LABEL: func @gpu
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xf16>) -> tensor<?x2xf32>
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
// REMARK: [Passed] ReducePrecision{{.*}}Bits=16, Elements=4
// REMARK: [Missed] ReducePrecision{{.*}}has elements beyond the range of f16
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
  func.func @gpu(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
    %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %v = onnx.Constant dense<[[1.0, 2.0], [3.0, 65520.0]]> : tensor<2x2xf32>
    %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    %b = nn.linear %x, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    return %a, %b : tensor<?x2xf32>, tensor<?x2xf32>
  }
}

// -----

// One constant in two formats, as ops are set.
// CHECK-LABEL: func @settings
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xbf16>) -> tensor<?x2xf32>
// CHECK: nn.linear {{.*}} : (tensor<?x2xf32>, tensor<2x2xf16>) -> tensor<?x2xf32>
func.func @settings(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = nn.linear %x, %w {lathe.compress = {precision = "bf16"}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %b = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %a, %b : tensor<?x2xf32>, tensor<?x2xf32>
}
