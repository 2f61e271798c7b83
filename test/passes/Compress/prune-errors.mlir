// RUN: not lathe-opt %s --compress-prune="spec=magnitude:1.5" 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not lathe-opt %s --compress-prune="spec=wanda:0" 2>&1 | FileCheck %s --check-prefix=BELOW
// RUN: not lathe-opt %s --compress-prune="spec=4:2" 2>&1 | FileCheck %s --check-prefix=PATTERN
// RUN: not lathe-opt %s --compress-prune="spec=0:2" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not lathe-opt %s --compress-prune="spec=magnitude" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not lathe-opt %s --compress-prune="spec=2:4:best" 2>&1 | FileCheck %s --check-prefix=SCORE
// RUN: not lathe-opt %s --compress-prune="spec=channels:2" 2>&1 | FileCheck %s --check-prefix=CHANNELS
// RUN: not lathe-opt %s --compress-prune="spec=2:4,magnitude:0.5" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not lathe-opt %s --compress-prune="spec=magnitude:0.5" 2>&1 | FileCheck %s --check-prefix=SMALL

// ABOVE: error: expected a sparsity between 0 and 1, but got '1.5'
// BELOW: error: expected a sparsity between 0 and 1, but got '0'
// PATTERN: error: expected N:M with N from 1 to M - 1 and M of at most 64, but got '4:2'
// NOTHING: error: expected N:M with N from 1 to M - 1 and M of at most 64, but got '0:2'
// FORM: error: expected magnitude:S, wanda:S or sparsegpt:S with :uniform, N:M with :magnitude, :wanda or :sparsegpt, or channels:F, but got 'magnitude'
// SCORE: error: expected magnitude:S, {{.*}}, but got '2:4:best'
// CHANNELS: error: expected a fraction of multiply-adds between 0 and 1, but got '2'
// TWICE: error: expected one way to prune weights and one to prune channels, but got '2:4,magnitude:0.5'
// SMALL: error: expected a convolution or matrix product with a constant weight to prune, but got none
func.func @main(%x: tensor<1x96xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<0.5> : tensor<96x2xf32>
  %y = nn.linear %x, %w : (tensor<1x96xf32>, tensor<96x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
