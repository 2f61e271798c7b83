// RUN: lathe-opt %s -codegen-pipeline='name=net' | FileCheck %s

// An expansion with several sizes that are known at run time only: strides are products of those that the op says.
// CHECK: llvm.func internal @main(
// CHECK-NOT: expand_shape
// CHECK: llvm.return
func.func @main(%x: tensor<1x?x?x?xf32> {onnx.name = "x", onnx.dims = ["", "c", "h", "w"]}) -> (tensor<1x?x?x2x?x2xf32> {onnx.name = "y"}) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c = tensor.dim %x, %c1 : tensor<1x?x?x?xf32>
  %h = tensor.dim %x, %c2 : tensor<1x?x?x?xf32>
  %w = tensor.dim %x, %c3 : tensor<1x?x?x?xf32>
  %n = affine.apply affine_map<()[s] -> (s floordiv 4)>()[%c]
  %a = tensor.collapse_shape %x [[0, 1, 2, 3]] : tensor<1x?x?x?xf32> into tensor<?xf32>
  %b = tensor.expand_shape %a [[0, 1, 2, 3, 4, 5]] output_shape [1, 2, 2, %n, %h, %w] : tensor<?xf32> into tensor<1x2x2x?x?x?xf32>
  %e = tensor.empty(%n, %h, %w) : tensor<1x?x?x2x?x2xf32>
  %y = linalg.transpose ins(%b : tensor<1x2x2x?x?x?xf32>) outs(%e : tensor<1x?x?x2x?x2xf32>) permutation = [0, 3, 4, 1, 5, 2]
  return %y : tensor<1x?x?x2x?x2xf32>
}
