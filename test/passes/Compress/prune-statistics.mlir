// RUN: lathe-opt %s --split-input-file --compress-prune="spec=1:2:wanda statistics=%S/prune.json min-elements=1" \
// RUN:   --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t --check-prefix=WANDA
// RUN: lathe-opt %s --split-input-file --compress-prune="spec=none statistics=%S/prune.json min-elements=1" | FileCheck %s --check-prefix=OWN
// RUN: not lathe-opt %s --split-input-file --compress-prune="spec=wanda:0.5 min-elements=1" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not lathe-opt %s --split-input-file --compress-prune="spec=1:2:sparsegpt statistics=%S/prune.json min-elements=1" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GRAM

// NONE: error: expected calibration statistics, but got none
// GRAM: error: expected samples to prune by sparsegpt (--calibrate), but got statistics without products of inputs

// The first input is so much larger than the second that its smaller weight matters more.
// WANDA-LABEL: func @loud
// WANDA: onnx.Constant dense<{{\[\[}}1.000000e+00], [0.000000e+00]]>
// WANDA-NOT: arith.addf
// WANDA: return
// REMARK-DAG: [Passed] Prune | {{.*}}OutputSignalToNoise={{.*}}, Score=wanda, Sparsity=5.0{{.*}}, SparsityBefore=0.0
// REMARK-DAG: [Missed] Prune | {{.*}}Reason="no statistics of the input"
func.func @loud(%x: tensor<?x2xf32> {onnx.name = "loud"}, %z: tensor<?x2xf32> {onnx.name = "unseen"}) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = onnx.Constant dense<[[1.0], [3.0]]> : tensor<2x1xf32>
  %y = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %u = nn.linear %z, %w : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y, %u : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// Both inputs are one: the weight that stays becomes the sum, but for the damping, and the bias takes what is left of
// the mean of 1: its own constant where there is one.
// OWN-LABEL: func @same
// OWN: %[[Q:.*]] = onnx.Constant dense<{{\[\[}}0.000000e+00], [3.9900{{[0-9]*}}]]>
// OWN-NEXT: %[[P:.*]] = onnx.Constant dense<{{\[\[}}0.000000e+00], [3.9900{{[0-9]*}}]]>
// OWN: %[[C:.*]] = onnx.Constant dense<0.00990{{[0-9]*}}> : tensor<1xf32>
// OWN: nn.linear %{{.*}}, %[[P]] extras(%[[C]]) {{.*}}epilogue {
// OWN-NEXT: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32):
// OWN-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[B]]
// OWN-NEXT: nn.yield %[[S]]
// OWN: %[[D:.*]] = onnx.Constant dense<0.50990{{[0-9]*}}> : tensor<1xf32>
// OWN: nn.linear %{{.*}}, %[[Q]] extras(%[[D]]) {{.*}}epilogue {
func.func @same(%x: tensor<?x2xf32> {onnx.name = "same"})
    -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = onnx.Constant dense<[[1.0], [3.0]]> : tensor<2x1xf32>
  %bias = onnx.Constant dense<0.5> : tensor<1xf32>
  %y = nn.linear %x, %w {lathe.compress = {prune = "1:2:sparsegpt"}} : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %z = nn.linear %x, %w extras(%bias) {lathe.compress = {prune = "sparsegpt:0.5"}} epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %b, %acc : f32
    nn.yield %s : f32
  } : (tensor<?x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y, %z : tensor<?x1xf32>, tensor<?x1xf32>
}
