//===- ChannelOrder.h - In which order units are missed least ---*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CHANNELORDER_H
#define PASSES_COMPRESS_CHANNELS_CHANNELORDER_H

#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include "passes/Compress/Channels/ChannelGroups.h"
#include "passes/Compress/Channels/ChannelPruning.h"
#include "llvm/ADT/DenseMap.h"

namespace lathe {

/// The units of a group, the one that is missed least first, and what each of them adds to the loss when those before
/// it are gone. Losses of different groups compare: they are relative errors of the readers' outputs
/// (reconstruction), or norms relative to what is usual in the group.
struct ChannelOrder {
  llvm::SmallVector<const ChannelUnit *> units;
  llvm::SmallVector<double> losses;
};

/// What is known of the activations that contractions read.
using ActivationStatistics = llvm::DenseMap<mlir::Value, const ValueStatistics *>;

ChannelOrder orderUnits(const ChannelGroups &groups, const ChannelGroup &group, ChannelScore score,
                        const ActivationStatistics &statistics);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELORDER_H
