// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s
// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels --remarks-filter='tuning|codegen' --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// 49 rows are tiles of 13 without a tuning; of 7, none is left over.
// CHECK-LABEL: @rows
//       CHECK: scf.for {{.*}} to %c8{{.*}}iter_args
// CHECK-COUNT-14: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: return
func.func @rows(%x: memref<49x8xf32>, %w: memref<1x8x32xf32>, %y: memref<49x32xf32>) {
  nn.linear %x, %w outs(%y) {nn.tuning = #nn.tuning<tile_rows = 7>} : (memref<49x8xf32>, memref<1x8x32xf32>, memref<49x32xf32>) -> ()
  return
}

// -----

// Of a product that is one task, four.
// CHECK-LABEL: @tasks
//       CHECK: scf.parallel {{.*}} to (%c4{{[_0-9]*}})
// REMARK: RegisterTile{{.*}}Function=tasks{{.*}}PanelWidth=32, Share=rows, TileRows=14
func.func @tasks(%x: memref<56x8xf32>, %w: memref<1x8x32xf32>, %y: memref<56x32xf32>) {
  nn.linear %x, %w outs(%y) {nn.tuning = #nn.tuning<tile_rows = 14, tasks = 4>}
    : (memref<56x8xf32>, memref<1x8x32xf32>, memref<56x32xf32>) -> ()
  return
}

// -----

// Four tasks of one panel each, and all rows, instead of blocks of rows with all panels.
// CHECK-LABEL: @columns
//       CHECK: scf.parallel {{.*}} to (%c4{{[_0-9]*}})
// REMARK: RegisterTile{{.*}}Function=columns{{.*}}Share=columns
func.func @columns(%x: memref<56x8xf32>, %w: memref<4x8x32xf32>, %y: memref<56x128xf32>) {
  nn.linear %x, %w outs(%y) {nn.tuning = #nn.tuning<tile_rows = 14, tasks = 4, share = "columns">}
    : (memref<56x8xf32>, memref<4x8x32xf32>, memref<56x128xf32>) -> ()
  return
}

// -----

// A row of the kernel at a time: sums wait in the result, twice.
// CHECK-LABEL: @kernel_rows
// CHECK-COUNT-3: scf.parallel
//     CHECK-NOT: scf.parallel
func.func @kernel_rows(%x: memref<1x16x16x8xf32>, %w: memref<1x3x3x8x32xf32>, %y: memref<1x14x14x32xf32>) {
  nn.conv %x, %w outs(%y) {nn.tuning = #nn.tuning<kernel_rows = 1>}
    : (memref<1x16x16x8xf32>, memref<1x3x3x8x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}

// -----

// What cannot be had is chosen as usual: 14 pixels of two vectors.
// CHECK-LABEL: @impossible
// CHECK-COUNT-28: vector.fma
//   CHECK-NOT: vector.fma
// REMARK: [Missed] Tuning{{.*}}kernel_rows = 2 cannot be had: the kernel has not as many rows, or a part of them
// REMARK: [Missed] Tuning{{.*}}tile_rows = 15 cannot be had: so many rows do not fit the registers
func.func @impossible(%x: memref<1x16x16x8xf32>, %w: memref<1x3x3x8x32xf32>, %y: memref<1x14x14x32xf32>) {
  nn.conv %x, %w outs(%y) {nn.tuning = #nn.tuning<kernel_rows = 2, tile_rows = 15>}
    : (memref<1x16x16x8xf32>, memref<1x3x3x8x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}

// -----

// 14 pixels of a line at once, where 7 are usual.
// CHECK-LABEL: @depthwise
// CHECK-COUNT-126: vector.fma
//   CHECK-NOT: vector.fma
func.func @depthwise(%x: memref<1x16x16x32xf32>, %w: memref<3x3x1x32xf32>, %y: memref<1x14x14x32xf32>) {
  nn.conv %x, %w outs(%y) {group = 32 : i64, nn.tuning = #nn.tuning<tile_rows = 14>}
    : (memref<1x16x16x32xf32>, memref<3x3x1x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}

// -----

// Columns of a matrix that is not packed: one vector.
// CHECK-LABEL: @narrow
// CHECK-COUNT-16: vector.fma
//   CHECK-NOT: vector.fma
func.func @narrow(%x: memref<16x8xf32>, %w: memref<8x64xf32>, %y: memref<16x64xf32>) {
  nn.matmul %x, %w outs(%y) {nn.tuning = #nn.tuning<panel_width = 16>}
    : (memref<16x8xf32>, memref<8x64xf32>, memref<16x64xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @dynamic
// Tasks cannot be counted where sizes are dynamic.
// REMARK: [Missed] Tuning{{.*}}tasks = 4 cannot be had: its size is not known
func.func @dynamic(%x: memref<?x8xf32>, %w: memref<1x8x32xf32>, %y: memref<?x32xf32>) {
  nn.linear %x, %w outs(%y) {nn.tuning = #nn.tuning<tasks = 4>} : (memref<?x8xf32>, memref<1x8x32xf32>, memref<?x32xf32>) -> ()
  return
}
