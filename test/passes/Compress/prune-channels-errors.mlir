// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:1.5" 2>&1 | FileCheck %s --check-prefix=FRACTION
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.5:loud" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.5:mean:none" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.2,channels:0.3" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.5:activation" 2>&1 | FileCheck %s --check-prefix=STATISTICS
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.5:reconstruction statistics=%S/quantize.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PRODUCTS
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.9" 2>&1 | FileCheck %s --check-prefix=BUDGET
// RUN: not lathe-opt %s --compress-prune-channels="spec=channels:0.1 round=3 rounds=2" 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: not lathe-opt %S/quantize-weights-errors.mlir --compress-prune-channels="spec=channels:0.1" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NOTHING

// FRACTION: error: expected a fraction of multiply-adds between 0 and 1, but got '1.5'
// FORM: error: expected channels:F with :magnitude, :activation or :reconstruction and :none, :mean or :least-squares, but got 'channels
// TWICE: error: expected one way to prune weights and one to prune channels, but got 'channels:0.2,channels:0.3'
// STATISTICS: error: expected calibration statistics, but got none
// PRODUCTS: error: expected statistics with products of channels to reconstruct them, but got none: calibrate with samples
// BUDGET: error: expected to remove 90.0% of the multiply-adds, but channels that can go make up 50.0%
// ROUND: error: expected a round from 1 to 2, but got 3
// NOTHING: error: expected channels that can be removed, but got none
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %h = nn.linear %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = nn.linear %h, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
