// RUN: lathe-opt %s -split-input-file -verify-diagnostics -codegen-emit-kernels

func.func @result(%q: memref<1x2x4x8xf32>, %k: memref<1x2x6x8xf32>, %y: memref<1x2x4x8xf64>) {
  // expected-error @+1 {{expected a result of f32, bf16 or f16, but got 'memref<1x2x4x8xf64>'}}
  nn.attention %q, %k, %k outs(%y) {scale = 0.5 : f32, heads_first, kv_heads_first}
    : (memref<1x2x4x8xf32>, memref<1x2x6x8xf32>, memref<1x2x6x8xf32>, memref<1x2x4x8xf64>) -> ()
  return
}

// -----

func.func @key(%q: memref<1x2x4x8xf32>, %k: memref<1x2x6x8xbf16>, %y: memref<1x2x4x8xf32>) {
  // expected-error @+1 {{expected f32, but got 'memref<1x2x6x8xbf16>'}}
  nn.attention %q, %k, %k outs(%y) {scale = 0.5 : f32, heads_first, kv_heads_first}
    : (memref<1x2x4x8xf32>, memref<1x2x6x8xbf16>, memref<1x2x6x8xbf16>, memref<1x2x4x8xf32>) -> ()
  return
}

// -----

!gapped = memref<1x2x4x8xf32, strided<[128, 64, 16, 2]>>

func.func @query(%q: !gapped, %k: memref<1x2x6x8xf32>, %y: memref<1x2x4x8xf32>) {
  // expected-error @+1 {{expected queries and results with contiguous rows}}
  nn.attention %q, %k, %k outs(%y) {scale = 0.5 : f32, heads_first, kv_heads_first}
    : (!gapped, memref<1x2x6x8xf32>, memref<1x2x6x8xf32>, memref<1x2x4x8xf32>) -> ()
  return
}

// -----

func.func @mask(%q: memref<1x2x4x8xf32>, %k: memref<1x2x6x8xf32>, %m: memref<1x1x2x4x6xf32>, %y: memref<1x2x4x8xf32>) {
  // expected-error @+1 {{expected a mask of rank 4 at most, but got 'memref<1x1x2x4x6xf32>'}}
  nn.attention %q, %k, %k mask(%m) outs(%y) {scale = 0.5 : f32, heads_first, kv_heads_first}
    : (memref<1x2x4x8xf32>, memref<1x2x6x8xf32>, memref<1x2x6x8xf32>, memref<1x1x2x4x6xf32>, memref<1x2x4x8xf32>) -> ()
  return
}

// -----

func.func @heads(%q: memref<1x2x4x?xf32>, %k: memref<1x2x6x?xf32>, %y: memref<1x2x4x?xf32>) {
  // expected-error @+1 {{expected heads of static size}}
  nn.attention %q, %k, %k outs(%y) {scale = 0.5 : f32, heads_first, kv_heads_first}
    : (memref<1x2x4x?xf32>, memref<1x2x6x?xf32>, memref<1x2x6x?xf32>, memref<1x2x4x?xf32>) -> ()
  return
}
