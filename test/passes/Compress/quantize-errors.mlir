// RUN: not lathe-opt %s --compress-quantize 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not lathe-opt %s --compress-quantize="mode=int3" 2>&1 | FileCheck %s --check-prefix=MODE
// RUN: not lathe-opt %s --compress-quantize="calibration=luck" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not lathe-opt %s --compress-quantize="percentile=10" 2>&1 | FileCheck %s --check-prefix=PERCENTILE
// RUN: not lathe-opt %s --compress-quantize="min-macs=-1" 2>&1 | FileCheck %s --check-prefix=MACS
// RUN: not lathe-opt %s --compress-quantize="statistics=%s" 2>&1 | FileCheck %s --check-prefix=JSON
// RUN: not lathe-opt %s --compress-quantize="statistics=%t.missing" 2>&1 | FileCheck %s --check-prefix=FILE

// NONE: error: expected calibration statistics, but got none
// MODE: error: expected quantization mode int8 or none, but got 'int3'
// METHOD: error: expected calibration minmax, percentile or mse, but got 'luck'
// PERCENTILE: error: expected a percentile above 50 and up to 100, but got 1.0
// MACS: error: expected at least 0 multiply-adds, but got -1
// JSON: error: '{{.*}}quantize-errors.mlir': {{.*}}Invalid JSON value
// FILE: error: cannot read '{{.*}}.missing': {{[Nn]}}o such file or directory
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}
