// Elements of bf16 are loaded and stored as bits: LLVM takes vectors of bf16 apart where the machine has no such arithmetic.
// RUN: lathe-opt %s -codegen-phase-llvm | FileCheck %s

// CHECK-LABEL: llvm.func internal @double
// CHECK: %[[LOADED:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i16
// CHECK: llvm.bitcast %[[LOADED]] : i16 to bf16
// CHECK: llvm.fadd
// CHECK: llvm.select
// CHECK: %[[STORED:.*]] = llvm.bitcast %{{.*}} : bf16 to i16
// CHECK: llvm.store %[[STORED]], %{{.*}} : i16, !llvm.ptr
func.func private @double(%x: memref<4xbf16>, %i: index) {
  %0 = memref.load %x[%i] : memref<4xbf16>
  %1 = arith.extf %0 : bf16 to f32
  %2 = arith.addf %1, %1 : f32
  %3 = arith.truncf %2 : f32 to bf16
  memref.store %3, %x[%i] : memref<4xbf16>
  return
}
