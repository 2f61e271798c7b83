// RUN: lathe-opt %s -split-input-file -verify-diagnostics -codegen-linalg-to-loops
// RUN: not lathe-opt %s -codegen-linalg-to-loops="parallel-threshold=-1" 2>&1 | FileCheck %s --check-prefix=THRESHOLD

// THRESHOLD: error: expected a parallel threshold of at least 0, but got -1

func.func @tensors(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expected a linalg op on memrefs}}
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
