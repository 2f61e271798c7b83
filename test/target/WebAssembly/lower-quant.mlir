// RUN: lathe-opt %s --lower-quant --lower-prepare-kernels --split-input-file | FileCheck %s

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// i32x4.dot_i16x8_s multiplies 16-bit numbers: activations lie in 16 bits, with their zero point of 3, and the weight stays in bytes, two
// steps of the reduction side by side. -3 * (1 + 3) = -12.
// CHECK-LABEL: func @wide
// CHECK: arith.trunci %{{.*}} : i32 to i16
// CHECK: arith.constant dense<[-12, -294]> : tensor<2xi32>
// CHECK: nn.linear
// CHECK: (tensor<?x2xi16>, tensor<1x1x4x2xi8>, tensor<2xi32>
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @wide(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
    %y = nn.linear %q, %w : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

// Bytes that the model shows are widened where they become an activation, and narrowed where one becomes bytes.
// CHECK-LABEL: func @bytes
// CHECK: arith.extui %{{.*}} : i8 to i16
// CHECK: nn.pool{{ +}}max %{{.*}}strides = array<i64: 2, 2>} : (tensor<1x4x4x8xi16>, tensor<1x2x2x8xi16>) -> tensor<1x2x2x8xi16>
// CHECK: arith.trunci %{{.*}} : i16 to i8
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @bytes(%x: tensor<1x4x4x8xi8>) -> tensor<1x2x2x8xi8> {
    %q = quant.scast %x : tensor<1x4x4x8xi8> to tensor<1x4x4x8x!u8>
    %m = nn.pool max %q {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x4x4x8x!u8>) -> tensor<1x2x2x8x!u8>
    %y = quant.scast %m : tensor<1x2x2x8x!u8> to tensor<1x2x2x8xi8>
    return %y : tensor<1x2x2x8xi8>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25}>

// Two lines of a depthwise weight lie side by side, channel by channel, and two columns of the third one.
// CHECK-LABEL: func @depthwise
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 0] [2, 3, 1, 2] [1, 1, 1, 1] : tensor<3x3x1x2xi8> to tensor<2x3x1x2xi8>
// CHECK: linalg.transpose ins(%{{.*}} : tensor<1x2x3x1x2xi8>) outs(%{{.*}} : tensor<1x3x1x2x2xi8>) permutation = [0, 2, 3, 4, 1]
// CHECK: %[[W:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 0] [2, 3, 1, 2] [1, 1, 1, 1] : tensor<2x3x1x2xi8> into tensor<3x3x1x2xi8>
// CHECK: tensor.extract_slice %[[W]][2, 0, 0, 0] [1, 2, 1, 2] [1, 1, 1, 1] : tensor<3x3x1x2xi8> to tensor<1x2x1x2xi8>
// CHECK: linalg.transpose ins(%{{.*}} : tensor<1x1x2x1x2xi8>) outs(%{{.*}} : tensor<1x1x1x2x2xi8>) permutation = [0, 1, 3, 4, 2]
// CHECK: %[[V:.*]] = tensor.insert_slice %{{.*}} into %[[W]][2, 0, 0, 0] [1, 2, 1, 2] [1, 1, 1, 1] : tensor<1x2x1x2xi8> into tensor<3x3x1x2xi8>
// CHECK: nn.conv %{{.*}}, %[[V]]
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @depthwise(%x: tensor<1x6x6x2xf32>) -> tensor<1x4x4x2xf32> {
    %c = arith.constant dense<1> : tensor<3x3x1x2xi8>
    %w = quant.scast %c : tensor<3x3x1x2xi8> to tensor<3x3x1x2x!i8>
    %q = quant.qcast %x : tensor<1x6x6x2xf32> to tensor<1x6x6x2x!u8>
    %y = nn.conv %q, %w {group = 2 : i64} : (tensor<1x6x6x2x!u8>, tensor<3x3x1x2x!i8>) -> tensor<1x4x4x2xf32>
    return %y : tensor<1x4x4x2xf32>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!z8 = !quant.uniform<u8:f32, 1.000000e+00:7>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.03125, 0.0625}>

// Sums begin with what makes their bits those of floats: 2^23 and what is above the least sum, 255 * -2, which makes room
// for the rest of the rounded offset, half a step of 1/64 or 1/32 of the result. What is bounded are integers, at last.
// CHECK-LABEL: func @floats
// CHECK: nn.linear
// CHECK: ^bb0(%[[SUM:.*]]: i32, %[[OFFSET:.*]]: f32, %[[START:.*]]: i32, %[[SCALE:.*]]: f32, %[[ZERO:.*]]: i32):
// CHECK: %[[WHOLE:.*]] = arith.addi %[[SUM]], %[[START]]
// CHECK: %[[FLOAT:.*]] = arith.bitcast %[[WHOLE]] : i32 to f32
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[FLOAT]], %[[SCALE]]
// CHECK: %[[ROUNDED:.*]] = arith.addf %[[PRODUCT]], %[[OFFSET]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[ROUNDED]] : f32 to i32
// CHECK: arith.subi %[[BITS]], %[[ZERO]]
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: arith.trunci %{{.*}} overflow<nsw, nuw> : i32 to i16
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @floats(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %b = arith.constant dense<[0.25, 3.0]> : tensor<2xf32>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %q = quant.qcast %x : tensor<4x2xf32> to tensor<4x2x!u8>
    %y = nn.linear %q, %w extras(%b) epilogue {
    ^bb0(%sum: f32, %bias: f32):
      %0 = arith.addf %sum, %bias : f32
      nn.yield %0 : f32
    } : (tensor<4x2x!u8>, tensor<2x2x!i8>, tensor<2xf32>) -> tensor<4x2x!z8>
    %d = quant.dcast %y : tensor<4x2x!z8> to tensor<4x2xf32>
    return %d : tensor<4x2xf32>
  }
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.25, 0.125}>

// Steps of the sum that are large beside those of the result are converted.
// CHECK-LABEL: func @coarse
// CHECK: nn.linear
// CHECK: arith.sitofp
// CHECK: arith.minsi
// CHECK: arith.trunci %{{.*}} overflow<nsw, nuw> : i32 to i16
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @coarse(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %q = quant.qcast %x : tensor<4x2xf32> to tensor<4x2x!u8>
    %y = nn.linear %q, %w : (tensor<4x2x!u8>, tensor<2x2x!i8>) -> tensor<4x2x!u8>
    %d = quant.dcast %y : tensor<4x2x!u8> to tensor<4x2xf32>
    return %d : tensor<4x2xf32>
  }
}
