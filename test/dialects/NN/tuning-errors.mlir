// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @tile_size(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{expected winograd to be 0, 2 or 4, but got 3}}
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<winograd = 3>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @fuse(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{expected fuse to be 0 or 1, but got 2}}
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<fuse = 2>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @rows(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{expected tile_rows to be positive, but got 0}}
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<tile_rows = 0>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @share(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{expected share to be "rows" or "columns", but got "lines"}}
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<share = "lines">} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @other_attribute(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{expected 'nn.tuning' to be a tuning of an op of this dialect, but got 5 : i64}}
  %y = nn.linear %x, %w {nn.tuning = 5} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// expected-error@+1 {{expected 'nn.tuning' to be a tuning of an op of this dialect}}
func.func @other_op(%x: tensor<4x8xf32>) attributes {nn.tuning = #nn.tuning<tasks = 1>} {
  return
}
