// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

#half = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "", vector_bits = 128, vector_registers = 32,
                   dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>

// Sixteen steps for 4 rows by 16 columns are added up in f16, the first of them without a sum, and then to f32. Rows are read
// eight steps at a time.
// CHECK-LABEL: @blocks
//       CHECK: scf.for {{.*}} to %c64{{.*}} step %c16{{.*}} -> (vector<4xf32>, {{.*}}vector<4xf32>) {
// CHECK-COUNT-4: vector.load %arg0{{.*}} : memref<28x64xf16>, vector<8xf16>
//       CHECK: vector.load %arg1{{.*}} : memref<2x64x16xf16>, vector<8xf16>
// CHECK-COUNT-8: arith.mulf {{.*}} : vector<8xf16>
// CHECK-COUNT-120: vector.fma {{.*}} : vector<8xf16>
//   CHECK-NOT: vector.fma
// CHECK-COUNT-16: arith.addf {{.*}} : vector<4xf32>
//       CHECK: scf.yield
//   CHECK-NOT: vector.fma
//       CHECK: return
func.func @blocks(%x: memref<28x64xf16>, %w: memref<2x64x16xf16>, %y: memref<28x32xf32>) attributes {nn.target = #half} {
  nn.linear %x, %w outs(%y) : (memref<28x64xf16>, memref<2x64x16xf16>, memref<28x32xf32>) -> ()
  return
}

// -----

#half = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "", vector_bits = 128, vector_registers = 32,
                   dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>

// One row: four sets of sums take turns, and meet in f16. The last 5 of 37 steps are a block of their own, read one by one.
// CHECK-LABEL: @row
//       CHECK: scf.for {{.*}} to %c32{{.*}} step %c16
// CHECK-COUNT-8: arith.mulf {{.*}} : vector<8xf16>
// CHECK-COUNT-24: vector.fma {{.*}} : vector<8xf16>
// CHECK-COUNT-6: arith.addf {{.*}} : vector<8xf16>
// CHECK-COUNT-4: arith.addf {{.*}} : vector<4xf32>
//       CHECK: scf.yield
// CHECK-COUNT-5: memref.load %arg0{{.*}} : memref<1x37xf16>
// CHECK-COUNT-4: arith.addf {{.*}} : vector<4xf32>
//       CHECK: return
func.func @row(%x: memref<1x37xf16>, %w: memref<1x37x16xf16>, %y: memref<1x16xf32>) attributes {nn.target = #half} {
  nn.linear %x, %w outs(%y) : (memref<1x37xf16>, memref<1x37x16xf16>, memref<1x16xf32>) -> ()
  return
}

// -----

#widening = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "neoverse-n2", features = "", vector_bits = 128,
                       vector_registers = 32, dot_product = "i8mm", l1_bytes = 65536, l2_bytes = 524288, bf16_product = "bfmmla">

// Where there are products of f16 that are added to f32, those by one add the sums. The taps of a line are one reduction. The
// result is rounded once more.
// CHECK-LABEL: @window
//       CHECK: scf.for {{.*}} to %c3
//       CHECK: scf.for {{.*}} to %c48{{.*}} step %c16
//       CHECK: vector.fma {{.*}} : vector<8xf16>
//       CHECK: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<8xf16>
//       CHECK: llvm.call_intrinsic "llvm.aarch64.neon.fmlal"({{.*}}, %{{.*}}, %[[ONES]]) : (vector<4xf32>, vector<8xf16>, vector<8xf16>) -> vector<4xf32>
//       CHECK: llvm.call_intrinsic "llvm.aarch64.neon.fmlal2"
//       CHECK: vector.store {{.*}} : memref<1x6x6x16xf16>, vector<4xf16>
//       CHECK: return
func.func @window(%x: memref<1x8x8x16xf16>, %w: memref<1x3x3x16x16xf16>, %y: memref<1x6x6x16xf16>) attributes {nn.target = #widening} {
  nn.conv %x, %w outs(%y) epilogue {
  ^bb0(%acc: f32):
    %r = arith.truncf %acc : f32 to f16
    nn.yield %r : f16
  } : (memref<1x8x8x16xf16>, memref<1x3x3x16x16xf16>, memref<1x6x6x16xf16>) -> ()
  return
}

// -----

#avx512 = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512fp16", vector_bits = 512,
                     vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 1048576>

// Without lanes a row's scalar is loaded for each step. A panel of one vector of f32 has half a vector of f16.
// CHECK-LABEL: @scalars
//       CHECK: memref.load %arg0{{.*}} : memref<3x16xf16>
//       CHECK: vector.broadcast {{.*}} : f16 to vector<16xf16>
//       CHECK: vector.fma {{.*}} : vector<16xf16>
//   CHECK-NOT: vector<32xf16>
//       CHECK: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
//       CHECK: return
func.func @scalars(%x: memref<3x16xf16>, %w: memref<1x16x16xf16>, %y: memref<3x16xf32>) attributes {nn.target = #avx512} {
  nn.linear %x, %w outs(%y) : (memref<3x16xf16>, memref<1x16x16xf16>, memref<3x16xf32>) -> ()
  return
}

// -----

// A weight of f16 that meets f32 is widened in registers, on any target.
// CHECK-LABEL: @stored
//       CHECK: vector.load %arg1{{.*}} : memref<1x64x32xf16>, vector<16xf16>
//       CHECK: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
//       CHECK: vector.fma {{.*}} : vector<16xf32>
//       CHECK: return
func.func @stored(%x: memref<8x64xf32>, %w: memref<1x64x32xf16>, %y: memref<8x32xf32>) {
  nn.linear %x, %w outs(%y) : (memref<8x64xf32>, memref<1x64x32xf16>, memref<8x32xf32>) -> ()
  return
}

// -----

// What lies between contractions computes on f32.
// CHECK-LABEL: @between
//       CHECK: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
//       CHECK: arith.maximumf {{.*}} : vector<16xf32>
//       CHECK: arith.truncf {{.*}} : vector<16xf32> to vector<16xf16>
//       CHECK: arith.truncf {{.*}} : vector<16xf32> to vector<16xf16>
//       CHECK: return
func.func @between(%x: memref<1x8x8x16xf16>, %y: memref<1x4x4x16xf16>, %rows: memref<4x16xf32>, %z: memref<4x16xf16>) {
  nn.pool max %x outs(%y) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (memref<1x8x8x16xf16>, memref<1x4x4x16xf16>) -> ()
  nn.norm layer %rows outs(%z) {epsilon = 1.0e-5 : f32} : (memref<4x16xf32>, memref<4x16xf16>) -> ()
  return
}
