// RUN: lathe-opt %s --compress-reduce-precision --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: not lathe-opt %s --compress-reduce-precision="format=f8" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: lathe-opt %s --compress-reduce-precision="format=none" | FileCheck %s --check-prefix=NONE

// FORMAT: error: expected bf16, f16 or tf32, but got 'f8'
// NONE-NOT: bf16
// NONE: nn.linear %{{.*}}, %{{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>)
// NONE-NOT: bf16

// Half-way cases go to the even neighbour: 1 + 2^-8 to 1, 1 + 3 * 2^-8 to 1 + 2^-6; the largest float becomes infinite.
// CHECK-LABEL: func @main
// CHECK-DAG: %[[F:.*]] = onnx.Constant dense<{{.*}}> : tensor<2x2xf32>
// CHECK-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}1.000000e+00, 1.0156{{[0-9]*}}e+00], [-1.000000e+00, 0x7F80]]> : tensor<2x2xbf16>
// CHECK-DAG: %[[K:.*]] = onnx.Constant dense<5.000000e-01> : tensor<1x1x2x2xbf16>
// CHECK: nn.linear %{{.*}}, %[[W]] : (tensor<?x2xf32>, tensor<2x2xbf16>) -> tensor<?x2xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] : (tensor<?x2xf32>, tensor<2x2xbf16>) -> tensor<?x2xf32>
// CHECK: nn.linear %{{.*}}, %[[F]] {{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
// CHECK: nn.conv %{{.*}}, %[[K]] : (tensor<1x3x3x2xf32>, tensor<1x1x2x2xbf16>) -> tensor<1x3x3x2xf32>
// CHECK: %[[R:.*]] = "onnx.Gather"(%[[W]], %{{.*}}) <{axis = 0 : i64}> : (tensor<2x2xbf16>, tensor<?xi64>) -> tensor<?x2xbf16>
// CHECK: %[[C:.*]] = "onnx.Cast"(%[[R]]) <{{{.*}}to = 1 : i64}> : (tensor<?x2xbf16>) -> tensor<?x2xf32>
// CHECK: return {{.*}}, %[[C]] :

// REMARK-DAG: [Passed] ReducePrecision{{.*}}Bits=16, Elements=4
// REMARK-DAG: [Missed] ReducePrecision{{.*}}left as f32 by its settings
// REMARK-DAG: [Missed] ReducePrecision{{.*}}not a constant of f32
func.func @main(%x: tensor<?x2xf32>, %z: tensor<1x3x3x2xf32>, %v: tensor<2x2xf32>, %i: tensor<?xi64>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x3x3x2xf32>, tensor<?x2xf32>) {
  %w = onnx.Constant dense<[[1.00390625, 1.01171875], [-1.00390625, 0x7F7FFFFF]]> : tensor<2x2xf32>
  %k = onnx.Constant dense<0.5> : tensor<1x1x2x2xf32>
  %a = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %b = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %c = nn.linear %x, %w {lathe.compress = {precision = "none"}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %d = nn.linear %x, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %e = nn.conv %z, %k : (tensor<1x3x3x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x3x3x2xf32>
  %f = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  return %a, %b, %c, %d, %e, %f : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x3x3x2xf32>, tensor<?x2xf32>
}
