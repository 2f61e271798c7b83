// RUN: lathe-opt %s --compress-quantize-weights="format=w8" --remarks-filter=compress \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t --check-prefixes=CHECK,W8
// RUN: lathe-opt %s --compress-quantize-weights="format=w8:asymmetric" | FileCheck %s --check-prefix=W8A
// RUN: lathe-opt %s --compress-quantize-weights="format=w4" | FileCheck %s --check-prefixes=CHECK,W4
// RUN: lathe-opt %s --compress-quantize-weights="format=w8:group=32" | FileCheck %s --check-prefix=W8G

// The constant is read by two products and another op: the products share the rounded weight, the other keeps reading f32.
// CHECK-LABEL: func @main
// CHECK: %[[W:.*]] = onnx.Constant dense<{{.*}}> : tensor<32x2xf32>
// W8: %[[I:.*]] = onnx.Constant dense<127> : tensor<32x2xi8>
// W8: %[[S:.*]] = quant.scast %[[I]] : tensor<32x2xi8> to tensor<32x2x!quant.uniform<i8<-127:127>:f32:1, {0.003937{{[0-9]*}},0.003937{{[0-9]*}}}>>
// W8A: onnx.Constant dense<127> : tensor<32x2xi8>
// W8A: !quant.uniform<i8:f32:1, {0.00196{{[0-9]*}}:-128,0.00196{{[0-9]*}}:-128}>>
// W4: %[[I:.*]] = onnx.Constant dense<7> : tensor<32x2xi4>
// W4: %[[S:.*]] = quant.scast %[[I]] : tensor<32x2xi4> to tensor<32x2x!quant.uniform<i4:f32:{0:32, 1:1}, {{[{][{]}}0.0714{{[0-9]*}}, 0.0714{{[0-9]*}}{{[}][}]}}>>
// W8G: tensor<32x2x!quant.uniform<i8<-127:127>:f32:{0:32, 1:1}, {{[{][{]}}0.003937{{[0-9]*}}, 0.003937{{[0-9]*}}{{[}][}]}}>>
// CHECK: onnx.Neg{{.*}}%[[W]]
// CHECK: nn.linear %{{.*}}, %[[S]] : (tensor<?x32xf32>, tensor<32x2x!quant.uniform
// CHECK: nn.linear %{{.*}}, %[[S]] : (tensor<?x32xf32>, tensor<32x2x!quant.uniform
// CHECK: nn.linear {{.*}} : (tensor<?x32xf32>, tensor<32x2xf32>)
// CHECK: nn.linear {{.*}} : (tensor<?x32xf32>, tensor<32x2xf32>)

// REMARK-DAG: [Passed] QuantizeWeight | Category:compress{{.*}}Bits=8, Group=32, Rounding=nearest
// REMARK-DAG: [Missed] QuantizeWeight | Category:compress{{.*}}left as f32 by its settings
// REMARK-DAG: [Missed] QuantizeWeight | Category:compress{{.*}}weight is not constant
func.func @main(%x: tensor<?x32xf32>, %v: tensor<32x2xf32>)
    -> (tensor<32x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<32x2xf32>
  %e = "onnx.Neg"(%w) : (tensor<32x2xf32>) -> tensor<32x2xf32>
  %a = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("first")
  %b = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("second")
  %c = nn.linear %x, %w {lathe.compress = {quantize = "none"}} : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("head/linear")
  %d = nn.linear %x, %v : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("unknown")
  return %e, %a, %b, %c, %d : tensor<32x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
