// RUN: lathe-opt %s -codegen-instrument -verify-diagnostics

// expected-error@+1 {{expected an arena and an executor as the last arguments, but got '(memref<4xf32>) -> ()'}}
func.func @main(%x: memref<4xf32>) {
  return
}
