//===- RemoveChannels.h - Takes units out of a function ---------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_REMOVECHANNELS_H
#define PASSES_COMPRESS_CHANNELS_REMOVECHANNELS_H

#include "passes/Compress/Channels/ChannelGroups.h"

namespace lathe {

/// Removes units of `groups`, which are of `function` as it is: slices constants, gives values their new types and ops
/// what they know of sizes. Each axis must keep an element. Fails after an error if inferred shapes disagree.
llvm::LogicalResult removeChannels(mlir::func::FuncOp function, const ChannelGroups &groups,
                                   llvm::ArrayRef<const ChannelUnit *> units);

/// The units without those that would leave an axis empty.
llvm::SmallVector<const ChannelUnit *> keepOneOfEach(const ChannelGroups &groups,
                                                     llvm::ArrayRef<const ChannelUnit *> units);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_REMOVECHANNELS_H
