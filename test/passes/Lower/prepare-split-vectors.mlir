// Zen 4 computes vectors of 512 bits in two halves: panels of half vectors hold fewer zeros.
// RUN: lathe-opt %s -split-input-file -lower-prepare-kernels -canonicalize | FileCheck %s
// RUN: sed 's/znver4/znver5/' %s | lathe-opt -split-input-file -lower-prepare-kernels -canonicalize | FileCheck %s --check-prefix=WHOLE

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512,
    vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>} {

// CHECK-LABEL: @three_halves
//       CHECK: nn.conv {{.*}}tensor<1x1x1x16x24xf32>
// WHOLE-LABEL: @three_halves
//       WHOLE: nn.conv {{.*}}tensor<1x1x1x16x32xf32>
func.func @three_halves(%x: tensor<1x8x8x16xf32>, %w: tensor<1x1x16x24xf32>) -> tensor<1x8x8x24xf32> {
  %y = nn.conv %x, %w : (tensor<1x8x8x16xf32>, tensor<1x1x16x24xf32>) -> tensor<1x8x8x24xf32>
  return %y : tensor<1x8x8x24xf32>
}

// CHECK-LABEL: @five_halves
//       CHECK: nn.linear {{.*}}tensor<1x64x40xf32>
// WHOLE-LABEL: @five_halves
//       WHOLE: nn.linear {{.*}}tensor<3x64x16xf32>
func.func @five_halves(%x: tensor<?x64xf32>, %w: tensor<64x40xf32>) -> tensor<?x40xf32> {
  %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x40xf32>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// CHECK-LABEL: @one_half
//       CHECK: nn.linear {{.*}}tensor<1x64x8xf32>
func.func @one_half(%x: tensor<16x64xf32>, %w: tensor<64x6xf32>) -> tensor<16x6xf32> {
  %y = nn.linear %x, %w : (tensor<16x64xf32>, tensor<64x6xf32>) -> tensor<16x6xf32>
  return %y : tensor<16x6xf32>
}

// No zeros to be spared; bytes and bf16, whose products are of whole registers; and a row that memory alone bounds.
// CHECK-LABEL: @whole
//       CHECK: nn.linear {{.*}}tensor<3x64x32xf32>
//       CHECK: nn.linear {{.*}}tensor<1x16x32x4xi8>
//       CHECK: nn.linear {{.*}}tensor<1x64x32xbf16>
//       CHECK: nn.linear {{.*}}tensor<1x64x32xf32>
func.func @whole(%x: tensor<16x64xf32>, %row: tensor<1x64xf32>, %bytes: tensor<16x64xi8>, %w: tensor<64x96xf32>, %v: tensor<64x24xi8>,
                 %b: tensor<64x24xbf16>, %u: tensor<64x24xf32>)
    -> (tensor<16x96xf32>, tensor<16x24xi32>, tensor<16x24xf32>, tensor<1x24xf32>) {
  %0 = nn.linear %x, %w : (tensor<16x64xf32>, tensor<64x96xf32>) -> tensor<16x96xf32>
  %1 = nn.linear %bytes, %v : (tensor<16x64xi8>, tensor<64x24xi8>) -> tensor<16x24xi32>
  %2 = nn.linear %x, %b : (tensor<16x64xf32>, tensor<64x24xbf16>) -> tensor<16x24xf32>
  %3 = nn.linear %row, %u : (tensor<1x64xf32>, tensor<64x24xf32>) -> tensor<1x24xf32>
  return %0, %1, %2, %3 : tensor<16x96xf32>, tensor<16x24xi32>, tensor<16x24xf32>, tensor<1x24xf32>
}

}
