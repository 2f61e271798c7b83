// RUN: lathe-opt %s -codegen-outline-kernels | FileCheck %s

// On a GPU, four products whose rows are as many tiles share a kernel, which knows for how many rows to choose; those of
// fewer tiles keep their sizes.
// CHECK-LABEL: func.func @main(
// CHECK-COUNT-4: call @kernel_linear_0(
// CHECK: call @kernel_linear_1(
// CHECK: call @kernel_linear_2(
// CHECK: func.func private @kernel_linear_0({{.*}}: memref<?x8xf32> {lathe.noalias}, {{.*}}: memref<?x32xf32> {lathe.noalias}
// CHECK: nn.linear {{.*}} {nn.rows = 256 : i64}
// CHECK: func.func private @kernel_linear_1({{.*}}: memref<192x8xf32>
// CHECK-NOT: nn.rows
// CHECK: func.func private @kernel_linear_2({{.*}}: memref<100x8xf32>
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
func.func @main(%x0: memref<256x8xf32>, %y0: memref<256x32xf32>, %x1: memref<240x8xf32>, %y1: memref<240x32xf32>, %x2: memref<224x8xf32>, %y2: memref<224x32xf32>, %x3: memref<193x8xf32>, %y3: memref<193x32xf32>, %x4: memref<192x8xf32>, %y4: memref<192x32xf32>, %x5: memref<100x8xf32>, %y5: memref<100x32xf32>, %w: memref<8x32xf32>, %arena: memref<128xi8>) {
  nn.linear %x0, %w outs(%y0) : (memref<256x8xf32>, memref<8x32xf32>, memref<256x32xf32>) -> ()
  nn.linear %x1, %w outs(%y1) : (memref<240x8xf32>, memref<8x32xf32>, memref<240x32xf32>) -> ()
  nn.linear %x2, %w outs(%y2) : (memref<224x8xf32>, memref<8x32xf32>, memref<224x32xf32>) -> ()
  nn.linear %x3, %w outs(%y3) : (memref<193x8xf32>, memref<8x32xf32>, memref<193x32xf32>) -> ()
  nn.linear %x4, %w outs(%y4) : (memref<192x8xf32>, memref<8x32xf32>, memref<192x32xf32>) -> ()
  nn.linear %x5, %w outs(%y5) : (memref<100x8xf32>, memref<8x32xf32>, memref<100x32xf32>) -> ()
  return
}
}
