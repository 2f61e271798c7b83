// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @prune_dynamic(%x: tensor<1x?x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected tokens of rank 3 and of a static number, but got 'tensor<1x?x8xf32>'}}
  %0 = nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x?x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @prune_kept(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected 1 to 6 of 9 tokens to keep, but got 7}}
  %0 = nn.token_prune %x query(%k) key(%k) {kept = 7 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x8xf32>
  return
}

// -----

func.func @prune_left(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected equal numbers of tokens left, but got 6 and 5}}
  %0 = nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x6x8xf32>
  return
}

// -----

func.func @prune_keys(%x: tensor<1x9x8xf32>, %k: tensor<1x8x2x4xf32>) {
  // expected-error@+1 {{expected equal numbers of tokens, but got 9 and 8}}
  %0 = nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x8x2x4xf32>, tensor<1x8x2x4xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @prune_results(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected 1 results, but got 2}}
  %0:2 = nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> (tensor<1x5x8xf32>, tensor<1x5xf32>)
  return
}

// -----

func.func @prune_sizes(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>, %s: tensor<9xf32>) {
  // expected-error@+1 {{expected sizes of rank 2, but got 'tensor<9xf32>'}}
  %0:2 = nn.token_prune %x query(%k) key(%k) sizes(%s) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<9xf32>) -> (tensor<1x5x8xf32>, tensor<1x5xf32>)
  return
}

// -----

func.func @merge_most(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected 1 to 4 of 9 tokens to merge, but got 5}}
  %0:2 = nn.token_merge %x metric(%k) {r = 5 : i64, protect_class} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>) -> (tensor<1x4x8xf32>, tensor<1x4xf32>)
  return
}

// -----

func.func @merge_left(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected equal numbers of tokens left, but got 6 and 7}}
  %0:2 = nn.token_merge %x metric(%k) {r = 2 : i64, protect_class} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>) -> (tensor<1x6x8xf32>, tensor<1x7xf32>)
  return
}

// -----

func.func @memrefs(%x: memref<1x9x8xf32>, %k: memref<1x9x2x4xf32>) {
  // expected-error@+1 {{on memrefs must have destinations}}
  nn.token_prune %x query(%k) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (memref<1x9x8xf32>, memref<1x9x2x4xf32>, memref<1x9x2x4xf32>) -> ()
  return
}

// -----

func.func @destination(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>, %y: tensor<1x6x8xf32>) {
  // expected-error@+1 {{expected destinations of the types of the results}}
  %0 = nn.token_prune %x query(%k) key(%k) outs(%y) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x6x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @result_ranks(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>) {
  // expected-error@+1 {{expected results of rank 3 and 2, but got}}
  %0:2 = nn.token_merge %x metric(%k) {r = 2 : i64, protect_class} : (tensor<1x9x8xf32>, tensor<1x9x2x4xf32>) -> (tensor<1x7x8xf32>, tensor<1x7x1xf32>)
  return
}

// -----

func.func @metric(%x: tensor<1x9x8xf32>, %k: tensor<9x4xf32>) {
  // expected-error@+1 {{expected a metric of rank 3 or 4, but got 'tensor<9x4xf32>'}}
  %0:2 = nn.token_merge %x metric(%k) {r = 2 : i64, protect_class} : (tensor<1x9x8xf32>, tensor<9x4xf32>) -> (tensor<1x7x8xf32>, tensor<1x7xf32>)
  return
}

// -----

func.func @query(%x: tensor<1x9x8xf32>, %k: tensor<1x9x2x4xf32>, %q: tensor<1x9x8xf32>) {
  // expected-error@+1 {{expected query and key of rank 4}}
  %0 = nn.token_prune %x query(%q) key(%k) {kept = 3 : i64, scale = 1.0 : f32} : (tensor<1x9x8xf32>, tensor<1x9x8xf32>, tensor<1x9x2x4xf32>) -> tensor<1x5x8xf32>
  return
}
