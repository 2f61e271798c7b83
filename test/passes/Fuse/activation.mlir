// RUN: lathe-opt %s -fuse-activation | FileCheck %s
// RUN: lathe-opt %s -fuse-activation --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func @gelu
func.func @gelu(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %sqrt2 = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  // CHECK: %[[Y:.*]] = "onnx.Gelu"(%arg0) <{approximate = "none"}>
  // CHECK-NEXT: return %[[Y]]
  %0 = "onnx.Div"(%x, %sqrt2) : (tensor<?x16xf32>, tensor<f32>) -> tensor<?x16xf32>
  %1 = "onnx.Erf"(%0) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %2 = "onnx.Add"(%1, %one) : (tensor<?x16xf32>, tensor<f32>) -> tensor<?x16xf32>
  %3 = "onnx.Mul"(%x, %2) : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  %4 = "onnx.Mul"(%3, %half) : (tensor<?x16xf32>, tensor<f32>) -> tensor<?x16xf32>
  return %4 : tensor<?x16xf32>
}

// The other order: 0.5 * x first, and a product instead of the quotient.
// CHECK-LABEL: func @gelu_half_first
func.func @gelu_half_first(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %c = onnx.Constant dense<0.707106769> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  // CHECK: "onnx.Gelu"(%arg0) <{approximate = "none"}>
  %0 = "onnx.Mul"(%c, %x) : (tensor<f32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %1 = "onnx.Erf"(%0) : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %2 = "onnx.Add"(%one, %1) : (tensor<f32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %3 = "onnx.Mul"(%half, %x) : (tensor<f32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %4 = "onnx.Mul"(%3, %2) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  return %4 : tensor<4x16xf32>
}

// CHECK-LABEL: func @gelu_tanh
func.func @gelu_tanh(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %cubic = onnx.Constant dense<0.044715> : tensor<f32>
  %root = onnx.Constant dense<0.797884583> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  // CHECK: "onnx.Gelu"(%arg0) <{approximate = "tanh"}>
  %0 = "onnx.Pow"(%x, %three) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %1 = "onnx.Mul"(%0, %cubic) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %2 = "onnx.Add"(%x, %1) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %3 = "onnx.Mul"(%2, %root) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %4 = "onnx.Tanh"(%3) : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %5 = "onnx.Add"(%4, %one) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %6 = "onnx.Mul"(%x, %5) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %7 = "onnx.Mul"(%6, %half) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  return %7 : tensor<4x16xf32>
}

// CHECK-LABEL: func @hard_swish
func.func @hard_swish(%x: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %six = onnx.Constant dense<6.0> : tensor<f32>
  // CHECK-DAG: %[[A:.*]] = "onnx.HardSwish"(%arg0)
  // CHECK-DAG: %[[B:.*]] = "onnx.HardSwish"(%arg0)
  // CHECK: return %[[A]], %[[B]]
  %0 = "onnx.HardSigmoid"(%x) {alpha = 0.166666672 : f32} : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %1 = "onnx.Mul"(%0, %x) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %2 = "onnx.Add"(%x, %three) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %3 = "onnx.Clip"(%2, %zero, %six) {operandSegmentSizes = array<i32: 1, 1, 1>} : (tensor<4x16xf32>, tensor<f32>, tensor<f32>) -> tensor<4x16xf32>
  %4 = "onnx.Mul"(%x, %3) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %5 = "onnx.Div"(%4, %six) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  return %1, %5 : tensor<4x16xf32>, tensor<4x16xf32>
}

// The slope of HardSigmoid's default is 0.2, not 1/6; erf of another scale is no GELU.
// REMARK: remark: [Missed] Activation
// REMARK-SAME: erf is not part of a GELU
// CHECK-LABEL: func @near_misses
func.func @near_misses(%x: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  // CHECK-NOT: HardSwish
  // CHECK-NOT: Gelu
  // CHECK: return
  %0 = "onnx.HardSigmoid"(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %1 = "onnx.Mul"(%0, %x) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %2 = "onnx.Erf"(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %3 = "onnx.Add"(%2, %one) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  %4 = "onnx.Mul"(%x, %3) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %5 = "onnx.Mul"(%4, %half) : (tensor<4x16xf32>, tensor<f32>) -> tensor<4x16xf32>
  return %1, %5 : tensor<4x16xf32>, tensor<4x16xf32>
}

// REMARK: remark: [Missed] Activation
// REMARK-SAME: erf is not on f32
// CHECK-LABEL: func @half_floats
func.func @half_floats(%x: tensor<4x16xf16>) -> tensor<4x16xf16> {
  %sqrt2 = onnx.Constant dense<1.41421354> : tensor<f16>
  %one = onnx.Constant dense<1.0> : tensor<f16>
  %half = onnx.Constant dense<0.5> : tensor<f16>
  // CHECK-NOT: Gelu
  // CHECK: return
  %0 = "onnx.Div"(%x, %sqrt2) : (tensor<4x16xf16>, tensor<f16>) -> tensor<4x16xf16>
  %1 = "onnx.Erf"(%0) : (tensor<4x16xf16>) -> tensor<4x16xf16>
  %2 = "onnx.Add"(%1, %one) : (tensor<4x16xf16>, tensor<f16>) -> tensor<4x16xf16>
  %3 = "onnx.Mul"(%x, %2) : (tensor<4x16xf16>, tensor<4x16xf16>) -> tensor<4x16xf16>
  %4 = "onnx.Mul"(%3, %half) : (tensor<4x16xf16>, tensor<f16>) -> tensor<4x16xf16>
  return %4 : tensor<4x16xf16>
}
