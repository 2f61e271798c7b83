// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(import-infer-shapes{annotate=true}))' | FileCheck %s

// A size that depends on data is a symbol: what follows is in terms of it. It has the node's name.

// CHECK-LABEL: func.func @downstream
// CHECK-SAME: -> (tensor<?xf32> {onnx.dims = ["found * 2"]}, tensor<2x?xi64> {onnx.dims = ["", "found"]})
// CHECK: "onnx.NonZero"{{.*}} {onnx.shape = {{\[}}["2", "found"]]} : (tensor<?x4xf32>) -> tensor<2x?xi64>
// CHECK: "onnx.Transpose"{{.*}} {onnx.shape = {{\[}}["found", "2"]]}
// CHECK: "onnx.GatherND"{{.*}} {onnx.shape = {{\[}}["found"]]}
// CHECK: "onnx.Concat"{{.*}}onnx.shape = {{\[}}["found * 2"]]
func.func @downstream(%x: tensor<?x4xf32> {onnx.dims = ["n", ""]}) -> (tensor<*xf32>, tensor<*xi64>) {
  %i = "onnx.NonZero"(%x) : (tensor<?x4xf32>) -> tensor<*xi64> loc("found")
  %t = "onnx.Transpose"(%i) : (tensor<*xi64>) -> tensor<*xi64>
  %v = "onnx.GatherND"(%x, %t) : (tensor<?x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  %r = "onnx.Relu"(%v) : (tensor<*xf32>) -> tensor<*xf32>
  %s = "onnx.Add"(%v, %r) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %c = "onnx.Concat"(%s, %r) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %c, %i : tensor<*xf32>, tensor<*xi64>
}

// -----

// Two selections by one condition have one size; the model's name for the dimension of a result goes before the node's.

// CHECK-LABEL: func.func @shared
// CHECK: "onnx.Compress"{{.*}}onnx.shape = {{\[}}["kept", "3"]]
// CHECK: "onnx.Compress"{{.*}}onnx.shape = {{\[}}["kept"]]
func.func @shared(%x: tensor<4x3xf32>, %y: tensor<4xf32>, %c: tensor<4xi1>) -> (tensor<*xf32> {onnx.dims = ["kept", ""]}, tensor<*xf32>) {
  %a = "onnx.Compress"(%x, %c) <{axis = 0 : i64}> : (tensor<4x3xf32>, tensor<4xi1>) -> tensor<*xf32> loc("node")
  %b = "onnx.Compress"(%y, %c) <{axis = 0 : i64}> : (tensor<4xf32>, tensor<4xi1>) -> tensor<*xf32>
  return %a, %b : tensor<*xf32>, tensor<*xf32>
}

// -----

// What constants tell does not depend on data.

// CHECK-LABEL: func.func @constants
// CHECK-SAME: -> (tensor<1x2xi64>, tensor<2x?xi64> {onnx.dims = ["", "n * 4"]}, tensor<?x3xi64> {onnx.dims = ["{{.*}}", ""]})
func.func @constants(%x: tensor<?x4xf32> {onnx.dims = ["n", ""]}, %boxes: tensor<1x6x4xf32>, %scores: tensor<1x2x6xf32>)
    -> (tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) {
  %c = onnx.Constant dense<[1, 0, 3]> : tensor<3xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %i = "onnx.NonZero"(%c) : (tensor<3xi64>) -> tensor<*xi64>
  %s = "onnx.Shape"(%x) : (tensor<?x4xf32>) -> tensor<*xi64>
  %ones = "onnx.ConstantOfShape"(%s) {value = dense<1> : tensor<1xi64>} : (tensor<*xi64>) -> tensor<*xi64>
  %j = "onnx.NonZero"(%ones) : (tensor<*xi64>) -> tensor<*xi64>
  %k = "onnx.NonMaxSuppression"(%boxes, %scores, %two) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
      : (tensor<1x6x4xf32>, tensor<1x2x6xf32>, tensor<1xi64>) -> tensor<*xi64>
  return %i, %j, %k : tensor<*xi64>, tensor<*xi64>, tensor<*xi64>
}

// -----

// Operands that tell sizes at run time; sizes that they do not touch stay.

// CHECK-LABEL: func.func @operands
// CHECK: "onnx.Slice"{{.*}} -> tensor<?x5xf32>
// CHECK: "onnx.TopK"{{.*}} -> (tensor<8x?xf32>, tensor<8x?xi64>)
// CHECK: "onnx.Expand"{{.*}} -> tensor<?x8x5xf32>
// CHECK: "onnx.Reshape"{{.*}} -> tensor<?x?xf32>
// CHECK: "onnx.Range"{{.*}} -> tensor<?xi64>
func.func @operands(%x: tensor<8x5xf32>, %one: tensor<1xi64>, %two: tensor<2xi64>, %three: tensor<3xi64>, %s: tensor<i64>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xi64>) {
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %a = "onnx.Slice"(%x, %one, %one, %axis) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<8x5xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %b, %i = "onnx.TopK"(%x, %one) : (tensor<8x5xf32>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  %c = "onnx.Expand"(%x, %three) : (tensor<8x5xf32>, tensor<3xi64>) -> tensor<*xf32>
  %d = "onnx.Reshape"(%x, %two) : (tensor<8x5xf32>, tensor<2xi64>) -> tensor<*xf32>
  %e = "onnx.Range"(%s, %s, %s) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return %a, %b, %c, %d, %e : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xi64>
}

// -----

// Sizes of the model whose order their bounds leave open.

// CHECK-LABEL: func.func @open_order
// CHECK: "onnx.Slice"{{.*}} -> tensor<?xf32>
func.func @open_order(%x: tensor<256xf32>, %y: tensor<?xf32> {onnx.dims = ["seq"]}) -> tensor<*xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %seq = "onnx.Shape"(%y) : (tensor<?xf32>) -> tensor<*xi64>
  %0 = "onnx.Slice"(%x, %zero, %seq) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<256xf32>, tensor<1xi64>, tensor<*xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Of two tensors that a condition of the data chooses, sizes that differ depend on it; results of the same two sizes have
// one between them.

// CHECK-LABEL: func.func @choice
// CHECK: "onnx.If"
// CHECK: {onnx.shape = {{\[}}["either"], ["either", "4"], ["either#2"], ["4"]]} : (tensor<i1>) -> (tensor<?xi64>, tensor<?x4xf32>, tensor<?xi64>, tensor<4xf32>)
func.func @choice(%c: tensor<i1>, %x: tensor<6xf32>, %y: tensor<6x4xf32>) -> (tensor<*xi64>, tensor<*xf32>, tensor<*xi64>, tensor<*xf32>) {
  %none = onnx.Constant dense<> : tensor<0xi64>
  %empty = onnx.Constant dense<> : tensor<0x4xf32>
  %some = onnx.Constant dense<1.0> : tensor<4xf32>
  %more = onnx.Constant dense<2.0> : tensor<4xf32>
  %open = onnx.Constant dense<-1> : tensor<1xi64>
  %i = "onnx.NonZero"(%x) : (tensor<6xf32>) -> tensor<*xi64>
  %flat = "onnx.Reshape"(%i, %open) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %rows = "onnx.Gather"(%y, %flat) : (tensor<6x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  %0:4 = "onnx.If"(%c) ({
    onnx.Yield %flat, %rows, %none, %some : tensor<*xi64>, tensor<*xf32>, tensor<0xi64>, tensor<4xf32>
  }, {
    onnx.Yield %none, %empty, %flat, %more : tensor<0xi64>, tensor<0x4xf32>, tensor<*xi64>, tensor<4xf32>
  }) : (tensor<i1>) -> (tensor<*xi64>, tensor<*xf32>, tensor<*xi64>, tensor<*xf32>) loc("either")
  return %0#0, %0#1, %0#2, %0#3 : tensor<*xi64>, tensor<*xf32>, tensor<*xi64>, tensor<*xf32>
}
