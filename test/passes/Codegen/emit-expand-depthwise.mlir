// RUN: not lathe-opt %s -split-input-file -codegen-emit-kernels 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=ERROR --input-file=%t

// A ring of 3 lines of 16 + 2 pixels; a line is expanded by a tile of 8 x 32, or is padding. After the last line of a window 8
// pixels of the result, 9 multiply-adds each, for each of the two vectors of channels.
// CHECK-LABEL: @ring
//       CHECK: scf.parallel
//       CHECK: %[[RING:.*]] = memref.alloca() {{.*}}: memref<3x18x32xf32>
// CHECK-COUNT-18: memref.prefetch %arg2[{{.*}}locality<3>
//   CHECK-NOT: memref.prefetch
//       CHECK: %[[INSIDE:.*]] = arith.cmpi ult
//       CHECK: scf.if %[[INSIDE]] {
// CHECK-COUNT-16: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: arith.maximumf
//       CHECK: vector.store {{.*}}, %[[RING]]
//       CHECK: } else {
//       CHECK: vector.store {{.*}}, %[[RING]]
//       CHECK: arith.cmpi sge
//       CHECK: scf.if
// CHECK-COUNT-144: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: vector.store {{.*}}, %arg3
func.func @ring(%x: memref<1x16x16x8xf32>, %e: memref<1x8x32xf32>, %w: memref<3x3x1x32xf32>, %y: memref<1x16x16x32xf32>) {
  nn.expand_depthwise %x, %e, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>} expand {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.maximumf %acc, %zero : f32
    nn.yield %r : f32
  } : (memref<1x16x16x8xf32>, memref<1x8x32xf32>, memref<3x3x1x32xf32>, memref<1x16x16x32xf32>) -> ()
  return
}

// -----

// The last of three panels has one vector of channels, and no masks; others have two.
// CHECK-LABEL: @short_panel
//       CHECK: arith.cmpi eq, %{{.*}}, %c2
//       CHECK: scf.if
// CHECK-COUNT-16: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: scf.if
// CHECK-COUNT-72: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: } else {
//       CHECK: vector.fma
//   CHECK-NOT: maskedstore
func.func @short_panel(%x: memref<1x16x16x8xf32>, %e: memref<3x8x32xf32>, %w: memref<3x3x1x80xf32>, %y: memref<1x16x16x80xf32>) {
  nn.expand_depthwise %x, %e, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>}
    : (memref<1x16x16x8xf32>, memref<3x8x32xf32>, memref<3x3x1x80xf32>, memref<1x16x16x80xf32>) -> ()
  return
}

// -----

module attributes {nn.target = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512,
    vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>} {

// Of 24 channels, the last 8 are half a register.
// CHECK-LABEL: @half_panel
//       CHECK: scf.if
//       CHECK: vector.fma {{.*}} : vector<8xf32>
//       CHECK: } else {
//       CHECK: vector.fma {{.*}} : vector<16xf32>
//   CHECK-NOT: maskedstore
func.func @half_panel(%x: memref<1x16x16x8xf32>, %e: memref<2x8x16xf32>, %w: memref<3x3x1x24xf32>, %y: memref<1x16x16x24xf32>) {
  nn.expand_depthwise %x, %e, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>}
    : (memref<1x16x16x8xf32>, memref<2x8x16xf32>, memref<3x3x1x24xf32>, memref<1x16x16x24xf32>) -> ()
  return
}

}

// -----

// ERROR: expected a weight packed in vectors of 16
func.func @unpacked(%x: memref<1x16x16x8xf32>, %e: memref<8x32xf32>, %w: memref<3x3x1x32xf32>, %y: memref<1x14x14x32xf32>) {
  nn.expand_depthwise %x, %e, %w outs(%y)
    : (memref<1x16x16x8xf32>, memref<8x32xf32>, memref<3x3x1x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}
