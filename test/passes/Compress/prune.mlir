// RUN: lathe-opt %s --split-input-file --compress-prune="spec=magnitude:0.5 min-elements=1" --remarks-filter=compress \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: lathe-opt %s --split-input-file --compress-prune="spec=magnitude:0.5:uniform min-elements=1" | FileCheck %s --check-prefix=UNIFORM
// RUN: lathe-opt %s --split-input-file --compress-prune="spec=2:4 min-elements=1" | FileCheck %s --check-prefix=PATTERN
// RUN: lathe-opt %s --split-input-file --compress-prune="spec=1:2:magnitude min-elements=1" | FileCheck %s --check-prefix=HALF

// Half of both weights together: more of the first, whose large elements stand out, than of the second. The gather
// keeps reading the dense constant.
// CHECK-LABEL: func @layers
// CHECK: %[[W:.*]] = onnx.Constant dense<{{\[\[}}9.000000e+00], [-1.000000e+00], [2.000000e+00], [5.000000e-01]]>
// CHECK: %[[P:.*]] = onnx.Constant dense<{{\[\[}}9.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00]]>
// CHECK: %[[Q:.*]] = onnx.Constant dense<{{\[\[}}0.000000e+00], [2.000000e+01], [3.000000e+01], [4.000000e+01]]>
// CHECK: onnx.Gather{{.*}}%[[W]]
// CHECK: nn.linear %{{.*}}, %[[P]]
// CHECK: nn.linear %{{.*}}, %[[P]]
// CHECK: nn.linear %{{.*}}, %[[Q]]
// UNIFORM-LABEL: func @layers
// UNIFORM: dense<{{\[\[}}9.000000e+00], [0.000000e+00], [2.000000e+00], [0.000000e+00]]>
// UNIFORM: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [3.000000e+01], [4.000000e+01]]>
// REMARK-DAG: [Passed] Prune | Category:compress{{.*}}Elements=4, Score=magnitude, Sparsity=7.5{{.*}}, SparsityBefore=0.0{{.*}}, WeightSignalToNoise=
// REMARK-DAG: [Passed] Prune | Category:compress{{.*}}Elements=4, Score=magnitude, Sparsity=2.5
func.func @layers(%x: tensor<?x4xf32>, %i: tensor<1xi64>) -> (tensor<1x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = onnx.Constant dense<[[9.0], [-1.0], [2.0], [0.5]]> : tensor<4x1xf32>
  %v = onnx.Constant dense<[[-10.0], [20.0], [30.0], [40.0]]> : tensor<4x1xf32>
  %e = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<4x1xf32>, tensor<1xi64>) -> tensor<1x1xf32>
  %a = nn.linear %x, %w : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  %b = nn.linear %x, %w : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  %c = nn.linear %x, %v : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  return %e, %a, %b, %c : tensor<1x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// Neighbours are the inputs of an output, not the outputs of an input; of six, the last group has two. Of equal ones
// the later stay.
// PATTERN-LABEL: func @pattern
// PATTERN: dense<{{\[\[}}0.000000e+00, 8.000000e+00], [0.000000e+00, 7.000000e+00], [3.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [1.000000e-01, 1.000000e+00], [-1.000000e-01, 1.000000e+00]]>
// HALF-LABEL: func @pattern
// HALF: dense<{{\[\[}}0.000000e+00, 8.000000e+00], [2.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [4.000000e+00, 5.000000e+00], [0.000000e+00, 0.000000e+00], [-1.000000e-01, 1.000000e+00]]>
func.func @pattern(%x: tensor<1x6xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<[[1.0, 8.0], [2.0, 7.0], [3.0, 5.0], [4.0, 5.0], [0.1, 1.0], [-0.1, 1.0]]> : tensor<6x2xf32>
  %y = nn.linear %x, %w : (tensor<1x6xf32>, tensor<6x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Within a tap: the two taps of three input channels are no group of six.
// PATTERN-LABEL: func @taps
// PATTERN: dense<{{\[\[\[\[}}0.000000e+00], [2.000000e+00], [3.000000e+00]], {{\[\[}}6.000000e+00], [5.000000e+00], [0.000000e+00]]]]>
func.func @taps(%x: tensor<1x1x2x3xf32>) -> tensor<1x1x1x1xf32> {
  %w = onnx.Constant dense<[[[[1.0], [2.0], [3.0]], [[6.0], [5.0], [4.0]]]]> : tensor<1x2x3x1xf32>
  %y = nn.conv %x, %w : (tensor<1x1x2x3xf32>, tensor<1x2x3x1xf32>) -> tensor<1x1x1x1xf32>
  return %y : tensor<1x1x1x1xf32>
}

// -----

// CHECK-LABEL: func @own
// CHECK-DAG: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [4.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}1.000000e+00], [2.000000e+00], [3.000000e+00], [4.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [3.000000e+00], [4.000000e+00]]>
// REMARK-DAG: [Missed] Prune | Category:compress{{.*}}Reason="skipped by recipe"
// REMARK-DAG: [Missed] Prune | Category:compress{{.*}}Reason="weight is not constant"
func.func @own(%x: tensor<?x4xf32>, %v: tensor<4x1xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = onnx.Constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %a = nn.linear %x, %w {lathe.compress = {prune = "magnitude:0.75"}} : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  %b = nn.linear %x, %w {lathe.compress = {prune = "none"}} : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  %c = nn.linear %x, %w : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  %d = nn.linear %x, %v : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  return %a, %b, %c, %d : tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
}
