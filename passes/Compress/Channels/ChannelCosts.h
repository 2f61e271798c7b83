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

  /// Elements that stay of each axis; all of them at first.
  llvm::MutableArrayRef<int64_t> getKept() { return kept; }
  void remove(const ChannelUnit &unit, int64_t times = 1);
  double getTotal() const;

private:
  struct Cost {
    double macs;
    llvm::SmallVector<unsigned, 2> axes; ///< the multiply-adds are in proportion to the elements of these
  };
  std::vector<Cost> costs;
  std::vector<int64_t> sizes, kept;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELCOSTS_H
