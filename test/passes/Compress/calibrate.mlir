// RUN: not lathe-opt %s --compress-calibrate 2>&1 | FileCheck %s

// Nobody runs samples in lathe-opt.
// CHECK: error: expected samples or statistics to compress by (--calibrate)
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}
