//===- ChannelGroups.h - What must be removed together ----------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CHANNELGROUPS_H
#define PASSES_COMPRESS_CHANNELS_CHANNELGROUPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace lathe {

/// A dimension whose elements may be removed: of an activation, or of a constant as one operand reads it. Operands that
/// share a constant have axes of their own, since each may be given its own slice.
struct ChannelAxis {
  enum class Role {
    Activation,
    Output,    ///< columns of a contraction's weight: computes the channel
    Input,     ///< rows of a contraction's weight: reads the channel
    Parameter, ///< anything else: a bias, a depthwise filter, the scale of a norm
  };
  Role role = Role::Activation;
  mlir::Operation *reader = nullptr; ///< of a constant; null for an activation
  unsigned operand = 0;              ///< of the reader
  mlir::Value value;
  unsigned dim = 0;
  int64_t size = 0;

  bool isConstant() const { return reader != nullptr; }
};

/// Elements of one axis, in ascending order.
struct ChannelSlice {
  unsigned axis;
  llvm::SmallVector<int64_t> indices;
};

/// The smallest thing that can be removed: an output channel, a hidden neuron, an attention head. The slices are in the
/// order of their axes.
struct ChannelUnit {
  llvm::SmallVector<ChannelSlice> slices;
};

/// Units with as many elements of the same axes.
struct ChannelGroup {
  std::vector<ChannelUnit> units;
};

/// The channels of a function in the form after `fuse` that can be removed, by the dimension flow of its ops
/// (DepGraph: Fang et al., CVPR 2023). Elements of two axes belong together where one is made from the other and from
/// nothing else. What reaches an argument, a result, or an op that combines or reorders channels in another way than a
/// contraction stays and is in no group; so does what no contraction computes.
///
/// A dimension that a reshape splits in several is removed along the outermost of these that may shrink: whole heads
/// of an attention.
class ChannelGroups {
public:
  explicit ChannelGroups(mlir::func::FuncOp function);

  llvm::ArrayRef<ChannelAxis> getAxes() const { return axes; }
  llvm::ArrayRef<ChannelGroup> getGroups() const { return groups; }

  /// The first op whose weight computes a group's channels.
  mlir::Operation *getProducer(const ChannelGroup &group) const;

private:
  std::vector<ChannelAxis> axes;
  std::vector<ChannelGroup> groups;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELGROUPS_H
