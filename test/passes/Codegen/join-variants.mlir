// The variants of a model become one module, under names of their own; what they have in common is kept once.
// RUN: lathe-opt %s -codegen-join-variants | FileCheck %s
// RUN: lathe-opt %s -codegen-phase-llvm='name=net' | FileCheck %s --check-prefix=LLVM
// RUN: lathe-opt %s -codegen-phase-llvm='name=net' --remarks-filter=codegen --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

#wide = #nn.target<triple = "x86_64-linux-gnu", cpu = "x86-64-v3", features = "", vector_bits = 256, vector_registers = 16, dot_product = "avx2", l1_bytes = 32768, l2_bytes = 262144>
#narrow = #nn.target<triple = "x86_64-linux-gnu", cpu = "x86-64-v2", features = "", vector_bits = 128, vector_registers = 16, dot_product = "none", l1_bytes = 32768, l2_bytes = 262144>
#vector = [{dims = "4", dtype = 1 : i32, name = "x", shape = array<i64: 4>}]

// CHECK: lathe.variants = [{main = "main_v_3", name = "v-3", target = #[[WIDE:.*]], weight_bytes = 0 : i64, workspace_bytes = 64 : i64}, {main = "main_v_2", name = "v-2", target = #[[NARROW:.*]], weight_bytes = 0 : i64, workspace_bytes = 128 : i64}]
// CHECK-SAME: lathe.workspace_bytes = 128 : i64
// CHECK-NOT: module
// CHECK: memref.global "private" constant @w_v_3
// CHECK: func.func @main_v_3({{.*}}) attributes {nn.target = #[[WIDE]]}
// CHECK: memref.get_global @w_v_3
// CHECK: call @kernel_v_3
// CHECK: func.func private @kernel_v_3({{.*}}) attributes {nn.target = #[[WIDE]]}
// CHECK: func.func private @output_sizes() attributes {lathe.any_machine}
// CHECK: memref.global "private" constant @w_v_2
// CHECK: func.func @main_v_2({{.*}}) attributes {nn.target = #[[NARROW]]}
// CHECK: memref.get_global @w_v_2
// CHECK: call @kernel_v_2
// CHECK-NOT: output_sizes

// Equal weights are one, and all of them are the first variant's and the second one's. A call asks for the machine once.
// LLVM: lathe.variants = [{{.*}}name = "v-3"{{.*}} weight_bytes = 64 : i64{{.*}}name = "v-2"{{.*}} weight_bytes = 64 : i64, workspace_bytes = 128 : i64}]
// LLVM-SAME: lathe.weight_bytes = 64 : i64, lathe.weight_offsets
// LLVM: llvm.func internal @net_entry_v_3({{.*}} attributes {nn.target
// LLVM: llvm.call @main_v_3
// LLVM: llvm.func internal @net_entry_v_2({{.*}} attributes {nn.target
// LLVM: llvm.call @main_v_2
// LLVM: llvm.mlir.global internal @net_machine(0 : i32)
// LLVM: llvm.func @net_can_run_v_3() -> i1 attributes {lathe.machine_test = #
// LLVM: llvm.func @net_can_run_v_2() -> i1 attributes {lathe.machine_test = #
// LLVM: llvm.func internal @net_ask_machine() -> i32 attributes {lathe.any_machine
// LLVM: llvm.store {{.*}} atomic monotonic
// LLVM: llvm.func internal @net_supported() -> i32 attributes {lathe.any_machine
// LLVM: llvm.load {{.*}} atomic monotonic
// LLVM: llvm.func @net_run({{.*}} attributes {lathe.any_machine
// LLVM: llvm.call @net_entry_v_3
// LLVM: llvm.call @net_entry_v_2
// LLVM: llvm.func internal @net_run_v_3(
// LLVM: llvm.func @net_output_shapes({{.*}} attributes {lathe.any_machine

// REMARK: Variants{{.*}}SharedWeightBytes=64
module attributes {lathe.tests_machine, nn.target = #wide} {
  module @"v-3" attributes {lathe.inputs = #vector, lathe.outputs = #vector, lathe.dims = [], lathe.workspace_bytes = 64 : i64, nn.target = #wide} {
    memref.global "private" constant @w : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
    func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<64xi8>, %executor: !llvm.ptr) {
      %w = memref.get_global @w : memref<4xf32>
      call @kernel(%w, %y, %executor) : (memref<4xf32>, memref<4xf32>, !llvm.ptr) -> ()
      return
    }
    func.func private @kernel(%w: memref<4xf32>, %y: memref<4xf32>, %executor: !llvm.ptr) { return }
    func.func private @output_sizes() { return }
  }
  module @"v-2" attributes {lathe.inputs = #vector, lathe.outputs = #vector, lathe.dims = [], lathe.workspace_bytes = 128 : i64, nn.target = #narrow} {
    memref.global "private" constant @w : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
    func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<128xi8>, %executor: !llvm.ptr) {
      %w = memref.get_global @w : memref<4xf32>
      call @kernel(%w, %y, %executor) : (memref<4xf32>, memref<4xf32>, !llvm.ptr) -> ()
      return
    }
    func.func private @kernel(%w: memref<4xf32>, %y: memref<4xf32>, %executor: !llvm.ptr) { return }
    func.func private @output_sizes() { return }
  }
}
