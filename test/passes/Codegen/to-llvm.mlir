// RUN: lathe-opt %s -codegen-pipeline='name=net' | FileCheck %s
// RUN: lathe-opt %s -codegen-pipeline='name=net' | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=IR
// RUN: not lathe-opt %s -codegen-to-llvm='name=a-b' 2>&1 | FileCheck %s --check-prefix=NAME

// NAME: error: expected the name to be a C identifier, but got 'a-b'

// Equal constants are stored once.
// CHECK: module attributes
// CHECK-SAME: lathe.name = "net"
// CHECK-SAME: lathe.weight_bytes = 64 : i64, lathe.weight_offsets = array<i64: 0>
// CHECK: llvm.mlir.global external constant @net_weights() {{.*}} : !llvm.array<64 x i8>
// CHECK: llvm.func @net_run(
// CHECK: llvm.func @net_output_shapes(

// IR: @net_model = constant { i32, i32, i32, i32, ptr, ptr, ptr, ptr, i64, i64, ptr, ptr, ptr, ptr, ptr, i32 } { i32 4, i32 1, i32 1, i32 1,
// IR-SAME: i64 64, ptr @net_weights, ptr @net_run,
// IR: define internal void @main(
// IR: define internal void @kernel_generic_0_task_0(ptr %{{.*}}, ptr noalias %
// IR: define i32 @net_run(ptr %{{.*}}, ptr %{{.*}}, ptr %{{.*}}, ptr %{{.*}})
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", ""]}) -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %b = arith.constant dense_resource<bytes> : tensor<4xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %a, %b : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32, %out: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.addf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      bytes: "0x040000000000803F000000400000404000008040"
    }
  }
#-}
