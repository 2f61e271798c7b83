//===- ChannelCosts.h - Multiply-adds by channels ---------------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CHANNELCOSTS_H
#define PASSES_COMPRESS_CHANNELS_CHANNELCOSTS_H

#include "passes/Compress/Channels/ChannelGroups.h"

namespace lathe {

/// Multiply-adds of a function's convolutions, matrix products and attentions, for symbolic dimensions of 1, and what
/// is left of them when elements of axes go.
class ChannelCosts {
public:
  ChannelCosts(mlir::func::FuncOp function, const ChannelGroups &groups);

  struct Change {
    mlir::Operation *op;
    int64_t before, after;
  };

  /// Takes so many units like this one away; puts them back for a negative number.
  void remove(const ChannelUnit &unit, int64_t times);
  double getTotal() const;
  /// The ops that have fewer multiply-adds than at first.
  std::vector<Change> getChanges() const;

private:
  struct Cost {
    mlir::Operation *op;
    double macs;
    llvm::SmallVector<unsigned, 2> axes; ///< the multiply-adds are in proportion to the elements of these
  };
  double getMacs(const Cost &cost) const;

  std::vector<Cost> costs;
  std::vector<int64_t> sizes, kept; ///< of each axis
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELCOSTS_H
