// RUN: lathe-opt %s --lower-split-pools --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-split-pools --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The first layers of a residual network. Line i of the pool reads 2 i - 1 to 2 i + 1 of the convolution: the first of these is
// carried, minus infinity at first. The image holds its padding.
// CHECK-LABEL: func @padded
// CHECK-SAME: %[[X:.*]]: tensor<1x224x224x3xf32>
// CHECK: %[[IMAGE:.*]] = tensor.insert_slice %[[X]] into %{{.*}}[0, 3, 3, 0] [1, 224, 224, 3] [1, 1, 1, 1] : {{.*}} into tensor<1x230x230x3xf32>
// CHECK: %[[INF:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[FIRST:.*]] = linalg.fill ins(%[[INF]] : f32) outs(%{{.*}} : tensor<1x1x112x64xf32>)
// CHECK: %[[Y:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[OUT:.*]] = %{{.*}}, %[[CARRIED:.*]] = %[[FIRST]]) -> (tensor<1x56x56x64xf32>, tensor<1x1x112x64xf32>)
// CHECK:   %[[LINE:.*]] = arith.muli %[[I]], %c2{{.*}}
// CHECK:   %[[TOP:.*]] = arith.muli %[[LINE]], %c2
// CHECK:   tensor.extract_slice %[[IMAGE]][0, %[[TOP]], 0, 0] [1, 37, 230, 3]
// CHECK:   %[[NEW:.*]] = nn.conv %{{.*}} {strides = array<i64: 2, 2>} : {{.*}} -> tensor<1x16x112x64xf32>
// CHECK:   %[[OLD:.*]] = tensor.insert_slice %[[CARRIED]] into %{{.*}}[0, %c0{{.*}}, 0, 0] [1, 1, 112, 64]
// CHECK:   %[[BAND:.*]] = tensor.insert_slice %[[NEW]] into %[[OLD]][0, %c1{{.*}}, 0, 0] [1, 16, 112, 64] {{.*}} into tensor<1x17x112x64xf32>
// CHECK:   %[[NEXT:.*]] = tensor.extract_slice %[[BAND]][0, %c16{{.*}}, 0, 0] [1, 1, 112, 64]
// CHECK:   %[[POOLED:.*]] = nn.pool max %[[BAND]] {kernel = array<i64: 3, 3>, pads = array<i64: 0, 1, 0, 1>, strides = array<i64: 2, 2>} : {{.*}} -> tensor<1x8x56x64xf32>
// CHECK:   %[[WITH:.*]] = tensor.insert_slice %[[POOLED]] into %[[OUT]][0, %[[I]], 0, 0]
// CHECK:   scf.yield %[[WITH]], %[[NEXT]]
// CHECK: return %[[Y]]#0
// REMARK: SplitPool {{.*}}Lines=8
func.func @padded(%x: tensor<1x224x224x3xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<7x7x3x64xf32>
  %0 = nn.conv %x, %w {pads = array<i64: 3, 3, 3, 3>, strides = array<i64: 2, 2>} : (tensor<1x224x224x3xf32>, tensor<7x7x3x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// -----

// Without padding the line that is carried first is computed.
// CHECK-LABEL: func @unpadded
// CHECK: %[[FIRST:.*]] = nn.conv {{.*}} -> tensor<1x1x111x64xf32>
// CHECK: scf.for %[[I:.*]] = %{{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %[[FIRST]])
// CHECK:   %[[LINE:.*]] = arith.muli %[[I]], %c2
// CHECK:   arith.addi %[[LINE]], %c1
// CHECK:   nn.conv {{.*}} -> tensor<1x22x111x64xf32>
// CHECK:   nn.pool max {{.*}} -> tensor<1x11x55x64xf32>
// REMARK: SplitPool {{.*}}Lines=11
func.func @unpadded(%x: tensor<1x224x224x3xf32>) -> tensor<1x55x55x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<3x3x3x64xf32>
  %0 = nn.conv %x, %w {strides = array<i64: 2, 2>} : (tensor<1x224x224x3xf32>, tensor<3x3x3x64xf32>) -> tensor<1x111x111x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>} : (tensor<1x111x111x64xf32>) -> tensor<1x55x55x64xf32>
  return %1 : tensor<1x55x55x64xf32>
}

// -----

// Windows that do not overlap carry nothing.
// CHECK-LABEL: func @apart
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}) -> (tensor<1x56x56x64xf32>)
// CHECK: nn.pool avg
// REMARK: SplitPool
func.func @apart(%x: tensor<1x116x116x3xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x64xf32>
  %0 = nn.conv %x, %w : (tensor<1x116x116x3xf32>, tensor<5x5x3x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool avg %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// -----

// An average with padding, padding behind the last line, a second reader, an image that stays in the cache, a convolution for
// Winograd's algorithm, and one with a residual.
// CHECK-LABEL: func @averaged_padding
// CHECK-NOT: scf.for
// REMARK-NOT: SplitPool
func.func @averaged_padding(%x: tensor<1x116x116x3xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x64xf32>
  %0 = nn.conv %x, %w : (tensor<1x116x116x3xf32>, tensor<5x5x3x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool avg %0 {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: func @padding_behind
// CHECK-NOT: scf.for
func.func @padding_behind(%x: tensor<1x116x116x3xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x64xf32>
  %0 = nn.conv %x, %w : (tensor<1x116x116x3xf32>, tensor<5x5x3x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 3, 3>, pads = array<i64: 0, 0, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: func @read_twice
// CHECK-NOT: scf.for
func.func @read_twice(%x: tensor<1x116x116x3xf32>) -> (tensor<1x112x112x64xf32>, tensor<1x56x56x64xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x64xf32>
  %0 = nn.conv %x, %w : (tensor<1x116x116x3xf32>, tensor<5x5x3x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %0, %1 : tensor<1x112x112x64xf32>, tensor<1x56x56x64xf32>
}

// CHECK-LABEL: func @small
// CHECK-NOT: scf.for
func.func @small(%x: tensor<1x60x60x3xf32>) -> tensor<1x28x28x16xf32> {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x16xf32>
  %0 = nn.conv %x, %w : (tensor<1x60x60x3xf32>, tensor<5x5x3x16xf32>) -> tensor<1x56x56x16xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x56x56x16xf32>) -> tensor<1x28x28x16xf32>
  return %1 : tensor<1x28x28x16xf32>
}

// CHECK-LABEL: func @winograd
// CHECK-NOT: scf.for
func.func @winograd(%x: tensor<1x114x114x16xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<3x3x16x64xf32>
  %0 = nn.conv %x, %w : (tensor<1x114x114x16xf32>, tensor<3x3x16x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: func @residual
// CHECK-NOT: scf.for
func.func @residual(%x: tensor<1x116x116x3xf32>, %r: tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<5x5x3x64xf32>
  %0 = nn.conv %x, %w extras(%r) epilogue {
  ^bb0(%sum: f32, %e: f32):
    %2 = arith.addf %sum, %e : f32
    nn.yield %2 : f32
  } : (tensor<1x116x116x3xf32>, tensor<5x5x3x64xf32>, tensor<1x112x112x64xf32>) -> tensor<1x112x112x64xf32>
  %1 = nn.pool max %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}
