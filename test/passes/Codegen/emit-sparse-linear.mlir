// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// Two vectors of rows are turned to columns; each stored weight meets both.
// CHECK-LABEL: @tiles
//       CHECK: %[[TURNED:.*]] = memref.alloca() {{.*}} : memref<16x16xf32>
//       CHECK: %[[TILE:.*]] = memref.alloca() {{.*}} : memref<64x32xf32>
//       CHECK: %[[SUMS:.*]] = memref.alloca() {{.*}} : memref<16x32xf32>
//       CHECK: vector.load %arg0
//       CHECK: vector.shuffle
//       CHECK: vector.store %{{.*}}, %[[TILE]]
//       CHECK: memref.load %arg3
//       CHECK: scf.for {{.*}} iter_args
//       CHECK: %[[W:.*]] = memref.load %arg1
//       CHECK: %[[C:.*]] = memref.load %arg2
//       CHECK: %[[AT:.*]] = arith.index_castui %[[C]] : i8 to index
//       CHECK: vector.broadcast %[[W]] : f32 to vector<16xf32>
//       CHECK: vector.load %[[TILE]][%[[AT]], {{.*}}] : memref<64x32xf32>, vector<16xf32>
//       CHECK: vector.fma
//       CHECK: vector.load %[[TILE]][%[[AT]], {{.*}}] : memref<64x32xf32>, vector<16xf32>
//       CHECK: vector.fma
//       CHECK: vector.store %{{.*}}, %[[SUMS]]
//       CHECK: vector.load %[[SUMS]]
//       CHECK: vector.shuffle
//       CHECK: vector.store %{{.*}}, %[[TURNED]]
//       CHECK: vector.load %[[TURNED]]
//       CHECK: vector.load %arg4
//       CHECK: arith.addf
//       CHECK: vector.store %{{.*}}, %arg5
func.func @tiles(%x: memref<64x64xf32>, %v: memref<230xf32>, %c: memref<230xi8>, %p: memref<33xi32>, %b: memref<32xf32>,
                 %y: memref<64x32xf32>) {
  nn.sparse_linear %x, %v, %c, %p extras(%b) outs(%y) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %s = arith.addf %acc, %e : f32
    nn.yield %s : f32
  } : (memref<64x64xf32>, memref<230xf32>, memref<230xi8>, memref<33xi32>, memref<32xf32>, memref<64x32xf32>) -> ()
  return
}

// -----

// One row is read in place; columns that fill no vector are masked.
// CHECK-LABEL: @row
//   CHECK-NOT: memref<512x
//       CHECK: scf.for {{.*}} iter_args
//       CHECK: memref.load %arg0[%{{.*}}, %{{.*}}] : memref<1x512xf32>
//       CHECK: math.fma %{{.*}} : f32
//   CHECK-NOT: vector.shuffle
//       CHECK: vector.maskedstore %arg4
func.func @row(%x: memref<1x512xf32>, %v: memref<230xf32>, %c: memref<230xi16>, %p: memref<38xi32>, %y: memref<1x37xf32>) {
  nn.sparse_linear %x, %v, %c, %p outs(%y)
    : (memref<1x512xf32>, memref<230xf32>, memref<230xi16>, memref<38xi32>, memref<1x37xf32>) -> ()
  return
}

// -----

// A dynamic number of rows ends with a row, a vector of rows or two. A row after the last one repeats it.
// CHECK-LABEL: @rows
//       CHECK: %[[TILE:.*]] = memref.alloca() {{.*}} : memref<512x32xf32>
//       CHECK: arith.cmpi sle, %{{.*}}, %c1
//       CHECK: scf.if
//       CHECK: math.fma %{{.*}} : f32
//       CHECK: arith.cmpi sgt, %{{.*}}, %c1
//       CHECK: arith.cmpi sle, %{{.*}}, %c16
//       CHECK: scf.if
//       CHECK: arith.minsi
//       CHECK: vector.fma
//       CHECK: arith.cmpi sgt, %{{.*}}, %c16
//       CHECK: scf.if
//       CHECK: vector.fma
func.func @rows(%x: memref<?x512xf32>, %v: memref<230xf32>, %c: memref<230xi16>, %p: memref<33xi32>, %y: memref<?x32xf32>) {
  nn.sparse_linear %x, %v, %c, %p outs(%y)
    : (memref<?x512xf32>, memref<230xf32>, memref<230xi16>, memref<33xi32>, memref<?x32xf32>) -> ()
  return
}

// -----

// Pixels of an image are rows wherever they lie.
// CHECK-LABEL: @image
//       CHECK: arith.remui
//       CHECK: vector.load %arg0
//       CHECK: vector.fma
//       CHECK: arith.remui
//       CHECK: vector.store %{{.*}}, %arg4
func.func @image(%x: memref<1x7x7x64xf32, strided<[5184, 576, 64, 1], offset: 640>>, %v: memref<230xf32>, %c: memref<230xi8>,
                 %p: memref<33xi32>, %y: memref<1x7x7x32xf32, strided<[2592, 288, 32, 1], offset: 320>>) {
  nn.sparse_linear %x, %v, %c, %p outs(%y)
    : (memref<1x7x7x64xf32, strided<[5184, 576, 64, 1], offset: 640>>, memref<230xf32>, memref<230xi8>, memref<33xi32>,
       memref<1x7x7x32xf32, strided<[2592, 288, 32, 1], offset: 320>>) -> ()
  return
}
