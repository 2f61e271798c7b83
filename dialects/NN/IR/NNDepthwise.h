//===- NNDepthwise.h - Convolutions of each channel by itself -------------===//
#ifndef DIALECTS_NN_IR_NNDEPTHWISE_H
#define DIALECTS_NN_IR_NNDEPTHWISE_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe::nn {

/// Whether each channel has one filter of its own: a weight [KH, KW, 1, C], which is not packed, and as many groups.
inline bool isDepthwise(ConvOp op) {
  auto weight = mlir::cast<mlir::ShapedType>(op.getWeight().getType());
  return weight.getRank() == 4 && op.getGroup() > 1 && weight.getDimSize(2) == 1 &&
         weight.getDimSize(3) == int64_t(op.getGroup());
}

} // namespace lathe::nn

#endif // DIALECTS_NN_IR_NNDEPTHWISE_H
