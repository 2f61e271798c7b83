// RUN: not lathe-opt %s --compress-quantize-weights="format=w5" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not lathe-opt %s --compress-quantize-weights="format=w8:group=48" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not lathe-opt %s --compress-quantize-weights="format=w4:group=64" 2>&1 | FileCheck %s --check-prefix=DIVIDE
// RUN: not lathe-opt %s --compress-quantize-weights="format=w4:gptq" 2>&1 | FileCheck %s --check-prefix=STATISTICS
// RUN: not lathe-opt %s --compress-quantize-weights="format=w4:gptq statistics=%S/quantize-weights-errors.json" 2>&1 | FileCheck %s --check-prefix=GRAM
// RUN: not lathe-opt %s --compress-quantize-weights="format=w4 statistics=%S/missing.json" 2>&1 | FileCheck %s --check-prefix=FILE

// BITS: error: expected int8, or w8, w4, w3 or w2 with :group=32, 64 or 128, :asymmetric, and :rtn, :gptq or :act-order, but got 'w5'
// GROUP: error: expected int8, or w8, w4, w3 or w2 with :group=32, 64 or 128, :asymmetric, and :rtn, :gptq or :act-order, but got 'w8:group=48'
// DIVIDE: error: 'nn.linear' op expected a group that divides the weight's 96 rows, but got 64 (the op can be skipped by name)
// STATISTICS: error: 'nn.linear' op expected calibration statistics to round by GPTQ, but got none
// GRAM: error: 'nn.linear' op expected statistics with a Gram matrix of its input, to round by GPTQ
// FILE: error: cannot read '{{.*}}missing.json'
func.func @main(%x: tensor<1x96xf32> {onnx.name = "x"}) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<0.5> : tensor<96x2xf32>
  %y = nn.linear %x, %w : (tensor<1x96xf32>, tensor<96x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
