// RUN: lathe-opt %s -split-input-file -codegen-bufferize -canonicalize -cse -canonicalize | FileCheck %s

// The kernel writes the output itself; inputs keep their names.
// CHECK: memref.global "private" constant @[[W:.*]] : memref<64x32xf32> = dense<1.000000e+00> {alignment = 64 : i64}
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<8x64xf32> {onnx.name = "x"}, %[[Y:.*]]: memref<8x32xf32> {onnx.name = "y"}) {
// CHECK-NEXT: %[[WEIGHT:.*]] = memref.get_global @[[W]]
// CHECK-NEXT: nn.linear %[[X]], %[[WEIGHT]] outs(%[[Y]])
// CHECK-NEXT: return
func.func @main(%x: tensor<8x64xf32> {onnx.name = "x"}) -> (tensor<8x32xf32> {onnx.name = "y"}) {
  %w = arith.constant dense<1.0> : tensor<64x32xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %y = nn.linear %x, %w outs(%e) : (tensor<8x64xf32>, tensor<64x32xf32>, tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// The caller has a buffer of the largest size for an output whose size depends on data: @main views it once it knows the size.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<4xi64>, %[[Y:.*]]: memref<?xi8>, %[[TOLD:.*]]: memref<1xi64>
// CHECK: %[[SIZE:.*]] = arith.minsi
// CHECK: %[[VIEW:.*]] = memref.view %[[Y]][%{{.*}}][%[[SIZE]]] : memref<?xi8> to memref<?xf32>
// CHECK: linalg.fill {{.*}} outs(%[[VIEW]]
// CHECK-NOT: memref.copy %{{.*}}, %[[VIEW]]
module attributes {lathe.outputs = [{dims = "k <= 3", dtype = 1 : i32, name = "y", shape = array<i64: -2>}]} {
  func.func @main(%x: tensor<4xi64>) -> (tensor<?xf32>, tensor<1xi64>) {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %zero = arith.constant 0.0 : f32
    %e = tensor.extract %x[%c0] : tensor<4xi64>
    %i = arith.index_cast %e : i64 to index
    %n = arith.minsi %i, %c3 : index
    %empty = tensor.empty(%n) : tensor<?xf32>
    %y = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
    %told = arith.index_cast %n : index to i64
    %list = tensor.from_elements %told : tensor<1xi64>
    return %y, %list : tensor<?xf32>, tensor<1xi64>
  }
}

// -----

// An input is never written.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<8xf32>, %[[Y:.*]]: memref<8xf32>
// CHECK-NOT: memref.store %{{.*}}, %[[X]]
// CHECK: memref.copy %{{.*}}, %[[Y]]
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %v = arith.constant 2.0 : f32
  %y = tensor.insert %v into %x[%c0] : tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// A loop carries one buffer: what the body makes is copied back.
// CHECK-LABEL: func.func @main(
// CHECK: scf.for
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK: memref.copy %[[NEW]], %{{.*}}
func.func @main(%h: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %h) -> tensor<8xf32> {
    %e = tensor.empty() : tensor<8xf32>
    %n = linalg.transpose ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) permutation = [0]
    scf.yield %n : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// So does a loop with a condition, which passes on no copies; buffers that change places are saved before they are
// overwritten.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32>, %[[Y:.*]]: memref<8xf32>)
// CHECK: %[[A:.*]] = memref.alloc
// CHECK: %[[B:.*]] = memref.alloc
// CHECK: scf.while (%[[I:.*]] = %c0) : (index) -> index {
// CHECK-NOT: memref
// CHECK: scf.condition(%{{.*}}) %[[I]] : index
// CHECK: } do {
// CHECK: memref.copy %[[B]], %[[OLD_B:.*]] :
// CHECK: memref.copy %[[A]], %[[OLD_A:.*]] :
// CHECK: memref.copy %[[OLD_B]], %[[A]]
// CHECK: memref.copy %[[OLD_A]], %[[B]]
// CHECK: memref.copy %[[A]], %[[Y]]
func.func @main(%g: tensor<8xf32>, %h: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:3 = scf.while (%i = %c0, %a = %g, %b = %h) : (index, tensor<8xf32>, tensor<8xf32>) -> (index, tensor<8xf32>, tensor<8xf32>) {
    %more = arith.cmpi slt, %i, %c4 : index
    scf.condition(%more) %i, %a, %b : index, tensor<8xf32>, tensor<8xf32>
  } do {
  ^bb0(%i: index, %a: tensor<8xf32>, %b: tensor<8xf32>):
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %b, %a : index, tensor<8xf32>, tensor<8xf32>
  }
  return %r#1 : tensor<8xf32>
}

// -----

// A place that a result is copied to in the end serves nothing else: what begins with the same zeros has a buffer of its own.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[I:.*]]: memref<1xi64>, %[[SUM:.*]]: memref<4xf32>, %[[PART:.*]]: memref<2xf32>)
// CHECK-NOT: outs(%[[SUM]]
// CHECK: memref.store %{{.*}}, %[[MARKED:.*]][%{{.*}}]
// CHECK: %[[SLICE:.*]] = memref.subview %[[MARKED]]
// CHECK: memref.copy %{{.*}}, %[[SUM]]
// CHECK: memref.copy %[[SLICE]], %[[PART]]
func.func @main(%x: tensor<4xf32>, %i: tensor<1xi64>) -> (tensor<4xf32>, tensor<2xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>],
                         iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4xf32>) outs(%zeros : tensor<4xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %a, %s : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  %k = tensor.extract %i[%c0] : tensor<1xi64>
  %at = arith.index_cast %k : i64 to index
  %marked = tensor.insert %one into %zeros[%at] : tensor<4xf32>
  %part = tensor.extract_slice %marked[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
  return %sum, %part : tensor<4xf32>, tensor<2xf32>
}

// -----

// Every second element of a row is copied to a row of its own, which a kernel reads in vectors.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<4x16xf32>, %[[Y:.*]]: memref<4x8xf32>)
// CHECK: %[[VIEW:.*]] = memref.subview %[[X]][0, 1] [4, 8] [1, 2]
// CHECK: %[[ROWS:.*]] = memref.alloc() : memref<4x8xf32>
// CHECK: memref.copy %[[VIEW]], %[[ROWS]]
// CHECK: nn.softmax %[[ROWS]] outs(%[[Y]])
func.func @main(%x: tensor<4x16xf32>) -> tensor<4x8xf32> {
  %part = tensor.extract_slice %x[0, 1] [4, 8] [1, 2] : tensor<4x16xf32> to tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %y = nn.softmax %part outs(%e) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
