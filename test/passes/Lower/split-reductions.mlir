// RUN: lathe-opt %s --lower-split-reductions --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-split-reductions --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

#image = affine_map<(n, y, x, c) -> (n, y, x, c)>
#channels = affine_map<(n, y, x, c) -> (n, c)>

// 56 lines are 8 parts of 7; the sums of the parts are added up.
// CHECK: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-LABEL: func @lines
// CHECK: %[[PARTS:.*]] = tensor.expand_shape {{.*}} : tensor<1x3136x96xf32> into tensor<1x8x392x96xf32>
// CHECK: linalg.fill {{.*}} -> tensor<8x1x96xf32>
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%[[PARTS]]
// CHECK:   arith.addf
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction", "parallel", "parallel"]} ins(%[[SUMS]] : tensor<8x1x96xf32>)
// CHECK:   arith.addf
// REMARK: SplitReduction {{.*}}Parts=8
func.func @lines(%x: tensor<1x56x56x96xf32>, %zero: tensor<1x96xf32>) -> tensor<1x96xf32> {
  %0 = linalg.generic {indexing_maps = [#image, #channels], iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%x : tensor<1x56x56x96xf32>) outs(%zero : tensor<1x96xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.addf %out, %in : f32
    linalg.yield %1 : f32
  } -> tensor<1x96xf32>
  return %0 : tensor<1x96xf32>
}

// -----

#image = affine_map<(n, y, x, c) -> (n, y, x, c)>
#channels = affine_map<(n, y, x, c) -> (n, c)>

// Many channels, a small image, and a prime number of lines.
// CHECK-LABEL: func @many_channels
// CHECK-NOT: tensor.expand_shape
func.func @many_channels(%x: tensor<1x14x14x480xf32>, %zero: tensor<1x480xf32>) -> tensor<1x480xf32> {
  %0 = linalg.generic {indexing_maps = [#image, #channels], iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%x : tensor<1x14x14x480xf32>) outs(%zero : tensor<1x480xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.addf %out, %in : f32
    linalg.yield %1 : f32
  } -> tensor<1x480xf32>
  return %0 : tensor<1x480xf32>
}

// CHECK-LABEL: func @small_image
// CHECK-NOT: tensor.expand_shape
func.func @small_image(%x: tensor<1x14x14x96xf32>, %zero: tensor<1x96xf32>) -> tensor<1x96xf32> {
  %0 = linalg.generic {indexing_maps = [#image, #channels], iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%x : tensor<1x14x14x96xf32>) outs(%zero : tensor<1x96xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.maximumf %out, %in : f32
    linalg.yield %1 : f32
  } -> tensor<1x96xf32>
  return %0 : tensor<1x96xf32>
}

// CHECK-LABEL: func @prime
// CHECK-NOT: tensor.expand_shape
func.func @prime(%x: tensor<1x59x59x96xf32>, %zero: tensor<1x96xf32>) -> tensor<1x96xf32> {
  %0 = linalg.generic {indexing_maps = [#image, #channels], iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%x : tensor<1x59x59x96xf32>) outs(%zero : tensor<1x96xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.addf %out, %in : f32
    linalg.yield %1 : f32
  } -> tensor<1x96xf32>
  return %0 : tensor<1x96xf32>
}
