// RUN: lathe-opt %s -lower-apply-tuning=file=%S/Inputs/tuning.yaml -split-input-file | FileCheck %s
// RUN: lathe-opt %s -lower-apply-tuning=file=%S/Inputs/tuning.yaml -split-input-file --remarks-filter=tuning \
// RUN:   --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not lathe-opt %s -lower-apply-tuning=file=%t.missing 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: cannot read '{{.*}}.missing'

// Types and attributes are those of the record; the epilogue and its operands are not asked.
// CHECK-LABEL: @applied
//       CHECK: nn.conv %arg0, %arg1 extras(%arg2) {nn.tuning = #nn.tuning<winograd = 2, panel_width = 32>, pads
// REMARK: [Passed] Tuning{{.*}}Choice="winograd=2 panel-width=32"{{.*}}MeasuredBy=0.1.0
// Two records are for no op of this function.
// REMARK: [Missed] Tuning{{.*}}the model has no nn.linear (tensor<?x8xf32>, tensor<8x16xf32>)
// REMARK: [Missed] Tuning{{.*}}the model has no nn.matmul
func.func @applied(%x: tensor<1x14x14x64xf32>, %w: tensor<3x3x64x64xf32>, %b: tensor<64xf32>) -> tensor<1x14x14x64xf32> {
  %y = nn.conv %x, %w extras(%b) {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32, %e: f32):
    %s = arith.addf %acc, %e : f32
    nn.yield %s : f32
  } : (tensor<1x14x14x64xf32>, tensor<3x3x64x64xf32>, tensor<64xf32>) -> tensor<1x14x14x64xf32>
  return %y : tensor<1x14x14x64xf32>
}

// -----

// Dynamic sizes are part of the types.
// CHECK-LABEL: @dynamic
//       CHECK: nn.linear {{.*}} {nn.tuning = #nn.tuning<tile_rows = 7>}
func.func @dynamic(%x: tensor<?x8xf32>, %w: tensor<8x16xf32>) -> tensor<?x16xf32> {
  %y = nn.linear %x, %w : (tensor<?x8xf32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// Without padding it is another kernel.
// CHECK-LABEL: @other_attributes
//   CHECK-NOT: nn.tuning
func.func @other_attributes(%x: tensor<1x16x16x64xf32>, %w: tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32> {
  %y = nn.conv %x, %w : (tensor<1x16x16x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32>
  return %y : tensor<1x14x14x64xf32>
}

// -----

// CHECK-LABEL: @other_machine
//   CHECK-NOT: nn.tuning
// REMARK: [Missed] Tuning{{.*}}it was measured on x86_64-linux-gnu, znver5, with other instructions
func.func @other_machine(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %y = nn.linear %x, %w : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}
