//===- ChannelLinks.h - Which elements of axes belong together --*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CHANNELLINKS_H
#define PASSES_COMPRESS_CHANNELS_CHANNELLINKS_H

#include "passes/Compress/Channels/ChannelGroups.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/IntEqClasses.h"
#include <map>
#include <optional>

namespace lathe {

/// Equivalence classes of the elements of axes, some of them pinned: these cannot be removed.
class ChannelLinks {
public:
  /// nullopt: a dimension that always stays, as it is dynamic, or longer than those of channels are: an entry for each
  /// sample of a long signal would only take time and memory.
  using AxisId = std::optional<unsigned>;

  /// The axis of what an operand reads: its own if that is a constant, else the activation's.
  AxisId getAxis(mlir::OpOperand &operand, unsigned dim);
  AxisId getAxis(mlir::Value activation, unsigned dim);
  ChannelAxis &operator[](unsigned axis) { return axes[axis]; }

  void link(unsigned a, int64_t i, unsigned b, int64_t j);
  /// Links all elements in order; pins both where the sizes differ or one is dynamic.
  void linkAll(AxisId a, AxisId b);
  void pin(AxisId axis);
  bool hasPinned(unsigned axis) const;

  /// The groups of what is not pinned and has an element of role Output.
  std::vector<ChannelGroup> collectGroups() const;
  std::vector<ChannelAxis> takeAxes() { return std::move(axes); }

private:
  unsigned add(ChannelAxis axis);

  std::vector<ChannelAxis> axes;
  std::vector<unsigned> firstNode; ///< of each axis: element i is node firstNode + i
  std::map<std::tuple<mlir::Operation *, unsigned, unsigned>, unsigned> constants;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, unsigned> activations;
  llvm::IntEqClasses classes;
  llvm::BitVector pinned; ///< of a class's leader
};

/// Links what the ops of a function tie together.
void linkChannels(mlir::func::FuncOp function, ChannelLinks &links);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELLINKS_H
