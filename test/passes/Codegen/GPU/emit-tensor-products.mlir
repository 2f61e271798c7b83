// RUN: lathe-opt %s -codegen-gpu-emit-kernels -canonicalize -cse -split-input-file | FileCheck %s
// RUN: lathe-opt %s -codegen-gpu-emit-kernels -codegen-gpu-map-threads -codegen-device -split-input-file | FileCheck %s --check-prefix=NVVM

// Three of four tiles are on their way before the first product. The fragments of a product are loaded before the one that is ahead of
// it, across the barrier, too. 70 rows fill one tile and a part of the next: of rows
// that are not there nothing is read. Sums leave through the memory of the block.
// CHECK-LABEL: func.func private @kernel_rows
// CHECK: gpu.launch
// CHECK-SAME: threads(%{{.*}}) in (%{{.*}} = %c128,
// CHECK-SAME: workgroup(%[[BYTES:.*]] : memref<32768xi8, #gpu.address_space<workgroup>>)
// CHECK: %[[TILES:.*]] = memref.view %[[BYTES]]
// CHECK-SAME: to memref<16384xbf16, #gpu.address_space<workgroup>>
// CHECK: %[[THERE:.*]] = arith.cmpi ult, %{{.*}}, %c70
// CHECK: %[[COUNT:.*]] = arith.select %[[THERE]], %c8, %c0
// CHECK: nvgpu.device_async_copy %{{.*}}, %[[TILES]][%{{.*}}], 8, %[[COUNT]] {bypassL1} : memref<70x256xbf16>
// CHECK: nvgpu.device_async_copy %{{.*}}, %[[TILES]][%{{.*}}], 8{{(, %c8)?}} {bypassL1} : memref<256x64xbf16>
// CHECK-COUNT-3: nvvm.cp.async.commit.group
// CHECK: nvvm.cp.async.wait.group 2
// CHECK-NEXT: gpu.barrier
// CHECK: nvgpu.ldmatrix %[[TILES]][%{{.*}}] {numTiles = 4 : i32, transpose = false}
// CHECK-SAME: -> vector<4x2xbf16>
// CHECK: nvgpu.ldmatrix %[[TILES]][%{{.*}}] {numTiles = 4 : i32, transpose = true}
// CHECK: scf.for %[[TILE:.*]] = %c0 to %c8 step %c1 iter_args
// CHECK: %[[NEXT:.*]] = arith.addi %[[TILE]], %c3
// CHECK: arith.cmpi ult, %[[NEXT]], %c8
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK-COUNT-4: nvgpu.ldmatrix %[[TILES]]
// CHECK-COUNT-8: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>
// CHECK: nvvm.cp.async.wait.group 2
// CHECK-NEXT: gpu.barrier
// CHECK-COUNT-4: nvgpu.ldmatrix %[[TILES]]
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: gpu.barrier
// CHECK: vector.store %{{.*}} {alignment = 8 : i64} : memref<8192xf32, #gpu.address_space<workgroup>>, vector<2xf32>
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<8192xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
// CHECK: vector.store %{{.*}} {alignment = 8 : i64} : memref<70x64xbf16>, vector<4xbf16>

// NVVM: llvm.mlir.global internal @{{.*}}() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32768 x i8>
// NVVM: nvvm.cp.async.shared.global
// NVVM: nvvm.ldmatrix
// NVVM: nvvm.mma.sync
func.func private @kernel_rows(%x: memref<70x256xbf16>, %w: memref<256x64xbf16>, %y: memref<70x64xbf16>) {
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%sum: f32):
    %small = arith.truncf %sum : f32 to bf16
    nn.yield %small : bf16
  } : (memref<70x256xbf16>, memref<256x64xbf16>, memref<70x64xbf16>) -> ()
  return
}

// -----

// f16 takes the same way, two numbers in a register. Two sums are rounded by one instruction.
// CHECK-LABEL: func.func private @kernel_halves
// CHECK: nvgpu.device_async_copy %{{.*}}, 8, %{{.*}} {bypassL1} : memref<70x256xf16>
// CHECK: nvgpu.ldmatrix %{{.*}} -> vector<4x2xf16>
// CHECK: nvvm.mma.sync {{.*}} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xf16>
// NVVM-LABEL: llvm.func @kernel_halves
// NVVM: nvvm.mma.sync {{.*}} : (vector<2xf16>, vector<2xf16>, f32)
func.func private @kernel_halves(%x: memref<70x256xf16>, %w: memref<256x64xf16>, %y: memref<70x64xf16>) {
  nn.linear %x, %w outs(%y) epilogue {
  ^bb0(%sum: f32):
    %small = arith.truncf %sum : f32 to f16
    nn.yield %small : f16
  } : (memref<70x256xf16>, memref<256x64xf16>, memref<70x64xf16>) -> ()
  return
}

// -----

// Of few rows, four warps share the steps of 16 x 32 elements.
// CHECK-LABEL: func.func private @kernel_flat
// CHECK: gpu.launch blocks(%{{.*}}) in (%{{.*}} = %c3,
// CHECK-SAME: memref<24576xi8,
// CHECK-COUNT-4: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-12: arith.addf
// CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<5x96xf32>, vector<4xf32>
func.func private @kernel_flat(%x: memref<5x256xbf16>, %w: memref<256x96xbf16>, %y: memref<5x96xf32>) {
  nn.linear %x, %w outs(%y) : (memref<5x256xbf16>, memref<256x96xbf16>, memref<5x96xf32>) -> ()
  return
}

// -----

// Rows of an odd size cannot be copied: elements go through registers.
// CHECK-LABEL: func.func private @kernel_odd
// CHECK-NOT: nvgpu.device_async_copy
// CHECK: memref.load %{{.*}} : memref<70x33xbf16>
// CHECK: memref.load %{{.*}} : memref<33x71xbf16>
// CHECK: nvvm.mma.sync
func.func private @kernel_odd(%x: memref<70x33xbf16>, %w: memref<33x71xbf16>, %y: memref<70x71xf32>) {
  nn.linear %x, %w outs(%y) : (memref<70x33xbf16>, memref<33x71xbf16>, memref<70x71xf32>) -> ()
  return
}

// -----

// f32 stays f32: sums are those of fused multiply-adds.
// CHECK-LABEL: func.func private @kernel_exact
// CHECK-NOT: nvvm.mma.sync
// CHECK: math.fma
func.func private @kernel_exact(%x: memref<70x256xf32>, %w: memref<256x64xf32>, %y: memref<70x64xf32>) {
  nn.linear %x, %w outs(%y) : (memref<70x256xf32>, memref<256x64xf32>, memref<70x64xf32>) -> ()
  return
}

// -----

// Words of four bytes of a column are read as they are: unsigned activations, signed weights, sums of i32.
// CHECK-LABEL: func.func private @kernel_bytes
// CHECK: nvgpu.device_async_copy %{{.*}} : memref<70x64xi8>
// CHECK: nvgpu.device_async_copy %{{.*}} : memref<16x256xi8>
// CHECK: nvgpu.ldmatrix %{{.*}} -> vector<4x4xi8>
// CHECK: vector.load %{{.*}} vector<4xi8>
// CHECK: nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<u8>, multiplicandBPtxType = #nvvm.mma_type<s8>
func.func private @kernel_bytes(%x: memref<70x64xi8>, %w: memref<1x16x64x4xi8>, %y: memref<70x64xi32>) {
  nn.linear %x, %w outs(%y) : (memref<70x64xi8>, memref<1x16x64x4xi8>, memref<70x64xi32>) -> ()
  return
}

// -----

// f32 that may be rounded to tf32.
// CHECK-LABEL: func.func private @kernel_tf32
// CHECK: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK: nvvm.mma.sync {{.*}}tf32
func.func private @kernel_tf32(%x: memref<2x70x64xf32>, %w: memref<64x48xf32>, %y: memref<2x70x48xf32>) {
  nn.matmul %x, %w outs(%y) {nn.tf32} : (memref<2x70x64xf32>, memref<64x48xf32>, memref<2x70x48xf32>) -> ()
  return
}

// -----

// A weight of such numbers is not rounded again: the first fragments are four of rows, then words of columns.
// CHECK-LABEL: func.func private @kernel_tf32_weight
// CHECK: scf.for
// CHECK: nvgpu.ldmatrix
// CHECK-COUNT-4: nvvm.convert.float.to.tf32
// CHECK: nvgpu.ldmatrix
// CHECK-COUNT-4: nvvm.convert.float.to.tf32
// CHECK-NOT: nvvm.convert.float.to.tf32
// CHECK: nvvm.mma.sync {{.*}}tf32
func.func private @kernel_tf32_weight(%x: memref<140x64xf32>, %w: memref<64x48xf32>, %y: memref<140x48xf32>) {
  nn.linear %x, %w outs(%y) {nn.tf32, nn.tf32_weight} : (memref<140x64xf32>, memref<64x48xf32>, memref<140x48xf32>) -> ()
  return
}

// -----

// Weights that are unpacked are rounded on their way to memory of the block.
// CHECK-LABEL: func.func private @kernel_tf32_unpacked
// CHECK: scf.for
// CHECK: arith.sitofp %{{.*}} : i32 to f32
// CHECK: %[[WORD:.*]] = nvvm.convert.float.to.tf32
// CHECK: %[[NUMBER:.*]] = arith.bitcast %[[WORD]] : i32 to f32
// CHECK: memref.store %{{.*}} : memref<{{.*}}xf32, #gpu.address_space<workgroup>>
func.func private @kernel_tf32_unpacked(%x: memref<140x64xf32>, %w: memref<64x48xi8>, %s: memref<1x48xf32>, %y: memref<140x48xf32>) {
  nn.linear %x, %w scales(%s) outs(%y) {nn.tf32} : (memref<140x64xf32>, memref<64x48xi8>, memref<1x48xf32>, memref<140x48xf32>) -> ()
  return
}

// -----

// Rows of several dimensions are lines where memory has them one after the other: none is found by a division. So are those of an
// extra that has one for each, or one for all.
// CHECK-LABEL: func.func private @kernel_lines
// CHECK-DAG: memref.collapse_shape %arg0 {{\[\[}}0, 1], [2]] : memref<?x35x64xbf16> into memref<?x64xbf16>
// CHECK-DAG: %[[LINES:.*]] = memref.collapse_shape %arg2 {{\[\[}}0, 1], [2]] : memref<?x35x48xf32> into memref<?x48xf32>
// CHECK-DAG: %[[ROW:.*]] = memref.collapse_shape %arg3 {{\[\[}}0, 1], [2]] : memref<1x1x48xf32> into memref<1x48xf32>
// CHECK-NOT: arith.divui %{{.*}}, %c35
// CHECK: nvvm.mma.sync
// CHECK-NOT: arith.divui %{{.*}}, %c35
// CHECK: vector.load %[[LINES]]
// CHECK: vector.load %[[ROW]]
func.func private @kernel_lines(%x: memref<?x35x64xbf16>, %w: memref<64x48xbf16>, %r: memref<?x35x48xf32>, %b: memref<1x1x48xf32>, %y: memref<?x35x48xf32>) {
  nn.linear %x, %w extras(%r, %b) outs(%y) epilogue {
  ^bb0(%sum: f32, %add: f32, %bias: f32):
    %a = arith.addf %sum, %add : f32
    %z = arith.addf %a, %bias : f32
    nn.yield %z : f32
  } : (memref<?x35x64xbf16>, memref<64x48xbf16>, memref<?x35x48xf32>, memref<1x1x48xf32>, memref<?x35x48xf32>) -> ()
  return
}

// -----

// An extra that some rows share, and rows with gaps between them, need the row's number in each dimension.
// CHECK-LABEL: func.func private @kernel_shared_lines
// CHECK: arith.remui %{{.*}}, %c35
// CHECK-LABEL: func.func private @kernel_gaps
// CHECK: arith.remui %{{.*}}, %c35
func.func private @kernel_shared_lines(%x: memref<2x35x64xbf16>, %w: memref<64x48xbf16>, %r: memref<35x48xf32>, %y: memref<2x35x48xf32>) {
  nn.linear %x, %w extras(%r) outs(%y) epilogue {
  ^bb0(%sum: f32, %add: f32):
    %a = arith.addf %sum, %add : f32
    nn.yield %a : f32
  } : (memref<2x35x64xbf16>, memref<64x48xbf16>, memref<35x48xf32>, memref<2x35x48xf32>) -> ()
  return
}
func.func private @kernel_gaps(%x: memref<2x35x64xbf16>, %w: memref<64x48xbf16>, %y: memref<2x35x48xf32, strided<[1920, 48, 1]>>) {
  nn.linear %x, %w outs(%y) : (memref<2x35x64xbf16>, memref<64x48xbf16>, memref<2x35x48xf32, strided<[1920, 48, 1]>>) -> ()
  return
}

// -----

// Of an image's border, pixels that are not there are not read: zeros are copied.
// CHECK-LABEL: func.func private @kernel_borders
// CHECK: %[[ROW:.*]] = arith.cmpi ult, %{{.*}}, %c10
// CHECK: %[[COLUMN:.*]] = arith.cmpi ult, %{{.*}}, %c9
// CHECK: %[[INSIDE:.*]] = arith.andi %[[ROW]], %[[COLUMN]]
// CHECK: %[[THERE:.*]] = arith.andi %{{.*}}, %[[INSIDE]]
// CHECK: %[[COUNT:.*]] = arith.select %[[THERE]], %c8, %c0
// CHECK: nvgpu.device_async_copy %arg0[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}], %{{.*}}, 8, %[[COUNT]] {bypassL1} : memref<1x10x9x8xbf16>
func.func private @kernel_borders(%x: memref<1x10x9x8xbf16>, %w: memref<3x3x8x64xbf16>, %y: memref<1x10x9x64xf32>) {
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>} : (memref<1x10x9x8xbf16>, memref<3x3x8x64xbf16>, memref<1x10x9x64xf32>) -> ()
  return
}
