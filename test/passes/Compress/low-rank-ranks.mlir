// RUN: lathe-opt %s --compress-low-rank="spec=energy:0.85 multiple=1" | FileCheck %s --check-prefix=PLAIN
// RUN: lathe-opt %s --compress-low-rank="spec=energy:0.85 multiple=1 statistics=%S/low-rank.json" --remarks-filter=compress \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t --check-prefix=GRAM
// RUN: lathe-opt %s --compress-low-rank="spec=flops:0.8 multiple=1" --remarks-filter=compress \
// RUN:   --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=FLOPS

// The largest singular value is that of the first input, which is silent in the samples.
// PLAIN: onnx.Constant dense<{{\[\[}}3.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00]]> : tensor<4x1xf32>
// PLAIN: onnx.Constant dense<{{\[\[}}1.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00]]> : tensor<1x4xf32>
// GRAM: onnx.Constant dense<{{\[\[}}0.000000e+00], [1.000000e+00], [0.000000e+00], [0.000000e+00]]> : tensor<4x1xf32>
// GRAM: onnx.Constant dense<{{\[\[}}0.000000e+00, 1.000000e+00, 0.000000e+00, 0.000000e+00]]> : tensor<1x4xf32>

// The weight with settings of its own keeps more, and that rank does not pay.
// PLAIN: nn.linear {{.*}} {lathe.compress = {"low-rank" = "energy:0.99"}} : (tensor<1024x4xf32>, tensor<4x4xf32>)

// REMARK-DAG: Rank=1, RelativeOutputError=
// REMARK-DAG: Reason="does not break even: 32768 FLOPs would become 32768 with rank 2, which keeps 0.99 of the energy"

// Of the two weights with the model's text the one that is of rank 1 gives up its rank.
// FLOPS-DAG: loc("first"){{.*}}Reason="left as it is: other layers lose less"
// FLOPS-DAG: loc("exact"){{.*}}Rank=1,
func.func @main(%x: tensor<1024x4xf32> {onnx.name = "x"}) -> (tensor<1024x4xf32>, tensor<1024x4xf32>, tensor<1024x4xf32>) {
  %w = onnx.Constant dense<[[3.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %v = onnx.Constant dense<[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %u = onnx.Constant dense<1.0> : tensor<4x4xf32>
  %a = nn.linear %x, %w : (tensor<1024x4xf32>, tensor<4x4xf32>) -> tensor<1024x4xf32> loc("first")
  %b = nn.linear %x, %v {lathe.compress = {"low-rank" = "energy:0.99"}} : (tensor<1024x4xf32>, tensor<4x4xf32>) -> tensor<1024x4xf32> loc("own")
  %c = nn.linear %x, %u : (tensor<1024x4xf32>, tensor<4x4xf32>) -> tensor<1024x4xf32> loc("exact")
  return %a, %b, %c : tensor<1024x4xf32>, tensor<1024x4xf32>, tensor<1024x4xf32>
}
