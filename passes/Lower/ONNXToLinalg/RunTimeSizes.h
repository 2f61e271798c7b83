//===- RunTimeSizes.h - Sizes that operands tell at run time --------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_RUNTIMESIZES_H
#define PASSES_LOWER_ONNXTOLINALG_RUNTIMESIZES_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

// Each reads the operand that tells sizes of the result, says what they are (`Lowering::setSize`) and requires that
// they fit. What is known at compile time is left alone.
void readRangeSize(Lowering &lowering, onnx::RangeOp op);
void readConstantOfShapeSizes(Lowering &lowering, onnx::ConstantOfShapeOp op);
void readExpandSizes(Lowering &lowering, onnx::ExpandOp op);
void readSplitSizes(Lowering &lowering, onnx::SplitOp op);
void readTopKSize(Lowering &lowering, onnx::TopKOp op);
void readOneHotSize(Lowering &lowering, onnx::OneHotOp op);
void readResizeSizes(Lowering &lowering, onnx::ResizeOp op);

/// Whether a size of the value, a result, is up to the op itself, or to one of its kind that has the same size.
bool hasDataSize(Lowering &lowering, mlir::Value value);

// The whole op, where operands tell sizes at run time.
llvm::LogicalResult lowerOpenSlice(Lowering &lowering, onnx::SliceOp op);
llvm::LogicalResult lowerOpenReshape(Lowering &lowering, onnx::ReshapeOp op);
llvm::LogicalResult lowerOpenTile(Lowering &lowering, onnx::TileOp op);
llvm::LogicalResult lowerOpenPad(Lowering &lowering, onnx::PadOp op);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_RUNTIMESIZES_H
