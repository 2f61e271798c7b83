// RUN: lathe-opt %s --compress-reduce-tokens=prune=keep:0.5:layers=0 --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: lathe-opt %s --compress-reduce-tokens="merge=2,0 prune=keep:0.5:layers=1" | FileCheck %s --check-prefix=BOTH
// RUN: lathe-opt %s --compress-reduce-tokens=prune=keep:0.9 --remarks-filter=compress --remark-format=emitRemark 2>&1 \
// RUN:   | FileCheck %s --check-prefix=FEW
// RUN: lathe-opt %s --compress-override-settings="overrides=layer0=token-merge=3,layer1=token-merge=none,layer1=token-prune=keep:0.5" \
// RUN:   --compress-reduce-tokens=merge=r:2 --remarks-filter=compress --remark-format=emitRemark 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OWN

// The class, 4 of 8 others and what the rest is fused to. Only merging gives tokens sizes.
// REMARK: [Passed] PruneTokens | {{.*}}Kept=4, Tokens=9
// CHECK-LABEL: func @class
// CHECK: nn.attention %[[P:[0-9a-z]*]], %[[P]], %[[P]] {scale
// CHECK: %[[Y:.*]] = nn.linear {{.*}} extras(%arg0)
// CHECK: %[[M:.*]] = nn.token_prune %[[Y]] query(%[[P]]) key(%[[P]]) {kept = 4 : i64, scale = 5.000000e-01 : f32}
// CHECK-SAME: -> tensor<1x6x8xf32>
// CHECK-NOT: mask
// CHECK-NOT: token_prune
// CHECK: "onnx.Gather"{{.*}} (tensor<1x6x8xf32>

// BOTH: %[[M:.*]]:2 = nn.token_merge
// BOTH: nn.token_prune {{.*}} sizes(%[[M]]#1) {kept = 3 : i64, {{.*}} -> (tensor<1x5x8xf32>, tensor<1x5xf32>)

// FEW: [Missed] PruneTokens | {{.*}}Reason="there are no two tokens to fuse"
// FEW-NOT: nn.token_prune

// OWN: [Missed] MergeTokens | {{.*}}Reason="skipped by recipe"
// OWN: [Passed] MergeTokens | {{.*}}Merged=3, Tokens=9
// OWN: [Passed] PruneTokens | {{.*}}Kept=3, Tokens=6
// OWN: nn.token_merge {{.*}}r = 3
// OWN: nn.token_prune {{.*}}kept = 3
func.func @class(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32> loc("layer0")
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32> loc("layer1")
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %first = onnx.Constant dense<0> : tensor<i64>
  %class = "onnx.Gather"(%y1, %first) <{axis = 1 : i64}> : (tensor<1x9x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %class : tensor<1x8xf32>
}
