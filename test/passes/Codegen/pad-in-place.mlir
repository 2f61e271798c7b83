// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-pad-in-place))' | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-pad-in-place),codegen-bufferize,canonicalize,cse,canonicalize)' | FileCheck %s --check-prefix=BUFFER

// Four borders are filled before the producer; bufferised, it writes inside them, and nothing is copied.
// CHECK-LABEL: func.func @main
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 0] [1, 1, 6, 4] [1, 1, 1, 1]
// CHECK-NEXT: linalg.fill
// CHECK: tensor.extract_slice %{{.*}}[0, 5, 0, 0] [1, 1, 6, 4] [1, 1, 1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 1, 0, 0] [1, 4, 1, 4] [1, 1, 1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 1, 5, 0] [1, 4, 1, 4] [1, 1, 1, 1]
// CHECK: nn.pool
// BUFFER-LABEL: func.func @main
// BUFFER-COUNT-4: linalg.fill
// BUFFER: %[[INSIDE:.*]] = memref.subview
// BUFFER: nn.pool max %{{.*}} outs(%[[INSIDE]])
// Nor is a buffer filled that nobody reads.
// BUFFER-NOT: {{memref.copy|linalg.fill}}
// BUFFER: return
func.func @main(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x32xf32>) -> tensor<1x4x4x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x4x4x4xf32>
  %0 = nn.pool max %x outs(%e) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x8x8x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %big = tensor.empty() : tensor<1x6x6x4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%big : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %2 = tensor.insert_slice %0 into %1[0, 1, 1, 0] [1, 4, 4, 4] [1, 1, 1, 1] : tensor<1x4x4x4xf32> into tensor<1x6x6x4xf32>
  %out = tensor.empty() : tensor<1x4x4x32xf32>
  %3 = nn.conv %2, %w outs(%out) : (tensor<1x6x6x4xf32>, tensor<3x3x4x32xf32>, tensor<1x4x4x32xf32>) -> tensor<1x4x4x32xf32>
  return %3 : tensor<1x4x4x32xf32>
}

// Borders of unknown size: the fill stays.
// CHECK-LABEL: func.func @dynamic
// CHECK: linalg.fill {{.*}} tensor<?xf32>
// CHECK-NOT: tensor.extract_slice
func.func @dynamic(%x: tensor<?xf32>, %n: index, %m: index) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %big = tensor.empty(%n) : tensor<?xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%big : tensor<?xf32>) -> tensor<?xf32>
  %2 = tensor.insert_slice %x into %1[1] [%m] [1] : tensor<?xf32> into tensor<?xf32>
  return %2 : tensor<?xf32>
}

// -----

// Parts of buffers, too, are different ones.
// CHECK-LABEL: @parts
// CHECK-COUNT-2: tensor.extract_slice
//       CHECK: nn.softmax
func.func @parts(%x: tensor<16x1024xf32>) -> tensor<16x1024xf32> {
  %e = tensor.empty() : tensor<16x1040xf32>
  %s = tensor.extract_slice %e[0, 0] [16, 1024] [1, 1] : tensor<16x1040xf32> to tensor<16x1024xf32>
  %o = tensor.empty() : tensor<16x1024xf32>
  %a = nn.softmax %x outs(%s) : (tensor<16x1024xf32>, tensor<16x1024xf32>) -> tensor<16x1024xf32>
  %b = nn.softmax %a outs(%s) : (tensor<16x1024xf32>, tensor<16x1024xf32>) -> tensor<16x1024xf32>
  %c = nn.softmax %b outs(%o) : (tensor<16x1024xf32>, tensor<16x1024xf32>) -> tensor<16x1024xf32>
  return %c : tensor<16x1024xf32>
}
