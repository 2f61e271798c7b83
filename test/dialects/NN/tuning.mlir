// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// What is left out is not printed.
// CHECK-LABEL: @some
//       CHECK: nn.linear %arg0, %arg1 {nn.tuning = #nn.tuning<panel_width = 16, share = "rows">}
func.func @some(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<panel_width = 16, share = "rows">}
    : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// CHECK-LABEL: @all
//       CHECK: #nn.tuning<winograd = 0, fuse = 1, panel_width = 32, tile_rows = 14, kernel_rows = 1, share = "columns", tasks = 4>
func.func @all(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %y = nn.linear %x, %w {nn.tuning = #nn.tuning<winograd = 0, fuse = 1, panel_width = 32, tile_rows = 14, kernel_rows = 1,
                                                share = "columns", tasks = 4>}
    : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}
