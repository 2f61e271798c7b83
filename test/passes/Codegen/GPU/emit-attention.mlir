// RUN: lathe-opt %s -codegen-gpu-emit-kernels -canonicalize -cse -split-input-file | FileCheck %s

// 70 queries are two blocks for each of 2 x 3 heads. Queries stay in registers, keys and values come a tile ahead; the largest
// scores and the sums of a row are those of four threads.
// CHECK-LABEL: func.func private @kernel_flash
// CHECK: gpu.launch blocks(%{{.*}}) in (%{{.*}} = %c12,
// CHECK-SAME: memref<32768xi8,
// CHECK: nvgpu.device_async_copy %{{.*}} : memref<2x3x70x32xf32>
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: nvgpu.ldmatrix
// CHECK: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK: gpu.barrier
// CHECK: nvgpu.device_async_copy %{{.*}} : memref<2x3x150x32xf32>
// CHECK: scf.for %{{.*}} iter_args
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK-NEXT: gpu.barrier
// CHECK: nvvm.mma.sync {{.*}}tf32
// CHECK: gpu.shuffle xor
// CHECK: nvvm.mma.sync {{.*}}tf32
// CHECK: scf.yield
// CHECK: arith.divf
// CHECK: memref.store %{{.*}} : memref<2x3x70x32xf32>
func.func private @kernel_flash(%q: memref<2x3x70x32xf32>, %k: memref<2x3x150x32xf32>, %v: memref<2x3x150x32xf32>, %y: memref<2x3x70x32xf32>) {
  nn.attention %q, %k, %v outs(%y) {heads_first, kv_heads_first, nn.tf32, scale = 0.125 : f32} : (memref<2x3x70x32xf32>, memref<2x3x150x32xf32>, memref<2x3x150x32xf32>, memref<2x3x70x32xf32>) -> ()
  return
}

// -----

// In bf16, two scores are a word of a left operand, and values are transposed on their way. Scores are scaled in the exponent of two that
// the device computes; tiles of which every query of the block sees all keys come first and compare nothing.
// CHECK-LABEL: func.func private @kernel_bf16
// CHECK: scf.for %{{.*}} = %c0 to %[[WHOLE:.*]] step %c1
// CHECK: nvvm.mma.sync {{.*}}bf16
// CHECK-NOT: arith.cmpi sgt
// CHECK: %[[POWER:.*]] = math.fma %{{.*}}, %cst{{.*}}, %{{.*}} : f32
// CHECK-NEXT: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[POWER]])
// CHECK: arith.truncf %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK: nvgpu.ldmatrix %{{.*}} {numTiles = 4 : i32, transpose = true}
// CHECK: nvvm.mma.sync {{.*}}bf16
// CHECK: scf.for %{{.*}} = %[[WHOLE]] to
// CHECK: arith.cmpi sgt
func.func private @kernel_bf16(%q: memref<1x70x3x64xbf16>, %k: memref<1x70x3x64xbf16>, %v: memref<1x70x3x64xbf16>, %y: memref<1x70x3x64xbf16>) {
  nn.attention %q, %k, %v outs(%y) {causal, scale = 0.125 : f32} : (memref<1x70x3x64xbf16>, memref<1x70x3x64xbf16>, memref<1x70x3x64xbf16>, memref<1x70x3x64xbf16>) -> ()
  return
}

// -----

// f16 is the same: registers of products are pairs of it.
// CHECK-LABEL: func.func private @kernel_f16
// CHECK: nvgpu.ldmatrix %{{.*}} -> vector<4x2xf16>
// CHECK: nvvm.mma.sync {{.*}} : (vector<2xf16>, vector<2xf16>, f32)
// CHECK: arith.truncf %{{.*}} : vector<2xf32> to vector<2xf16>
// CHECK: nvgpu.ldmatrix %{{.*}} {numTiles = 4 : i32, transpose = true}
// CHECK: nvvm.mma.sync {{.*}} : (vector<2xf16>, vector<2xf16>, f32)
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func private @kernel_f16(%q: memref<1x70x3x64xf16>, %k: memref<1x70x3x64xf16>, %v: memref<1x70x3x64xf16>, %y: memref<1x70x3x64xf16>) {
  nn.attention %q, %k, %v outs(%y) {causal, scale = 0.125 : f32} : (memref<1x70x3x64xf16>, memref<1x70x3x64xf16>, memref<1x70x3x64xf16>, memref<1x70x3x64xf16>) -> ()
  return
}

// -----

// With heads enough for the target, a warp has twice sixteen queries: two blocks for each head, and two products for each fragment of keys.
// CHECK-LABEL: func.func private @kernel_many_heads
// CHECK: gpu.launch blocks(%{{.*}}) in (%{{.*}} = %c108,
// CHECK: scf.for
// CHECK: nvgpu.ldmatrix
// CHECK-COUNT-4: nvvm.mma.sync
// CHECK: nvgpu.ldmatrix
// CHECK: lathe.resident_blocks = 2 : i32
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
func.func private @kernel_many_heads(%q: memref<1x54x256x64xbf16>, %k: memref<1x54x256x64xbf16>, %v: memref<1x54x256x64xbf16>, %y: memref<1x54x256x64xbf16>) {
  nn.attention %q, %k, %v outs(%y) {heads_first, kv_heads_first, scale = 0.125 : f32} : (memref<1x54x256x64xbf16>, memref<1x54x256x64xbf16>, memref<1x54x256x64xbf16>, memref<1x54x256x64xbf16>) -> ()
  return
}
}

// -----

// Long heads leave no registers for them: 128 queries lie behind the tiles of keys and values, and their fragments are loaded for each tile.
// CHECK-LABEL: func.func private @kernel_long_heads
// CHECK: memref<65536xi8, #gpu.address_space<workgroup>>
// CHECK: nvvm.cp.async.commit.group
// CHECK-NOT: nvgpu.ldmatrix
// CHECK: scf.for
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK: nvvm.cp.async.commit.group
// CHECK-COUNT-4: nvgpu.ldmatrix
// CHECK: nvgpu.ldmatrix
// CHECK-COUNT-4: nvvm.mma.sync
// CHECK: nvgpu.ldmatrix
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
func.func private @kernel_long_heads(%q: memref<1x54x256x128xbf16>, %k: memref<1x54x256x128xbf16>, %v: memref<1x54x256x128xbf16>, %y: memref<1x54x256x128xbf16>) {
  nn.attention %q, %k, %v outs(%y) {heads_first, kv_heads_first, scale = 0.0883883461 : f32} : (memref<1x54x256x128xbf16>, memref<1x54x256x128xbf16>, memref<1x54x256x128xbf16>, memref<1x54x256x128xbf16>) -> ()
  return
}
}

// -----

// With a mask, tiles of which all keys are there compare nothing, and a warp has sixteen queries. A thread has the scores of four
// neighbouring keys, whose mask is read at once; those of the last tile are moved to where there is one.
// CHECK-LABEL: func.func private @kernel_masked
// CHECK: gpu.launch blocks(%{{.*}}) in (%{{.*}} = %c216,
// CHECK: scf.for
// CHECK-NOT: arith.cmpi sgt
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<256x252xf32>, vector<4xf32>
// CHECK: scf.yield
// CHECK: arith.minsi %{{.*}}, %c248
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<256x252xf32>, vector<4xf32>
// CHECK: arith.cmpi sgt
module attributes {nn.target = #nn.target<triple = "nvptx64-nvidia-cuda", cpu = "sm_80", features = "+ptx70", vector_bits = 32, vector_registers = 255, dot_product = "none", l1_bytes = 166912, l2_bytes = 41943040, bf16_product = "mma">} {
func.func private @kernel_masked(%q: memref<1x54x256x64xbf16>, %k: memref<1x54x252x64xbf16>, %v: memref<1x54x252x64xbf16>, %mask: memref<256x252xf32>, %y: memref<1x54x256x64xbf16>) {
  nn.attention %q, %k, %v mask(%mask) outs(%y) {heads_first, kv_heads_first, scale = 0.125 : f32} : (memref<1x54x256x64xbf16>, memref<1x54x252x64xbf16>, memref<1x54x252x64xbf16>, memref<256x252xf32>, memref<1x54x256x64xbf16>) -> ()
  return
}
}

// -----

// Rows of an even number of keys are read in pairs, others and a mask of bits one by one.
// CHECK-LABEL: func.func private @kernel_masked_pairs
// CHECK: vector.load %{{.*}} {alignment = 8 : i64} : memref<66x70xf32>, vector<2xf32>
// CHECK-LABEL: func.func private @kernel_masked_bits
// CHECK: memref.load %{{.*}} : memref<66x72xi1>
func.func private @kernel_masked_pairs(%q: memref<1x1x66x64xbf16>, %k: memref<1x1x70x64xbf16>, %mask: memref<66x70xf32>, %y: memref<1x1x66x64xbf16>) {
  nn.attention %q, %k, %k mask(%mask) outs(%y) {heads_first, kv_heads_first, scale = 0.125 : f32} : (memref<1x1x66x64xbf16>, memref<1x1x70x64xbf16>, memref<1x1x70x64xbf16>, memref<66x70xf32>, memref<1x1x66x64xbf16>) -> ()
  return
}
func.func private @kernel_masked_bits(%q: memref<1x1x66x64xbf16>, %k: memref<1x1x72x64xbf16>, %mask: memref<66x72xi1>, %y: memref<1x1x66x64xbf16>) {
  nn.attention %q, %k, %k mask(%mask) outs(%y) {heads_first, kv_heads_first, scale = 0.125 : f32} : (memref<1x1x66x64xbf16>, memref<1x1x72x64xbf16>, memref<1x1x72x64xbf16>, memref<66x72xi1>, memref<1x1x66x64xbf16>) -> ()
  return
}

// -----

// Without permission f32 stays f32.
// CHECK-LABEL: func.func private @kernel_exact
// CHECK-NOT: nvvm.mma.sync
func.func private @kernel_exact(%q: memref<1x70x3x64xf32>, %k: memref<1x70x3x64xf32>, %v: memref<1x70x3x64xf32>, %y: memref<1x70x3x64xf32>) {
  nn.attention %q, %k, %v outs(%y) {scale = 0.125 : f32} : (memref<1x70x3x64xf32>, memref<1x70x3x64xf32>, memref<1x70x3x64xf32>, memref<1x70x3x64xf32>) -> ()
  return
}
