// RUN: lathe-opt %s -lower-scale-weights -split-input-file | FileCheck %s
// RUN: lathe-opt %s -lower-scale-weights -split-input-file --remarks-filter=lower --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

#image = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#factors = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (0, 0, 0, d3)>
// CHECK-LABEL: @large_image
//       CHECK: %[[V:.*]] = linalg.generic {indexing_maps = [#[[W]], #[[S]], #[[W]]]
//  CHECK-SAME: ins(%arg2, %arg1 : tensor<1x1x1x32x16xf32>, tensor<1x1x1x32xf32>)
//       CHECK: arith.mulf
//       CHECK: nn.conv %arg0, %[[V]]
// REMARK: [Passed] ScaleWeights{{.*}}ImageElements=401408, WeightElements=512
func.func @large_image(%x: tensor<1x112x112x32xf32>, %s: tensor<1x1x1x32xf32>, %w: tensor<1x1x1x32x16xf32>,
                       %e: tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32> {
  %i = tensor.empty() : tensor<1x112x112x32xf32>
  %p = linalg.generic {indexing_maps = [#factors, #image, #image],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x1x1x32xf32>, tensor<1x112x112x32xf32>) outs(%i : tensor<1x112x112x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x112x112x32xf32>
  %y = nn.conv %p, %w outs(%e)
    : (tensor<1x112x112x32xf32>, tensor<1x1x1x32x16xf32>, tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32>
  return %y : tensor<1x112x112x16xf32>
}

// -----

#image = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#factors = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// CHECK-LABEL: @large_weight
//       CHECK: %[[P:.*]] = linalg.generic
//       CHECK: nn.conv %[[P]], %arg2
// REMARK: [Missed] ScaleWeights{{.*}}the image has 1568 elements, the weight 1024
func.func @large_weight(%x: tensor<1x7x7x32xf32>, %s: tensor<1x1x1x32xf32>, %w: tensor<1x1x1x32x32xf32>,
                        %e: tensor<1x7x7x32xf32>) -> tensor<1x7x7x32xf32> {
  %i = tensor.empty() : tensor<1x7x7x32xf32>
  %p = linalg.generic {indexing_maps = [#image, #factors, #image],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %s : tensor<1x7x7x32xf32>, tensor<1x1x1x32xf32>) outs(%i : tensor<1x7x7x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x7x7x32xf32>
  %y = nn.conv %p, %w outs(%e) : (tensor<1x7x7x32xf32>, tensor<1x1x1x32x32xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x32xf32>
  return %y : tensor<1x7x7x32xf32>
}

// -----

#image = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#factors = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// A weight of bf16 is scaled in f32.
// CHECK-LABEL: @narrow_weight
//       CHECK: %[[V:.*]] = linalg.generic {{.*}} ins(%arg2, %arg1 : tensor<1x1x1x32x16xbf16>, tensor<1x1x1x32xf32>)
//       CHECK: %[[E:.*]] = arith.extf %{{.*}} : bf16 to f32
//       CHECK: arith.mulf %[[E]], %{{.*}} : f32
//       CHECK: nn.conv %arg0, %[[V]] {{.*}} tensor<1x1x1x32x16xf32>
// REMARK: [Passed] ScaleWeights{{.*}}Function=narrow_weight
func.func @narrow_weight(%x: tensor<1x112x112x32xf32>, %s: tensor<1x1x1x32xf32>, %w: tensor<1x1x1x32x16xbf16>,
                         %e: tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32> {
  %i = tensor.empty() : tensor<1x112x112x32xf32>
  %p = linalg.generic {indexing_maps = [#factors, #image, #image],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x1x1x32xf32>, tensor<1x112x112x32xf32>) outs(%i : tensor<1x112x112x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x112x112x32xf32>
  %y = nn.conv %p, %w outs(%e)
    : (tensor<1x112x112x32xf32>, tensor<1x1x1x32x16xbf16>, tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32>
  return %y : tensor<1x112x112x16xf32>
}

// -----

#image = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#factors = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// Each image has factors of its own: the weight cannot hold them.
// CHECK-LABEL: @two_images
//       CHECK: %[[P:.*]] = linalg.generic
//       CHECK: nn.conv %[[P]], %arg2
//  REMARK-NOT: ScaleWeights
func.func @two_images(%x: tensor<2x112x112x32xf32>, %s: tensor<2x1x1x32xf32>, %w: tensor<1x1x1x32x16xf32>,
                      %e: tensor<2x112x112x16xf32>) -> tensor<2x112x112x16xf32> {
  %i = tensor.empty() : tensor<2x112x112x32xf32>
  %p = linalg.generic {indexing_maps = [#factors, #image, #image],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<2x1x1x32xf32>, tensor<2x112x112x32xf32>) outs(%i : tensor<2x112x112x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<2x112x112x32xf32>
  %y = nn.conv %p, %w outs(%e)
    : (tensor<2x112x112x32xf32>, tensor<1x1x1x32x16xf32>, tensor<2x112x112x16xf32>) -> tensor<2x112x112x16xf32>
  return %y : tensor<2x112x112x16xf32>
}
