// RUN: lathe-opt %s -allow-unregistered-dialect -codegen-gpu-place-scratch -split-input-file -verify-diagnostics

// A size that data decides has no bound.
module attributes {lathe.inputs = [{name = "x", dtype = 7 : i32, shape = array<i64: 1>}], lathe.outputs = [], lathe.dims = []} {
  func.func @main(%x: memref<1xi64>, %arena: memref<64xi8>, %executor: !llvm.ptr) {
    %c0 = arith.constant 0 : index
    %data = memref.load %x[%c0] : memref<1xi64>
    %size = arith.index_cast %data : i64 to index
    // expected-error @below {{expected scratch memory of bounded size, but got 'memref<?xf32>'}}
    func.call @kernel_a(%size, %executor) : (index, !llvm.ptr) -> ()
    return
  }
  func.func private @kernel_a(%size: index, %executor: !llvm.ptr) {
    %a = memref.alloc(%size) : memref<?xf32>
    "test.use"(%a) : (memref<?xf32>) -> ()
    return
  }
}

// -----

module attributes {lathe.inputs = [], lathe.outputs = [], lathe.dims = []} {
  // expected-error @below {{expected an arena and an executor as the last arguments, but got '(!llvm.ptr) -> ()'}}
  func.func @main(%executor: !llvm.ptr) {
    func.call @kernel_a(%executor) : (!llvm.ptr) -> ()
    return
  }
  func.func private @kernel_a(%executor: !llvm.ptr) {
    %a = memref.alloc() : memref<4xf32>
    "test.use"(%a) : (memref<4xf32>) -> ()
    return
  }
}
