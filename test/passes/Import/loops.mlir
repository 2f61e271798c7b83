// RUN: lathe-opt %s --split-input-file --import-unroll-control | FileCheck %s
// RUN: lathe-opt %s --split-input-file --import-unroll-control --import-infer-shapes | FileCheck %s --check-prefix=SHAPES

// A trip count that is known at run time only: the loop stays. Its body gets what it uses as arguments, and constants of its own.
// CHECK-LABEL: func.func @late
// CHECK-SAME: (%[[N:.*]]: tensor<i64>, %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>)
// CHECK: %[[R:.*]]:3 = "onnx.Loop"(%[[N]], %[[X]], %[[Y]])
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %[[GO:.*]]: tensor<i1>, %[[S:.*]]: tensor<*xf32>, %[[OWN:.*]]: tensor<4xf32>):
// CHECK: %[[TWO:.*]] = onnx.Constant dense<2.000000e+00> : tensor<f32>
// CHECK: %[[P:.*]] = "onnx.Mul"(%[[S]], %[[TWO]])
// CHECK: %[[T:.*]] = "onnx.Add"(%[[P]], %[[OWN]])
// CHECK: onnx.Yield %{{.*}}, %[[T]], %[[OWN]], %[[P]]
// CHECK: return %[[R]]#0, %[[R]]#2
// What is collected has a size that depends on data.
// SHAPES-LABEL: func.func @late
// SHAPES-SAME: -> (tensor<4xf32>, tensor<?x4xf32> {onnx.dims = ["steps", ""]})
// SHAPES: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>):
func.func @late(%n: tensor<i64>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %0:2 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %on = "onnx.Identity"(%go) : (tensor<i1>) -> tensor<*xi1>
    %1 = "onnx.Mul"(%s, %two) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
    %2 = "onnx.Add"(%1, %y) : (tensor<*xf32>, tensor<4xf32>) -> tensor<*xf32>
    onnx.Yield %on, %2, %1 : tensor<*xi1>, tensor<*xf32>, tensor<*xf32>
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) loc("steps")
  return %0#0, %0#1 : tensor<*xf32>, tensor<*xf32>
}

// -----

// More iterations than are worth unrolling: the size of what is collected is known.
// CHECK-LABEL: func.func @many
// CHECK: "onnx.Loop"
// SHAPES-LABEL: func.func @many
// SHAPES-SAME: -> tensor<600x4xf32>
func.func @many(%x: tensor<4xf32>) -> tensor<*xf32> {
  %n = onnx.Constant dense<600> : tensor<i64>
  %0:2 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %1 = "onnx.Neg"(%s) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %go, %1, %s : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0#1 : tensor<*xf32>
}

// -----

// What is carried grows: only unrolled there is a shape for it.
// CHECK-LABEL: func.func @grows
// CHECK-NOT: onnx.Loop
// SHAPES-LABEL: func.func @grows
// SHAPES-SAME: -> tensor<401xf32>
func.func @grows(%x: tensor<1xf32>) -> tensor<*xf32> {
  %n = onnx.Constant dense<400> : tensor<i64>
  %0 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %1 = "onnx.Neg"(%x) : (tensor<1xf32>) -> tensor<*xf32>
    %2 = "onnx.Concat"(%s, %1) <{axis = 0 : i64}> : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %go, %2 : tensor<i1>, tensor<*xf32>
  }) : (tensor<i64>, tensor<1xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// A branch in the body of a loop that stays.
// CHECK-LABEL: func.func @branch
// CHECK: "onnx.Loop"
// CHECK-NOT: onnx.If
// CHECK: "onnx.Where"
// SHAPES-LABEL: func.func @branch
func.func @branch(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  %0 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %1 = "onnx.If"(%c) ({
      %2 = "onnx.Neg"(%s) : (tensor<*xf32>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }, {
      %2 = "onnx.Abs"(%s) : (tensor<*xf32>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }) : (tensor<i1>) -> tensor<*xf32>
    onnx.Yield %go, %1 : tensor<i1>, tensor<*xf32>
  }) : (tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
