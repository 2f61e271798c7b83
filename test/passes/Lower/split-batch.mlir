// RUN: lathe-opt %s --lower-split-batch --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-split-batch --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Images of 3 MB a sample and weights of 64 KB: one sample at a time. The product at the end has a weight larger than what it
// reads, and all samples of it stay in the cache.
// CHECK-LABEL: func @early_layers
// CHECK-SAME: %[[X:.*]]: tensor<8x56x56x64xf32>
// CHECK: %[[WHOLE:.*]] = tensor.empty() : tensor<8x1x1x256xf32>
// CHECK: %[[Y:.*]] = scf.for %[[I:.*]] = %c0 to %c8 step %c1 iter_args(%[[OUT:.*]] = %[[WHOLE]])
// CHECK:   %[[XI:.*]] = tensor.extract_slice %[[X]][%[[I]], 0, 0, 0] [1, 56, 56, 64] [1, 1, 1, 1]
// CHECK:   %[[C:.*]] = nn.conv %[[XI]], %{{.*}} : (tensor<1x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x56x56x256xf32>
// CHECK:   %[[R:.*]] = "onnx.Relu"(%[[C]]) : (tensor<1x56x56x256xf32>)
// CHECK:   %[[M:.*]] = "onnx.ReduceMean"(%[[R]], %{{.*}}) {{.*}} -> tensor<1x1x1x256xf32>
// CHECK:   %[[IN:.*]] = tensor.insert_slice %[[M]] into %[[OUT]][%[[I]], 0, 0, 0] [1, 1, 1, 256] [1, 1, 1, 1]
// CHECK:   scf.yield %[[IN]]
// CHECK: %[[F:.*]] = "onnx.Reshape"(%[[Y]], {{.*}} -> tensor<8x256xf32>
// CHECK: %[[L:.*]] = nn.linear %[[F]], %{{.*}} -> tensor<8x1000xf32>
// CHECK: return %[[L]]
// REMARK: SplitBatch {{.*}}Ops=3, Samples=1
func.func @early_layers(%x: tensor<8x56x56x64xf32>) -> tensor<8x1000xf32> {
  %w = onnx.Constant dense<0.5> : tensor<1x1x64x256xf32>
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %shape = onnx.Constant dense<[8, 256]> : tensor<2xi64>
  %v = onnx.Constant dense<0.5> : tensor<256x1000xf32>
  %0 = nn.conv %x, %w : (tensor<8x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<8x56x56x256xf32>
  %1 = "onnx.Relu"(%0) : (tensor<8x56x56x256xf32>) -> tensor<8x56x56x256xf32>
  %2 = "onnx.ReduceMean"(%1, %axes) {keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : (tensor<8x56x56x256xf32>, tensor<2xi64>) -> tensor<8x1x1x256xf32>
  %3 = "onnx.Reshape"(%2, %shape) {allowzero = 0 : i64} : (tensor<8x1x1x256xf32>, tensor<2xi64>) -> tensor<8x256xf32>
  %4 = nn.linear %3, %v : (tensor<8x256xf32>, tensor<256x1000xf32>) -> tensor<8x1000xf32>
  return %4 : tensor<8x1000xf32>
}

// -----

// Weights larger than the images, images that stay in the cache, and a batch of one.
// CHECK-LABEL: func @late_layers
// CHECK-NOT: scf.for
func.func @late_layers(%x: tensor<8x7x7x512xf32>) -> tensor<8x7x7x512xf32> {
  %w = onnx.Constant dense<0.5> : tensor<3x3x512x512xf32>
  %0 = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<8x7x7x512xf32>, tensor<3x3x512x512xf32>) -> tensor<8x7x7x512xf32>
  return %0 : tensor<8x7x7x512xf32>
}

// CHECK-LABEL: func @small_images
// CHECK-NOT: scf.for
func.func @small_images(%x: tensor<8x16x16x16xf32>) -> tensor<8x16x16x16xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<8x16x16x16xf32>) -> tensor<8x16x16x16xf32>
  return %0 : tensor<8x16x16x16xf32>
}

// CHECK-LABEL: func @one_sample
// CHECK-NOT: scf.for
func.func @one_sample(%x: tensor<1x512x512x64xf32>) -> tensor<1x512x512x64xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<1x512x512x64xf32>) -> tensor<1x512x512x64xf32>
  return %0 : tensor<1x512x512x64xf32>
}

// -----

// The mean over the batch, a bias of each sample, and a concatenation of batches do not keep samples apart.
// CHECK-LABEL: func @across_samples
// CHECK-NOT: scf.for
func.func @across_samples(%x: tensor<8x256x256x4xf32>) -> (tensor<1x256x256x4xf32>, tensor<8x256x256x4xf32>, tensor<16x256x256x4xf32>) {
  %axes = onnx.Constant dense<0> : tensor<1xi64>
  %bias = onnx.Constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]], [[[5.0]]], [[[6.0]]], [[[7.0]]], [[[8.0]]]]> : tensor<8x1x1x1xf32>
  %0 = "onnx.ReduceMean"(%x, %axes) {keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : (tensor<8x256x256x4xf32>, tensor<1xi64>) -> tensor<1x256x256x4xf32>
  %1 = "onnx.Add"(%x, %bias) : (tensor<8x256x256x4xf32>, tensor<8x1x1x1xf32>) -> tensor<8x256x256x4xf32>
  %2 = "onnx.Concat"(%x, %x) {axis = 0 : i64} : (tensor<8x256x256x4xf32>, tensor<8x256x256x4xf32>) -> tensor<16x256x256x4xf32>
  return %0, %1, %2 : tensor<1x256x256x4xf32>, tensor<8x256x256x4xf32>, tensor<16x256x256x4xf32>
}

// -----

// Four samples fit the cache, and the weights are read less often. The sizes that a reshape is given follow.
// CHECK-LABEL: func @four_samples
// CHECK: scf.for {{.*}} step %c4
// CHECK: nn.linear {{.*}} : (tensor<4x1024x32xf32>, tensor<32x32xf32>) -> tensor<4x1024x32xf32>
// CHECK: %[[SHAPE:.*]] = onnx.Constant dense<[4, 32, 32, 32]> : tensor<4xi64>
// CHECK: "onnx.Reshape"(%{{.*}}, %[[SHAPE]]) {{.*}} -> tensor<4x32x32x32xf32>
func.func @four_samples(%x: tensor<8x1024x32xf32>) -> tensor<8x32x32x32xf32> {
  %shape = onnx.Constant dense<[8, 32, 32, 32]> : tensor<4xi64>
  %w = onnx.Constant dense<0.5> : tensor<32x32xf32>
  %0 = nn.linear %x, %w : (tensor<8x1024x32xf32>, tensor<32x32xf32>) -> tensor<8x1024x32xf32>
  %1 = nn.linear %0, %w : (tensor<8x1024x32xf32>, tensor<32x32xf32>) -> tensor<8x1024x32xf32>
  %2 = nn.linear %1, %w : (tensor<8x1024x32xf32>, tensor<32x32xf32>) -> tensor<8x1024x32xf32>
  %3 = nn.linear %2, %w : (tensor<8x1024x32xf32>, tensor<32x32xf32>) -> tensor<8x1024x32xf32>
  %4 = nn.linear %3, %w : (tensor<8x1024x32xf32>, tensor<32x32xf32>) -> tensor<8x1024x32xf32>
  %5 = "onnx.Reshape"(%4, %shape) {allowzero = 0 : i64} : (tensor<8x1024x32xf32>, tensor<4xi64>) -> tensor<8x32x32x32xf32>
  %6 = "onnx.Relu"(%5) : (tensor<8x32x32x32xf32>) -> tensor<8x32x32x32xf32>
  return %6 : tensor<8x32x32x32xf32>
}

// -----

// A symbolic batch is split into samples of static shape; `other` may be another number.
// CHECK-LABEL: func @symbolic(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x56x56x64xf32> {onnx.dims = ["batch"
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK: %[[WHOLE:.*]] = tensor.empty(%[[N]]) : tensor<?x1x1x256xf32>
// CHECK: %[[Y:.*]] = scf.for %[[I:.*]] = %{{.*}} to %[[N]] step %c1 iter_args(%[[OUT:.*]] = %[[WHOLE]])
// CHECK:   %[[XI:.*]] = tensor.extract_slice %[[X]][%[[I]], 0, 0, 0] [1, 56, 56, 64] [1, 1, 1, 1]
// CHECK:   %[[M:.*]] = "onnx.ReduceMean"(%{{.*}}, %{{.*}}) {{.*}} -> tensor<1x1x1x256xf32>
// CHECK:   %[[IN:.*]] = tensor.insert_slice %[[M]] into %[[OUT]][%[[I]], 0, 0, 0] [1, 1, 1, 256] [1, 1, 1, 1]
// CHECK:   scf.yield %[[IN]]
// CHECK: "onnx.Reshape"(%[[Y]], {{.*}} -> tensor<?x256xf32>
// CHECK-NOT: scf.for
// CHECK: return
// REMARK: SplitBatch {{.*}}Ops=3, Samples=1
func.func @symbolic(%x: tensor<?x56x56x64xf32> {onnx.dims = ["batch", "", "", ""]},
                    %z: tensor<?x56x56x64xf32> {onnx.dims = ["other", "", "", ""]})
    -> (tensor<?x1000xf32>, tensor<?x56x56x64xf32>) {
  %w = onnx.Constant dense<0.5> : tensor<1x1x64x256xf32>
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %shape = onnx.Constant dense<[-1, 256]> : tensor<2xi64>
  %v = onnx.Constant dense<0.5> : tensor<256x1000xf32>
  %0 = nn.conv %x, %w : (tensor<?x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<?x56x56x256xf32>
  %1 = "onnx.Relu"(%0) : (tensor<?x56x56x256xf32>) -> tensor<?x56x56x256xf32>
  %2 = "onnx.ReduceMean"(%1, %axes) {keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : (tensor<?x56x56x256xf32>, tensor<2xi64>) -> tensor<?x1x1x256xf32>
  %3 = "onnx.Reshape"(%2, %shape) {allowzero = 0 : i64} : (tensor<?x1x1x256xf32>, tensor<2xi64>) -> tensor<?x256xf32>
  %4 = nn.linear %3, %v : (tensor<?x256xf32>, tensor<256x1000xf32>) -> tensor<?x1000xf32>
  %5 = "onnx.Relu"(%z) : (tensor<?x56x56x64xf32>) -> tensor<?x56x56x64xf32>
  return %4, %5 : tensor<?x1000xf32>, tensor<?x56x56x64xf32>
}

// -----

// Of a symbolic height a sample has no static shape; and a bound may tell that all samples stay in the cache.
// CHECK-LABEL: func @symbolic_height
// CHECK-NOT: scf.for
func.func @symbolic_height(%x: tensor<?x?x512x64xf32> {onnx.dims = ["batch", "height", "", ""]}) -> tensor<?x?x512x64xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<?x?x512x64xf32>) -> tensor<?x?x512x64xf32>
  %1 = "onnx.Sqrt"(%0) : (tensor<?x?x512x64xf32>) -> tensor<?x?x512x64xf32>
  return %1 : tensor<?x?x512x64xf32>
}

// CHECK-LABEL: func @small_bound
// CHECK-NOT: scf.for
func.func @small_bound(%x: tensor<?x32x32x16xf32> {onnx.dims = ["batch", "", "", ""]}) -> tensor<?x32x32x16xf32>
    attributes {onnx.dim_bounds = {batch = array<i64: 1, 4>}} {
  %0 = "onnx.Relu"(%x) : (tensor<?x32x32x16xf32>) -> tensor<?x32x32x16xf32>
  %1 = "onnx.Sqrt"(%0) : (tensor<?x32x32x16xf32>) -> tensor<?x32x32x16xf32>
  return %1 : tensor<?x32x32x16xf32>
}
