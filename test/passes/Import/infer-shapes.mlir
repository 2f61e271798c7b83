// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(import-infer-shapes{annotate=true}))' | FileCheck %s

// Shape arithmetic of an exporter: [batch, 8, 4, 4] to [batch, 128] by Shape, Gather, Unsqueeze and Concat.

// CHECK-LABEL: func.func @flatten_by_shape
// CHECK-SAME: -> (tensor<?x128xf32> {onnx.dims = ["batch", ""]})
// CHECK-NOT: onnx.Shape
// CHECK: %[[TARGET:.*]] = onnx.Constant dense<[0, 128]> : tensor<2xi64>
// CHECK: "onnx.Reshape"(%{{.*}}, %[[TARGET]])
// CHECK-SAME: onnx.shape = {{\[}}["batch", "128"]]
func.func @flatten_by_shape(%x: tensor<?x8x4x4xf32> {onnx.dims = ["batch", "", "", ""]}) -> tensor<*xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %open = onnx.Constant dense<-1> : tensor<1xi64>
  %shape = "onnx.Shape"(%x) : (tensor<?x8x4x4xf32>) -> tensor<*xi64>
  %batch = "onnx.Gather"(%shape, %zero) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %batch1 = "onnx.Unsqueeze"(%batch, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %target = "onnx.Concat"(%batch1, %open) {axis = 0 : i64} : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %y = "onnx.Reshape"(%x, %target) : (tensor<?x8x4x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The target of an Expand as torch writes it: Where(Equal(target, -1), ones, target).

// CHECK-LABEL: func.func @expand_idiom
// CHECK: %[[TARGET:.*]] = onnx.Constant dense<[1, 4, 3]> : tensor<3xi64>
// CHECK: "onnx.Expand"(%{{.*}}, %[[TARGET]])
// CHECK-SAME: onnx.shape = {{\[}}["batch", "4", "3"]]
func.func @expand_idiom(%x: tensor<?x1x3xf32> {onnx.dims = ["batch", "", ""]}) -> tensor<*xf32> {
  %rest = onnx.Constant dense<[4, -1]> : tensor<2xi64>
  %minus = onnx.Constant dense<-1> : tensor<i64>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %batch = "onnx.Shape"(%x) {end = 1 : i64} : (tensor<?x1x3xf32>) -> tensor<*xi64>
  %target = "onnx.Concat"(%batch, %rest) {axis = 0 : i64} : (tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  %ones = "onnx.ConstantOfShape"(%three) {value = dense<1> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<*xi64>
  %open = "onnx.Equal"(%target, %minus) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi1>
  %sizes = "onnx.Where"(%open, %ones, %target) : (tensor<*xi1>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %y = "onnx.Expand"(%x, %sizes) : (tensor<?x1x3xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// A cache grows by k; positions come from a Range over the sum.

// CHECK-LABEL: func.func @cache
// CHECK-SAME: -> (tensor<1x2x?x32xf32> {onnx.dims = ["", "", "past + k", ""]}, tensor<?xi64> {onnx.dims = ["past + k"]}, tensor<1x2x?x32xf32>
// CHECK: "onnx.Concat"
// CHECK-SAME: onnx.shape = {{\[}}["1", "2", "past + k", "32"]]
// CHECK: "onnx.Range"
// CHECK-SAME: onnx.shape = {{\[}}["past + k"]]
// CHECK: "onnx.Slice"
// CHECK-SAME: onnx.shape = {{\[}}["1", "2", "k", "32"]]
func.func @cache(%past: tensor<1x2x?x32xf32> {onnx.dims = ["", "", "past", ""]}, %new: tensor<1x2x?x32xf32> {onnx.dims = ["", "", "k", ""]})
    -> (tensor<*xf32>, tensor<*xi64>, tensor<*xf32>) {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %axis = onnx.Constant dense<2> : tensor<1xi64>
  %far = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %all = "onnx.Concat"(%past, %new) {axis = 2 : i64} : (tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>) -> tensor<*xf32>
  %shape = "onnx.Shape"(%all) : (tensor<*xf32>) -> tensor<*xi64>
  %total = "onnx.Gather"(%shape, %two) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %range = "onnx.Range"(%zero, %total, %one) : (tensor<i64>, tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %begin = "onnx.Shape"(%past) {start = 2 : i64, end = 3 : i64} : (tensor<1x2x?x32xf32>) -> tensor<*xi64>
  %tail = "onnx.Slice"(%all, %begin, %far, %axis) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<*xf32>, tensor<*xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %all, %range, %tail : tensor<*xf32>, tensor<*xi64>, tensor<*xf32>
}

// -----

// A size that goes through floats: int(floor(float(h) / 2)).

// CHECK-LABEL: func.func @through_floats
// CHECK: "onnx.Range"
// CHECK-SAME: onnx.shape = {{\[}}["h floordiv 2"]]
func.func @through_floats(%x: tensor<?xf32> {onnx.dims = ["h"]}) -> tensor<*xi64> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %half = onnx.Constant dense<2.0> : tensor<f32>
  %size = "onnx.Size"(%x) : (tensor<?xf32>) -> tensor<*xi64>
  %float = "onnx.Cast"(%size) {to = 1 : i64} : (tensor<*xi64>) -> tensor<*xf32>
  %ratio = "onnx.Div"(%float, %half) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
  %floor = "onnx.Floor"(%ratio) : (tensor<*xf32>) -> tensor<*xf32>
  %count = "onnx.Cast"(%floor) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  %range = "onnx.Range"(%zero, %count, %one) : (tensor<i64>, tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  return %range : tensor<*xi64>
}

// -----

// CHECK-LABEL: func.func @network
// CHECK-SAME: -> tensor<2x10xf32>
// CHECK: "onnx.Conv"{{.*}} -> tensor<2x8x16x16xf32>
// CHECK: "onnx.MaxPool"{{.*}} -> tensor<2x8x8x8xf32>
// CHECK: "onnx.AveragePool"{{.*}} -> tensor<2x8x4x4xf32>
// CHECK: "onnx.Transpose"{{.*}} -> tensor<2x4x8x4xf32>
// CHECK: "onnx.Flatten"{{.*}} -> tensor<2x128xf32>
// CHECK: "onnx.Gemm"{{.*}} -> tensor<2x10xf32>
func.func @network(%x: tensor<2x3x32x32xf32>, %w: tensor<8x3x3x3xf32>, %fc: tensor<10x128xf32>) -> tensor<*xf32> {
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x3x32x32xf32>, tensor<8x3x3x3xf32>) -> tensor<*xf32>
  %1 = "onnx.MaxPool"(%0) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<*xf32>) -> tensor<*xf32>
  %2 = "onnx.AveragePool"(%1) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, ceil_mode = 1 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  %3 = "onnx.Transpose"(%2) {perm = array<i64: 0, 2, 1, 3>} : (tensor<*xf32>) -> tensor<*xf32>
  %4 = "onnx.Flatten"(%3) : (tensor<*xf32>) -> tensor<*xf32>
  %5 = "onnx.Gemm"(%4, %fc) {transB = 1 : i64} : (tensor<*xf32>, tensor<10x128xf32>) -> tensor<*xf32>
  return %5 : tensor<*xf32>
}

// -----

// A size that only run time knows is the one that the declared result needs.
// CHECK-LABEL: func.func @late_range
// CHECK: "onnx.Range"{{.*}} -> tensor<10xf32>
func.func @late_range(%n: tensor<f32>, %s: tensor<f32>) -> tensor<10xf32> {
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %0 = "onnx.Range"(%zero, %n, %one) : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  %1 = "onnx.Cos"(%0) : (tensor<*xf32>) -> tensor<*xf32>
  %2 = "onnx.Sub"(%s, %0) : (tensor<f32>, tensor<*xf32>) -> tensor<*xf32>
  %3 = "onnx.Add"(%1, %2) : (tensor<*xf32>, tensor<*xf32>) -> tensor<10xf32>
  return %3 : tensor<10xf32>
}

// -----

// How torch.onnx writes the padding of an image: pairs of each dimension, the last first, turned around and transposed.

// CHECK-LABEL: func.func @padding
// CHECK-SAME: -> tensor<2x5x7xf32>
// CHECK: %[[PADS:.*]] = onnx.Constant dense<[0, 0, 0, 0, 1, 2]> : tensor<6xi64>
// CHECK: "onnx.Pad"(%{{.*}}, %[[PADS]])
func.func @padding(%x: tensor<2x4x5xf32>) -> tensor<*xf32> {
  %pairs = onnx.Constant dense<[0, 2, 0, 1, 0, 0]> : tensor<6xi64>
  %two = onnx.Constant dense<[-1, 2]> : tensor<2xi64>
  %list = onnx.Constant dense<-1> : tensor<1xi64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %far = onnx.Constant dense<-9223372036854775807> : tensor<1xi64>
  %rows = "onnx.Reshape"(%pairs, %two) : (tensor<6xi64>, tensor<2xi64>) -> tensor<*xi64>
  %turned = "onnx.Slice"(%rows, %list, %far, %first, %list) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>}
    : (tensor<*xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xi64>
  %columns = "onnx.Transpose"(%turned) {perm = array<i64: 1, 0>} : (tensor<*xi64>) -> tensor<*xi64>
  %pads = "onnx.Reshape"(%columns, %list) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %y = "onnx.Pad"(%x, %pads) {mode = "constant", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x4x5xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Scalars as starts and ends are lists of one.

// CHECK-LABEL: func.func @scalar_bounds
// CHECK-SAME: -> tensor<2x3xf32>
func.func @scalar_bounds(%x: tensor<6x3xf32>) -> tensor<*xf32> {
  %begin = onnx.Constant dense<2> : tensor<i64>
  %end = onnx.Constant dense<4> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %y = "onnx.Slice"(%x, %begin, %end, %axis) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<6x3xf32>, tensor<i64>, tensor<i64>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Sizes that torch computes by floats, as f32 has them: 201 * f32(800 / 201) is 799.99998..., which rounds to 800.

// CHECK-LABEL: func.func @float_sizes
// CHECK-SAME: -> tensor<1x3x800x895xf32>
// CHECK: onnx.Constant dense<[1, 3, 800, 895]> : tensor<4xi64>
func.func @float_sizes(%x: tensor<1x3x201x225xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %least = onnx.Constant dense<800.0> : tensor<f32>
  %most = onnx.Constant dense<1333.0> : tensor<f32>
  %shape = "onnx.Shape"(%x) : (tensor<1x3x201x225xf32>) -> tensor<*xi64>
  %sizes = "onnx.Slice"(%shape, %two, %four) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<*xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xi64>
  %floats = "onnx.Cast"(%sizes) {to = 1 : i64} : (tensor<*xi64>) -> tensor<*xf32>
  %low = "onnx.ReduceMin"(%floats) {keepdims = 0 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  %high = "onnx.ReduceMax"(%floats) {keepdims = 0 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  %a = "onnx.Div"(%least, %low) : (tensor<f32>, tensor<*xf32>) -> tensor<*xf32>
  %b = "onnx.Div"(%most, %high) : (tensor<f32>, tensor<*xf32>) -> tensor<*xf32>
  %scale = "onnx.Min"(%a, %b) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %scale1 = "onnx.Unsqueeze"(%scale, %axis) : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %scales = "onnx.Concat"(%scale1, %scale1) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %scaled = "onnx.Mul"(%floats, %scales) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %floor = "onnx.Floor"(%scaled) : (tensor<*xf32>) -> tensor<*xf32>
  %new = "onnx.Cast"(%floor) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  %outer = onnx.Constant dense<[1, 3]> : tensor<2xi64>
  %all = "onnx.Concat"(%outer, %new) {axis = 0 : i64} : (tensor<2xi64>, tensor<*xi64>) -> tensor<*xi64>
  %y = "onnx.Resize"(%x, %all) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 0, 1>} : (tensor<1x3x201x225xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// What is known: not what is divided by 0, nor what a run rounds in its own way (Exp).

// CHECK-LABEL: func.func @float_elements
// CHECK-DAG: %[[LESS:.*]] = onnx.Constant dense<true> : tensor<i1>
// CHECK-DAG: %[[WHOLE:.*]] = onnx.Constant dense<-2> : tensor<i32>
// CHECK-DAG: %[[LIST:.*]] = onnx.Constant dense<[1, 4]> : tensor<2xi64>
// CHECK-DAG: %[[OPEN:.*]] = "onnx.Cast"
// CHECK-DAG: %[[EXP:.*]] = "onnx.Cast"
// CHECK: return %[[LESS]], %[[WHOLE]], %[[LIST]], %[[OPEN]], %[[EXP]]
func.func @float_elements() -> (tensor<*xi1>, tensor<*xi32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) {
  %all = onnx.Constant dense<[0.5, -2.5, 3.0, 0.0]> : tensor<4xf32>
  %place0 = onnx.Constant dense<0> : tensor<i64>
  %place1 = onnx.Constant dense<[-3]> : tensor<1xi64>
  %place2 = onnx.Constant dense<[2]> : tensor<1xi64>
  %place3 = onnx.Constant dense<3> : tensor<i64>
  %half = "onnx.Gather"(%all, %place0) : (tensor<4xf32>, tensor<i64>) -> tensor<*xf32>
  %negative = "onnx.Gather"(%all, %place1) : (tensor<4xf32>, tensor<1xi64>) -> tensor<*xf32>
  %three = "onnx.Gather"(%all, %place2) : (tensor<4xf32>, tensor<1xi64>) -> tensor<*xf32>
  %zero = "onnx.Gather"(%all, %place3) : (tensor<4xf32>, tensor<i64>) -> tensor<*xf32>
  %scalar = "onnx.Squeeze"(%negative) {operandSegmentSizes = array<i32: 1, 0>} : (tensor<*xf32>) -> tensor<*xf32>
  %less = "onnx.Less"(%scalar, %half) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xi1>
  %even = "onnx.Round"(%scalar) : (tensor<*xf32>) -> tensor<*xf32>
  %whole = "onnx.Cast"(%even) {to = 6 : i64} : (tensor<*xf32>) -> tensor<*xi32>
  %root = "onnx.Sqrt"(%three) : (tensor<*xf32>) -> tensor<*xf32>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %half1 = "onnx.Unsqueeze"(%half, %axis) : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %both = "onnx.Concat"(%half1, %root) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %scaled = "onnx.Mul"(%both, %negative) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %size = "onnx.Abs"(%scaled) : (tensor<*xf32>) -> tensor<*xf32>
  %list = "onnx.Cast"(%size) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  %infinite = "onnx.Reciprocal"(%zero) : (tensor<*xf32>) -> tensor<*xf32>
  %open = "onnx.Cast"(%infinite) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  %exp = "onnx.Exp"(%half) : (tensor<*xf32>) -> tensor<*xf32>
  %exp_size = "onnx.Cast"(%exp) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  return %less, %whole, %list, %open, %exp_size : tensor<*xi1>, tensor<*xi32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>
}

// -----

// What is expanded is known, and a constant by then; the sizes are not.

// CHECK-LABEL: func.func @known_expanded
// CHECK: %[[KNOWN:.*]] = onnx.Constant dense<[2, 3]> : tensor<2xi64>
// CHECK: "onnx.Expand"(%[[KNOWN]], %{{.*}}) {{.*}} -> tensor<?x2xi64>
func.func @known_expanded(%x: tensor<2x3xf32>, %y: tensor<?x2xf32> {onnx.dims = ["n", ""]}) -> tensor<*xi64> {
  %shape = "onnx.Shape"(%x) : (tensor<2x3xf32>) -> tensor<*xi64>
  %sizes = "onnx.Shape"(%y) : (tensor<?x2xf32>) -> tensor<*xi64>
  %all = "onnx.Expand"(%shape, %sizes) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  return %all : tensor<*xi64>
}

// -----

// What sizes have to be for the shapes to hold: bounds of one of them, and what is left for a run to check.

// CHECK: #[[CONDITIONS:.*]] = affine_map<()[s0, s1, s2, s3] -> (s1 - s2, -s1 + s2)>
// CHECK-LABEL: func.func @conditions
// CHECK-SAME: attributes {onnx.dim_bounds = {n = array<i64: 3, 3>, w = array<i64: 4, 512>},
// CHECK-SAME: onnx.size_conditions = #[[CONDITIONS]]}
func.func @conditions(%x: tensor<?x4xf32> {onnx.dims = ["n", ""]}, %a: tensor<?xf32> {onnx.dims = ["a"]}, %b: tensor<?xf32> {onnx.dims = ["b"]},
                      %image: tensor<1x1x?xf32> {onnx.dims = ["", "", "w"]}) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %three = onnx.Constant dense<1.0> : tensor<3x4xf32>
  %0 = "onnx.Add"(%x, %three) : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  %1 = "onnx.Mul"(%b, %a) : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  %2 = "onnx.AveragePool"(%image) {kernel_shape = array<i64: 5>} : (tensor<1x1x?xf32>) -> tensor<*xf32>
  return %0, %1, %2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}
