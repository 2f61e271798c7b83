// RUN: lathe-opt %s --lower-quant --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lower-quant --split-input-file --remarks-filter=lower --remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// SDOT multiplies signed bytes: the input is stored less 128, and so is its zero point. -(3 - 128) * (1 + 3) = 500.
// CHECK-LABEL: func @signed
// CHECK: linalg.generic
// CHECK: arith.addf %{{.*}}, %[[ZERO:.*]] : f32
// CHECK-DAG: arith.constant dense<[500, 12250]> : tensor<2xi32>
// CHECK: nn.linear
// REMARK-NOT: Function={{signed|bytes}}
module attributes {nn.target = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "",
    vector_bits = 128, vector_registers = 32, dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>} {
  func.func @signed(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
    %y = nn.linear %q, %w : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

// Bytes that the model shows stay unsigned: the sign bit is turned where they become an activation, and back.
// CHECK-LABEL: func @bytes
// CHECK: %[[SIGN:.*]] = arith.constant -128 : i8
// CHECK: arith.xori %{{.*}}, %[[SIGN]] : i8
// CHECK: arith.constant -1.250000e+02 : f32
// CHECK: arith.extsi
// CHECK: nn.pool
// CHECK: %[[BACK:.*]] = arith.constant -128 : i8
// CHECK: arith.xori %{{.*}}, %[[BACK]] : i8
module attributes {nn.target = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "cortex-a76", features = "",
    vector_bits = 128, vector_registers = 32, dot_product = "dotprod", l1_bytes = 65536, l2_bytes = 524288>} {
  func.func @bytes(%x: tensor<1x2x2x4xi8>) -> (tensor<1x2x2x4xf32>, tensor<1x1x1x4xi8>) {
    %q = quant.scast %x : tensor<1x2x2x4xi8> to tensor<1x2x2x4x!u8>
    %y = quant.dcast %q : tensor<1x2x2x4x!u8> to tensor<1x2x2x4xf32>
    %m = nn.pool max %q {kernel = array<i64: 2, 2>} : (tensor<1x2x2x4x!u8>) -> tensor<1x1x1x4x!u8>
    %b = quant.scast %m : tensor<1x1x1x4x!u8> to tensor<1x1x1x4xi8>
    return %y, %b : tensor<1x2x2x4xf32>, tensor<1x1x1x4xi8>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// Without an instruction for products of bytes they are unsigned, and widened; a remark says so.
// CHECK-LABEL: func @without
// CHECK: arith.constant dense<[-12, -294]> : tensor<2xi32>
// REMARK: DotProduct{{.*}}the target has no instruction for products of bytes: they are widened
module attributes {nn.target = #nn.target<triple = "aarch64-unknown-linux-gnu", cpu = "generic", features = "",
    vector_bits = 128, vector_registers = 32, dot_product = "none", l1_bytes = 32768, l2_bytes = 524288>} {
  func.func @without(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
    %y = nn.linear %q, %w : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
}
