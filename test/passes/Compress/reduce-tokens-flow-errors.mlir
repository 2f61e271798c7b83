// RUN: lathe-opt %s -split-input-file -verify-diagnostics --compress-reduce-tokens=merge=r:2

func.func @result(%x: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  // expected-error@below {{cannot have fewer tokens before func.return: tokens are a result of the model}}
  return %y1 : tensor<1x9x8xf32>
}

// -----

func.func @other(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %third = onnx.Constant dense<2> : tensor<i64>
  // expected-error@below {{cannot have fewer tokens before onnx.Gather: it reads other tokens than the first}}
  %class = "onnx.Gather"(%y1, %third) <{axis = 1 : i64}> : (tensor<1x9x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %class : tensor<1x8xf32>
}

// -----

func.func @slice(%x: tensor<1x9x8xf32>) -> tensor<1x3x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  // expected-error@below {{cannot have fewer tokens before onnx.Slice: it reads other tokens than the first, or all but the first}}
  %some = "onnx.Slice"(%y1, %one, %four, %one) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<1x9x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x3x8xf32>
  return %some : tensor<1x3x8xf32>
}

// -----

func.func @positions(%x: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %p = onnx.Constant dense<1.0> : tensor<9x8xf32>
  // expected-error@below {{cannot have fewer tokens before onnx.Add: fewer tokens meet a tensor for all tokens}}
  %y = "onnx.Add"(%y1, %p) : (tensor<1x9x8xf32>, tensor<9x8xf32>) -> tensor<1x9x8xf32>
  return %y : tensor<1x9x8xf32>
}

// -----

func.func @residual(%x: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  // expected-error@below {{cannot have fewer tokens before onnx.Add: different tokens meet}}
  %y = "onnx.Add"(%y0, %y1) : (tensor<1x9x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  return %y : tensor<1x9x8xf32>
}

// -----

func.func @mixer(%x: tensor<1x9x8xf32>) -> tensor<1x8x5xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %m = onnx.Constant dense<1.0> : tensor<9x5xf32>
  %t = "onnx.Transpose"(%y1) <{perm = array<i64: 0, 2, 1>}> : (tensor<1x9x8xf32>) -> tensor<1x8x9xf32>
  // expected-error@below {{cannot have fewer tokens before nn.linear: it sums over tokens}}
  %y = nn.linear %t, %m : (tensor<1x8x9xf32>, tensor<9x5xf32>) -> tensor<1x8x5xf32>
  return %y : tensor<1x8x5xf32>
}

// -----

func.func @channels(%x: tensor<1x9x8xf32>) -> tensor<1x9xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error@below {{cannot have fewer tokens before onnx.ReduceMean: it reduces another dimension than the tokens}}
  %y = "onnx.ReduceMean"(%y1, %two) <{keepdims = 0 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<1x9x8xf32>, tensor<1xi64>) -> tensor<1x9xf32>
  return %y : tensor<1x9xf32>
}

// -----

func.func @sorted(%x: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  // expected-error@below {{cannot have fewer tokens before onnx.Softmax: it is not known what becomes of tokens}}
  %y = "onnx.Softmax"(%y1) <{axis = 1 : i64}> : (tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  return %y : tensor<1x9x8xf32>
}

// -----

// Nobody reads a token, only how many there are.
// expected-error@below {{cannot have fewer tokens: expected the class to be read from the first token, or the mean of tokens}}
func.func @shape_only(%x: tensor<1x9x8xf32>) -> tensor<3xi64> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %shape = "onnx.Shape"(%y0) : (tensor<1x9x8xf32>) -> tensor<3xi64>
  return %shape : tensor<3xi64>
}
