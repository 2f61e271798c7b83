// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(compress-reduce-precision{format=tf32}))' --split-input-file \
// RUN:   --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(compress-reduce-precision{format=bf16}))' --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=NARROW,BF16
// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(compress-reduce-precision{format=f16}))' --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=NARROW,F16

// On a GPU f32 stays in memory and may be multiplied as tf32; in bf16 and f16, where there is no weight.
// CHECK-LABEL: func @gpu
// CHECK: nn.linear %{{.*}}, %{{.*}} {nn.tf32, nn.tf32_weight} : (tensor<?x2xf32>, tensor<2x2xf32>)
// CHECK: nn.linear %{{.*}}, %{{.*}} {lathe.compress = {precision = "none"}} :
// CHECK: nn.matmul %{{.*}}, %{{.*}} {nn.tf32} :
// NARROW-LABEL: func @gpu
// BF16: nn.linear %{{.*}}, %{{.*}} : (tensor<?x2xf32>, tensor<2x2xbf16>)
// F16: nn.linear %{{.*}}, %{{.*}} : (tensor<?x2xf32>, tensor<2x2xf16>)
// NARROW: nn.matmul %{{.*}}, %{{.*}} {nn.tf32} :
// REMARK: [Passed] ReducePrecision{{.*}}Product=tf32
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
  func.func @gpu(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
    %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    %b = nn.linear %x, %w {lathe.compress = {precision = "none"}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    %c = nn.matmul %a, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    return %a, %b, %c : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
  }
}

// -----

// Constant weights are rounded at compile time: 1 + 2^-11, half way to 1 + 2^-10, goes away from zero, what is below half way
// does not, and a NaN keeps a bit that is not dropped. Who else reads the constant reads it as it was; groups are no product of
// tensor cores.
// CHECK-LABEL: func @weights
// CHECK-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}1.000000e+00, 1.00048828], [-1.00048828, 0x7F800001]]> : tensor<2x2xf32>
// CHECK-DAG: %[[R:.*]] = onnx.Constant dense<{{\[\[}}1.000000e+00, 1.00097656], [-1.00097656, 0x7FC00000]]> : tensor<2x2xf32>
// CHECK-DAG: %[[F:.*]] = onnx.Constant dense<1.00097656> : tensor<1x1x2x2xf32>
// CHECK: nn.linear %{{.*}}, %[[R]] {nn.tf32, nn.tf32_weight}
// CHECK: nn.conv %{{.*}}, %[[F]] {nn.tf32, nn.tf32_weight}
// CHECK: nn.conv %{{.*}} {group = 2 : i64, nn.tf32}
// CHECK: "onnx.Add"(%{{.*}}, %[[W]])
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
  func.func @weights(%x: tensor<?x2xf32>, %i: tensor<1x8x8x2xf32>) -> (tensor<2x2xf32>, tensor<?x2xf32>, tensor<1x8x8x2xf32>, tensor<1x8x8x2xf32>) {
    %w = onnx.Constant dense<[[1.0, 1.00048828125], [-1.00048828125, 0x7F800001]]> : tensor<2x2xf32>
    %f = onnx.Constant dense<1.00048828125> : tensor<1x1x2x2xf32>
    %g = onnx.Constant dense<1.00048828125> : tensor<1x1x1x2xf32>
    %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    %b = nn.conv %i, %f : (tensor<1x8x8x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x8x8x2xf32>
    %c = nn.conv %i, %g {group = 2 : i64} : (tensor<1x8x8x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x8x8x2xf32>
    %d = "onnx.Add"(%w, %w) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    return %d, %a, %b, %c : tensor<2x2xf32>, tensor<?x2xf32>, tensor<1x8x8x2xf32>, tensor<1x8x8x2xf32>
  }
}

// -----

// Elsewhere there is no such product.
// CHECK-LABEL: func @cpu
// CHECK-NOT: nn.tf32
// NARROW-LABEL: func @cpu
// NARROW-NOT: nn.tf32
// REMARK: [Missed] ReducePrecision{{.*}}target has no products of tf32
func.func @cpu(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %a : tensor<?x2xf32>
}

// -----

// Attention in 16 bits may have its operands so, too (see compress-reduce-activations).
// CHECK-LABEL: func @attention
// CHECK: nn.attention {{.*}} {nn.tf32, scale
// NARROW-LABEL: func @attention
// BF16: nn.attention {{.*}} {nn.narrow = bf16, nn.tf32, scale
// F16: nn.attention {{.*}} {nn.narrow = f16, nn.tf32, scale
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
  func.func @attention(%q: tensor<1x8x2x16xf32>) -> tensor<1x8x2x16xf32> {
    %y = nn.attention %q, %q, %q {scale = 0.25 : f32} : (tensor<1x8x2x16xf32>, tensor<1x8x2x16xf32>, tensor<1x8x2x16xf32>) -> tensor<1x8x2x16xf32>
    return %y : tensor<1x8x2x16xf32>
  }
}
