// RUN: lathe-opt %s -codegen-plan-arena -verify-diagnostics

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
