// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

#dots = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "znver4", features = "", vector_bits = 512, vector_registers = 32,
                   dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "avx512bf16">

// Two steps of the reduction at once, in the accumulators of f32.
// CHECK-LABEL: @pairs
//       CHECK: scf.for {{.*}} to %c32{{.*}} -> (vector<16xf32>, {{.*}}vector<16xf32>) {
//       CHECK: vector.load %{{.*}} : memref<2x32x64xbf16>, vector<32xbf16>
//       CHECK: vector.load %arg0{{.*}} : memref<28x64xbf16>, vector<2xbf16>
// CHECK-COUNT-28: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
//   CHECK-NOT: dpbf16ps
//       CHECK: return
func.func @pairs(%x: memref<28x64xbf16>, %w: memref<2x32x32x2xbf16>, %y: memref<28x64xf32>) attributes {nn.target = #dots} {
  nn.linear %x, %w outs(%y) : (memref<28x64xbf16>, memref<2x32x32x2xbf16>, memref<28x64xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// 2x2 tiles of 16x16 sums, 32 steps of the reduction at once. The last 5 of 37 rows are in a tile that begins 11 rows earlier.
// CHECK-LABEL: @tiles
//       CHECK: scf.parallel
//       CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
//       CHECK: scf.for {{.*}} to %c2
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
//       CHECK: scf.for {{.*}} to %c16
//       CHECK: vector.store {{.*}} : memref<37x64xbf16>, vector<16xbf16>
//       CHECK: scf.for {{.*}} to %c16
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: scf.for {{.*}} to %c5
//       CHECK: vector.load
//       CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
//       CHECK: return
func.func @tiles(%x: memref<37x64xbf16>, %w: memref<2x32x32x2xbf16>, %y: memref<37x64xbf16>) attributes {nn.target = #tiles} {
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%acc: f32):
    %r = arith.truncf %acc : f32 to bf16
    nn.yield %r : bf16
  } : (memref<37x64xbf16>, memref<2x32x32x2xbf16>, memref<37x64xbf16>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// A last chunk of 8 steps reads the left operand from step 8 on. How many rows there are is known in the end only: tiles have
// 16 rows or all there are.
// CHECK-LABEL: @symbolic
//       CHECK: arith.minsi
//       CHECK: scf.parallel
//       CHECK: memref.store {{.*}} : memref<64xi8>
//       CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: scf.if
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: scf.if
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//   CHECK-NOT: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: return
func.func @symbolic(%x: memref<?x40xbf16>, %w: memref<2x32x32x2xbf16>, %y: memref<?x64xf32>) attributes {nn.target = #tiles} {
  nn.linear %x, %w outs(%y) : (memref<?x40xbf16>, memref<2x32x32x2xbf16>, memref<?x64xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// Two lines of 14 pixels and the two windows between them are rows of two tiles; 16 channels of three taps are two chunks of 24.
// CHECK-LABEL: @lines
//       CHECK: scf.parallel
//       CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
//       CHECK: scf.for {{.*}} to %c3
//       CHECK: scf.for {{.*}} to %c2
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
//       CHECK: scf.for {{.*}} to %c14
//       CHECK: scf.for {{.*}} to %c14
//   CHECK-NOT: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: return
func.func @lines(%x: memref<1x16x16x16xbf16>, %w: memref<1x3x3x8x32x2xbf16>, %y: memref<1x14x14x32xf32>)
    attributes {nn.target = #tiles} {
  nn.conv %x, %w outs(%y) : (memref<1x16x16x16xbf16>, memref<1x3x3x8x32x2xbf16>, memref<1x14x14x32xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

// Every second pixel: each of two lines has a tile of 7 rows.
// CHECK-LABEL: @strided
//       CHECK: scf.parallel
//       CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: scf.for {{.*}} to %c7
//       CHECK: scf.for {{.*}} to %c7
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: scf.for {{.*}} to %c7
//   CHECK-NOT: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
//       CHECK: return
func.func @strided(%x: memref<1x14x14x64xbf16>, %w: memref<1x1x1x32x32x2xbf16>, %y: memref<1x7x7x32xf32>)
    attributes {nn.target = #tiles} {
  nn.conv %x, %w outs(%y) {strides = array<i64: 2, 2>}
    : (memref<1x14x14x64xbf16>, memref<1x1x1x32x32x2xbf16>, memref<1x7x7x32xf32>) -> ()
  return
}
