// RUN: lathe-opt %s --split-input-file --import-unroll-control | FileCheck %s

// What is taken out of a sequence is what was put into it.
// CHECK-LABEL: func.func @list
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<2xf32>)
// CHECK-NOT: onnx.Sequence
// CHECK: %[[LENGTH:.*]] = onnx.Constant dense<2> : tensor<i64>
// CHECK: return %[[Y]], %[[LENGTH]]
func.func @list(%x: tensor<4xf32>, %y: tensor<2xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  %first = onnx.Constant dense<0> : tensor<i64>
  %last = onnx.Constant dense<-1> : tensor<i64>
  %0 = "onnx.SequenceEmpty"() : () -> !onnx.sequence<f32>
  %1 = "onnx.SequenceInsert"(%0, %x) : (!onnx.sequence<f32>, tensor<4xf32>) -> !onnx.sequence<f32>
  %2 = "onnx.SequenceInsert"(%1, %y, %first) : (!onnx.sequence<f32>, tensor<2xf32>, tensor<i64>) -> !onnx.sequence<f32>
  %3 = "onnx.SequenceInsert"(%2, %x, %first) : (!onnx.sequence<f32>, tensor<4xf32>, tensor<i64>) -> !onnx.sequence<f32>
  %4 = "onnx.SequenceErase"(%3, %last) : (!onnx.sequence<f32>, tensor<i64>) -> !onnx.sequence<f32>
  %5 = "onnx.Identity"(%4) : (!onnx.sequence<f32>) -> !onnx.sequence<f32>
  %6 = "onnx.SequenceAt"(%5, %last) : (!onnx.sequence<f32>, tensor<i64>) -> tensor<*xf32>
  %7 = "onnx.SequenceLength"(%5) : (!onnx.sequence<f32>) -> tensor<*xi64>
  return %6, %7 : tensor<*xf32>, tensor<*xi64>
}

// -----

// A position that is known late, among tensors of one shape.
// CHECK-LABEL: func.func @late
// CHECK: %[[ALL:.*]] = "onnx.Concat"
// CHECK: "onnx.Gather"(%[[ALL]], %{{.*}}) <{axis = 0 : i64}>
func.func @late(%x: tensor<4xf32>, %y: tensor<4xf32>, %i: tensor<i64>) -> tensor<*xf32> {
  %0 = "onnx.SequenceConstruct"(%x, %y) : (tensor<4xf32>, tensor<4xf32>) -> !onnx.sequence<f32>
  %1 = "onnx.SequenceAt"(%0, %i) : (!onnx.sequence<f32>, tensor<i64>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @late_erase
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<i64>)
// CHECK: %[[PLACE:.*]] = "onnx.Where"
// CHECK: %[[STAYS:.*]] = "onnx.Less"(%{{.*}}, %[[PLACE]])
// CHECK: "onnx.Where"(%[[STAYS]], %[[X]], %[[Y]])
func.func @late_erase(%x: tensor<4xf32>, %y: tensor<4xf32>, %i: tensor<i64>) -> tensor<*xf32> {
  %first = onnx.Constant dense<0> : tensor<i64>
  %0 = "onnx.SequenceConstruct"(%x, %y) : (tensor<4xf32>, tensor<4xf32>) -> !onnx.sequence<f32>
  %1 = "onnx.SequenceErase"(%0, %i) : (!onnx.sequence<f32>, tensor<i64>) -> !onnx.sequence<f32>
  %2 = "onnx.SequenceAt"(%1, %first) : (!onnx.sequence<f32>, tensor<i64>) -> tensor<*xf32>
  return %2 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @split
// CHECK: %[[SIZES:.*]] = onnx.Constant dense<[2, 2, 1]> : tensor<3xi64>
// CHECK: %[[PARTS:.*]]:3 = "onnx.Split"(%arg0, %[[SIZES]])
// CHECK: "onnx.Concat"(%[[PARTS]]#0, %[[PARTS]]#1, %[[PARTS]]#2)
func.func @split(%x: tensor<5x3xf32>) -> tensor<*xf32> {
  %size = onnx.Constant dense<2> : tensor<i64>
  %0 = "onnx.SplitToSequence"(%x, %size) : (tensor<5x3xf32>, tensor<i64>) -> !onnx.sequence<f32>
  %1 = "onnx.ConcatFromSequence"(%0) {axis = 0 : i64} : (!onnx.sequence<f32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// A sequence that is returned is a result for each element.
// CHECK-LABEL: func.func @map
// CHECK-SAME: -> (tensor<*xf32> {onnx.name = "y_0"}, tensor<*xf32> {onnx.name = "y_1"})
// CHECK: %[[A:.*]] = "onnx.Add"(%arg0, %arg2)
// CHECK: %[[B:.*]] = "onnx.Add"(%arg1, %arg2)
// CHECK: return %[[A]], %[[B]]
func.func @map(%x: tensor<4xf32>, %y: tensor<2xf32>, %z: tensor<1xf32>) -> (!onnx.sequence<f32> {onnx.name = "y"}) {
  %0 = "onnx.SequenceConstruct"(%x, %y) : (tensor<4xf32>, tensor<2xf32>) -> !onnx.sequence<f32>
  %1 = "onnx.SequenceMap"(%0, %z) ({
  ^bb0(%a: tensor<*xf32>, %b: tensor<*xf32>):
    %2 = "onnx.Add"(%a, %b) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %2 : tensor<*xf32>
  }) : (!onnx.sequence<f32>, tensor<1xf32>) -> !onnx.sequence<f32>
  return %1 : !onnx.sequence<f32>
}

// -----

// A loop that appends.
// CHECK-LABEL: func.func @loop
// CHECK: "onnx.Concat"(%arg0, %arg0, %arg0)
func.func @loop(%x: tensor<4xf32>) -> tensor<*xf32> {
  %count = onnx.Constant dense<3> : tensor<i64>
  %0 = "onnx.SequenceEmpty"() : () -> !onnx.sequence<f32>
  %1 = "onnx.Loop"(%count, %0) ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %list: !onnx.sequence<f32>):
    %2 = "onnx.SequenceInsert"(%list, %x) : (!onnx.sequence<f32>, tensor<4xf32>) -> !onnx.sequence<f32>
    onnx.Yield %c, %2 : tensor<i1>, !onnx.sequence<f32>
  }) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<i64>, !onnx.sequence<f32>) -> !onnx.sequence<f32>
  %3 = "onnx.ConcatFromSequence"(%1) {axis = 0 : i64} : (!onnx.sequence<f32>) -> tensor<*xf32>
  return %3 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @optional
// CHECK: %[[YES:.*]] = onnx.Constant dense<true> : tensor<i1>
// CHECK: %[[EMPTY:.*]] = onnx.Constant dense<false> : tensor<i1>
// CHECK: %[[NO:.*]] = onnx.Constant dense<false> : tensor<i1>
// CHECK: return %arg0, %[[YES]], %[[EMPTY]], %[[NO]]
func.func @optional(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<i1>, tensor<i1>, tensor<i1>) {
  %0 = "onnx.Optional"(%x) : (tensor<4xf32>) -> !onnx.optional<f32>
  %1 = "onnx.OptionalGetElement"(%0) : (!onnx.optional<f32>) -> tensor<*xf32>
  %2 = "onnx.OptionalHasElement"(%1) : (tensor<*xf32>) -> tensor<i1>
  %3 = "onnx.Optional"() {type = tensor<4xf32>} : () -> !onnx.optional<f32>
  %4 = "onnx.OptionalHasElement"(%3) : (!onnx.optional<f32>) -> tensor<i1>
  %5 = "onnx.OptionalHasElement"() : () -> tensor<i1>
  return %1, %2, %4, %5 : tensor<*xf32>, tensor<i1>, tensor<i1>, tensor<i1>
}

// -----

// Of two sequences, each element is chosen.
// CHECK-LABEL: func.func @branches
// CHECK: %[[A:.*]] = "onnx.Where"(%arg0, %arg1, %arg2)
// CHECK: %[[B:.*]] = "onnx.Where"(%arg0, %arg2, %arg1)
// CHECK: return %[[A]], %[[B]]
func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> !onnx.sequence<f32> {
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.SequenceConstruct"(%y, %x) : (tensor<4xf32>, tensor<4xf32>) -> !onnx.sequence<f32>
    onnx.Yield %1 : !onnx.sequence<f32>
  }, {
    %1 = "onnx.SequenceConstruct"(%x, %y) : (tensor<4xf32>, tensor<4xf32>) -> !onnx.sequence<f32>
    onnx.Yield %1 : !onnx.sequence<f32>
  }) : (tensor<i1>) -> !onnx.sequence<f32>
  return %0 : !onnx.sequence<f32>
}
