//===- ChannelSpace.h - Convolutions a vector of channels at a time -------===//
#ifndef PASSES_CODEGEN_CPU_CHANNELSPACE_H
#define PASSES_CODEGEN_CPU_CHANNELSPACE_H

#include "passes/Codegen/CPU/Contraction.h"

namespace lathe::cpu {

/// The space of a convolution [N, H, W, C] whose output channels read no more than a vector of input channels, the same
/// ones: its matrices are the N * H lines of the output, their rows the pixels of a line, a panel is a vector of
/// channels. The weight is [KH, KW, channels of a group, C], of static shape.
class ChannelSpace {
public:
  ChannelSpace(KernelBuilder &k, nn::ConvOp op);

  /// All but the reduction and how many rows a tile has.
  ContractionSpace makeSpace() const;

  struct Place {
    mlir::SmallVector<mlir::Value> line; ///< sample and line of the output
    mlir::Value channel;                 ///< the first one of the vector
    mlir::Value mask;                    ///< of the channels there are; null for all
  };
  Place locate(const TilePlace &tile) const;

  /// Stores the sums of the tile's pixels from the first one on, through the epilogue.
  void store(Epilogue &epilogue, mlir::ValueRange sums, const TilePlace &tile, const Place &place,
             int64_t first = 0) const;

private:
  KernelBuilder &k;
  mlir::Operation *op;
  mlir::Value out;
  int64_t channels;
  mlir::SmallVector<mlir::Value> outerSizes;
};

/// Fails with an error unless channels are contiguous in the input, the weight and the output.
mlir::LogicalResult verifyContiguousChannels(nn::ConvOp op);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_CHANNELSPACE_H
