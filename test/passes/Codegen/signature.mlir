// RUN: lathe-opt %s -split-input-file -codegen-signature -verify-diagnostics | FileCheck %s

// CHECK: module attributes
// CHECK-SAME: lathe.dims = [{lower = 1 : i64, name = "n", upper = 64 : i64}]
// CHECK-SAME: lathe.inputs = [{dims = "n, 4", dtype = 1 : i32, name = "x", shape = array<i64: -1, 4>}]
// CHECK-SAME: lathe.outputs = [{dims = "?", dtype = 2 : i32, name = "y", shape = array<i64: -1>}]
// CHECK: func.func private @output_sizes(%[[N:.*]]: index) -> index
// CHECK: %[[SIZE:.*]] = affine.apply #{{.*}}()[%[[N]]]
// CHECK-NEXT: return %[[SIZE]]
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", ""]}) -> (tensor<?xi8> {onnx.name = "y", onnx.unsigned})
    attributes {onnx.dim_bounds = {n = array<i64: 1, 64>}} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i8
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %size = affine.apply affine_map<()[s] -> (s + 3)>()[%n]
  %empty = tensor.empty(%size) : tensor<?xi8>
  %y = linalg.fill ins(%zero : i8) outs(%empty : tensor<?xi8>) -> tensor<?xi8>
  return %y : tensor<?xi8>
}

// -----

// A size that depends on data is -2, and has a bound; what a run tells is a result of its own, the status behind it.
// CHECK: lathe.outputs = [{dims = "kept <= 256, 2", dtype = 1 : i32, name = "y", shape = array<i64: -2, 2>}
// CHECK-SAME: {dims = "? <= 7", dtype = 1 : i32, name = "z", shape = array<i64: -2>}]
// CHECK: func.func @main({{.*}}) -> (tensor<?x2xf32> {onnx.dims = ["kept", ""], onnx.name = "y"}, tensor<?xf32> {onnx.name = "z"}, tensor<4xi64>)
// CHECK: %[[SIZE:.*]] = arith.minsi
// CHECK: %[[TOLD:.*]] = arith.index_cast %[[SIZE]] : index to i64
// CHECK: tensor.from_elements %[[TOLD]], %{{.*}}, %{{.*}}, %{{.*}} : tensor<4xi64>
// CHECK: func.func private @output_sizes(%[[N:.*]]: index) -> (index, index)
// CHECK: %[[MOST:.*]] = affine.apply #{{.*}}()[%[[N]]]
// CHECK: return %[[MOST]], %c7
func.func @main(%x: tensor<?xi64> {onnx.name = "x", onnx.dims = ["n"]})
    -> (tensor<?x2xf32> {onnx.name = "y", onnx.dims = ["kept", ""]}, tensor<?xf32> {onnx.name = "z"}, tensor<1xi64> {lathe.status})
    attributes {onnx.dim_bounds = {n = array<i64: 1, 64>}} {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %status = arith.constant dense<0> : tensor<1xi64>
  %n = tensor.dim %x, %c0 : tensor<?xi64>
  %most = affine.apply affine_map<()[s] -> (s * 4)>()[%n]
  %e = tensor.extract %x[%c0] : tensor<?xi64>
  %i = arith.index_cast %e : i64 to index
  %kept = arith.minsi %i, %most : index
  %y = tensor.empty(%kept) : tensor<?x2xf32>
  %few = arith.minsi %i, %c3 : index
  %more = affine.apply affine_map<()[s] -> (s * 2 + 1)>()[%few]
  %z = tensor.empty(%more) : tensor<?xf32>
  return %y, %z, %status : tensor<?x2xf32>, tensor<?xf32>, tensor<1xi64>
}

// -----

func.func @main(%x: tensor<4xi64>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %e = tensor.extract %x[%c0] : tensor<4xi64>
  %n = arith.index_cast %e : i64 to index
  %empty = tensor.empty(%n) : tensor<?xf32>
  // expected-error@+1 {{expected results of bounded size, but got one whose size depends on data}}
  return %empty : tensor<?xf32>
}

// -----

// expected-error@+1 {{expected argument 0 to be a tensor of an ONNX type, but got 'f32'}}
func.func @main(%x: f32) {
  return
}

// -----

// Sizes of what nested loops insert elements into are those of the tensor they begin with.
// CHECK: func.func private @output_sizes(%[[N:.*]]: index, %[[M:.*]]: index) -> (index, index)
// CHECK: return %[[N]], %[[M]]
func.func @main(%x: tensor<?x?xf32> {onnx.name = "x", onnx.dims = ["n", "m"]}) -> (tensor<?x?xf32> {onnx.name = "y"})
    attributes {onnx.dim_bounds = {n = array<i64: 1, 64>, m = array<i64: 1, 64>}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x?xf32>
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (tensor<?x?xf32>) {
    %b = scf.for %j = %c0 to %n step %c1 iter_args(%c = %a) -> (tensor<?x?xf32>) {
      %d = tensor.insert %zero into %c[%i, %j] : tensor<?x?xf32>
      scf.yield %d : tensor<?x?xf32>
    }
    scf.yield %b : tensor<?x?xf32>
  }
  return %y : tensor<?x?xf32>
}

// -----

// An operand that fixes one size leaves the others.
// CHECK: func.func private @output_sizes(%[[N:.*]]: index, %{{.*}}: index) -> index
// CHECK: return %[[N]]
func.func @main(%x: tensor<?x?xf32> {onnx.name = "x", onnx.dims = ["n", "m"]}) -> (tensor<?x5xf32> {onnx.name = "y"})
    attributes {onnx.dim_bounds = {n = array<i64: 1, 64>, m = array<i64: 1, 64>}} {
  %y = tensor.cast %x : tensor<?x?xf32> to tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}
