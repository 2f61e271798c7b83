// RUN: not lathe-opt %s --compress-low-rank="spec=energy:1.5" 2>&1 | FileCheck %s --check-prefix=ENERGY
// RUN: not lathe-opt %s --compress-low-rank="spec=flops:0.01" 2>&1 | FileCheck %s --check-prefix=FLOPS
// RUN: not lathe-opt %s --compress-low-rank="spec=energy:0.9 multiple=-4" 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// RUN: not lathe-opt %s --compress-low-rank="spec=energy:0.9 multiple=9223372036854775807" 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not lathe-opt %s --compress-low-rank="spec=energy:0.9 statistics=%S/quantize.json" 2>&1 | FileCheck %s --check-prefix=GRAM
// RUN: not lathe-opt %s --compress-low-rank="spec=energy:0.9 statistics=%S/none.json" 2>&1 | FileCheck %s --check-prefix=FILE

// ENERGY: error: expected energy:E or flops:F, a part between 0 and 1, but got 'energy:1.5'
// FLOPS: error: expected to keep at least 0.500 of the FLOPs of layers that can be factorized, but got 'flops:0.01'
// MULTIPLE: error: expected ranks of a multiple from 1 to 65536, but got -4
// LARGE: error: expected ranks of a multiple from 1 to 65536, but got 9223372036854775807
// GRAM: error: expected Gram matrices in the statistics to factorize by: samples are needed
// FILE: error: cannot read
func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %y = nn.linear %x, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}
