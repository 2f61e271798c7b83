// RUN: lathe-opt %s -codegen-pipeline='name=net' | FileCheck %s

// Booleans are bytes in memory, so that loops over them become vectors.
// CHECK-LABEL: llvm.func internal @kernel_generic_0
// CHECK: %[[A:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i8
// CHECK: llvm.trunc %[[A]] : i8 to i1
// CHECK: %[[B:.*]] = llvm.zext %{{.*}} : i1 to i8
// CHECK: llvm.store %[[B]], %{{.*}} : i8, !llvm.ptr
// CHECK-NOT: llvm.store {{.*}} : i1
#id = affine_map<(i) -> (i)>
func.func @main(%x: tensor<64xi1> {onnx.name = "x", onnx.dims = [""]}) -> (tensor<64xi1> {onnx.name = "y"}) {
  %true = arith.constant true
  %e = tensor.empty() : tensor<64xi1>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xi1>) outs(%e : tensor<64xi1>) {
  ^bb0(%0: i1, %out: i1):
    %1 = arith.xori %0, %true : i1
    linalg.yield %1 : i1
  } -> tensor<64xi1>
  return %y : tensor<64xi1>
}
