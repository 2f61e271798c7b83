// RUN: lathe-opt %s -split-input-file -verify-diagnostics -codegen-emit-kernels

// Tile registers, tiles of Winograd's algorithm and tokens.

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">
!gapped = memref<2x64xbf16, strided<[128, 2]>>

func.func @tile_rows(%x: !gapped, %w: memref<1x32x16x2xbf16>, %y: memref<2x16xf32>) attributes {nn.target = #tiles} {
  // expected-error @+1 {{expected contiguous rows, but got}}
  nn.linear %x, %w outs(%y) : (!gapped, memref<1x32x16x2xbf16>, memref<2x16xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

func.func @tile_columns(%x: memref<2x64xbf16>, %w: memref<1x32x48x2xbf16>, %y: memref<2x48xf32>) attributes {nn.target = #tiles} {
  // expected-error @+1 {{expected panels of one or two tiles of columns, but got 48}}
  nn.linear %x, %w outs(%y) : (memref<2x64xbf16>, memref<1x32x48x2xbf16>, memref<2x48xf32>) -> ()
  return
}

// -----

#tiles = #nn.target<triple = "x86_64-unknown-linux-gnu", cpu = "sapphirerapids", features = "", vector_bits = 512,
                    vector_registers = 32, dot_product = "avx512vnni", l1_bytes = 32768, l2_bytes = 1048576, bf16_product = "amx">

func.func @tile_filters(%x: memref<1x4x4x64xbf16>, %w: memref<1x1x1x32x48x2xbf16>, %y: memref<1x4x4x48xf32>) attributes {nn.target = #tiles} {
  // expected-error @+1 {{expected panels of one or two tiles of columns, but got 48}}
  nn.conv %x, %w outs(%y) : (memref<1x4x4x64xbf16>, memref<1x1x1x32x48x2xbf16>, memref<1x4x4x48xf32>) -> ()
  return
}

// -----

!gapped = memref<1x6x6x32xf32, strided<[2304, 384, 64, 2]>>

func.func @winograd_image(%x: !gapped, %y: memref<1x16x2x4x16xf32>) {
  // expected-error @+1 {{expected contiguous channels, but got}}
  nn.winograd_input %x outs(%y) {m = 2 : i64} : (!gapped, memref<1x16x2x4x16xf32>) -> ()
  return
}

// -----

func.func @winograd_chunks(%x: memref<1x6x6x32xf32>, %y: memref<1x16x4x4x8xf32>) {
  // expected-error @+1 {{expected contiguous channels in chunks of 16, but got 'memref<1x16x4x4x8xf32>'}}
  nn.winograd_input %x outs(%y) {m = 2 : i64} : (memref<1x6x6x32xf32>, memref<1x16x4x4x8xf32>) -> ()
  return
}

// -----

func.func @winograd_vectors(%x: memref<1x6x6x24xi16>, %y: memref<1x16x1x4x32xi16>) {
  // expected-error @+1 {{expected whole vectors of 32 channels, but got 'memref<1x6x6x24xi16>'}}
  nn.winograd_input %x outs(%y) {m = 2 : i64} : (memref<1x6x6x24xi16>, memref<1x16x1x4x32xi16>) -> ()
  return
}

// -----

func.func @merge_type(%x: memref<1x9x8xf32>, %k: memref<1x9x4xbf16>, %y: memref<1x7x8xf32>, %s: memref<1x7xf32>) {
  // expected-error @+1 {{expected f32, but got 'memref<1x9x4xbf16>'}}
  nn.token_merge %x metric(%k) outs(%y, %s) {r = 2 : i64} : (memref<1x9x8xf32>, memref<1x9x4xbf16>, memref<1x7x8xf32>, memref<1x7xf32>) -> ()
  return
}

// -----

!gapped = memref<1x9x4xf32, strided<[72, 8, 2]>>

func.func @merge_rows(%x: memref<1x9x8xf32>, %k: !gapped, %y: memref<1x7x8xf32>, %s: memref<1x7xf32>) {
  // expected-error @+1 {{expected tokens and metrics with contiguous rows}}
  nn.token_merge %x metric(%k) outs(%y, %s) {r = 2 : i64} : (memref<1x9x8xf32>, !gapped, memref<1x7x8xf32>, memref<1x7xf32>) -> ()
  return
}

// -----

func.func @merge_size(%x: memref<1x9x8xf32>, %k: memref<1x9x?xf32>, %y: memref<1x7x8xf32>, %s: memref<1x7xf32>) {
  // expected-error @+1 {{expected a metric of static size}}
  nn.token_merge %x metric(%k) outs(%y, %s) {r = 2 : i64} : (memref<1x9x8xf32>, memref<1x9x?xf32>, memref<1x7x8xf32>, memref<1x7xf32>) -> ()
  return
}

// -----

!gapped = memref<1x9x8xf32, strided<[144, 16, 2]>>

func.func @prune_rows(%x: !gapped, %k: memref<1x9x2x4xf32>, %y: memref<1x5x8xf32>) {
  // expected-error @+1 {{expected tokens, queries and keys with contiguous rows}}
  nn.token_prune %x query(%k) key(%k) outs(%y) {kept = 3 : i64, scale = 0.5 : f32} : (!gapped, memref<1x9x2x4xf32>, memref<1x9x2x4xf32>, memref<1x5x8xf32>) -> ()
  return
}

// -----

func.func @prune_heads(%x: memref<1x9x8xf32>, %k: memref<1x9x2x?xf32>, %y: memref<1x5x8xf32>) {
  // expected-error @+1 {{expected heads of static size}}
  nn.token_prune %x query(%k) key(%k) outs(%y) {kept = 3 : i64, scale = 0.5 : f32} : (memref<1x9x8xf32>, memref<1x9x2x?xf32>, memref<1x9x2x?xf32>, memref<1x5x8xf32>) -> ()
  return
}
