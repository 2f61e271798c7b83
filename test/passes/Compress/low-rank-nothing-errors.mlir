// RUN: lathe-opt %s --compress-low-rank="spec=energy:0.9" --verify-diagnostics

// expected-error @+1 {{expected matrix products or convolutions with constant f32 weights to factorize, but got none}}
func.func @main(%x: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %y = nn.linear %x, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}
