//===- DimFlow.h - Where the dimensions of an op's operands go ------------===//
#ifndef DIALECTS_INTERFACES_DIMFLOW_H
#define DIALECTS_INTERFACES_DIMFLOW_H

#include "mlir/IR/OpDefinition.h"

namespace lathe {

/// What becomes of one operand dimension in one result.
struct DimFlow {
  enum class Kind {
    None,      ///< does not reach the result (a weight's reduction, an index operand)
    Same,      ///< element i of the operand's dimension meets element i of the result's
    Broadcast, ///< of size 1, repeated along the result's dimension
    Reduced,   ///< summed, averaged or contracted away
    Windowed,  ///< sliding window: size and position change (convolution, pooling, slice)
    Split,     ///< part of a reshape: splits into, or merges with, neighbouring dimensions
    Mixed,     ///< elements change places or are combined across the dimension (softmax, gather)
  };
  Kind kind = Kind::None;
  /// The result's dimension, for every kind but None and Reduced; of a Split the outermost.
  unsigned dim = 0;
};

} // namespace lathe

#include "dialects/Interfaces/DimFlow.h.inc"

#endif // DIALECTS_INTERFACES_DIMFLOW_H
