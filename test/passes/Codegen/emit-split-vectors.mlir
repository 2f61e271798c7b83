// Panels that are no whole vectors of 16 columns, but were chosen for vectors of half a register.
// RUN: lathe-opt %s -codegen-emit-kernels | FileCheck %s
// RUN: sed 's/znver4/znver5/' %s | not lathe-opt -codegen-emit-kernels 2>&1 | FileCheck %s --check-prefix=WHOLE

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512,
    vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>} {

// Nine rows of three vectors; the last three columns of 45 have no lanes.
// CHECK-LABEL: @linear
// CHECK-COUNT-27: vector.fma {{.*}} : vector<8xf32>
//   CHECK-NOT: vector.fma
//       CHECK: scf.yield
//       CHECK: vector.maskedstore {{.*}} vector<8xf32>
// WHOLE: error: 'nn.linear' op expected panels of whole vectors of 16 columns, but got 24
func.func @linear(%x: memref<18x64xf32>, %w: memref<2x64x24xf32>, %y: memref<18x45xf32>) {
  nn.linear %x, %w outs(%y) : (memref<18x64xf32>, memref<2x64x24xf32>, memref<18x45xf32>) -> ()
  return
}

// CHECK-LABEL: @window
// CHECK-COUNT-25: vector.fma {{.*}} : vector<8xf32>
//   CHECK-NOT: vector.fma
// WHOLE: error: 'nn.conv' op expected panels of whole vectors of 16 columns, but got 40
func.func @window(%x: memref<1x12x12x16xf32>, %w: memref<1x3x3x16x40xf32>, %y: memref<1x10x10x40xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x12x12x16xf32>, memref<1x3x3x16x40xf32>, memref<1x10x10x40xf32>) -> ()
  return
}

}
