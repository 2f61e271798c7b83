// RUN: lathe-opt %s --lower-quant --split-input-file | FileCheck %s

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// The accumulator gets the zero point's correction and the scales before what the epilogue did.
// CHECK-LABEL: func @linear
// CHECK-SAME: %[[X:.*]]: tensor<?x2xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, -2], [3, 100]]> : tensor<2x2xi8>
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<?x2xf32>) outs(%{{.*}} : tensor<?x2xi8>)
// CHECK: ^bb0(%[[IN:.*]]: f32, %{{.*}}: i8):
// CHECK: %[[SCALED:.*]] = arith.mulf %[[IN]], %{{.*}} : f32
// CHECK: arith.cmpf ogt, %[[SCALED]]
// CHECK: arith.cmpf olt
// CHECK: %[[MIDDLE:.*]] = arith.constant 0x4B400000 : f32
// CHECK: %[[ROUNDED:.*]] = arith.addf %{{.*}}, %[[MIDDLE]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[ROUNDED]] : f32 to i32
// CHECK: %[[ZERO:.*]] = arith.subi
// CHECK: %[[WHOLE:.*]] = arith.subi %[[BITS]], %[[ZERO]]
// CHECK: arith.trunci %[[WHOLE]] overflow<nuw> : i32 to i8
// CHECK-DAG: %[[CORR:.*]] = arith.constant dense<[-12, -294]> : tensor<2xi32>
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>
// CHECK: nn.linear %[[Q]], %[[W]] extras(%{{.*}}, %[[CORR]], %[[SCALES]]) epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[BIAS:.*]]: f32, %[[C:.*]]: i32, %[[S:.*]]: f32):
// CHECK: %[[SUM:.*]] = arith.addi %[[ACC]], %[[C]] : i32
// CHECK: %[[REAL:.*]] = arith.sitofp %[[SUM]] : i32 to f32
// CHECK: %[[Y:.*]] = arith.mulf %[[REAL]], %[[S]] : f32
// CHECK: %[[B:.*]] = arith.addf %[[Y]], %[[BIAS]] : f32
// CHECK: nn.yield %[[B]] : f32
// CHECK: (tensor<?x2xi8>, tensor<2x2xi8>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x2xf32>
// CHECK-NOT: quant
func.func @linear(%x: tensor<?x2xf32>, %bias: tensor<2xf32>) -> tensor<?x2xf32> {
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %y = nn.linear %q, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!relu = !quant.uniform<u8:f32, 2.500000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25, 0.5, 0.25}>

// The padding holds the zero point; the residual is read in 8 bits and the result stored in 8 bits. Scales and zero
// points are operands, so that layers of one shape share a kernel.
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : tensor<1xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<3.000000e+00> : tensor<1xf32>
// CHECK-DAG: %[[INVERSE:.*]] = arith.constant dense<4.000000e+00> : tensor<1xf32>
// CHECK: nn.conv %[[Q:.*]], %{{.*}} extras(%[[Q]], %[[SCALE]], %[[ZERO]], %{{.*}}, %{{.*}}, %[[INVERSE]]) {pad_value = 3 : i64, pads = array<i64: 1, 1, 1, 1>} epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[R:.*]]: i8, %[[S:.*]]: f32, %[[Z:.*]]: f32, %{{.*}}: i32, %{{.*}}: f32, %[[I:.*]]: f32):
// CHECK: arith.addi %[[ACC]]
// CHECK: arith.extui %[[R]] : i8 to i32
// CHECK: %[[F:.*]] = arith.sitofp
// CHECK: %[[D:.*]] = arith.subf %[[F]], %[[Z]]
// CHECK: %[[REAL:.*]] = arith.mulf %[[D]], %[[S]]
// CHECK: %[[Y:.*]] = arith.addf %{{.*}}, %[[REAL]]
// CHECK: arith.mulf %[[Y]], %[[I]]
// CHECK: arith.addf
// CHECK-NOT: arith.addf
// CHECK: %[[T:.*]] = arith.trunci %{{.*}} : i32 to i8
// CHECK: nn.yield %[[T]] : i8
// CHECK: -> tensor<1x4x4x4xi8>
// CHECK: %[[P:.*]] = nn.pool max %{{.*}} : (tensor<1x4x4x4xi8>) -> tensor<1x2x2x4xi8>
// CHECK: linalg.generic {{.*}} ins(%[[P]] : tensor<1x2x2x4xi8>) outs(%{{.*}} : tensor<1x2x2x4xf32>)
// CHECK: arith.extui
// CHECK-NOT: arith.subf
// CHECK: arith.sitofp
// CHECK: arith.mulf
func.func @conv(%x: tensor<1x4x4x4xf32>, %c: tensor<3x3x4x4xi8>) -> tensor<1x2x2x4xf32> {
  %k = arith.constant dense<1> : tensor<3x3x4x4xi8>
  %w = quant.scast %k : tensor<3x3x4x4xi8> to tensor<3x3x4x4x!i8>
  %q = quant.qcast %x : tensor<1x4x4x4xf32> to tensor<1x4x4x4x!u8>
  %y = nn.conv %q, %w extras(%q) {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<1x4x4x4x!u8>, tensor<3x3x4x4x!i8>, tensor<1x4x4x4x!u8>) -> tensor<1x4x4x4x!relu>
  %p = nn.pool max %y {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<1x4x4x4x!relu>) -> tensor<1x2x2x4x!relu>
  %d = quant.dcast %p : tensor<1x2x2x4x!relu> to tensor<1x2x2x4xf32>
  return %d : tensor<1x2x2x4xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

// An f32 op may store 8 bits.
// CHECK-LABEL: func @float_conv
// CHECK: nn.conv {{.*}} epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.mulf %[[ACC]], %[[S]]
// CHECK: nn.yield %{{.*}} : i8
// CHECK: (tensor<1x4x4x1xf32>, tensor<1x1x1x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x4x4xi8>
func.func @float_conv(%x: tensor<1x4x4x1xf32>, %w: tensor<1x1x1x4xf32>) -> tensor<1x4x4x4xf32> {
  %y = nn.conv %x, %w : (tensor<1x4x4x1xf32>, tensor<1x1x1x4xf32>) -> tensor<1x4x4x4x!u8>
  %d = quant.dcast %y : tensor<1x4x4x4x!u8> to tensor<1x4x4x4xf32>
  return %d : tensor<1x4x4x4xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!relu = !quant.uniform<u8:f32, 2.500000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// A constant bias takes up the correction, and it and the scales the inverse of the result's: 4 * (1 - 12 * 0.25) = -8 and
// 4 * (2 - 294 * 0.125) = -139. A ReLU is what saturation does.
// CHECK-LABEL: func @scaled_bias
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[-8.000000e+00, -1.390000e+02]> : tensor<2xf32>
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf32>
// CHECK: nn.linear %{{.*}}, %{{.*}} extras(%[[BIAS]], %[[SCALES]]) epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[B:.*]]: f32, %[[S:.*]]: f32):
// CHECK: %[[REAL:.*]] = arith.sitofp %[[ACC]] : i32 to f32
// CHECK: %[[Y:.*]] = arith.mulf %[[REAL]], %[[S]] : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[Y]], %[[B]] : f32
// CHECK: arith.cmpf ogt, %[[SUM]]
func.func @scaled_bias(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %bias = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %y = nn.linear %q, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %zero = arith.constant 0.0 : f32
    %s = arith.addf %acc, %b : f32
    %r = arith.maximumf %s, %zero : f32
    nn.yield %r : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>, tensor<2xf32>) -> tensor<?x2x!relu>
  %d = quant.dcast %y : tensor<?x2x!relu> to tensor<?x2xf32>
  return %d : tensor<?x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!out = !quant.uniform<u8:f32, 2.500000e-01:2>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// x * f(c * x): scales times 4, and what x is multiplied by in f times 0.25. The erf of a GELU of 8 bits may be rough.
// CHECK-LABEL: func @gelu
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf32>
// CHECK-DAG: %[[INVERSE:.*]] = arith.constant dense<2.500000e-01> : tensor<1xf32>
// CHECK: nn.linear %{{.*}}, %{{.*}} extras(%[[INVERSE]], %[[SCALES]], %{{.*}}) epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[I:.*]]: f32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[REAL:.*]] = arith.sitofp %[[ACC]] : i32 to f32
// CHECK: %[[X:.*]] = arith.mulf %[[REAL]], %[[S]] : f32
// CHECK: %[[C:.*]] = arith.mulf %{{.*}}, %[[I]] : f32
// CHECK: %[[INNER:.*]] = arith.mulf %[[X]], %[[C]] : f32
// CHECK: math.erf %[[INNER]] fastmath<afn> : f32
// CHECK: %[[HALF:.*]] = arith.mulf %[[X]], %{{.*}} : f32
// CHECK: %[[GELU:.*]] = arith.mulf %[[HALF]]
// CHECK: arith.cmpf ogt, %[[GELU]]
func.func @gelu(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %y = nn.linear %q, %w epilogue {
  ^bb0(%acc: f32):
    %root = arith.constant 0.707106769 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %t = arith.mulf %acc, %root : f32
    %e = math.erf %t : f32
    %h = arith.mulf %acc, %half : f32
    %p = arith.addf %e, %one : f32
    %g = arith.mulf %h, %p : f32
    nn.yield %g : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2x!out>
  %d = quant.dcast %y : tensor<?x2x!out> to tensor<?x2xf32>
  return %d : tensor<?x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!positive = !quant.uniform<u8:f32, 2.500000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// x * clamp(x / 4 + 1 / 2, 0, 1) / 0.25, as u * clamp(u + 2, 0, 4) with u = x: sqrt(1/4 / 0.25) = 1. Of negative x nothing is
// left: u is bounded, and neither the sum nor the product again.
// CHECK-LABEL: func @ramp
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>
// CHECK-DAG: %[[OFFSET:.*]] = arith.constant dense<2.000000e+00> : tensor<1xf32>
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant dense<4.000000e+00> : tensor<1xf32>
// CHECK: nn.linear %{{.*}}, %{{.*}} extras(%[[SCALES]], %[[OFFSET]], %[[LIMIT]]) epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[S:.*]]: f32, %[[O:.*]]: f32, %[[L:.*]]: f32):
// CHECK: %[[REAL:.*]] = arith.sitofp %[[ACC]] : i32 to f32
// CHECK: %[[X:.*]] = arith.mulf %[[REAL]], %[[S]] : f32
// CHECK: %[[ABOVE:.*]] = arith.cmpf ogt, %[[X]], %[[ZERO:.*]] : f32
// CHECK: %[[U:.*]] = arith.select %[[ABOVE]], %[[X]], %[[ZERO]] : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[U]], %[[O]] : f32
// CHECK: %[[BELOW:.*]] = arith.cmpf olt, %[[SUM]], %[[L]] : f32
// CHECK: %[[RAMP:.*]] = arith.select %[[BELOW]], %[[SUM]], %[[L]] : f32
// CHECK: %[[Y:.*]] = arith.mulf %[[U]], %[[RAMP]] : f32
// CHECK-NOT: arith.cmpf ogt
// CHECK: arith.cmpf olt, %[[Y]]
// CHECK: nn.yield
func.func @ramp(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %y = nn.linear %q, %w epilogue {
  ^bb0(%acc: f32):
    %slope = arith.constant 0.25 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %zero = arith.constant 0.0 : f32
    %s = arith.mulf %acc, %slope : f32
    %t = arith.addf %s, %half : f32
    %u = arith.minimumf %t, %one : f32
    %v = arith.maximumf %u, %zero : f32
    %h = arith.mulf %acc, %v : f32
    nn.yield %h : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2x!positive>
  %d = quant.dcast %y : tensor<?x2x!positive> to tensor<?x2xf32>
  return %d : tensor<?x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!out = !quant.uniform<u8:f32, 2.500000e-01:2>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// Where negative results count, the sum is bounded, and the result again by what can be stored.
// CHECK-LABEL: func @signed_ramp
// CHECK: nn.linear
// CHECK: %[[X:.*]] = arith.mulf
// CHECK-NOT: arith.cmpf
// CHECK: %[[SUM:.*]] = arith.addf %[[X]]
// CHECK: arith.cmpf olt, %[[SUM]]
// CHECK: %[[MOST:.*]] = arith.select
// CHECK: arith.cmpf ogt, %[[MOST]]
// CHECK: %[[RAMP:.*]] = arith.select
// CHECK: %[[Y:.*]] = arith.mulf %[[X]], %[[RAMP]]
// CHECK: arith.cmpf ogt, %[[Y]]
func.func @signed_ramp(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %y = nn.linear %q, %w epilogue {
  ^bb0(%acc: f32):
    %slope = arith.constant 0.25 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %zero = arith.constant 0.0 : f32
    %s = arith.mulf %acc, %slope : f32
    %t = arith.addf %s, %half : f32
    %u = arith.maximumf %t, %zero : f32
    %v = arith.minimumf %u, %one : f32
    %h = arith.mulf %v, %acc : f32
    nn.yield %h : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2x!out>
  %d = quant.dcast %y : tensor<?x2x!out> to tensor<?x2xf32>
  return %d : tensor<?x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>
!out = !quant.uniform<u8:f32, 2.500000e-01>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// A ramp that begins at -1 is none.
// CHECK-LABEL: func @other_bound
// CHECK: arith.minimumf
// CHECK: arith.maximumf
func.func @other_bound(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = quant.qcast %x : tensor<?x2xf32> to tensor<?x2x!u8>
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
  %y = nn.linear %q, %w epilogue {
  ^bb0(%acc: f32):
    %slope = arith.constant 0.25 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %least = arith.constant -1.0 : f32
    %s = arith.mulf %acc, %slope : f32
    %t = arith.addf %s, %half : f32
    %u = arith.minimumf %t, %one : f32
    %v = arith.maximumf %u, %least : f32
    %h = arith.mulf %acc, %v : f32
    nn.yield %h : f32
  } : (tensor<?x2x!u8>, tensor<2x2x!i8>) -> tensor<?x2x!out>
  %d = quant.dcast %y : tensor<?x2x!out> to tensor<?x2xf32>
  return %d : tensor<?x2xf32>
}
