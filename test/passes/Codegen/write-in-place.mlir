// RUN: lathe-opt %s -split-input-file -codegen-write-in-place --remarks-filter=codegen --remark-format=emitRemark -o %t 2> %t.remarks
// RUN: FileCheck %s < %t
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// The sum takes the place of its residual, which nobody reads later.
// CHECK-LABEL: @residual
//       CHECK: %[[R:.*]] = memref.alloc() : memref<1x56x56x64xf32>
//   CHECK-NOT: memref.alloc
//       CHECK: nn.conv %arg0, %arg1 extras(%[[R]]) outs(%[[R]])
//       CHECK: memref.copy %[[R]], %arg2
// REMARK: WriteInPlace{{.*}}Bytes=802816
func.func @residual(%x: memref<1x56x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>) {
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %x, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  nn.conv %x, %w extras(%r) outs(%s) epilogue {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    nn.yield %0 : f32
  } : (memref<1x56x56x64xf32>, memref<2x1x1x64x32xf32>, memref<1x56x56x64xf32>, memref<1x56x56x64xf32>) -> ()
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// The result's buffer may come first.
// CHECK-LABEL: @elementwise
//       CHECK: %[[R:.*]] = memref.alloc() : memref<256x256xf32>
//   CHECK-NOT: memref.alloc
//       CHECK: linalg.generic {{.*}} ins(%[[R]], %arg1 : {{.*}}) outs(%[[R]] :
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
func.func @elementwise(%x: memref<256x256xf32>, %s: memref<256xf32>, %y: memref<256x256xf32>) {
  %o = memref.alloc() : memref<256x256xf32>
  %r = memref.alloc() : memref<256x256xf32>
  memref.copy %x, %r : memref<256x256xf32> to memref<256x256xf32>
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r, %s : memref<256x256xf32>, memref<256xf32>) outs(%o : memref<256x256xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  }
  memref.copy %o, %y : memref<256x256xf32> to memref<256x256xf32>
  return
}

// -----

// In a loop over parts both are read and written in the same part.
// CHECK-LABEL: @parts
//       CHECK: %[[R:.*]] = memref.alloc() : memref<1x56x56x64xf32>
//   CHECK-NOT: memref.alloc
//       CHECK: scf.for
// CHECK-COUNT-2: memref.subview %[[R]][0, %{{.*}}, 0, 0]
//       CHECK: nn.conv
#part = strided<[200704, 3584, 64, 1], offset: ?>
func.func @parts(%x: memref<1x14x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>) {
  %c0 = arith.constant 0 : index
  %c14 = arith.constant 14 : index
  %c56 = arith.constant 56 : index
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %y, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  scf.for %i = %c0 to %c56 step %c14 {
    %from = memref.subview %r[0, %i, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    %to = memref.subview %s[0, %i, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    nn.conv %x, %w extras(%from) outs(%to) epilogue {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      nn.yield %0 : f32
    } : (memref<1x14x56x64xf32>, memref<2x1x1x64x32xf32>, memref<1x14x56x64xf32, #part>, memref<1x14x56x64xf32, #part>) -> ()
  }
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// Where another iteration's part is read, too, they stay apart.
// CHECK-LABEL: @other_parts
// CHECK-COUNT-2: memref.alloc()
#part = strided<[200704, 3584, 64, 1], offset: ?>
func.func @other_parts(%x: memref<1x14x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>) {
  %c0 = arith.constant 0 : index
  %c14 = arith.constant 14 : index
  %c56 = arith.constant 56 : index
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %y, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  scf.for %i = %c0 to %c56 step %c14 {
    %first = memref.subview %r[0, 0, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, strided<[200704, 3584, 64, 1]>>
    %from = memref.subview %r[0, %i, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    %to = memref.subview %s[0, %i, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    nn.conv %first, %w extras(%from) outs(%to) epilogue {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      nn.yield %0 : f32
    } : (memref<1x14x56x64xf32, strided<[200704, 3584, 64, 1]>>, memref<2x1x1x64x32xf32>, memref<1x14x56x64xf32, #part>, memref<1x14x56x64xf32, #part>) -> ()
  }
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// The next iteration would read what this one wrote.
// CHECK-LABEL: @same_part
// CHECK-COUNT-2: memref.alloc()
#part = strided<[200704, 3584, 64, 1]>
func.func @same_part(%x: memref<1x14x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %y, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  scf.for %i = %c0 to %c4 step %c1 {
    %from = memref.subview %r[0, 0, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    %to = memref.subview %s[0, 0, 0, 0] [1, 14, 56, 64] [1, 1, 1, 1] : memref<1x56x56x64xf32> to memref<1x14x56x64xf32, #part>
    nn.conv %x, %w extras(%from) outs(%to) epilogue {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      nn.yield %0 : f32
    } : (memref<1x14x56x64xf32>, memref<2x1x1x64x32xf32>, memref<1x14x56x64xf32, #part>, memref<1x14x56x64xf32, #part>) -> ()
  }
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// Buffers with equal borders: the border is filled once.
// CHECK-LABEL: @borders
//       CHECK: %[[R:.*]] = memref.alloc() : memref<1x58x56x64xf32>
//   CHECK-NOT: memref.alloc
// CHECK-COUNT-1: linalg.fill
//   CHECK-NOT: linalg.fill
//       CHECK: nn.winograd_conv
#inner = strided<[207872, 3584, 64, 1], offset: 3584>
#top = strided<[207872, 3584, 64, 1]>
func.func @borders(%x: memref<1x58x58x64xf32>, %w: memref<2x36x4x16x32xf32>, %y: memref<1x58x56x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %r = memref.alloc() : memref<1x58x56x64xf32>
  %t0 = memref.subview %r[0, 0, 0, 0] [1, 1, 56, 64] [1, 1, 1, 1] : memref<1x58x56x64xf32> to memref<1x1x56x64xf32, #top>
  linalg.fill ins(%zero : f32) outs(%t0 : memref<1x1x56x64xf32, #top>)
  %from = memref.subview %r[0, 1, 0, 0] [1, 56, 56, 64] [1, 1, 1, 1] : memref<1x58x56x64xf32> to memref<1x56x56x64xf32, #inner>
  nn.winograd_conv %x, %w outs(%from) {m = 4 : i64} : (memref<1x58x58x64xf32>, memref<2x36x4x16x32xf32>, memref<1x56x56x64xf32, #inner>) -> ()
  %s = memref.alloc() : memref<1x58x56x64xf32>
  %t1 = memref.subview %s[0, 0, 0, 0] [1, 1, 56, 64] [1, 1, 1, 1] : memref<1x58x56x64xf32> to memref<1x1x56x64xf32, #top>
  linalg.fill ins(%zero : f32) outs(%t1 : memref<1x1x56x64xf32, #top>)
  %to = memref.subview %s[0, 1, 0, 0] [1, 56, 56, 64] [1, 1, 1, 1] : memref<1x58x56x64xf32> to memref<1x56x56x64xf32, #inner>
  nn.winograd_conv %x, %w extras(%from) outs(%to) {m = 4 : i64} epilogue {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    nn.yield %0 : f32
  } : (memref<1x58x58x64xf32>, memref<2x36x4x16x32xf32>, memref<1x56x56x64xf32, #inner>, memref<1x56x56x64xf32, #inner>) -> ()
  memref.copy %s, %y : memref<1x58x56x64xf32> to memref<1x58x56x64xf32>
  return
}

// -----

// The residual is needed later.
// CHECK-LABEL: @needed
// CHECK-COUNT-2: memref.alloc()
// REMARK: WriteInPlace{{.*}}the operand is needed later
func.func @needed(%x: memref<1x56x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>, %z: memref<1x56x56x64xf32>) {
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %x, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  nn.conv %x, %w extras(%r) outs(%s) epilogue {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    nn.yield %0 : f32
  } : (memref<1x56x56x64xf32>, memref<2x1x1x64x32xf32>, memref<1x56x56x64xf32>, memref<1x56x56x64xf32>) -> ()
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  memref.copy %r, %z : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// Windows of it are the convolution's input, too.
// CHECK-LABEL: @own_input
// CHECK-COUNT-2: memref.alloc()
func.func @own_input(%x: memref<1x56x56x64xf32>, %w: memref<2x1x1x64x32xf32>, %y: memref<1x56x56x64xf32>) {
  %r = memref.alloc() : memref<1x56x56x64xf32>
  memref.copy %x, %r : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  %s = memref.alloc() : memref<1x56x56x64xf32>
  nn.conv %r, %w extras(%r) outs(%s) epilogue {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    nn.yield %0 : f32
  } : (memref<1x56x56x64xf32>, memref<2x1x1x64x32xf32>, memref<1x56x56x64xf32>, memref<1x56x56x64xf32>) -> ()
  memref.copy %s, %y : memref<1x56x56x64xf32> to memref<1x56x56x64xf32>
  return
}

// -----

// Partial sums of a long reduction wait in the destination.
// CHECK-LABEL: @partial_sums
// CHECK-COUNT-2: memref.alloc()
func.func @partial_sums(%x: memref<197x3072xf32>, %w: memref<24x3072x32xf32>, %y: memref<197x768xf32>) {
  %r = memref.alloc() : memref<197x768xf32>
  memref.copy %y, %r : memref<197x768xf32> to memref<197x768xf32>
  %s = memref.alloc() : memref<197x768xf32>
  nn.linear %x, %w extras(%r) outs(%s) epilogue {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    nn.yield %0 : f32
  } : (memref<197x3072xf32>, memref<24x3072x32xf32>, memref<197x768xf32>, memref<197x768xf32>) -> ()
  memref.copy %s, %y : memref<197x768xf32> to memref<197x768xf32>
  return
}
