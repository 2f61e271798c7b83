// RUN: lathe-opt %s --compress-override-settings="overrides=block*=quantize=none,*/conv=prune=none,block/last=quantize=w4:group=64" \
// RUN:   | FileCheck %s
// RUN: not lathe-opt %s --compress-override-settings="overrides=head*=quantize=none,block*=colour=red,block*=quantize=w5,[=quantize=none" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ERROR

// Any node that became part of an op names it; later patterns win, transform by transform.
// CHECK: nn.linear {{.*}} {lathe.compress = {quantize = "none"}}
// CHECK: nn.linear {{.*}} {lathe.compress = {prune = "none", quantize = "none"}}
// CHECK: nn.linear {{.*}} {lathe.compress = {quantize = "w4:group=64"}}
// CHECK: nn.linear
// CHECK-NOT: lathe.compress

// ERROR: error: expected a node with a name like 'head*', but got none
// ERROR: error: expected a transform of compression, but got 'colour'
// ERROR: error: quantize: expected int8, or w8, w4, w3 or w2 {{.*}}, but got 'w5'
// ERROR: error: expected a name pattern, but got '['
func.func @main(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %a = nn.linear %x, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc("block/first")
  %b = nn.linear %a, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc(fused["block/second", "other/conv"])
  %c = nn.linear %b, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc("block/last")
  %d = nn.linear %c, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc("free")
  return %d : tensor<1x64xf32>
}
