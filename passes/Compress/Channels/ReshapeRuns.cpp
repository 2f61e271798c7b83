//===- ReshapeRuns.cpp - Which dimensions a reshape keeps, splits or merges ===//
#include "passes/Compress/Channels/ReshapeRuns.h"
#include <algorithm>

using namespace mlir;
using namespace lathe;

static SmallVector<unsigned> getNonUnits(RankedTensorType type) {
  SmallVector<unsigned> dims;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.getDimSize(dim) != 1)
      dims.push_back(dim);
  return dims;
}

/// Product of the static sizes.
static int64_t countKnown(RankedTensorType type) {
  int64_t count = 1;
  for (int64_t size : type.getShape())
    count *= ShapedType::isDynamic(size) ? 1 : size;
  return count;
}

/// Moves runs from the front of both lists to the result, up to the first that is not known.
static SmallVector<ReshapeRun> takeRuns(RankedTensorType fromType, RankedTensorType toType, SmallVector<unsigned> &from,
                                        SmallVector<unsigned> &to, bool alignDynamic) {
  SmallVector<ReshapeRun> runs;
  while (!from.empty() && !to.empty()) {
    size_t i = 0, j = 0;
    int64_t a = fromType.getDimSize(from[i++]), b = toType.getDimSize(to[j++]);
    bool dynamic = ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
    if (dynamic && (a != b || !alignDynamic))
      break;
    while (a != b && (a < b ? i < from.size() : j < to.size())) {
      bool growFrom = a < b;
      int64_t next = growFrom ? fromType.getDimSize(from[i++]) : toType.getDimSize(to[j++]);
      if ((dynamic = ShapedType::isDynamic(next)))
        break;
      (growFrom ? a : b) *= next;
    }
    if (a != b || (dynamic && (i > 1 || j > 1)))
      break;
    runs.push_back({SmallVector<unsigned>(from.begin(), from.begin() + i), SmallVector<unsigned>(to.begin(), to.begin() + j)});
    from.erase(from.begin(), from.begin() + i);
    to.erase(to.begin(), to.begin() + j);
  }
  return runs;
}

SmallVector<ReshapeRun> lathe::alignReshape(RankedTensorType from, RankedTensorType to) {
  // The only unknown sizes of both sides are equal if everything else is.
  bool alignDynamic =
      from.getNumDynamicDims() == 1 && to.getNumDynamicDims() == 1 && countKnown(from) == countKnown(to);
  SmallVector<unsigned> fromLeft = getNonUnits(from), toLeft = getNonUnits(to);
  SmallVector<ReshapeRun> runs = takeRuns(from, to, fromLeft, toLeft, alignDynamic);
  // What lies behind an unknown size aligns from the back.
  std::reverse(fromLeft.begin(), fromLeft.end());
  std::reverse(toLeft.begin(), toLeft.end());
  SmallVector<ReshapeRun> behind = takeRuns(from, to, fromLeft, toLeft, alignDynamic);
  for (ReshapeRun &run : llvm::reverse(behind)) {
    std::reverse(run.from.begin(), run.from.end());
    std::reverse(run.to.begin(), run.to.end());
    runs.push_back(std::move(run));
  }
  return runs;
}
