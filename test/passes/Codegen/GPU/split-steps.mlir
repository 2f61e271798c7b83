// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-gpu-emit-kernels),canonicalize)' -split-input-file --remarks-filter=codegen \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {

// One block would leave 107 of 108 multiprocessors without work: 31 of them have two tiles of the steps each. Their sums are
// added in order, and the epilogue is applied to the whole.
// CHECK-LABEL: func.func @tiles
// CHECK: %[[PARTS:.*]] = memref.alloc() : memref<31x1x64x48xf32>
// CHECK: gpu.launch blocks(%[[B:[a-z0-9]+]], {{.*}} in (%{{.*}} = %c31,
// CHECK: %[[FIRST:.*]] = arith.muli %[[B]], %c2 : index
// CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %c2 : index
// CHECK: %[[END:.*]] = arith.minsi %[[NEXT]], %c62
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]] step %c1
// CHECK: nvvm.mma.sync
// CHECK: vector.store %{{.*}}, %[[PARTS]][%[[B]], %c0, %{{.*}}, %{{.*}}] {alignment = 16 : i64} : memref<31x1x64x48xf32>, vector<4xf32>
// CHECK: scf.parallel
// CHECK: %[[INIT:.*]] = memref.load %[[PARTS]][%c0,
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c1 to %c31 step %c1 iter_args(%{{.*}} = %[[INIT]])
// CHECK: memref.load %[[PARTS]]
// CHECK: arith.addf
// CHECK: %[[SMALL:.*]] = arith.truncf %[[SUM]]
// CHECK: memref.store %[[SMALL]], %arg2
// REMARK: [Passed] Blocks{{.*}}Blocks=31, BusyPercent=28, OccupancyPercent=6, Slices=31
func.func @tiles(%x: memref<64x1984xbf16>, %w: memref<1984x48xbf16>, %y: memref<64x48xbf16>) {
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%sum: f32):
    %small = arith.truncf %sum : f32 to bf16
    nn.yield %small : bf16
  } : (memref<64x1984xbf16>, memref<1984x48xbf16>, memref<64x48xbf16>) -> ()
  return
}

// Sums of bytes are i32, and exact.
// CHECK-LABEL: func.func @bytes
// CHECK: %[[PARTS:.*]] = memref.alloc() : memref<{{[0-9]+}}x1x8x64xi32>
// CHECK: nvvm.mma.sync
// CHECK: scf.parallel
// CHECK: arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: memref.store %{{.*}}, %arg2
func.func @bytes(%x: memref<8x4096xi8>, %w: memref<1x1024x64x4xi8>, %y: memref<8x64xi32>) {
  nn.linear %x, %w outs(%y) : (memref<8x4096xi8>, memref<1x1024x64x4xi8>, memref<8x64xi32>) -> ()
  return
}

// Threads that add up alone are more, with 32 steps each.
// CHECK-LABEL: func.func @threads
// CHECK: %[[PARTS:.*]] = memref.alloc() : memref<32x1x1000xf32>
// CHECK: scf.parallel (%[[S:.*]], %{{.*}}) = (%c0, %c0) to (%c32, %c1000)
// CHECK: %[[FIRST:.*]] = arith.muli %[[S]], %c32
// CHECK: scf.for %{{.*}} = %[[FIRST]] to
// CHECK: math.fma
// CHECK: memref.store %{{.*}}, %[[PARTS]][%[[S]],
// CHECK: scf.parallel
// CHECK: arith.addf
// CHECK: memref.store %{{.*}}, %arg2
func.func @threads(%x: memref<1x1024xf32>, %w: memref<1024x1000xf32>, %y: memref<1x1000xf32>) {
  nn.linear %x, %w outs(%y) : (memref<1x1024xf32>, memref<1024x1000xf32>, memref<1x1000xf32>) -> ()
  return
}

// Rows that are not known are those that a kernel of several numbers is made for.
// CHECK-LABEL: func.func @likely
// CHECK: %[[ROWS:.*]] = memref.dim %arg{{[02]}}, %c0
// CHECK: memref.alloc(%[[ROWS]]) : memref<31x1x?x48xf32>
// CHECK: scf.for
// CHECK-COUNT-16: nvvm.mma.sync
// REMARK: [Passed] Blocks{{.*}}Blocks=31, {{.*}}Slices=31
func.func @likely(%x: memref<?x1984xbf16>, %w: memref<1984x48xbf16>, %y: memref<?x48xf32>) {
  nn.linear %x, %w outs(%y) {nn.rows = 64 : i64} : (memref<?x1984xbf16>, memref<1984x48xbf16>, memref<?x48xf32>) -> ()
  return
}

// Enough blocks, or short sums, stay whole.
// CHECK-LABEL: func.func @whole
// CHECK-NOT: memref.alloc
// REMARK: [Passed] Blocks{{.*}}Blocks=256, BusyPercent=100, OccupancyPercent=12, Slices=1
func.func @whole(%x: memref<2048x1024xbf16>, %w: memref<1024x2048xbf16>, %v: memref<2048x16xbf16>, %y: memref<2048x2048xf32>,
                 %z: memref<2048x16xf32>, %s: memref<16x64xbf16>, %t: memref<2048x64xf32>) {
  nn.linear %x, %w outs(%y) : (memref<2048x1024xbf16>, memref<1024x2048xbf16>, memref<2048x2048xf32>) -> ()
  nn.linear %v, %s outs(%t) : (memref<2048x16xbf16>, memref<16x64xbf16>, memref<2048x64xf32>) -> ()
  return
}

}

// -----

module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_90a", features = "+ptx80", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 232448, l2_bytes = 52428800, bf16_product = "mma">} {

// Where the second cache is what tiles wait for, those of 128 x 256 elements read less: eight warps, and four times 32 steps.
// CHECK-LABEL: func.func @wide
// CHECK: gpu.launch {{.*}} in (%{{.*}} = %c128,
// CHECK-SAME: threads(%{{.*}} in (%{{.*}} = %c256,
// CHECK-SAME: workgroup(%{{.*}} : memref<98304xi8,
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c1
// CHECK-COUNT-64: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// REMARK: [Passed] Blocks{{.*}}Blocks=128, BusyPercent=96, OccupancyPercent=12, Slices=1
func.func @wide(%x: memref<2048x1024xbf16>, %w: memref<1024x2048xbf16>, %y: memref<2048x2048xf32>) {
  nn.linear %x, %w outs(%y) : (memref<2048x1024xbf16>, memref<1024x2048xbf16>, memref<2048x2048xf32>) -> ()
  return
}

}
