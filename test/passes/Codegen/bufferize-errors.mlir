// RUN: lathe-opt %s -split-input-file -codegen-bufferize -verify-diagnostics

func.func @main(%x: tensor<8x64xf32>, %w: tensor<64x32xf32>) -> tensor<8x32xf32> {
  // expected-error@+2 {{expected a destination before bufferisation}}
  // expected-error@+1 {{failed to bufferize op}}
  %y = nn.linear %x, %w : (tensor<8x64xf32>, tensor<64x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

// expected-error@+1 {{expected a function @main of one block}}
module {
  func.func @other() {
    return
  }
}
