//===- Instructions.h - What kernels ask of the target's family -----------===//
#ifndef PASSES_CODEGEN_COMMON_INSTRUCTIONS_H
#define PASSES_CODEGEN_COMMON_INSTRUCTIONS_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/HalfProduct.h"
#include "lib/Target/TileUnit.h"

namespace lathe::codegen {

/// Whether multiply-adds of `target` take the left operand from any lane of a vector.
bool multipliesByLane(nn::TargetAttr target);

/// Whether vectors of half a register take half the time on `target`; and that target with such registers.
bool splitsVectors(nn::TargetAttr target);
nn::TargetAttr withHalfVectors(nn::TargetAttr target);

/// `target`, with vectors of half a register if panels of `width` columns are no whole ones, but were chosen so:
/// chooseSplitPanelWidth.
nn::TargetAttr fitPanels(nn::TargetAttr target, int64_t width);

/// The instructions that multiply bytes.
const DotProduct &getDotProduct(nn::TargetAttr target);

/// The instructions that multiply pairs of bf16; null if there are none, or none that pay.
const DotProduct *getBf16DotProduct(nn::TargetAttr target);

/// How sums of products of f16 are added to f32; null where the target has no multiply-adds of f16.
const HalfProduct *getHalfProduct(nn::TargetAttr target);

/// The instruction that multiplies two rows of `element` by two columns at once; null for none.
const PairProduct *getPairProduct(nn::TargetAttr target, mlir::Type element);

/// The unit that multiplies bf16 in tile registers; null for none.
const TileUnit *getTileUnit(nn::TargetAttr target);
inline bool hasTileRegisters(nn::TargetAttr target) { return getTileUnit(target); }

/// Most rows of a tile of `vectors` columns of f32 that fits the registers.
int64_t maxTileRows(nn::TargetAttr target, int64_t vectors);

/// The same of products of bytes.
int64_t maxIntegerTileRows(nn::TargetAttr target, int64_t vectors);

/// The same of products of f16, whose tile has sums of `vectors` columns of f32 and of half as many vectors of f16.
int64_t maxHalfTileRows(nn::TargetAttr target, int64_t vectors);

/// Most pixels of a line that a depthwise convolution computes at once.
int64_t maxDepthwisePixels(nn::TargetAttr target);

/// Most pixels of a line that a convolution of groups within a vector computes at once.
int64_t maxGroupedPixels(nn::TargetAttr target);

/// Whether a convolution of f32 in groups is computed in vectors of several groups (GroupedConv.cpp), from a weight
/// that is not packed: they have as many channels out as in, at least two to a vector, and products of whole panels,
/// most of whose columns would be empty, cost more than shuffles do.
bool hasGroupsInVectors(nn::ConvOp op, nn::TargetAttr target);

/// Whether the kernel of a convolution leaves out what its windows see beyond the border, so that the input need not be
/// padded: a depthwise one of floats that computes a line at once, of which it knows the borders at compile time, and
/// any other of f32 whose padding is of whole lines, which lines of the kernel do not meet.
bool skipsPadding(nn::ConvOp op, nn::TargetAttr target);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_INSTRUCTIONS_H
