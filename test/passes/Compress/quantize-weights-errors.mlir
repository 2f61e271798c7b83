// RUN: not lathe-opt %s --compress-quantize-weights="bits=3" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not lathe-opt %s --compress-quantize-weights="group=48" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not lathe-opt %s --compress-quantize-weights="bits=4 group=64" 2>&1 | FileCheck %s --check-prefix=DIVIDE
// RUN: not lathe-opt %s --compress-quantize-weights="skip=[" 2>&1 | FileCheck %s --check-prefix=PATTERN

// BITS: error: expected weights of 8 or 4 bits, but got 3
// GROUP: error: expected groups of 32, 64 or 128 rows, but got 48
// DIVIDE: error: 'nn.linear' op expected a group that divides the weight's 96 rows, but got 64 (the op can be skipped by name)
// PATTERN: error: expected a name pattern, but got '['
func.func @main(%x: tensor<1x96xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<0.5> : tensor<96x2xf32>
  %y = nn.linear %x, %w : (tensor<1x96xf32>, tensor<96x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
