// RUN: lathe-opt %s -codegen-plan-arena | FileCheck %s

// Views of both buffers are made at the start. That alone keeps neither alive: they follow each other in one place.
// CHECK: lathe.workspace_bytes = 4160 : i64
module attributes {lathe.dims = [], lathe.inputs = []} {
  func.func @main(%x: memref<15xf32>) {
    %a = memref.alloc() : memref<64x16xf32>
    %inA = memref.subview %a[0, 0] [64, 15] [1, 1] : memref<64x16xf32> to memref<64x15xf32, strided<[16, 1]>>
    %b = memref.alloc() : memref<64x16xf32>
    %inB = memref.subview %b[0, 0] [64, 15] [1, 1] : memref<64x16xf32> to memref<64x15xf32, strided<[16, 1]>>
    %sum = memref.alloc() : memref<15xf32>
    linalg.broadcast ins(%x : memref<15xf32>) outs(%inA : memref<64x15xf32, strided<[16, 1]>>) dimensions = [0]
    linalg.reduce {arith.addf} ins(%inA : memref<64x15xf32, strided<[16, 1]>>) outs(%sum : memref<15xf32>) dimensions = [0]
    linalg.broadcast ins(%sum : memref<15xf32>) outs(%inB : memref<64x15xf32, strided<[16, 1]>>) dimensions = [0]
    linalg.reduce {arith.addf} ins(%inB : memref<64x15xf32, strided<[16, 1]>>) outs(%x : memref<15xf32>) dimensions = [0]
    return
  }
}
