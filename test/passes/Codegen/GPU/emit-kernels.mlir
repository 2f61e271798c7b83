// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(codegen-gpu-emit-kernels))' -split-input-file | FileCheck %s

// One thread for each element; the epilogue sees the accumulator before the only store, and broadcasts its extra.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[X:.*]]: memref<7x5xf32>, %[[W:.*]]: memref<5x3xf32>, %[[B:.*]]: memref<3xf32>, %[[Y:.*]]: memref<7x3xf32>
// CHECK: scf.parallel (%[[ROW:.*]], %[[COLUMN:.*]]) = (%{{.*}}, %{{.*}}) to (%c7{{.*}}, %c3{{.*}})
// CHECK: %[[SUM:.*]] = scf.for %[[K:[a-z0-9]+]] = %{{.*}} to %c5{{.*}} iter_args(%[[ACC:.*]] =
// CHECK-DAG: %[[A:.*]] = memref.load %[[X]][%[[ROW]], %[[K]]]
// CHECK-DAG: %[[C:.*]] = memref.load %[[W]][%[[K]], %[[COLUMN]]]
// CHECK: %[[NEXT:.*]] = math.fma %[[A]], %[[C]], %[[ACC]]
// CHECK: scf.yield %[[NEXT]]
// CHECK: %[[BIAS:.*]] = memref.load %[[B]][%[[COLUMN]]]
// CHECK: %[[RESULT:.*]] = arith.addf %[[SUM]], %[[BIAS]]
// CHECK: memref.store %[[RESULT]], %[[Y]][%[[ROW]], %[[COLUMN]]]
// CHECK-NOT: nn.linear
func.func @linear(%x: memref<7x5xf32>, %w: memref<5x3xf32>, %b: memref<3xf32>, %y: memref<7x3xf32>) {
  nn.linear %x, %w extras(%b) outs(%y) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %s = arith.addf %acc, %bias : f32
    nn.yield %s : f32
  } : (memref<7x5xf32>, memref<5x3xf32>, memref<3xf32>, memref<7x3xf32>) -> ()
  return
}

// -----

// Inputs of bytes are unsigned, weights signed, sums i32.
// CHECK-LABEL: func.func @bytes
// CHECK: %[[A:.*]] = memref.load %arg0
// CHECK: arith.extui %[[A]] : i8 to i32
// CHECK: %[[B:.*]] = memref.load %arg1
// CHECK: arith.extsi %[[B]] : i8 to i32
// CHECK: arith.muli
func.func @bytes(%x: memref<7x5xi8>, %w: memref<5x3xi8>, %y: memref<7x3xi32>) {
  nn.linear %x, %w outs(%y) : (memref<7x5xi8>, memref<5x3xi8>, memref<7x3xi32>) -> ()
  return
}

// -----

// A stored number of three bits may lie in two words; groups of 32 rows have a scale, applied to their sum.
// CHECK-LABEL: func.func @words
// CHECK: scf.for %{{.*}} = %{{.*}} to %c2{{.*}} iter_args
// CHECK: scf.for %{{.*}} = %{{.*}} to %c32{{.*}} iter_args
// CHECK: arith.shrui
// CHECK: arith.shli
// CHECK: arith.andi
// CHECK: arith.sitofp
// CHECK: memref.load %arg2
// CHECK: math.fma
func.func @words(%x: memref<7x64xf32>, %w: memref<6x3xi32>, %s: memref<2x3xf32>, %y: memref<7x3xf32>) {
  nn.linear %x, %w scales(%s) outs(%y) {bits = 3 : i64}
    : (memref<7x64xf32>, memref<6x3xi32>, memref<2x3xf32>, memref<7x3xf32>) -> ()
  return
}

// -----

// The two inner dimensions are multiplied; a dimension of one broadcasts.
// CHECK-LABEL: func.func @matmul
// CHECK: scf.parallel (%[[N:.*]], %[[H:.*]], %[[I:.*]], %[[J:.*]]) =
// CHECK: scf.for %[[K:[a-z0-9]+]] = %{{.*}} to %c5
// CHECK: memref.load %arg0[%[[N]], %[[H]], %[[I]], %[[K]]]
// CHECK: memref.load %arg1[%c0{{.*}}, %[[K]], %[[J]]]
func.func @matmul(%a: memref<2x4x7x5xf32>, %b: memref<1x5x3xf32>, %y: memref<2x4x7x3xf32>) {
  nn.matmul %a, %b outs(%y) : (memref<2x4x7x5xf32>, memref<1x5x3xf32>, memref<2x4x7x3xf32>) -> ()
  return
}

// -----

// Output channel o of four groups of two reads the input channels of group o / 2.
// CHECK-LABEL: func.func @grouped_conv
// CHECK: scf.parallel (%[[N:.*]], %[[Y:.*]], %[[X:.*]], %[[O:.*]]) = {{.*}} to (%c1{{.*}}, %c3{{.*}}, %c3{{.*}}, %c8
// CHECK: %[[GROUP:.*]] = arith.divui %[[O]], %c2
// CHECK: %[[FIRST:.*]] = arith.muli %[[GROUP]], %c3
// CHECK: %[[TOP:.*]] = arith.muli %[[Y]], %c2
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK: scf.for %[[C:[a-z0-9]+]] =
// CHECK: %[[CHANNEL:.*]] = arith.addi %[[FIRST]], %[[C]]
// CHECK: memref.load %arg0[%[[N]], %{{.*}}, %{{.*}}, %[[CHANNEL]]]
// CHECK: memref.load %arg1[%[[I]], %[[J]], %[[C]], %[[O]]]
func.func @grouped_conv(%x: memref<1x7x7x12xf32>, %w: memref<3x3x3x8xf32>, %y: memref<1x3x3x8xf32>) {
  nn.conv %x, %w outs(%y) {group = 4 : i64, strides = array<i64: 2, 2>}
    : (memref<1x7x7x12xf32>, memref<3x3x3x8xf32>, memref<1x3x3x8xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: func.func @pool
// CHECK: scf.parallel
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.maximumf
func.func @pool(%x: memref<1x8x8x4xf32>, %y: memref<1x4x4x4xf32>) {
  nn.pool max %x outs(%y) {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>}
    : (memref<1x8x8x4xf32>, memref<1x4x4x4xf32>) -> ()
  return
}

// -----

// Eight query heads share four key heads; a query sees the keys up to its own position.
// CHECK-LABEL: func.func @attention
// CHECK: scf.parallel (%[[B:.*]], %[[Q:.*]], %[[H:.*]], %[[D:.*]]) = {{.*}} to (%c1{{.*}}, %c5{{.*}}, %c8{{.*}}, %c16
// CHECK: %[[STATE:.*]]:3 = scf.for %[[KEY:[a-z0-9]+]] = %{{.*}} to %{{.*}} iter_args
// CHECK: arith.divui %[[H]], %c2
// CHECK: memref.load %arg0[%[[B]], %[[Q]], %[[H]],
// CHECK: memref.load %arg1[%[[B]], %[[KEY]],
// CHECK: memref.load %arg2[%[[B]], %[[KEY]], %{{.*}}, %[[D]]]
// CHECK: arith.divf %[[STATE]]#2, %[[STATE]]#1
func.func @attention(%q: memref<1x5x8x16xf32>, %k: memref<1x5x4x16xf32>, %v: memref<1x5x4x16xf32>, %y: memref<1x5x8x16xf32>) {
  nn.attention %q, %k, %v outs(%y) {scale = 0.25 : f32, causal}
    : (memref<1x5x8x16xf32>, memref<1x5x4x16xf32>, memref<1x5x4x16xf32>, memref<1x5x8x16xf32>) -> ()
  return
}

// -----

// A block has a row. Its threads share two reductions, of seven steps each, through the memory of the block.
// CHECK-LABEL: func.func @norm
// CHECK: gpu.launch blocks(%[[ROW:[a-z0-9]+]], {{.*}} threads(%[[T:[a-z0-9]+]], {{.*}} workgroup(%[[SHARED:[a-z0-9]+]] : memref<128xf32, #gpu.address_space<workgroup>>)
// CHECK: scf.for %[[C:[a-z0-9]+]] = %[[T]] to %c16{{.*}} step %c128
// CHECK: memref.load %arg0[%[[ROW]], %[[C]]]
// CHECK: memref.store %{{.*}}, %[[SHARED]][%[[T]]]
// CHECK-COUNT-9: gpu.barrier
// CHECK: scf.for
// CHECK: math.fma
// CHECK-COUNT-9: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: math.sqrt
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %arg3
func.func @norm(%x: memref<7x16xf32>, %s: memref<16xf32>, %b: memref<16xf32>, %y: memref<7x16xf32>) {
  nn.norm layer %x scale(%s) bias(%b) outs(%y) {epsilon = 1.000000e-05 : f32}
    : (memref<7x16xf32>, memref<16xf32>, memref<16xf32>, memref<7x16xf32>) -> ()
  return
}

// -----

// A grid of a dynamic number of rows has one block at least, which then does nothing.
// CHECK-LABEL: func.func @softmax
// CHECK: %[[ROWS:.*]] = memref.dim
// CHECK: gpu.launch blocks(%[[ROW:[a-z0-9]+]],
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[ROW]], %[[ROWS]]
// CHECK: scf.if %[[INSIDE]]
// CHECK: arith.maximumf
// CHECK: gpu.barrier
// CHECK: math.log
func.func @softmax(%x: memref<?x16xf32>, %y: memref<?x16xf32>) {
  nn.softmax %x outs(%y) {log} : (memref<?x16xf32>, memref<?x16xf32>) -> ()
  return
}

// -----

// A thread takes the taps that are inside; a pixel at the border has fewer.
// CHECK-LABEL: func.func @borders
// CHECK: scf.parallel (%{{.*}}, %[[ROW:.*]], %[[COLUMN:.*]], %[[CHANNEL:.*]]) =
// CHECK: %[[TOP:.*]] = arith.subi %{{.*}}, %c1{{.*}} : index
// CHECK: arith.maxsi
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step
// CHECK: memref.load %arg0[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : memref<1x8x8x4xf32>
// CHECK: math.fma
func.func @borders(%x: memref<1x8x8x4xf32>, %w: memref<3x3x1x4xf32>, %y: memref<1x8x8x4xf32>) {
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 1, 1, 1>, group = 4 : i64} : (memref<1x8x8x4xf32>, memref<3x3x1x4xf32>, memref<1x8x8x4xf32>) -> ()
  return
}
