// RUN: lathe-opt %s --lower-quant --split-input-file --verify-diagnostics

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @unknown_weight(%q: tensor<1x2xf32>, %w: tensor<2x2xi8>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!u8>
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!i8>
  // expected-error @+1 {{expected a constant weight, because the zero point of the input is not 0}}
  %y = nn.linear %x, %s : (tensor<1x2x!u8>, tensor<2x2x!i8>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!s8 = !quant.uniform<i8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @signed_input(%q: tensor<1x2xf32>, %w: tensor<2x2xi8>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!s8>
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!i8>
  // expected-error @+1 {{expected an unsigned input, but got}}
  %y = nn.linear %x, %s : (tensor<1x2x!s8>, tensor<2x2x!i8>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!i8 = !quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25}>

func.func @float_input(%x: tensor<1x2x2x2xf32>, %w: tensor<1x1x2x2xi8>) -> tensor<1x2x2x2xf32> {
  %s = quant.scast %w : tensor<1x1x2x2xi8> to tensor<1x1x2x2x!i8>
  // expected-error @+1 {{expected input and weight to be both quantized or neither}}
  %y = nn.conv %x, %s : (tensor<1x2x2x2xf32>, tensor<1x1x2x2x!i8>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// -----

!rows = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>

func.func @scales_of_rows(%x: tensor<1x2xf32>, %w: tensor<2x2xi8>) -> tensor<1x2xf32> {
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!rows>
  // expected-error @+1 {{expected a weight of signed 8 bits with scales for each output}}
  %y = nn.linear %x, %s : (tensor<1x2xf32>, tensor<2x2x!rows>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!w4 = !quant.uniform<i4:f32:{0:32, 1:1}, {{0.5, 0.25}}>

func.func @unknown_words(%x: tensor<1x32xf32>, %w: tensor<32x2xi4>) -> tensor<1x2xf32> {
  %s = quant.scast %w : tensor<32x2xi4> to tensor<32x2x!w4>
  // expected-error @+1 {{expected a constant weight, because it has 4 bits}}
  %y = nn.linear %x, %s : (tensor<1x32xf32>, tensor<32x2x!w4>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!pairs = !quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}}>

func.func @small_groups(%x: tensor<1x2xf32>, %w: tensor<2x2xi4>) -> tensor<1x2xf32> {
  %s = quant.scast %w : tensor<2x2xi4> to tensor<2x2x!pairs>
  // expected-error @+1 {{or of 2, 3 or 4 bits with scales for groups of a multiple of 32 rows}}
  %y = nn.linear %x, %s : (tensor<1x2xf32>, tensor<2x2x!pairs>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01>

// expected-error @+1 {{expected arguments and results without quantized types}}
func.func @argument(%x: tensor<1x2x!u8>) {
  return
}

// -----

!axis = !quant.uniform<u8:f32:1, {0.5, 0.25}>

func.func @per_axis(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{expected an activation of 8 bits with one scale}}
  %q = quant.qcast %x : tensor<1x2xf32> to tensor<1x2x!axis>
  // expected-error @+1 {{expected an activation of 8 bits with one scale}}
  %d = quant.dcast %q : tensor<1x2x!axis> to tensor<1x2xf32>
  return %d : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i4 = !quant.uniform<i4<-7:7>:f32:1, {0.5, 0.25}>

func.func @narrow_weight(%q: tensor<1x2xf32>, %w: tensor<2x2xi4>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!u8>
  %s = quant.scast %w : tensor<2x2xi4> to tensor<2x2x!i4>
  // expected-error @+1 {{expected a signed weight of 8 bits, but got}}
  %y = nn.linear %x, %s : (tensor<1x2x!u8>, tensor<2x2x!i4>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!shifted = !quant.uniform<i8<-127:127>:f32:1, {0.5:1, 0.25}>

func.func @zero_points(%q: tensor<1x2xf32>, %w: tensor<2x2xi8>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!u8>
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!shifted>
  // expected-error @+1 {{expected a symmetric weight with a scale for each output, but got}}
  %y = nn.linear %x, %s : (tensor<1x2x!u8>, tensor<2x2x!shifted>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

func.func @product(%p: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %x = quant.qcast %p : tensor<2x2xf32> to tensor<2x2x!u8>
  // expected-error @+1 {{expected operands without quantized types}}
  %y = nn.matmul %x, %x : (tensor<2x2x!u8>, tensor<2x2x!u8>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

func.func @scalar(%p: f32) -> f32 {
  // expected-error @+1 {{expected a ranked tensor, but got 'f32'}}
  %x = quant.qcast %p : f32 to !u8
  // expected-error @+1 {{expected a ranked tensor, but got '!quant.uniform<u8:f32, 5.000000e-01:3>'}}
  %y = quant.dcast %x : !u8 to f32
  return %y : f32
}

// -----

!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @half_input(%x: tensor<1x2xbf16>, %w: tensor<2x2xi8>) -> tensor<1x2xf32> {
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!i8>
  // expected-error @+1 {{expected an input of f32, but got 'tensor<1x2xbf16>'}}
  %y = nn.linear %x, %s : (tensor<1x2xbf16>, tensor<2x2x!i8>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @unloaded_weight(%q: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!u8>
  %w = arith.constant dense_resource<w> : tensor<2x2xi8>
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!i8>
  // expected-error @+1 {{expected a weight that is loaded, but got dense_resource<w>}}
  %y = nn.linear %x, %s : (tensor<1x2x!u8>, tensor<2x2x!i8>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

func.func @sparse_weight(%q: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x = quant.qcast %q : tensor<1x2xf32> to tensor<1x2x!u8>
  %w = arith.constant sparse<[[0, 1]], [3]> : tensor<2x2xi8>
  %s = quant.scast %w : tensor<2x2xi8> to tensor<2x2x!i8>
  // expected-error @+1 {{expected a dense weight, but got sparse}}
  %y = nn.linear %x, %s : (tensor<1x2x!u8>, tensor<2x2x!i8>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!w4 = !quant.uniform<i4:f32:{0:32, 1:1}, {{0.5, 0.25}}>

func.func @unloaded_words(%x: tensor<1x32xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense_resource<w> : tensor<32x2xi4>
  %s = quant.scast %w : tensor<32x2xi4> to tensor<32x2x!w4>
  // expected-error @+1 {{expected a weight that is loaded, but got dense_resource<w>}}
  %y = nn.linear %x, %s : (tensor<1x32xf32>, tensor<32x2x!w4>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
