// RUN: lathe-opt %s --split-input-file --import-unroll-control | FileCheck %s
// RUN: lathe-opt %s --split-input-file --import-unroll-control --import-infer-shapes | FileCheck %s --check-prefix=SHAPES
// RUN: lathe-opt %s --split-input-file --import-unroll-control=compute-both | FileCheck %s --check-prefix=BOTH

// Both branches of a few elementwise ops, and a choice.
// CHECK-LABEL: func.func @branches
// CHECK: %[[NO:.*]] = "onnx.Neg"(%arg1)
// CHECK: "onnx.Where"(%arg0, %{{.*}}, %{{.*}})
// CHECK-NOT: onnx.If
// SHAPES: return %{{.*}} : tensor<4xf32>
func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.Neg"(%x) : (tensor<4xf32>) -> tensor<4xf32>
    "onnx.Yield"(%1) : (tensor<4xf32>) -> ()
  }, {
    %1 = "onnx.Abs"(%x) : (tensor<4xf32>) -> tensor<4xf32>
    "onnx.Yield"(%1) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @known
// CHECK: "onnx.Abs"
// CHECK-NOT: onnx.Neg
// CHECK-NOT: onnx.Where
func.func @known(%x: tensor<4xf32>) -> tensor<*xf32> {
  %c = onnx.Constant dense<true> : tensor<i1>
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.Neg"(%x) : (tensor<4xf32>) -> tensor<4xf32>
    "onnx.Yield"(%1) : (tensor<4xf32>) -> ()
  }, {
    %1 = "onnx.Abs"(%x) : (tensor<4xf32>) -> tensor<4xf32>
    "onnx.Yield"(%1) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @loop
// CHECK-COUNT-3: "onnx.Add"
// CHECK-NOT: onnx.Add
// CHECK: "onnx.Concat"(%{{.*}}, %{{.*}}, %{{.*}}) <{axis = 0
// SHAPES: return %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<3x2xf32>
func.func @loop(%x: tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %trips = onnx.Constant dense<3> : tensor<i64>
  %0, %1 = "onnx.Loop"(%trips, %x) ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %state: tensor<2xf32>):
    %2 = "onnx.Add"(%state, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    "onnx.Yield"(%go, %2, %2) : (tensor<i1>, tensor<2xf32>, tensor<2xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<i64>, tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// -----

// Slices of the input come last first.
// CHECK-LABEL: func.func @scan
// CHECK: %[[LAST:.*]] = onnx.Constant dense<1>
// CHECK: "onnx.Gather"(%arg1, %[[LAST]])
// CHECK: "onnx.Add"
// CHECK: %[[FIRST:.*]] = onnx.Constant dense<0>
// CHECK: "onnx.Gather"(%arg1, %[[FIRST]])
// CHECK: "onnx.Add"
// SHAPES: return %{{.*}}, %{{.*}} : tensor<3xf32>, tensor<2x3xf32>
func.func @scan(%s: tensor<3xf32>, %x: tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0, %1 = "onnx.Scan"(%s, %x) <{num_scan_inputs = 1 : i64, scan_input_directions = array<i64: 1>}> ({
  ^bb0(%state: tensor<*xf32>, %slice: tensor<*xf32>):
    %2 = "onnx.Add"(%state, %slice) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    "onnx.Yield"(%2, %2) : (tensor<*xf32>, tensor<*xf32>) -> ()
  }) : (tensor<3xf32>, tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// -----

// How often it runs is only known at run time.
// CHECK-LABEL: func.func @open
// CHECK: onnx.Loop
func.func @open(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "onnx.Loop"(%n, %x) ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %state: tensor<2xf32>):
    %2 = "onnx.Add"(%state, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    "onnx.Yield"(%go, %2) : (tensor<i1>, tensor<2xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<i64>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// Branches of unlike sizes, and an If in a branch, whose condition is known once the outer one is gone.
// CHECK-LABEL: func.func @unlike
// CHECK: %[[NO:.*]] = "onnx.Squeeze"
// CHECK: "onnx.If"(%arg0, %[[NO]]) ({
// CHECK-NEXT: ^bb0(%[[CHOSEN:.*]]: tensor<*xf32>):
// CHECK-NEXT: onnx.Yield %[[CHOSEN]]
// CHECK-NEXT: }, {
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[NONE:.*]] = onnx.Constant dense<> : tensor<0xf32>
// CHECK-NEXT: onnx.Yield %[[NONE]]
// CHECK-NEXT: })
// CHECK-NOT: onnx.If
// SHAPES-LABEL: func.func @unlike
// SHAPES: return %{{.*}} : tensor<?xf32>
func.func @unlike(%c: tensor<i1>, %x: tensor<4x1xf32>) -> tensor<*xf32> {
  %0 = "onnx.If"(%c) ({
    %one = onnx.Constant dense<1> : tensor<1xi64>
    %size = "onnx.Shape"(%x) <{start = 1 : i64}> : (tensor<4x1xf32>) -> tensor<*xi64>
    %is_one = "onnx.Equal"(%size, %one) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi1>
    %1 = "onnx.If"(%is_one) ({
      %2 = "onnx.Identity"(%x) : (tensor<4x1xf32>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }, {
      %2 = "onnx.Squeeze"(%x, %one) : (tensor<4x1xf32>, tensor<1xi64>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }) : (tensor<*xi1>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %1 = onnx.Constant dense<> : tensor<0xf32>
    onnx.Yield %1 : tensor<0xf32>
  }) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Work stays in its branch, with constants of its own and the rest as arguments; the If in it, too.
// CHECK-LABEL: func.func @work
// CHECK-SAME: (%[[C:.*]]: tensor<i1>, %[[D:.*]]: tensor<i1>, %[[X:.*]]: tensor<4x4xf32>)
// CHECK: "onnx.If"(%[[C]], %[[X]], %[[D]]) ({
// CHECK-NEXT: ^bb0(%[[X1:.*]]: tensor<4x4xf32>, %{{.*}}: tensor<i1>):
// CHECK-NEXT: "onnx.MatMul"(%[[X1]], %[[X1]])
// CHECK: }, {
// CHECK-NEXT: ^bb0(%[[X2:.*]]: tensor<4x4xf32>, %[[D2:.*]]: tensor<i1>):
// CHECK-NEXT: "onnx.If"(%[[D2]], %[[X2]]) ({
// CHECK: "onnx.Softmax"
// CHECK: onnx.Constant
// CHECK-NEXT: "onnx.MatMul"
// SHAPES-LABEL: func.func @work
// SHAPES-SAME: -> tensor<4x4xf32>
// BOTH-LABEL: func.func @work
// BOTH-NOT: onnx.If
// BOTH: "onnx.Where"
// BOTH: "onnx.Where"
func.func @work(%c: tensor<i1>, %d: tensor<i1>, %x: tensor<4x4xf32>) -> tensor<*xf32> {
  %w = onnx.Constant dense<2.0> : tensor<4x4xf32>
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.MatMul"(%x, %x) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %1 = "onnx.If"(%d) ({
      %2 = "onnx.Softmax"(%x) <{axis = -1 : i64}> : (tensor<4x4xf32>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }, {
      %2 = "onnx.MatMul"(%x, %w) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<*xf32>
      onnx.Yield %2 : tensor<*xf32>
    }) : (tensor<i1>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
