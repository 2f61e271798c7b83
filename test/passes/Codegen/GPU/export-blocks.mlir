// RUN: lathe-opt %s --codegen-gpu-export-blocks | FileCheck %s

// Parameters are loaded by their addresses, as a driver has them; the last six are the place of the block and the grid's sizes.
// CHECK-LABEL: llvm.func internal @kernel_fill_0_0(
// CHECK-LABEL: llvm.func @kernel_fill_0_0_block(
// CHECK-SAME: %[[PARAMETERS:.*]]: !llvm.ptr, %[[IDS:.*]]: !llvm.ptr)
// CHECK: %[[FIRST:.*]] = llvm.getelementptr %[[PARAMETERS]][0]
// CHECK: %[[ADDRESS:.*]] = llvm.load %[[FIRST]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[BASE:.*]] = llvm.load %[[ADDRESS]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: llvm.getelementptr %[[IDS]][5]
// CHECK: %[[LAST:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i64
// CHECK: llvm.call @kernel_fill_0_0(%[[BASE]], {{.*}}, %[[LAST]])

// What is not a block's function stays hidden.
// CHECK-NOT: @kernel_fill_0_block
llvm.func internal @kernel_fill_0(%x: i64) {
  llvm.return
}
llvm.func internal @kernel_fill_0_0(%base: !llvm.ptr, %value: f32, %x: i64, %y: i64, %z: i64, %nx: i64, %ny: i64, %nz: i64) attributes {lathe.block_function} {
  llvm.return
}
