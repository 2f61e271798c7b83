// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s
// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels -codegen-linalg-to-loops | FileCheck %s --check-prefix=LOOPS

// Channels to the front: space becomes one dimension, blocks of 16 x 16 are turned in registers.
// CHECK-LABEL: @channels_first
//       CHECK: %[[X:.*]] = memref.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : memref<56x56x256xf32, {{.*}}> into memref<3136x256xf32
//       CHECK: %[[Y:.*]] = memref.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : memref<256x56x56xf32, {{.*}}> into memref<256x3136xf32
//       CHECK: scf.parallel
//       CHECK: scf.for
//       CHECK: scf.for
// CHECK-COUNT-16: vector.load %[[X]][{{.*}}] : memref<3136x256xf32{{.*}}>, vector<16xf32>
// CHECK-COUNT-64: vector.shuffle {{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-COUNT-16: vector.store {{.*}}, %[[Y]][{{.*}}] : memref<256x3136xf32{{.*}}>, vector<16xf32>
//   CHECK-NOT: linalg.transpose
func.func @channels_first(%x: memref<1x56x56x256xf32>, %y: memref<1x256x56x56xf32>) {
  linalg.transpose ins(%x : memref<1x56x56x256xf32>) outs(%y : memref<1x256x56x56xf32>) permutation = [0, 3, 1, 2]
  return
}

// -----

// Bytes: four blocks fill a line of the result before the next line is begun.
// CHECK-LABEL: @bytes
//       CHECK: scf.parallel
// CHECK-COUNT-3: scf.for
// CHECK-COUNT-16: vector.load {{.*}} vector<16xi8>
//       CHECK: vector.store {{.*}} vector<16xi8>
func.func @bytes(%x: memref<256x256xi8>, %y: memref<256x256xi8>) {
  linalg.transpose ins(%x : memref<256x256xi8>) outs(%y : memref<256x256xi8>) permutation = [1, 0]
  return
}

// -----

// Dimensions are long enough together.
// CHECK-LABEL: @small_images
//       CHECK: vector.load {{.*}} vector<16xf32>
//   CHECK-NOT: linalg.transpose
func.func @small_images(%x: memref<1x7x7x512xf32>, %y: memref<1x512x7x7xf32>) {
  linalg.transpose ins(%x : memref<1x7x7x512xf32>) outs(%y : memref<1x512x7x7xf32>) permutation = [0, 3, 1, 2]
  return
}

// -----

// Few columns make broad blocks, whose tail overlaps what was moved before; halves travel as integers.
// CHECK-LABEL: @few_columns
//       CHECK: arith.minsi
// CHECK-COUNT-16: vector.load {{.*}} vector<8xf16>
//       CHECK: vector.shuffle {{.*}} : vector<8xi16>, vector<8xi16>
// CHECK-COUNT-8: vector.store {{.*}} vector<16xf16>
func.func @few_columns(%x: memref<100x9xf16>, %y: memref<9x100xf16>) {
  linalg.transpose ins(%x : memref<100x9xf16>) outs(%y : memref<9x100xf16>) permutation = [1, 0]
  return
}

// -----

// Of dynamic sizes, those that hold no block are moved one by one.
// CHECK-LABEL: @dynamic
//       CHECK: scf.if
//       CHECK: vector.load {{.*}} vector<8xf64>
//       CHECK: else
//       CHECK: memref.load
//       CHECK: memref.store
func.func @dynamic(%x: memref<?x?xf64>, %y: memref<?x?xf64>) {
  linalg.transpose ins(%x : memref<?x?xf64>) outs(%y : memref<?x?xf64>) permutation = [1, 0]
  return
}

// -----

// Loops are as good: the last dimension stays,
// CHECK-LABEL: @heads
//       CHECK: linalg.transpose
// LOOPS-LABEL: @heads
//       LOOPS: memref.load
func.func @heads(%x: memref<1x197x12x64xf32>, %y: memref<1x12x197x64xf32>) {
  linalg.transpose ins(%x : memref<1x197x12x64xf32>) outs(%y : memref<1x12x197x64xf32>) permutation = [0, 2, 1, 3]
  return
}

// -----

// there are few channels,
// CHECK-LABEL: @image
//       CHECK: linalg.transpose
func.func @image(%x: memref<1x224x224x3xf32>, %y: memref<1x3x224x224xf32>) {
  linalg.transpose ins(%x : memref<1x224x224x3xf32>) outs(%y : memref<1x3x224x224xf32>) permutation = [0, 3, 1, 2]
  return
}

// -----

// or elements have no bytes of their own in vectors.
// CHECK-LABEL: @booleans
//       CHECK: linalg.transpose
func.func @booleans(%x: memref<64x64xi1>, %y: memref<64x64xi1>) {
  linalg.transpose ins(%x : memref<64x64xi1>) outs(%y : memref<64x64xi1>) permutation = [1, 0]
  return
}

// -----

// Rows with gaps between them are not merged, but turned all the same.
// CHECK-LABEL: @strided
//   CHECK-NOT: collapse_shape
//       CHECK: vector.load {{.*}} vector<16xf32>
func.func @strided(%x: memref<4x20x32xf32, strided<[1300, 64, 1]>>, %y: memref<32x4x20xf32>) {
  linalg.transpose ins(%x : memref<4x20x32xf32, strided<[1300, 64, 1]>>) outs(%y : memref<32x4x20xf32>) permutation = [2, 0, 1]
  return
}

// -----

// Three planes of colours: their pixels are stored as they lie, sixteen at a time.
// CHECK-LABEL: @pixels
// CHECK-COUNT-3: vector.load %{{.*}} vector<16xf32>
//       CHECK: vector.shuffle {{.*}} : vector<32xf32>, vector<32xf32>
//       CHECK: vector.store {{.*}} vector<48xf32>
func.func @pixels(%x: memref<1x3x64x64xf32>, %y: memref<1x64x64x3xf32>) {
  linalg.transpose ins(%x : memref<1x3x64x64xf32>) outs(%y : memref<1x64x64x3xf32>) permutation = [0, 2, 3, 1]
  return
}
