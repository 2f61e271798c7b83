// RUN: lathe-opt %s -split-input-file -lower-onnx-to-linalg -verify-diagnostics | FileCheck %s

// One product for all steps; the state is updated in place, steps run backwards.
// CHECK-LABEL: func @gru
// CHECK: nn.linear %arg0, {{.*}} outs({{.*}})
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%[[H:.*]] = {{.*}}, %[[Y:.*]] = {{.*}})
// CHECK: %[[T:.*]] = arith.subi %{{.*}}, %[[I]]
// CHECK: nn.linear %[[H]], {{.*}} outs
// CHECK: linalg.generic {{.*}} outs(%[[H]] : tensor<?x8xf32>)
// CHECK: math.tanh
// CHECK: tensor.insert_slice {{.*}} into %[[Y]][%[[T]], 0, 0, 0]
func.func @gru(%x: tensor<32x?x4xf32>, %w: tensor<1x24x4xf32>, %r: tensor<1x24x8xf32>, %b: tensor<1x48xf32>) -> tensor<32x1x?x8xf32> {
  %0 = "onnx.GRU"(%x, %w, %r, %b) {direction = "reverse", hidden_size = 8 : i64, linear_before_reset = 1 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<32x?x4xf32>, tensor<1x24x4xf32>, tensor<1x24x8xf32>, tensor<1x48xf32>) -> tensor<32x1x?x8xf32>
  return %0 : tensor<32x1x?x8xf32>
}

// -----

// CHECK-LABEL: func @lstm
// CHECK: scf.for
// CHECK: %[[STATES:.*]]:2 = linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<2x8xf32>, tensor<2x8xf32>)
// CHECK: scf.yield %[[STATES]]#0, %[[STATES]]#1
func.func @lstm(%x: tensor<5x2x4xf32>, %w: tensor<1x32x4xf32>, %r: tensor<1x32x8xf32>) -> tensor<1x2x8xf32> {
  %0 = "onnx.LSTM"(%x, %w, %r) {hidden_size = 8 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 1, 0>}
      : (tensor<5x2x4xf32>, tensor<1x32x4xf32>, tensor<1x32x8xf32>) -> tensor<1x2x8xf32>
  return %0 : tensor<1x2x8xf32>
}

// -----

// What activations see is held within the bound; their parameters come from the lists.
// CHECK-LABEL: func @clip
// CHECK: %[[HIGH:.*]] = arith.minimumf %{{.*}}, %{{.*}} : f32
// CHECK: %[[HELD:.*]] = arith.maximumf %[[HIGH]], %{{.*}} : f32
// CHECK: %[[ALPHA:.*]] = arith.constant 2.500000e-01 : f32
// CHECK: arith.mulf %[[HELD]], %[[ALPHA]] : f32
func.func @clip(%x: tensor<5x2x4xf32>, %w: tensor<1x8x4xf32>, %r: tensor<1x8x8xf32>) -> tensor<1x2x8xf32> {
  %0 = "onnx.RNN"(%x, %w, %r) {clip = 1.0 : f32, hidden_size = 8 : i64, activations = ["LeakyRelu"],
      activation_alpha = array<f32: 0.25>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 1>}
      : (tensor<5x2x4xf32>, tensor<1x8x4xf32>, tensor<1x8x8xf32>) -> tensor<1x2x8xf32>
  return %0 : tensor<1x2x8xf32>
}

// -----

func.func @unknown(%x: tensor<5x2x4xf32>, %w: tensor<1x8x4xf32>, %r: tensor<1x8x8xf32>) -> tensor<1x2x8xf32> {
  // expected-error @+1 {{with activation 'Gelu' is not supported}}
  %0 = "onnx.RNN"(%x, %w, %r) {hidden_size = 8 : i64, activations = ["Gelu"],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 1>}
      : (tensor<5x2x4xf32>, tensor<1x8x4xf32>, tensor<1x8x8xf32>) -> tensor<1x2x8xf32>
  return %0 : tensor<1x2x8xf32>
}

// -----

// A sequence that is over keeps its state and gives zeros.
// CHECK-LABEL: func @lengths
// CHECK: scf.for %[[TIME:.*]] = {{.*}} iter_args(%[[STATE:.*]] = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK: %[[NOW:.*]] = linalg.generic {{.*}} outs(%[[STATE]]
// CHECK: %[[SEEN:.*]] = linalg.generic {{.*}} ins(%arg3, %[[NOW]] : tensor<2xi32>, tensor<2x8xf32>)
// CHECK: arith.cmpi slt, %[[TIME]], %{{.*}} : index
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%arg3, %[[NOW]], %[[STATE]]
// CHECK: %[[ALL:.*]] = tensor.insert_slice %[[SEEN]]
// CHECK: scf.yield %[[NEXT]], %[[ALL]]
func.func @lengths(%x: tensor<5x2x4xf32>, %w: tensor<1x8x4xf32>, %r: tensor<1x8x8xf32>, %n: tensor<2xi32>) -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>) {
  %0, %1 = "onnx.RNN"(%x, %w, %r, %n) {hidden_size = 8 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0>, resultSegmentSizes = array<i32: 1, 1>}
      : (tensor<5x2x4xf32>, tensor<1x8x4xf32>, tensor<1x8x8xf32>, tensor<2xi32>) -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>)
  return %0, %1 : tensor<5x1x2x8xf32>, tensor<1x2x8xf32>
}
