// RUN: lathe-opt %s -codegen-outline-kernels | FileCheck %s

// Two equal ops share a kernel; a constant moves into it. The last call works in place and needs a kernel of its own.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4xf32>, %[[ARENA:.*]]: memref<128xi8>, %[[EXECUTOR:.*]]: !llvm.ptr)
// CHECK: call @kernel_generic_0(%[[X]], %[[A:.*]], %[[EXECUTOR]])
// CHECK: call @kernel_generic_0(%[[A]], %[[B:.*]], %[[EXECUTOR]])
// CHECK: call @kernel_generic_1(%[[B]], %[[EXECUTOR]])
// CHECK: call @kernel_copy_0(%[[B]], %[[Y]], %[[EXECUTOR]])
// CHECK: func.func private @kernel_generic_0(%{{.*}}: memref<4xf32> {lathe.noalias}, %{{.*}}: memref<4xf32> {lathe.noalias}, %{{.*}}: !llvm.ptr)
// CHECK-NEXT: arith.constant 2.000000e+00
// CHECK-NEXT: linalg.generic
// CHECK: func.func private @kernel_generic_1(%{{.*}}: memref<4xf32> {lathe.noalias}, %{{.*}}: !llvm.ptr)
#id = affine_map<(i) -> (i)>
func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<128xi8>) {
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = memref.view %arena[%c0][] : memref<128xi8> to memref<4xf32>
  %b = memref.view %arena[%c64][] : memref<128xi8> to memref<4xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<4xf32>) outs(%a : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  }
  memref.copy %b, %y : memref<4xf32> to memref<4xf32>
  return
}
