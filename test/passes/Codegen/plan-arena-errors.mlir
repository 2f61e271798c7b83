// RUN: lathe-opt %s -split-input-file -codegen-plan-arena -verify-diagnostics

func.func @main(%x: memref<4xi64>) {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<4xi64>
  %n = arith.index_cast %v : i64 to index
  // expected-error@+1 {{expected a buffer of bounded size, but got one of type 'memref<?xf32>' whose size depends on data}}
  %a = memref.alloc(%n) : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<?xf32>)
  return
}

// -----

// Dimensions of 512 and more: two buffers take more than a machine has.
// expected-error@+1 {{expected a workspace of at most 2^40 bytes, but got one with 1100585369600 bytes or more}}
func.func @main(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<1025x512x512x512xf32>
  %b = memref.alloc() : memref<1025x512x512x512xf32>
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<1025x512x512x512xf32>)
  linalg.copy ins(%a : memref<1025x512x512x512xf32>) outs(%b : memref<1025x512x512x512xf32>)
  linalg.copy ins(%b : memref<1025x512x512x512xf32>) outs(%a : memref<1025x512x512x512xf32>)
  return
}
