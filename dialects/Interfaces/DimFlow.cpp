//===- DimFlow.cpp - Where the dimensions of an op's operands go ----------===//
#include "dialects/Interfaces/DimFlow.h"

using namespace mlir;
using namespace lathe;

#include "dialects/Interfaces/DimFlow.cpp.inc"

StringRef lathe::stringifyDimFlowKind(DimFlow::Kind kind) {
  switch (kind) {
  case DimFlow::Kind::None:
    return "none";
  case DimFlow::Kind::Same:
    return "same";
  case DimFlow::Kind::Broadcast:
    return "broadcast";
  case DimFlow::Kind::Reduced:
    return "reduced";
  case DimFlow::Kind::Windowed:
    return "windowed";
  case DimFlow::Kind::Split:
    return "split";
  case DimFlow::Kind::Mixed:
    return "mixed";
  }
  return "";
}

DimFlow DimFlow::alongside(ShapedType from, unsigned dim, ShapedType to, unsigned toDim) {
  bool repeats = from.getDimSize(dim) == 1 && to.getDimSize(toDim) != 1;
  return {repeats ? Kind::Broadcast : Kind::Same, toDim};
}

DimFlow DimFlow::broadcast(ShapedType from, unsigned dim, ShapedType to) {
  int64_t toDim = int64_t(dim) + to.getRank() - from.getRank();
  return toDim < 0 ? mixed(0) : alongside(from, dim, to, unsigned(toDim));
}

/// A number of elements, of which some factors are not known.
using Count = std::pair<unsigned, int64_t>; // unknown factors, product of the known ones

static void multiply(Count &count, int64_t size) {
  if (ShapedType::isDynamic(size))
    ++count.first;
  else
    count.second *= size;
}

static Count countElements(ShapedType type) {
  Count count = {0, 1};
  for (int64_t size : type.getShape())
    multiply(count, size);
  return count;
}

DimFlow DimFlow::reshape(ShapedType from, unsigned dim, ShapedType to) {
  ArrayRef<int64_t> a = from.getShape(), b = to.getShape();
  Count all = countElements(from);
  // The only unknown sizes of both sides are equal if everything else is.
  bool alignDynamic = all.first == 1 && all == countElements(to);
  auto isSame = [&](int64_t x, int64_t y) {
    return x == y && (alignDynamic || !ShapedType::isDynamic(x));
  };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (isSame(a[i], b[j])) {
      if (i == dim)
        return same(j);
      ++i, ++j;
      continue;
    }
    if (a[i] == 1) {
      if (i == dim)
        return split(j);
      ++i;
      continue;
    }
    if (b[j] == 1) {
      ++j;
      continue;
    }
    // The shortest runs of as many elements; what is left is one run if unknown sizes hide where
    // they end.
    size_t first = j, begin = i;
    Count x = {0, 1}, y = {0, 1};
    multiply(x, a[i++]), multiply(y, b[j++]);
    while ((x != y || (x.first && !alignDynamic)) && (i < a.size() || j < b.size())) {
      bool growFrom = j == b.size() || (i < a.size() && x < y);
      multiply(growFrom ? x : y, growFrom ? a[i++] : b[j++]);
    }
    if (begin <= dim && dim < i) {
      // Sizes that end both runs align, too: [?, ?, 64] to [?, 64] keeps the 64.
      size_t k = i, l = j;
      while (k > begin + 1 && l > first + 1 && isSame(a[k - 1], b[l - 1]))
        if (--k, --l; k == dim)
          return same(l);
      return split(first);
    }
  }
  return split(b.empty() ? 0 : b.size() - 1);
}
