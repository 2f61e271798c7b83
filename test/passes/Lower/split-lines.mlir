// RUN: lathe-opt %s --lower-split-lines --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-split-lines --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The end of a bottleneck and the begin of the next: %1 of 3 MB goes through the cache by lines, and is written whole for who
// reads it later. The first convolution passes on what stays in the cache, the last one looks at neighbours.
// CHECK-LABEL: func @bottlenecks
// CHECK-SAME: %[[X:.*]]: tensor<1x56x56x64xf32>
// CHECK: %[[A:.*]] = nn.conv %[[X]]
// CHECK: %[[Y:.*]]:2 = scf.for %[[I:.*]] = %c0 to %c56 step %{{.*}} iter_args(%[[OUT:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<1x56x56x256xf32>, tensor<1x56x56x32xf32>)
// CHECK:   %[[AI:.*]] = tensor.extract_slice %[[A]][0, %[[I]], 0, 0] [1, [[LINES:[0-9]+]], 56, 32] [1, 1, 1, 1]
// CHECK:   %[[B:.*]] = nn.conv %[[AI]], %{{.*}} -> tensor<1x[[LINES]]x56x256xf32>
// CHECK:   nn.conv %[[B]], %{{.*}} -> tensor<1x[[LINES]]x56x32xf32>
// CHECK:   tensor.insert_slice %[[B]] into %[[OUT]][0, %[[I]], 0, 0]
// CHECK: nn.conv %[[Y]]#1
// CHECK: return %[[Y]]#0
// REMARK: SplitLines {{.*}}Ops=2
func.func @bottlenecks(%x: tensor<1x56x56x64xf32>) -> (tensor<1x56x56x256xf32>, tensor<1x56x56x32xf32>) {
  %u = onnx.Constant dense<0.5> : tensor<1x1x64x32xf32>
  %v = onnx.Constant dense<0.5> : tensor<1x1x32x256xf32>
  %w = onnx.Constant dense<0.5> : tensor<1x1x256x32xf32>
  %n = onnx.Constant dense<0.5> : tensor<3x3x32x32xf32>
  %0 = nn.conv %x, %u : (tensor<1x56x56x64xf32>, tensor<1x1x64x32xf32>) -> tensor<1x56x56x32xf32>
  %1 = nn.conv %0, %v : (tensor<1x56x56x32xf32>, tensor<1x1x32x256xf32>) -> tensor<1x56x56x256xf32>
  %2 = nn.conv %1, %w : (tensor<1x56x56x256xf32>, tensor<1x1x256x32xf32>) -> tensor<1x56x56x32xf32>
  %3 = nn.conv %2, %n {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x56x56x32xf32>, tensor<3x3x32x32xf32>) -> tensor<1x56x56x32xf32>
  return %1, %3 : tensor<1x56x56x256xf32>, tensor<1x56x56x32xf32>
}

// -----

// A neighbourhood, an image that stays in the cache, and an expansion that its depthwise convolution computes line by line.
// CHECK-LABEL: func @neighbourhood
// CHECK-NOT: scf.for
func.func @neighbourhood(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %v = onnx.Constant dense<0.5> : tensor<1x1x64x256xf32>
  %w = onnx.Constant dense<0.5> : tensor<3x3x256x64xf32>
  %0 = nn.conv %x, %v : (tensor<1x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x56x56x256xf32>
  %1 = nn.conv %0, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x56x56x256xf32>, tensor<3x3x256x64xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}

// CHECK-LABEL: func @small
// CHECK-NOT: scf.for
func.func @small(%x: tensor<1x14x14x64xf32>) -> tensor<1x14x14x64xf32> {
  %v = onnx.Constant dense<0.5> : tensor<1x1x64x256xf32>
  %w = onnx.Constant dense<0.5> : tensor<1x1x256x64xf32>
  %0 = nn.conv %x, %v : (tensor<1x14x14x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x14x14x256xf32>
  %1 = nn.conv %0, %w : (tensor<1x14x14x256xf32>, tensor<1x1x256x64xf32>) -> tensor<1x14x14x64xf32>
  return %1 : tensor<1x14x14x64xf32>
}

// CHECK-LABEL: func @expansion
// CHECK-NOT: scf.for
func.func @expansion(%x: tensor<1x112x112x32xf32>) -> tensor<1x112x112x64xf32> {
  %v = onnx.Constant dense<0.5> : tensor<1x1x32x32xf32>
  %w = onnx.Constant dense<0.5> : tensor<1x1x32x64xf32>
  %d = onnx.Constant dense<0.5> : tensor<3x3x1x64xf32>
  %0 = nn.conv %x, %v : (tensor<1x112x112x32xf32>, tensor<1x1x32x32xf32>) -> tensor<1x112x112x32xf32>
  %1 = nn.conv %0, %w : (tensor<1x112x112x32xf32>, tensor<1x1x32x64xf32>) -> tensor<1x112x112x64xf32>
  %2 = nn.conv %1, %d {group = 64 : i64, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x112x112x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x112x112x64xf32>
  return %2 : tensor<1x112x112x64xf32>
}

// -----

// A weight that would be read again and again, larger than what is saved.
// CHECK-LABEL: func @heavy
// CHECK-NOT: scf.for
func.func @heavy(%x: tensor<1x16x16x512xf32>) -> tensor<1x16x16x512xf32> {
  %v = onnx.Constant dense<0.5> : tensor<1x1x512x2048xf32>
  %w = onnx.Constant dense<0.5> : tensor<1x1x2048x512xf32>
  %0 = nn.conv %x, %v : (tensor<1x16x16x512xf32>, tensor<1x1x512x2048xf32>) -> tensor<1x16x16x2048xf32>
  %1 = nn.conv %0, %w : (tensor<1x16x16x2048xf32>, tensor<1x1x2048x512xf32>) -> tensor<1x16x16x512xf32>
  return %1 : tensor<1x16x16x512xf32>
}

// -----

// Elementwise ops are fused with each other, not split.
// CHECK-LABEL: func @elementwise
// CHECK-NOT: scf.for
func.func @elementwise(%x: tensor<1x56x56x256xf32>) -> tensor<1x56x56x256xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<1x56x56x256xf32>) -> tensor<1x56x56x256xf32>
  %1 = "onnx.Sigmoid"(%0) : (tensor<1x56x56x256xf32>) -> tensor<1x56x56x256xf32>
  return %1 : tensor<1x56x56x256xf32>
}

// -----

// A depthwise convolution reads windows of lines of an image that holds its padding.
// CHECK-LABEL: @depthwise_first
//       CHECK: %[[BORDER:.*]] = linalg.fill {{.*}} -> tensor<1x114x114x32xf32>
//       CHECK: %[[PADDED:.*]] = tensor.insert_slice %arg0 into %[[BORDER]][0, 1, 1, 0]
//       CHECK: scf.for %[[I:.*]] = %c0 to %c112 step %c28
//       CHECK: tensor.extract_slice %[[PADDED]][0, %[[I]], 0, 0] [1, 30, 114, 32]
//       CHECK: nn.conv {{.*}} {group = 32 : i64} : (tensor<1x30x114x32xf32>, tensor<3x3x1x32xf32>) -> tensor<1x28x112x32xf32>
//       CHECK: nn.conv {{.*}} -> tensor<1x28x112x16xf32>
func.func @depthwise_first(%x: tensor<1x112x112x32xf32>) -> tensor<1x112x112x16xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x1x32xf32>
  %p = arith.constant dense<0.5> : tensor<1x1x32x16xf32>
  %y = nn.conv %x, %w {group = 32 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x112x112x32xf32>, tensor<3x3x1x32xf32>) -> tensor<1x112x112x32xf32>
  %z = nn.conv %y, %p : (tensor<1x112x112x32xf32>, tensor<1x1x32x16xf32>) -> tensor<1x112x112x16xf32>
  return %z : tensor<1x112x112x16xf32>
}

// -----

// Every second line; no padding.
// CHECK-LABEL: @depthwise_strided
//       CHECK: scf.for %[[I:.*]] = %c0 to %c112
//       CHECK: %[[LINE:.*]] = arith.muli %[[I]], %c2
//       CHECK: tensor.extract_slice %arg0[0, %[[LINE]], 0, 0]
func.func @depthwise_strided(%x: tensor<1x225x225x32xf32>) -> tensor<1x112x112x16xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x1x32xf32>
  %p = arith.constant dense<0.5> : tensor<1x1x32x16xf32>
  %y = nn.conv %x, %w {group = 32 : i64, strides = array<i64: 2, 2>}
    : (tensor<1x225x225x32xf32>, tensor<3x3x1x32xf32>) -> tensor<1x112x112x32xf32>
  %z = nn.conv %y, %p : (tensor<1x112x112x32xf32>, tensor<1x1x32x16xf32>) -> tensor<1x112x112x16xf32>
  return %z : tensor<1x112x112x16xf32>
}

// -----

// One that an expansion comes before is computed with that.
// CHECK-LABEL: @expanded
//   CHECK-NOT: scf.for
func.func @expanded(%x: tensor<1x112x112x8xf32>) -> tensor<1x112x112x16xf32> {
  %e = arith.constant dense<0.5> : tensor<1x1x8x32xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x1x32xf32>
  %p = arith.constant dense<0.5> : tensor<1x1x32x16xf32>
  %a = nn.conv %x, %e : (tensor<1x112x112x8xf32>, tensor<1x1x8x32xf32>) -> tensor<1x112x112x32xf32>
  %y = nn.conv %a, %w {group = 32 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x112x112x32xf32>, tensor<3x3x1x32xf32>) -> tensor<1x112x112x32xf32>
  %z = nn.conv %y, %p : (tensor<1x112x112x32xf32>, tensor<1x1x32x16xf32>) -> tensor<1x112x112x16xf32>
  return %z : tensor<1x112x112x16xf32>
}

// -----

// The images of a batch, one at a time, are split, too.
// CHECK-LABEL: func @in_batch
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %{{.*}} to %c56
// CHECK:     nn.conv {{.*}} -> tensor<1x[[LINES:[0-9]+]]x56x256xf32>
// CHECK:     nn.conv {{.*}} -> tensor<1x[[LINES]]x56x32xf32>
func.func @in_batch(%x: tensor<?x56x56x32xf32>) -> tensor<?x56x56x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = onnx.Constant dense<0.5> : tensor<1x1x32x256xf32>
  %w = onnx.Constant dense<0.5> : tensor<1x1x256x32xf32>
  %n = tensor.dim %x, %c0 : tensor<?x56x56x32xf32>
  %e = tensor.empty(%n) : tensor<?x56x56x32xf32>
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%whole = %e) -> (tensor<?x56x56x32xf32>) {
    %xi = tensor.extract_slice %x[%i, 0, 0, 0] [1, 56, 56, 32] [1, 1, 1, 1] : tensor<?x56x56x32xf32> to tensor<1x56x56x32xf32>
    %0 = nn.conv %xi, %v : (tensor<1x56x56x32xf32>, tensor<1x1x32x256xf32>) -> tensor<1x56x56x256xf32>
    %1 = nn.conv %0, %w : (tensor<1x56x56x256xf32>, tensor<1x1x256x32xf32>) -> tensor<1x56x56x32xf32>
    %with = tensor.insert_slice %1 into %whole[%i, 0, 0, 0] [1, 56, 56, 32] [1, 1, 1, 1] : tensor<1x56x56x32xf32> into tensor<?x56x56x32xf32>
    scf.yield %with : tensor<?x56x56x32xf32>
  }
  return %y : tensor<?x56x56x32xf32>
}
