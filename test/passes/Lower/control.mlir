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

// The size of what is chosen, within the bound; only that one is read.
// CHECK-LABEL: func.func @choice
// CHECK: %[[FOUND:.*]] = arith.minsi %{{.*}}#1, %c6
// CHECK: %[[WHICH:.*]] = tensor.extract %arg0[]
// CHECK: %[[SIZE:.*]] = arith.select %[[WHICH]], %c0, %[[FOUND]]
// CHECK: %[[HELD:.*]] = arith.minsi %[[SIZE]], %[[FOUND]]
// CHECK: %[[ALL:.*]] = tensor.empty(%[[HELD]]) : tensor<?x4xf32>
// CHECK: linalg.generic {{.*}} outs(%[[ALL]]
// CHECK: scf.if %[[WHICH]]
// CHECK: tensor.extract %{{.*}} : tensor<0x4xf32>
// CHECK: else
// CHECK: tensor.extract %{{.*}} : tensor<?x4xf32>
func.func @choice(%c: tensor<i1>, %x: tensor<6x4xf32>, %keep: tensor<6xi1>) -> tensor<?x4xf32> {
  %none = onnx.Constant dense<> : tensor<0x4xf32>
  %rows = "onnx.Compress"(%x, %keep) <{axis = 0 : i64}> : (tensor<6x4xf32>, tensor<6xi1>) -> tensor<?x4xf32>
  %0 = "onnx.If"(%c) ({
    onnx.Yield %rows : tensor<?x4xf32>
  }, {
    onnx.Yield %none : tensor<0x4xf32>
  }) : (tensor<i1>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
