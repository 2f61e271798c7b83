// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// Scratch of a group of query blocks, of their outputs and states, of the scores, peaks and factors of one, and of a block of keys and
// values; no buffer is as large as the score matrix.
// CHECK-LABEL: @vit
//       CHECK: scf.parallel
// CHECK-COUNT-8: memref.alloca
//   CHECK-NOT: memref.alloc
// CHECK-COUNT-13: vector.fma
//       CHECK: arith.cmpf ogt
//       CHECK: math.fma {{.*}} : vector<16xf32>
//       CHECK: vector.fma
func.func @vit(%q: memref<1x197x12x64xf32>, %k: memref<1x197x12x64xf32>, %v: memref<1x197x12x64xf32>, %o: memref<1x197x12x64xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.25e-1 : f32}
    : (memref<1x197x12x64xf32>, memref<1x197x12x64xf32>, memref<1x197x12x64xf32>, memref<1x197x12x64xf32>) -> ()
  return
}

// -----

// The last five queries take one vector, in a tile of its own. Keys and values whose rows are neighbours are not copied.
// CHECK-LABEL: @vit_heads_first
//       CHECK: scf.parallel
// CHECK-COUNT-6: memref.alloca
//   CHECK-NOT: memref.alloca
//       CHECK: %[[REST:.*]] = arith.subi %c197, %{{.*}} : index
//       CHECK: %[[FEW:.*]] = arith.cmpi sle, %[[REST]], %c16 : index
//       CHECK: scf.if %[[FEW]] {
//       CHECK: } else {
//       CHECK: arith.cmpi sle
//       CHECK: scf.if
// CHECK-COUNT-25: vector.fma
//       CHECK: } else {
//       CHECK: vector.fma
func.func @vit_heads_first(%q: memref<1x12x197x64xf32>, %k: memref<1x12x197x64xf32>, %v: memref<1x12x197x64xf32>, %o: memref<1x12x197x64xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.25e-1 : f32, heads_first, kv_heads_first}
    : (memref<1x12x197x64xf32>, memref<1x12x197x64xf32>, memref<1x12x197x64xf32>, memref<1x12x197x64xf32>) -> ()
  return
}

// -----

// Two query heads read one key head.
// CHECK-LABEL: @grouped_causal
//       CHECK: arith.divui {{.*}}, %c2
//       CHECK: arith.cmpi sge, {{.*}} : vector<16xindex>
//       CHECK: arith.select {{.*}} : vector<16xi1>, vector<16xf32>
func.func @grouped_causal(%q: memref<1x4x?x32xf32>, %k: memref<1x?x2x32xf32>, %v: memref<1x?x2x32xf32>, %o: memref<1x4x?x32xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.0 : f32, causal, heads_first}
    : (memref<1x4x?x32xf32>, memref<1x?x2x32xf32>, memref<1x?x2x32xf32>, memref<1x4x?x32xf32>) -> ()
  return
}

// -----

// Vectors of the output are channels: rows of values are read as they are, and 11 queries meet two vectors of them.
// CHECK-LABEL: @channels
//   CHECK-NOT: memref.load %arg2
//       CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>) {
//       CHECK: vector.load %arg2[
//       CHECK: vector.load %arg2[
// CHECK-COUNT-22: vector.fma
//   CHECK-NOT: vector.shuffle
//       CHECK: vector.store {{.*}}, %arg3[
func.func @channels(%q: memref<1x2x64x32xf32>, %k: memref<1x2x64x32xf32>, %v: memref<1x2x64x32xf32>, %o: memref<1x2x64x32xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.0 : f32, heads_first, kv_heads_first}
    : (memref<1x2x64x32xf32>, memref<1x2x64x32xf32>, memref<1x2x64x32xf32>, memref<1x2x64x32xf32>) -> ()
  return
}

// -----

// 40 channels would leave a sixth of three vectors empty: vectors are queries, and the output is transposed.
// CHECK-LABEL: @narrow
//   CHECK-NOT: vector.load %arg2
//       CHECK: memref.load %arg2[
//       CHECK: vector.shuffle
//       CHECK: vector.store {{.*}}, %arg3[
func.func @narrow(%q: memref<1x2x64x40xf32>, %k: memref<1x2x64x40xf32>, %v: memref<1x2x64x40xf32>, %o: memref<1x2x64x40xf32>) {
  nn.attention %q, %k, %v outs(%o) {scale = 1.0 : f32, heads_first, kv_heads_first}
    : (memref<1x2x64x40xf32>, memref<1x2x64x40xf32>, memref<1x2x64x40xf32>, memref<1x2x64x40xf32>) -> ()
  return
}
