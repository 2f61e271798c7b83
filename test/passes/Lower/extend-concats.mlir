// RUN: lathe-opt %s --lower-extend-concats --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-extend-concats --split-input-file --remark-format=emitRemark --remarks-filter=lower -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Each layer adds its part to what all have written so far.
// CHECK-LABEL: func @dense
// CHECK-SAME: %[[X:.*]]: tensor<1x7x7x64xf32>, %[[Y:.*]]: tensor<1x7x7x32xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x7x7x160xf32>
// CHECK: %[[E0:.*]] = tensor.insert_slice %[[X]] into %[[E]][0, 0, 0, 0] [1, 7, 7, 64] [1, 1, 1, 1]
// CHECK: %[[E1:.*]] = tensor.insert_slice %[[Y]] into %[[E0]][0, 0, 0, 64] [1, 7, 7, 32] [1, 1, 1, 1]
// CHECK: %[[A:.*]] = tensor.extract_slice %[[E1]][0, 0, 0, 0] [1, 7, 7, 96] [1, 1, 1, 1]
// CHECK: %[[AC:.*]] = nn.conv %[[A]]
// CHECK: %[[E2:.*]] = tensor.insert_slice %[[AC]] into %[[E1]][0, 0, 0, 96] [1, 7, 7, 32] [1, 1, 1, 1]
// CHECK: %[[B:.*]] = tensor.extract_slice %[[E2]][0, 0, 0, 0] [1, 7, 7, 128] [1, 1, 1, 1]
// CHECK: %[[BC:.*]] = nn.conv %[[B]]
// CHECK: %[[E3:.*]] = tensor.insert_slice %[[BC]] into %[[E2]][0, 0, 0, 128] [1, 7, 7, 32] [1, 1, 1, 1]
// CHECK: return %[[E3]]
// REMARK: ExtendConcats {{.*}}Concats=3
func.func @dense(%x: tensor<1x7x7x64xf32>, %y: tensor<1x7x7x32xf32>, %u: tensor<1x1x96x32xf32>, %v: tensor<1x1x128x32xf32>) -> tensor<1x7x7x160xf32> {
  %a = "onnx.Concat"(%x, %y) {axis = 3 : i64} : (tensor<1x7x7x64xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x96xf32>
  %ac = nn.conv %a, %u : (tensor<1x7x7x96xf32>, tensor<1x1x96x32xf32>) -> tensor<1x7x7x32xf32>
  %b = "onnx.Concat"(%x, %y, %ac) {axis = -1 : i64} : (tensor<1x7x7x64xf32>, tensor<1x7x7x32xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x128xf32>
  %bc = nn.conv %b, %v : (tensor<1x7x7x128xf32>, tensor<1x1x128x32xf32>) -> tensor<1x7x7x32xf32>
  %c = "onnx.Concat"(%x, %y, %ac, %bc) {axis = 3 : i64} : (tensor<1x7x7x64xf32>, tensor<1x7x7x32xf32>, tensor<1x7x7x32xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x160xf32>
  return %c : tensor<1x7x7x160xf32>
}

// -----

// The same where each concatenation has the one before as an operand.
// CHECK-LABEL: func @nested
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x7x7x96xf32>
// CHECK: %[[A:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0, 0] [1, 7, 7, 64] [1, 1, 1, 1]
// CHECK: %[[R:.*]] = "onnx.Relu"(%[[A]])
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 64] [1, 7, 7, 32] [1, 1, 1, 1]
// CHECK-NOT: onnx.Concat
func.func @nested(%x: tensor<1x7x7x32xf32>, %u: tensor<1x1x64x32xf32>) -> tensor<1x7x7x96xf32> {
  %a = "onnx.Concat"(%x, %x) {axis = 3 : i64} : (tensor<1x7x7x32xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x64xf32>
  %r = "onnx.Relu"(%a) : (tensor<1x7x7x64xf32>) -> tensor<1x7x7x64xf32>
  %ac = nn.conv %r, %u : (tensor<1x7x7x64xf32>, tensor<1x1x64x32xf32>) -> tensor<1x7x7x32xf32>
  %b = "onnx.Concat"(%a, %ac) {axis = 3 : i64} : (tensor<1x7x7x64xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x96xf32>
  return %b : tensor<1x7x7x96xf32>
}

// -----

// The shorter one is read after the longer one would be written over it; the other axis is another concatenation; a result has
// to be whole; sizes that are not known are copied.
// CHECK-LABEL: func @stay
// CHECK-COUNT-7: "onnx.Concat"
// CHECK-NOT: tensor.insert_slice
func.func @stay(%x: tensor<2x2x2x2xf32>, %y: tensor<2x2x2x2xf32>, %d: tensor<2x2x2x?xf32>)
    -> (tensor<2x2x2x4xf32>, tensor<2x2x2x6xf32>, tensor<2x6x2x2xf32>, tensor<2x2x4x2xf32>, tensor<2x2x2x?xf32>) {
  %a = "onnx.Concat"(%x, %y) {axis = 3 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x2x4xf32>
  %b = "onnx.Concat"(%x, %y, %x) {axis = 3 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x2x6xf32>
  %late = "onnx.Relu"(%a) : (tensor<2x2x2x4xf32>) -> tensor<2x2x2x4xf32>
  %c = "onnx.Concat"(%x, %y, %y) {axis = 1 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x6x2x2xf32>
  %e = "onnx.Concat"(%x, %y) {axis = 2 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x4x2xf32>
  %f = "onnx.Concat"(%x, %y, %x) {axis = 2 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x6x2xf32>
  %g = "onnx.Concat"(%x, %d) {axis = 3 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x?xf32>) -> tensor<2x2x2x?xf32>
  %h = "onnx.Concat"(%x, %d, %x) {axis = 3 : i64} : (tensor<2x2x2x2xf32>, tensor<2x2x2x?xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x2x?xf32>
  return %late, %b, %c, %e, %h : tensor<2x2x2x4xf32>, tensor<2x2x2x6xf32>, tensor<2x6x2x2xf32>, tensor<2x2x4x2xf32>, tensor<2x2x2x?xf32>
}

// -----

// An empty tensor is no part that would have a place of its own.
// CHECK-LABEL: func @empty
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 0] [2, 4] [1, 1]
// CHECK: tensor.insert_slice %arg1 into %{{.*}}[0, 4] [2, 4] [1, 1]
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 8] [2, 4] [1, 1]
// CHECK-NOT: tensor.insert_slice
func.func @empty(%x: tensor<2x4xf32>, %y: tensor<2x4xf32>, %none: tensor<2x0xf32>) -> tensor<2x12xf32> {
  %a = "onnx.Concat"(%x, %y) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %b = "onnx.Concat"(%a, %x, %none) {axis = 1 : i64} : (tensor<2x8xf32>, tensor<2x4xf32>, tensor<2x0xf32>) -> tensor<2x12xf32>
  return %b : tensor<2x12xf32>
}
