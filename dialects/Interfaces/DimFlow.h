//===- DimFlow.h - Where the dimensions of an op's operands go ------------===//
#ifndef DIALECTS_INTERFACES_DIMFLOW_H
#define DIALECTS_INTERFACES_DIMFLOW_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

namespace lathe {

/// What becomes of one operand dimension in one result.
struct DimFlow {
  enum class Kind {
    None,      ///< does not reach the result (a weight's reduction, an operand of sizes)
    Same,      ///< element i of the operand's dimension meets element i of the result's
    Broadcast, ///< of size 1, repeated along the result's dimension
    Reduced,   ///< summed, averaged, contracted away, or one element picked
    Windowed,  ///< sliding window: size and position change (convolution, pooling, slice, concatenation)
    Split,     ///< part of a reshape: splits into, or merges with, neighbouring dimensions
    Mixed,     ///< elements change places or are combined across the dimension (softmax, gather)
  };
  Kind kind = Kind::None;
  /// The result's dimension, for every kind but None and Reduced; of a Split the outermost.
  unsigned dim = 0;

  static DimFlow none() { return {}; }
  static DimFlow same(unsigned dim) { return {Kind::Same, dim}; }
  static DimFlow reduced() { return {Kind::Reduced, 0}; }
  static DimFlow windowed(unsigned dim) { return {Kind::Windowed, dim}; }
  static DimFlow split(unsigned dim) { return {Kind::Split, dim}; }
  static DimFlow mixed(unsigned dim) { return {Kind::Mixed, dim}; }
  /// Same, or Broadcast of a size 1 along another one.
  static DimFlow alongside(mlir::ShapedType from, unsigned dim, mlir::ShapedType to, unsigned toDim);
  /// NumPy broadcasting of an operand to the result: dimensions are aligned at the innermost one.
  static DimFlow broadcast(mlir::ShapedType from, unsigned dim, mlir::ShapedType to);
  /// Row-major elements in another shape: Same where sizes align, Split elsewhere. More than one dynamic dimension on
  /// a side has sizes that types do not tell apart; they only align where everything around them does.
  static DimFlow reshape(mlir::ShapedType from, unsigned dim, mlir::ShapedType to);
};

/// "same", "broadcast", ...
llvm::StringRef stringifyDimFlowKind(DimFlow::Kind kind);

} // namespace lathe

#include "dialects/Interfaces/DimFlow.h.inc"

#endif // DIALECTS_INTERFACES_DIMFLOW_H
