// A format for the weights of matrix products says so where there are none.
// RUN: lathe-opt %s --compress-quantize-weights="format=w8" --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 | FileCheck %s
// RUN: lathe-opt %s --compress-quantize-weights="format=none" --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE --allow-empty

// CHECK: [Missed] QuantizeWeight | Category:compress | Reason="there is no matrix product and no table, and other weights stay as they are"
// NONE-NOT: QuantizeWeight
func.func @convolution(%x: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  %w = "onnx.Constant"() {value = dense<0.5> : tensor<1x1x4x4xf32>} : () -> tensor<1x1x4x4xf32>
  %y = nn.conv %x, %w : (tensor<1x8x8x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}
