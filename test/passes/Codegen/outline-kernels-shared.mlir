// RUN: lathe-opt %s -codegen-outline-kernels | FileCheck %s

// Four sizes of a product are one kernel with dynamic rows, three of another are three. A strided view of the keys has
// a dynamic outer stride then.
// CHECK-LABEL: func.func @main(
// CHECK: %[[X:.*]] = memref.cast %{{.*}} : memref<1x9x8xf32> to memref<1x?x8xf32>
// CHECK: %[[Y:.*]] = memref.cast %{{.*}} : memref<1x9x32xf32> to memref<1x?x32xf32>
// CHECK: call @kernel_linear_0(%[[X]], %{{.*}}, %[[Y]], %{{.*}})
// CHECK: call @kernel_linear_0(
// CHECK: call @kernel_linear_0(
// CHECK: call @kernel_linear_0(
// CHECK: call @kernel_linear_1(
// CHECK: call @kernel_linear_2(
// CHECK: call @kernel_linear_3(
// CHECK-COUNT-4: call @kernel_attention_0(
// CHECK: func.func private @kernel_linear_0({{.*}}: memref<1x?x8xf32> {lathe.noalias}, {{.*}}: memref<1x?x32xf32> {lathe.noalias}
// CHECK: func.func private @kernel_linear_1({{.*}}: memref<1x9x8xf32>
// CHECK: func.func private @kernel_attention_0({{.*}}: memref<1x?x2x4xf32, strided<[?, 24, 4, 1]>>
func.func @main(%x0: memref<1x9x8xf32>, %y0: memref<1x9x32xf32>, %a0: memref<1x9x3x2x4xf32>, %x1: memref<1x7x8xf32>, %y1: memref<1x7x32xf32>, %a1: memref<1x7x3x2x4xf32>, %x2: memref<1x5x8xf32>, %y2: memref<1x5x32xf32>, %a2: memref<1x5x3x2x4xf32>, %x3: memref<1x3x8xf32>, %y3: memref<1x3x32xf32>, %a3: memref<1x3x3x2x4xf32>, %w: memref<1x8x32xf32>, %v: memref<1x8x16xf32>, %z: memref<1x9x16xf32>, %arena: memref<128xi8>) {
  nn.linear %x0, %w outs(%y0) : (memref<1x9x8xf32>, memref<1x8x32xf32>, memref<1x9x32xf32>) -> ()
  nn.linear %x1, %w outs(%y1) : (memref<1x7x8xf32>, memref<1x8x32xf32>, memref<1x7x32xf32>) -> ()
  nn.linear %x2, %w outs(%y2) : (memref<1x5x8xf32>, memref<1x8x32xf32>, memref<1x5x32xf32>) -> ()
  nn.linear %x3, %w outs(%y3) : (memref<1x3x8xf32>, memref<1x8x32xf32>, memref<1x3x32xf32>) -> ()
  %z0 = memref.subview %z[0, 0, 0] [1, 9, 16] [1, 1, 1] : memref<1x9x16xf32> to memref<1x9x16xf32, strided<[144, 16, 1]>>
  nn.linear %x0, %v outs(%z0) : (memref<1x9x8xf32>, memref<1x8x16xf32>, memref<1x9x16xf32, strided<[144, 16, 1]>>) -> ()
  %z1 = memref.subview %z[0, 0, 0] [1, 7, 16] [1, 1, 1] : memref<1x9x16xf32> to memref<1x7x16xf32, strided<[144, 16, 1]>>
  nn.linear %x1, %v outs(%z1) : (memref<1x7x8xf32>, memref<1x8x16xf32>, memref<1x7x16xf32, strided<[144, 16, 1]>>) -> ()
  %z2 = memref.subview %z[0, 0, 0] [1, 5, 16] [1, 1, 1] : memref<1x9x16xf32> to memref<1x5x16xf32, strided<[144, 16, 1]>>
  nn.linear %x2, %v outs(%z2) : (memref<1x5x8xf32>, memref<1x8x16xf32>, memref<1x5x16xf32, strided<[144, 16, 1]>>) -> ()
  %s0 = memref.subview %a0[0, 0, 0, 0, 0] [1, 9, 1, 2, 4] [1, 1, 1, 1, 1] : memref<1x9x3x2x4xf32> to memref<1x9x2x4xf32, strided<[216, 24, 4, 1]>>
  %o0 = memref.subview %y0[0, 0, 0] [1, 9, 8] [1, 1, 1] : memref<1x9x32xf32> to memref<1x9x8xf32, strided<[288, 32, 1]>>
  %e0 = memref.expand_shape %o0 [[0], [1], [2, 3]] output_shape [1, 9, 2, 4] : memref<1x9x8xf32, strided<[288, 32, 1]>> into memref<1x9x2x4xf32, strided<[288, 32, 4, 1]>>
  nn.attention %s0, %s0, %s0 outs(%e0) {scale = 0.5 : f32} : (memref<1x9x2x4xf32, strided<[216, 24, 4, 1]>>, memref<1x9x2x4xf32, strided<[216, 24, 4, 1]>>, memref<1x9x2x4xf32, strided<[216, 24, 4, 1]>>, memref<1x9x2x4xf32, strided<[288, 32, 4, 1]>>) -> ()
  %s1 = memref.subview %a1[0, 0, 0, 0, 0] [1, 7, 1, 2, 4] [1, 1, 1, 1, 1] : memref<1x7x3x2x4xf32> to memref<1x7x2x4xf32, strided<[168, 24, 4, 1]>>
  %o1 = memref.subview %y1[0, 0, 0] [1, 7, 8] [1, 1, 1] : memref<1x7x32xf32> to memref<1x7x8xf32, strided<[224, 32, 1]>>
  %e1 = memref.expand_shape %o1 [[0], [1], [2, 3]] output_shape [1, 7, 2, 4] : memref<1x7x8xf32, strided<[224, 32, 1]>> into memref<1x7x2x4xf32, strided<[224, 32, 4, 1]>>
  nn.attention %s1, %s1, %s1 outs(%e1) {scale = 0.5 : f32} : (memref<1x7x2x4xf32, strided<[168, 24, 4, 1]>>, memref<1x7x2x4xf32, strided<[168, 24, 4, 1]>>, memref<1x7x2x4xf32, strided<[168, 24, 4, 1]>>, memref<1x7x2x4xf32, strided<[224, 32, 4, 1]>>) -> ()
  %s2 = memref.subview %a2[0, 0, 0, 0, 0] [1, 5, 1, 2, 4] [1, 1, 1, 1, 1] : memref<1x5x3x2x4xf32> to memref<1x5x2x4xf32, strided<[120, 24, 4, 1]>>
  %o2 = memref.subview %y2[0, 0, 0] [1, 5, 8] [1, 1, 1] : memref<1x5x32xf32> to memref<1x5x8xf32, strided<[160, 32, 1]>>
  %e2 = memref.expand_shape %o2 [[0], [1], [2, 3]] output_shape [1, 5, 2, 4] : memref<1x5x8xf32, strided<[160, 32, 1]>> into memref<1x5x2x4xf32, strided<[160, 32, 4, 1]>>
  nn.attention %s2, %s2, %s2 outs(%e2) {scale = 0.5 : f32} : (memref<1x5x2x4xf32, strided<[120, 24, 4, 1]>>, memref<1x5x2x4xf32, strided<[120, 24, 4, 1]>>, memref<1x5x2x4xf32, strided<[120, 24, 4, 1]>>, memref<1x5x2x4xf32, strided<[160, 32, 4, 1]>>) -> ()
  %s3 = memref.subview %a3[0, 0, 0, 0, 0] [1, 3, 1, 2, 4] [1, 1, 1, 1, 1] : memref<1x3x3x2x4xf32> to memref<1x3x2x4xf32, strided<[72, 24, 4, 1]>>
  %o3 = memref.subview %y3[0, 0, 0] [1, 3, 8] [1, 1, 1] : memref<1x3x32xf32> to memref<1x3x8xf32, strided<[96, 32, 1]>>
  %e3 = memref.expand_shape %o3 [[0], [1], [2, 3]] output_shape [1, 3, 2, 4] : memref<1x3x8xf32, strided<[96, 32, 1]>> into memref<1x3x2x4xf32, strided<[96, 32, 4, 1]>>
  nn.attention %s3, %s3, %s3 outs(%e3) {scale = 0.5 : f32} : (memref<1x3x2x4xf32, strided<[72, 24, 4, 1]>>, memref<1x3x2x4xf32, strided<[72, 24, 4, 1]>>, memref<1x3x2x4xf32, strided<[72, 24, 4, 1]>>, memref<1x3x2x4xf32, strided<[96, 32, 4, 1]>>) -> ()
  return
}
