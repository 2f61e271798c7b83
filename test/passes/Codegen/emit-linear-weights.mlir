// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// Bytes are widened in registers; their scales are in the epilogue.
// CHECK-LABEL: @bytes
//       CHECK: scf.for
//       CHECK: vector.load %arg1{{.*}} : memref<1x64x32xi8>, vector<16xi8>
//       CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi32>
//       CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
//       CHECK: vector.fma
//       CHECK: vector.load %arg2
//       CHECK: arith.mulf
func.func @bytes(%x: memref<1x64xf32>, %w: memref<1x64x32xi8>, %s: memref<32xf32>, %y: memref<1x32xf32>) {
  nn.linear %x, %w extras(%s) outs(%y) epilogue {
  ^bb0(%acc: f32, %scale: f32):
    %scaled = arith.mulf %acc, %scale : f32
    nn.yield %scaled : f32
  } : (memref<1x64xf32>, memref<1x64x32xi8>, memref<32xf32>, memref<1x32xf32>) -> ()
  return
}

// -----

// One row: the numbers of a word's eight rows are summed for the group, which has its scale. Elements become the low bits
// of a mantissa.
// CHECK-LABEL: @words
//       CHECK: scf.for
//       CHECK: scf.for %{{.*}} = %{{.*}} to %c4
//       CHECK: vector.load %arg1{{.*}} : memref<1x8x32xi32>, vector<16xi32>
//       CHECK: arith.andi
//       CHECK: arith.ori
//       CHECK: vector.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
//       CHECK: arith.subf
//       CHECK: vector.fma
//       CHECK: scf.yield
//       CHECK: vector.load %arg2{{.*}} : memref<1x2x32xf32>, vector<16xf32>
//       CHECK: vector.fma
//       CHECK: vector.store
func.func @words(%x: memref<1x64xf32>, %w: memref<1x8x32xi32>, %s: memref<1x2x32xf32>, %y: memref<1x32xf32>) {
  nn.linear %x, %w scales(%s) outs(%y) {bits = 4 : i64}
    : (memref<1x64xf32>, memref<1x8x32xi32>, memref<1x2x32xf32>, memref<1x32xf32>) -> ()
  return
}

// -----

// Eleven rows meet columns that have their scale.
// CHECK-LABEL: @many_rows
//       CHECK: scf.for
//       CHECK: vector.load %arg2{{.*}} : memref<1x2x32xf32>, vector<16xf32>
//       CHECK: arith.mulf
//       CHECK: vector.fma
func.func @many_rows(%x: memref<11x64xf32>, %w: memref<1x6x32xi32>, %s: memref<1x2x32xf32>, %y: memref<11x32xf32>) {
  nn.linear %x, %w scales(%s) outs(%y) {bits = 3 : i64}
    : (memref<11x64xf32>, memref<1x6x32xi32>, memref<1x2x32xf32>, memref<11x32xf32>) -> ()
  return
}

// -----

// With offsets the input is summed, too.
// CHECK-LABEL: @offsets
//       CHECK: vector.load %arg1{{.*}} : memref<1x64x32xi8>, vector<16xi8>
//       CHECK: vector.fma
//       CHECK: arith.addf
//       CHECK: vector.load %arg2
//       CHECK: vector.load %arg3
//       CHECK: vector.fma
//       CHECK: vector.fma
func.func @offsets(%x: memref<1x64xf32>, %w: memref<1x64x32xi8>, %s: memref<1x2x32xf32>, %o: memref<1x2x32xf32>,
                   %y: memref<1x32xf32>) {
  nn.linear %x, %w scales(%s) offsets(%o) outs(%y)
    : (memref<1x64xf32>, memref<1x64x32xi8>, memref<1x2x32xf32>, memref<1x2x32xf32>, memref<1x32xf32>) -> ()
  return
}

// -----

// bf16 is the upper half of f32.
// CHECK-LABEL: @bfloats
//       CHECK: vector.load %arg1{{.*}} : memref<1x64x32xbf16>, vector<16xbf16>
//       CHECK: arith.extui {{.*}} : vector<16xi16> to vector<16xi32>
//       CHECK: arith.shli
//       CHECK: vector.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
//       CHECK: vector.fma
func.func @bfloats(%x: memref<1x64xf32>, %w: memref<1x64x32xbf16>, %y: memref<1x32xf32>) {
  nn.linear %x, %w outs(%y) : (memref<1x64xf32>, memref<1x64x32xbf16>, memref<1x32xf32>) -> ()
  return
}
