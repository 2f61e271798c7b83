// RUN: lathe-opt %s --split-input-file --lower-onnx-to-linalg --canonicalize | FileCheck %s

// A trip count of the data: parts are inserted in their place, and a run with more than there is room for is refused.
// CHECK-LABEL: func.func @counted
// CHECK: tensor.extract
// CHECK: %[[GOOD:.*]] = arith.cmpi ule, %{{.*}}, %c512
// CHECK: %[[SIZE:.*]] = arith.minsi %{{.*}}, %c512
// CHECK: %[[ALL:.*]] = tensor.empty(%[[SIZE]]) : tensor<?x4xf32>
// CHECK: %[[LOOP:.*]]:2 = scf.for %[[I:.*]] = %c0 to %[[SIZE]] step %c1 iter_args(%[[S:.*]] = %{{.*}}, %[[PARTS:.*]] = %[[ALL]])
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[S]] : tensor<4xf32>)
// CHECK: %[[MORE:.*]] = tensor.insert_slice %[[S]] into %[[PARTS]][%[[I]], 0] [1, 4] [1, 1]
// CHECK: scf.yield %[[NEXT]], %[[MORE]]
// CHECK: arith.select %[[GOOD]]
// CHECK: return %[[LOOP]]#0, %[[LOOP]]#1
func.func @counted(%n: tensor<i64>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  %0:2 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<4xf32>):
    %1 = "onnx.Neg"(%s) : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield %go, %1, %s : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>)
  return %0#0, %0#1 : tensor<4xf32>, tensor<?x4xf32>
}

// -----

// A condition that the body computes.
// CHECK-LABEL: func.func @until
// CHECK: %[[LOOP:.*]]:3 = scf.while (%[[I:.*]] = %c0, %[[GO:.*]] = %true, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK: %[[LEFT:.*]] = arith.cmpi slt, %[[I]], %c8
// CHECK: %[[NEXT:.*]] = arith.andi %[[LEFT]], %[[GO]]
// CHECK: scf.condition(%[[NEXT]])
// CHECK: } do {
// CHECK: arith.addi
// CHECK: tensor.extract
// CHECK: tensor.insert_slice
// CHECK: scf.yield
// CHECK: %[[COUNT:.*]] = arith.minsi %[[LOOP]]#0, %c8
// CHECK: tensor.extract_slice %[[LOOP]]#2[0, 0] [%[[COUNT]], 1] [1, 1]
func.func @until(%x: tensor<1xf32>) -> tensor<?x1xf32> {
  %n = onnx.Constant dense<8> : tensor<i64>
  %0:2 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<1xf32>):
    %1 = "onnx.Add"(%s, %s) : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
    %ten = onnx.Constant dense<10.0> : tensor<f32>
    %2 = "onnx.Less"(%1, %ten) : (tensor<1xf32>, tensor<f32>) -> tensor<1xi1>
    onnx.Yield %2, %1, %1 : tensor<1xi1>, tensor<1xf32>, tensor<1xf32>
  }) : (tensor<i64>, tensor<1xf32>) -> (tensor<1xf32>, tensor<?x1xf32>)
  return %0#1 : tensor<?x1xf32>
}

// -----

// What the body requires of the data is carried, and asked once.
// CHECK-LABEL: func.func @refuses
// CHECK: %[[LOOP:.*]]:2 = scf.for {{.*}} iter_args(%{{.*}} = %arg1, %[[GOOD:.*]] = %true)
// CHECK: %[[FITS:.*]] = arith.cmpi ule, %{{.*}}, %c512
// CHECK: %[[ALL:.*]] = arith.andi %[[GOOD]], %[[FITS]]
// CHECK: scf.yield %{{.*}}, %[[ALL]]
// CHECK: arith.select %[[LOOP]]#1, %c0_i64
func.func @refuses(%n: tensor<i64>, %x: tensor<4xf32>, %k: tensor<1xi64>) -> tensor<4xf32> {
  %0:2 = "onnx.Loop"(%n, %x, %k) <{operandSegmentSizes = array<i32: 1, 0, 2>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<4xf32>, %size: tensor<1xi64>):
    %1 = "onnx.ConstantOfShape"(%size) : (tensor<1xi64>) -> tensor<?xf32>
    %2 = "onnx.ReduceSum"(%1) <{keepdims = 1 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<?xf32>) -> tensor<1xf32>
    %3 = "onnx.Add"(%s, %2) : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    onnx.Yield %go, %3, %size : tensor<i1>, tensor<4xf32>, tensor<1xi64>
  }) : (tensor<i64>, tensor<4xf32>, tensor<1xi64>) -> (tensor<4xf32>, tensor<1xi64>)
  return %0#0 : tensor<4xf32>
}

// -----

// One of two loops runs, with at most one iteration. They carry the result, its size and whether the taken branch refuses.
// CHECK-LABEL: func.func @branches
// CHECK: %[[WHICH:.*]] = tensor.extract %arg0[]
// CHECK: %[[TAKEN:.*]] = arith.select %[[WHICH]], %c1, %c0
// CHECK: %[[ALL:.*]] = tensor.empty() : tensor<512xf32>
// CHECK: %[[YES:.*]]:3 = scf.for %{{.*}} = %c0 to %[[TAKEN]] step %c1 iter_args(%[[INTO:.*]] = %[[ALL]], %{{.*}} = %c0, %[[GOOD:.*]] = %true)
// CHECK: %[[FITS:.*]] = arith.cmpi ule, %{{.*}}, %c512
// CHECK: %[[SIZE:.*]] = arith.minsi %{{.*}}, %c512
// CHECK: linalg.fill
// CHECK: %[[MADE:.*]] = tensor.insert_slice %{{.*}} into %[[INTO]][0] [%[[SIZE]]] [1]
// CHECK: %[[STATUS:.*]] = arith.andi %[[GOOD]], %[[FITS]]
// CHECK: scf.yield %[[MADE]], %[[SIZE]], %[[STATUS]]
// CHECK: %[[NO:.*]]:2 = scf.for %{{.*}} = %[[TAKEN]] to %c1 step %c1 iter_args(%{{.*}} = %[[YES]]#0, %{{.*}} = %[[YES]]#1)
// CHECK: linalg.generic
// CHECK: scf.yield %{{.*}}, %c4
// CHECK: %[[HELD:.*]] = arith.minsi %[[NO]]#1, %c512
// CHECK: tensor.extract_slice %[[NO]]#0[0] [%[[HELD]]] [1]
// CHECK: arith.select %[[YES]]#2, %c0_i64
func.func @branches(%c: tensor<i1>, %k: tensor<1xi64>, %x: tensor<4xf32>) -> tensor<?xf32> {
  %0 = "onnx.If"(%c, %k, %x) ({
  ^bb0(%k1: tensor<1xi64>, %x1: tensor<4xf32>):
    %1 = "onnx.Exp"(%x1) : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield %1 : tensor<4xf32>
  }, {
  ^bb0(%k1: tensor<1xi64>, %x1: tensor<4xf32>):
    %1 = "onnx.ConstantOfShape"(%k1) : (tensor<1xi64>) -> tensor<?xf32>
    onnx.Yield %1 : tensor<?xf32>
  }) : (tensor<i1>, tensor<1xi64>, tensor<4xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
