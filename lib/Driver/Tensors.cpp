//===- Tensors.cpp - Inputs and outputs of runs ---------------------------===//
#include "lib/Driver/Tensors.h"

#include <cmath>
#include <cstring>

using namespace lathe;

Tensor lathe::toTensor(const NpyArray &array) {
  Tensor tensor(array.type, array.shape);
  if (!array.bytes.empty())
    std::memcpy(tensor.getData(), array.bytes.data(), array.bytes.size());
  return tensor;
}

NpyArray lathe::toArray(const Tensor &tensor) {
  NpyArray array(tensor.getType(), tensor.getShape());
  if (!array.bytes.empty())
    std::memcpy(array.bytes.data(), tensor.getData(), array.bytes.size());
  return array;
}

/// SplitMix64: a small generator with the same sequence everywhere.
static uint64_t nextRandom(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Tensor lathe::randomTensor(const lathe_tensor &description, llvm::ArrayRef<int64_t> dims,
                           uint64_t seed) {
  std::vector<int64_t> shape;
  for (int64_t size : llvm::ArrayRef(description.shape, description.rank))
    shape.push_back(size >= 0 ? size : dims[-1 - size]);
  NpyArray array(lathe_dtype(description.dtype), shape);
  bool isFloat = getSemantics(array.type);
  uint64_t state = seed;
  for (int64_t i = 0, count = array.size(); i < count; ++i) {
    if (!isFloat) {
      array.set(i, double(nextRandom(state) & 1));
      continue;
    }
    // The sum of four uniform values is near enough to a normal distribution, and needs no library function.
    double sum = 0;
    for (int part = 0; part < 4; ++part)
      sum += double(nextRandom(state) >> 11) * 0x1p-53 - 0.5;
    array.set(i, sum * 1.7320508);
  }
  return toTensor(array);
}

Difference lathe::compare(const NpyArray &actual, const NpyArray &expected, double rtol, double atol) {
  Difference result;
  result.sameShape = actual.shape == expected.shape;
  if (!result.sameShape)
    return result;
  for (int64_t i = 0, count = actual.size(); i < count; ++i) {
    double a = actual.at(i), b = expected.at(i);
    double difference = a == b || (std::isnan(a) && std::isnan(b)) ? 0 : std::fabs(a - b);
    // An infinite bound would let everything pass.
    bool agrees = difference == 0 || (std::isfinite(b) && difference <= atol + rtol * std::fabs(b));
    if (!agrees)
      ++result.mismatches;
    if (difference > result.largestAbsolute || std::isnan(difference)) {
      result.largestAbsolute = difference;
      result.index = i;
      result.actual = a;
      result.expected = b;
    }
    if (b != 0)
      result.largestRelative = std::max(result.largestRelative, difference / std::fabs(b));
  }
  result.agrees = result.mismatches == 0;
  return result;
}
