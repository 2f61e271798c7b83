// RUN: not lathe-opt %s --compress-quantize-weights="format=w3" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not lathe-opt %s --compress-quantize-weights="format=w8:group=48" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not lathe-opt %s --compress-quantize-weights="format=w4:group=64" 2>&1 | FileCheck %s --check-prefix=DIVIDE

// BITS: error: expected int8, or w8 or w4 with :group=32, 64 or 128 and :asymmetric, but got 'w3'
// GROUP: error: expected int8, or w8 or w4 with :group=32, 64 or 128 and :asymmetric, but got 'w8:group=48'
// DIVIDE: error: 'nn.linear' op expected a group that divides the weight's 96 rows, but got 64 (the op can be skipped by name)
func.func @main(%x: tensor<1x96xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<0.5> : tensor<96x2xf32>
  %y = nn.linear %x, %w : (tensor<1x96xf32>, tensor<96x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
