// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @no_result(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'nn.softmax' op on tensors must have a result}}
  nn.softmax %x : (tensor<2x4xf32>) -> ()
  return
}

// -----

func.func @no_destination(%x: memref<2x4xf32>) {
  // expected-error@+1 {{on memrefs must have a destination and no result}}
  nn.softmax %x : (memref<2x4xf32>) -> ()
  return
}

// -----

func.func @destination_type(%x: tensor<2x4xf32>, %y: tensor<2x5xf32>) {
  // expected-error@+1 {{expected the destination's type 'tensor<2x5xf32>' to be the result's, 'tensor<2x4xf32>'}}
  %0 = nn.softmax %x outs(%y) : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @softmax_rank(%x: tensor<f32>) {
  // expected-error@+1 {{expected an input of rank 1 or more}}
  %0 = nn.softmax %x : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @linear_weight(%x: tensor<2x4xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{expected a weight of rank 2, or packed of rank 3 or 4, but got 'tensor<4xf32>'}}
  %0 = nn.linear %x, %w : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @linear_input(%x: tensor<f32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{expected an input of rank 1 or more}}
  %0 = nn.linear %x, %w : (tensor<f32>, tensor<4x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @linear_reduction(%x: tensor<2x4xf32>, %w: tensor<3x5xf32>) {
  // expected-error@+1 {{expected equal reduction sizes, but got 4 and 3}}
  %0 = nn.linear %x, %w : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @linear_outputs(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{expected equal numbers of outputs, but got 5 and 6}}
  %0 = nn.linear %x, %w : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x6xf32>
  return
}

// -----

func.func @extras(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{has extras but no epilogue that reads them}}
  %0 = nn.linear %x, %w extras(%b) : (tensor<2x4xf32>, tensor<4x5xf32>, tensor<5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @epilogue_arguments(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{expected an epilogue of 2 arguments, but got 1}}
  %0 = nn.linear %x, %w extras(%b) epilogue {
  ^bb0(%a: f32):
    nn.yield %a : f32
  } : (tensor<2x4xf32>, tensor<4x5xf32>, tensor<5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @epilogue_type(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{expected an epilogue argument of type 'f32', but got 'i32'}}
  %0 = nn.linear %x, %w extras(%b) epilogue {
  ^bb0(%a: f32, %c: i32):
    nn.yield %a : f32
  } : (tensor<2x4xf32>, tensor<4x5xf32>, tensor<5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @epilogue_yield(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{expected the epilogue to yield 'f32', but got 'i32'}}
  %0 = nn.linear %x, %w epilogue {
  ^bb0(%a: i32):
    nn.yield %a : i32
  } : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @epilogue_end(%x: tensor<2x4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{expected the epilogue to end with nn.yield}}
  %0 = nn.linear %x, %w epilogue {
  ^bb0(%a: f32):
    "llvm.unreachable"() : () -> ()
  } : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @matmul_rank(%x: tensor<4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{expected operands of rank 2 or more}}
  %0 = nn.matmul %x, %w : (tensor<4xf32>, tensor<4x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @matmul_reduction(%x: tensor<2x4xf32>, %w: tensor<3x5xf32>) {
  // expected-error@+1 {{expected equal reduction sizes, but got 4 and 3}}
  %0 = nn.matmul %x, %w : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @conv_rank(%x: tensor<8x8x4xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error@+1 {{expected input and result of rank 4}}
  %0 = nn.conv %x, %w : (tensor<8x8x4xf32>, tensor<3x3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_weight(%x: tensor<1x8x8x4xf32>, %w: tensor<3x4x6xf32>) {
  // expected-error@+1 {{expected a weight of rank 4, or packed of rank 5 or 6, but got 'tensor<3x4x6xf32>'}}
  %0 = nn.conv %x, %w : (tensor<1x8x8x4xf32>, tensor<3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_lists(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error@+1 {{expected 2 strides, 2 dilations and 4 pads}}
  %0 = nn.conv %x, %w {strides = array<i64: 1>} : (tensor<1x8x8x4xf32>, tensor<3x3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_values(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error@+1 {{expected positive strides, dilations and group, and pads of 0 or more}}
  %0 = nn.conv %x, %w {strides = array<i64: 1, 0>} : (tensor<1x8x8x4xf32>, tensor<3x3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_channels(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error@+1 {{expected 8 input channels, but got 4}}
  %0 = nn.conv %x, %w {group = 2 : i64} : (tensor<1x8x8x4xf32>, tensor<3x3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_group(%x: tensor<1x8x8x16xf32>, %w: tensor<3x3x4x6xf32>) {
  // expected-error@+1 {{expected the outputs, 6, to divide by group 4}}
  %0 = nn.conv %x, %w {group = 4 : i64} : (tensor<1x8x8x16xf32>, tensor<3x3x4x6xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @pool_rank(%x: tensor<8x8x4xf32>) {
  // expected-error@+1 {{expected an input of rank 4}}
  %0 = nn.pool max %x {kernel = array<i64: 2, 2>} : (tensor<8x8x4xf32>) -> tensor<7x7x4xf32>
  return
}

// -----

func.func @pool_lists(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{expected a kernel, strides and dilations of 2 and 4 pads}}
  %0 = nn.pool max %x {kernel = array<i64: 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x7x7x4xf32>
  return
}

// -----

func.func @attention_rank(%q: tensor<2x4x8xf32>, %k: tensor<1x2x4x8xf32>) {
  // expected-error@+1 {{expected query, key and value of rank 4}}
  %0 = nn.attention %q, %k, %k {scale = 1.0 : f32} : (tensor<2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<2x4x8xf32>
  return
}

// -----

func.func @attention_heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x3x8xf32>) {
  // expected-error@+1 {{expected the query heads, 4, to be a multiple of the key heads, 3}}
  %0 = nn.attention %q, %k, %k {scale = 1.0 : f32} : (tensor<1x2x4x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @norm_rank(%x: tensor<2x4xf32>, %s: tensor<1x4xf32>) {
  // expected-error@+1 {{expected scale and bias of rank 1, but got 'tensor<1x4xf32>'}}
  %0 = nn.norm rms %x scale(%s) {epsilon = 1.0e-5 : f32} : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @norm_size(%x: tensor<2x4xf32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{expected equal sizes of the last dimension, but got 3 and 4}}
  %0 = nn.norm rms %x scale(%s) {epsilon = 1.0e-5 : f32} : (tensor<2x4xf32>, tensor<3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @odd_bits(%x: tensor<1x32xf32>, %w: tensor<5x2xi32>, %s: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{expected words with elements of 2, 3 or 4 bits, but got 5}}
  %y = nn.linear %x, %w scales(%s) {bits = 5 : i64} : (tensor<1x32xf32>, tensor<5x2xi32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @bytes_for_words(%x: tensor<1x32xf32>, %w: tensor<4x2xi8>, %s: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{with scales expected an input of f32 and a weight of i32, but got 'f32' and 'i8'}}
  %y = nn.linear %x, %w scales(%s) {bits = 4 : i64} : (tensor<1x32xf32>, tensor<4x2xi8>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @half_streams(%x: tensor<1x32xf32>, %w: tensor<3x2xi32>, %s: tensor<2x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{expected f32 scales for groups of rows of the weight}}
  %y = nn.linear %x, %w scales(%s) {bits = 3 : i64} : (tensor<1x32xf32>, tensor<3x2xi32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @no_scales(%x: tensor<1x32xf32>, %w: tensor<3x2xi32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{has bits but no scales}}
  %y = nn.linear %x, %w {bits = 3 : i64} : (tensor<1x32xf32>, tensor<3x2xi32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @too_few_words(%x: tensor<1x64xf32>, %w: tensor<3x2xi32>, %s: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{expected equal reduction sizes, but got 64 and 32}}
  %y = nn.linear %x, %w scales(%s) {bits = 3 : i64} : (tensor<1x64xf32>, tensor<3x2xi32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @sparse_input(%x: tensor<2x?xf32>, %v: tensor<3xf32>, %c: tensor<3xi8>, %p: tensor<9xi32>) {
  // expected-error@+1 {{expected an input of f32 with a static last dimension, but got 'tensor<2x?xf32>'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x?xf32>, tensor<3xf32>, tensor<3xi8>, tensor<9xi32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @sparse_values(%x: tensor<2x4xf32>, %v: tensor<3xi8>, %c: tensor<3xi8>, %p: tensor<9xi32>) {
  // expected-error@+1 {{expected values of static shape [E] and of f32, but got 'tensor<3xi8>'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x4xf32>, tensor<3xi8>, tensor<3xi8>, tensor<9xi32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @sparse_coordinates(%x: tensor<2x4xf32>, %v: tensor<3xf32>, %c: tensor<4xi8>, %p: tensor<9xi32>) {
  // expected-error@+1 {{expected a coordinate of i8 or i16 for each of 3 values, but got 'tensor<4xi8>'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x4xf32>, tensor<3xf32>, tensor<4xi8>, tensor<9xi32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @sparse_bytes(%x: tensor<2x257xf32>, %v: tensor<3xf32>, %c: tensor<3xi8>, %p: tensor<9xi32>) {
  // expected-error@+1 {{expected coordinates that can count 257 channels, but got 'i8'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x257xf32>, tensor<3xf32>, tensor<3xi8>, tensor<9xi32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @sparse_positions(%x: tensor<2x4xf32>, %v: tensor<3xf32>, %c: tensor<3xi8>, %p: tensor<9xi64>) {
  // expected-error@+1 {{expected positions of static shape [N + 1] and of i32, but got 'tensor<9xi64>'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x4xf32>, tensor<3xf32>, tensor<3xi8>, tensor<9xi64>) -> tensor<2x8xf32>
  return
}

// -----

func.func @sparse_result(%x: tensor<2x4xf32>, %v: tensor<3xf32>, %c: tensor<3xi8>, %p: tensor<9xi32>) {
  // expected-error@+1 {{expected a result of 8 columns and the input's rank, but got 'tensor<2x9xf32>'}}
  %0 = nn.sparse_linear %x, %v, %c, %p : (tensor<2x4xf32>, tensor<3xf32>, tensor<3xi8>, tensor<9xi32>) -> tensor<2x9xf32>
  return
}

// -----

func.func @scales(%x: tensor<2x6xf32>, %w: tensor<6x4xi8>, %s: tensor<4x4xf32>) {
  // expected-error@+1 {{expected f32 scales for groups of rows of the weight, 'tensor<6x4xi8>', but got 'tensor<4x4xf32>'}}
  %0 = nn.linear %x, %w scales(%s) : (tensor<2x6xf32>, tensor<6x4xi8>, tensor<4x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @offsets(%x: tensor<2x6xf32>, %w: tensor<6x4xi8>, %s: tensor<2x4xf32>, %o: tensor<1x4xf32>) {
  // expected-error@+1 {{expected offsets like the scales, 'tensor<2x4xf32>', but got 'tensor<1x4xf32>'}}
  %0 = nn.linear %x, %w scales(%s) offsets(%o) : (tensor<2x6xf32>, tensor<6x4xi8>, tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  return
}
