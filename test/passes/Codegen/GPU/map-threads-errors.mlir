// RUN: lathe-opt %s -codegen-gpu-map-threads -split-input-file -verify-diagnostics

// Data is in the device's memory.
func.func @main(%a: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{reads or writes data of the GPU outside of a kernel}}
  %x = memref.load %a[%c0] : memref<4xf32>
  return
}

// -----

func.func private @kernel_call_0(%a: memref<8xf32>, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    // expected-error @below {{'func.call' cannot be run by a GPU's thread}}
    func.call @other() : () -> ()
  }
  return
}
func.func private @other()

// -----

// Functions of f32 are polynomials by now; those of f64 would need a library.
func.func private @kernel_exp_0(%a: memref<8xf64>, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %x = memref.load %a[%i] : memref<8xf64>
    // expected-error @below {{'math.exp' cannot be run by a GPU's thread}}
    %y = math.exp %x : f64
    memref.store %y, %a[%i] : memref<8xf64>
  }
  return
}

// -----

func.func private @kernel_nested_0(%a: memref<8x8xf32>, %executor: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    // expected-error @below {{expected no parallel loop in another one}}
    scf.parallel (%j) = (%c0) to (%c8) step (%c1) {
      memref.store %zero, %a[%i, %j] : memref<8x8xf32>
    }
  }
  return
}

// -----

func.func private @kernel_blocks_0(%a: memref<8xf32>, %n: index, %executor: !llvm.ptr) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expected blocks of a constant size}}
  gpu.launch blocks(%x, %y, %z) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%i, %j, %k) in (%bx = %n, %by = %c1, %bz = %c1) {
    gpu.terminator
  }
  return
}
