// RUN: lathe-opt %s -split-input-file -codegen-instrument | FileCheck %s

// What a call reads and writes: a constant counts in both figures; of a strided part only the part counts.
// CHECK: {bytes = 768 : i64, macs = -1 : i64, name = "add", op = "linalg.add", weight_bytes = 256 : i64}
module attributes {lathe.workspace_bytes = 64 : i64} {
  memref.global "private" constant @w : memref<8x8xf32> = dense<1.0>
  func.func @main(%x: memref<8x64xf32>, %y: memref<8x8xf32>, %arena: memref<64xi8>, %executor: !llvm.ptr) {
    %part = memref.subview %x[0, 0] [8, 8] [1, 1] : memref<8x64xf32> to memref<8x8xf32, strided<[64, 1]>>
    %w = memref.get_global @w : memref<8x8xf32>
    call @kernel_add_0(%part, %w, %y, %executor) : (memref<8x8xf32, strided<[64, 1]>>, memref<8x8xf32>, memref<8x8xf32>, !llvm.ptr) -> () loc("add")
    return
  }
  func.func private @kernel_add_0(%x: memref<8x8xf32, strided<[64, 1]>>, %w: memref<8x8xf32>, %y: memref<8x8xf32>, %executor: !llvm.ptr) {
    linalg.add ins(%x, %w : memref<8x8xf32, strided<[64, 1]>>, memref<8x8xf32>) outs(%y : memref<8x8xf32>)
    return
  }
}

// -----

// Of a table that is looked up, no more can be read than there are iterations: 4 indices of 8 bytes, 64 floats, twice.
// CHECK: {bytes = 544 : i64, macs = -1 : i64, name = "embed", op = "linalg.generic", weight_bytes = 0 : i64}
#rows = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>
module attributes {lathe.workspace_bytes = 64 : i64} {
  func.func @main(%i: memref<4xi64>, %t: memref<1000x16xf32>, %y: memref<4x16xf32>, %arena: memref<64xi8>, %executor: !llvm.ptr) {
    call @kernel_generic_0(%i, %t, %y, %executor) : (memref<4xi64>, memref<1000x16xf32>, memref<4x16xf32>, !llvm.ptr) -> () loc("embed")
    return
  }
  func.func private @kernel_generic_0(%i: memref<4xi64>, %t: memref<1000x16xf32>, %y: memref<4x16xf32>, %executor: !llvm.ptr) {
    linalg.generic {indexing_maps = [#rows, #all], iterator_types = ["parallel", "parallel"]} ins(%i : memref<4xi64>) outs(%y : memref<4x16xf32>) {
    ^bb0(%index: i64, %out: f32):
      %row = arith.index_cast %index : i64 to index
      %column = linalg.index 1 : index
      %value = memref.load %t[%row, %column] : memref<1000x16xf32>
      linalg.yield %value : f32
    }
    return
  }
}

// -----

// Sizes that are only known at run time leave the bytes unknown; a kernel for several sizes is told them by its caller.
// CHECK: {bytes = -1 : i64, macs = -1 : i64, name = "any",
// CHECK-SAME: {bytes = 64 : i64, macs = -1 : i64, name = "eight",
module attributes {lathe.workspace_bytes = 64 : i64} {
  func.func @main(%x: memref<?xf32>, %y: memref<8xf32>, %arena: memref<64xi8>, %executor: !llvm.ptr) {
    %z = memref.cast %y : memref<8xf32> to memref<?xf32>
    call @kernel_copy_0(%x, %z, %executor) : (memref<?xf32>, memref<?xf32>, !llvm.ptr) -> () loc("any")
    call @kernel_copy_0(%z, %z, %executor) : (memref<?xf32>, memref<?xf32>, !llvm.ptr) -> () loc("eight")
    return
  }
  func.func private @kernel_copy_0(%x: memref<?xf32>, %y: memref<?xf32>, %executor: !llvm.ptr) {
    linalg.copy ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
    return
  }
}
