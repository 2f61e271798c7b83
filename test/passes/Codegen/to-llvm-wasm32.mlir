// RUN: lathe-opt %s -codegen-to-llvm | FileCheck %s

// Where pointers have 32 bits so have indices; the ABI's dimensions and shapes keep 64.
module attributes {nn.target = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
                                          vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>} {

// CHECK-LABEL: llvm.func internal @load(
// CHECK-SAME: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32, %[[PLACE:.*]]: i64
// An end such as the largest i64 is behind every tensor, as an index, too.
// CHECK-DAG: %[[LIMIT:.*]] = llvm.mlir.constant(2147483647 : index) : i32
// CHECK-DAG: %[[MOST:.*]] = llvm.mlir.constant(2147483647 : i64)
// CHECK-DAG: %[[LEAST:.*]] = llvm.mlir.constant(-2147483648 : i64)
// CHECK: %[[FROM:.*]] = llvm.intr.smax(%[[PLACE]], %[[LEAST]])
// CHECK: %[[TO:.*]] = llvm.intr.smin(%[[FROM]], %[[MOST]])
// CHECK: %[[INDEX:.*]] = llvm.trunc %[[TO]] : i64 to i32
// CHECK: llvm.intr.smin(%[[INDEX]], %[[LIMIT]])
func.func @load(%x: memref<?xf32>, %place: i64) -> f32 {
  %index = arith.index_cast %place : i64 to index
  %limit = arith.constant 9223372036854775807 : index
  %least = arith.minsi %index, %limit : index
  %value = memref.load %x[%least] : memref<?xf32>
  return %value : f32
}

}
