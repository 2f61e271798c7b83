//===- ReshapeRuns.h - Which dimensions a reshape keeps, splits or merges -===//
#ifndef PASSES_COMPRESS_CHANNELS_RESHAPERUNS_H
#define PASSES_COMPRESS_CHANNELS_RESHAPERUNS_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

/// Neighbouring dimensions of two shapes that hold the same elements in the same order. Dimensions of size 1 are in no
/// run.
struct ReshapeRun {
  llvm::SmallVector<unsigned> from, to;
};

/// The shortest runs, outermost first, of what can be told from the types: where both sides have one dynamic dimension
/// it is the same one, and what lies between dynamic dimensions is left out.
llvm::SmallVector<ReshapeRun> alignReshape(mlir::RankedTensorType from, mlir::RankedTensorType to);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_RESHAPERUNS_H
