// RUN: lathe-opt %s --compress-prune-channels="spec=channels:0.2,magnitude:0.5" --remarks-filter=compress \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t --check-prefixes=CHECK,MAGNITUDE
// RUN: lathe-opt %s --compress-prune-channels="spec=channels:0.2 statistics=%S/prune-channels.json" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,SQUARES
// RUN: lathe-opt %s --compress-prune-channels="spec=channels:0.2:activation:mean statistics=%S/prune-channels.json" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,MEAN
// RUN: lathe-opt %s --compress-prune-channels="spec=magnitude:0.5" | FileCheck %s --check-prefix=NONE

// Four hidden neurons lose two of them. By magnitude these are 1 and 3, with the small weights. On the samples 2 does
// what 0 does and 3 is always 4: reconstruction takes them, gives 0 the weight of both, 5 + 7 up to damping, and the
// bias what 3 brought, 4 * 0.5. By fluctuation 1 and 3 go: the bias gets their means, 2 * 4 + 4 * 0.5.
// REMARK-DAG: [Missed] PruneChannels | Category:compress{{.*}}nothing makes up for what is removed
// REMARK-DAG: [Passed] PruneChannels | Category:compress | Loss={{.*}}, Removed=2, Units=4
// REMARK-DAG: [Passed] PruneChannels | Category:compress | MultiplyAddsAfter=4, MultiplyAddsBefore=8
// REMARK-DAG: [Passed] PruneChannels | Category:compress | ModelMultiplyAddsAfter=1.800000e+01, ModelMultiplyAddsBefore=2.400000e+01
// REMARK-DAG: [Missed] PruneChannels | Category:compress{{.*}}skipped by recipe
// CHECK-LABEL: func @main
// MAGNITUDE-DAG: onnx.Constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// MAGNITUDE-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}5.000000e+00], [7.000000e+00]]> : tensor<2x1xf32>
// SQUARES-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}{{4.0[0-9e+]*|3.99[0-9]*}}], [11.99{{[0-9]*}}]]> : tensor<2x1xf32>
// SQUARES-DAG: %[[B:.*]] = onnx.Constant dense<{{2.0[0-9e+]*|1.99[0-9]*}}> : tensor<1xf32>
// MEAN-DAG: %[[W:.*]] = onnx.Constant dense<{{\[\[}}5.000000e+00], [7.000000e+00]]> : tensor<2x1xf32>
// MEAN-DAG: %[[B:.*]] = onnx.Constant dense<1.000000e+01> : tensor<1xf32>
// CHECK-DAG: %[[H:.*]] = nn.linear %{{.*}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
// MAGNITUDE: nn.linear %[[H]], %[[W]] : (tensor<1x2xf32>, tensor<2x1xf32>)
// SQUARES: nn.linear %[[H]], %[[W]] extras(%[[B]])
// MEAN: nn.linear %[[H]], %[[W]] extras(%[[B]])
// CHECK: nn.linear {{.*}} -> tensor<1x4xf32>
// NONE: tensor<2x4xf32>
func.func @main(%x: tensor<1x2xf32> {onnx.name = "x"}) -> tensor<1x2xf32> {
  %w0 = onnx.Constant dense<[[1.0, 0.1, 2.0, 0.2], [3.0, 0.3, 4.0, 0.4]]> : tensor<2x4xf32>
  %w1 = onnx.Constant dense<[[5.0], [4.0], [7.0], [0.5]]> : tensor<4x1xf32>
  %w2 = onnx.Constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %w3 = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %h = nn.linear %x, %w0 : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32> loc("hidden")
  %y = nn.linear %h, %w1 : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32> loc("out")
  %g = nn.linear %y, %w2 {lathe.compress = {prune = "none"}} : (tensor<1x1xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("kept")
  %z = nn.linear %g, %w3 : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32> loc("last")
  return %z : tensor<1x2xf32>
}
