// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(import-specialize-dims{dims=batch=1,seq=1..64},import-infer-shapes))' | FileCheck %s
// RUN: not lathe-opt %s --pass-pipeline='builtin.module(func.func(import-specialize-dims{dims=heads=1}))' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not lathe-opt %s --pass-pipeline='builtin.module(func.func(import-specialize-dims{dims=batch=many}))' 2>&1 | FileCheck %s --check-prefix=BAD

// UNKNOWN: error: expected a symbolic dimension of the model, but got `heads`; the model has batch, seq
// BAD: error: expected NAME=SIZE or NAME=LOWER..UPPER for a dimension, but got `batch=many`

// CHECK: func.func @main(%{{.*}}: tensor<1x?x8xf32> {onnx.dims = ["", "seq", ""]}) -> (tensor<1x?x8xf32> {onnx.dims = ["", "seq", ""]})
// CHECK-SAME: onnx.dim_bounds = {seq = array<i64: 1, 64>}
func.func @main(%x: tensor<?x?x8xf32> {onnx.dims = ["batch", "seq", ""]}) -> tensor<*xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<?x?x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
