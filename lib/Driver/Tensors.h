//===- Tensors.h - Inputs and outputs of runs -----------------------------===//
#ifndef LIB_DRIVER_TENSORS_H
#define LIB_DRIVER_TENSORS_H

#include "lib/Execution/LoadedModel.h"
#include "lib/Support/Npy.h"

namespace lathe {

/// Copies between arrays of files and tensors of runs.
Tensor toTensor(const NpyArray &array);
NpyArray toArray(const Tensor &tensor);

/// A value for an input of the model: `dims` has a size for each of its symbolic dimensions. Floats are normally
/// distributed, integers are 0 or 1; the same seed gives the same values everywhere.
Tensor randomTensor(const lathe_tensor &description, llvm::ArrayRef<int64_t> dims, uint64_t seed);

/// How far two arrays of equal shape are apart.
struct Difference {
  bool sameShape = false;
  /// All elements within `atol + rtol * |expected|`; NaN agrees with NaN only.
  bool agrees = false;
  double largestAbsolute = 0, largestRelative = 0;
  int64_t index = 0;        ///< where the absolute difference is largest
  double actual = 0, expected = 0; ///< the values there
  int64_t mismatches = 0;
};
Difference compare(const NpyArray &actual, const NpyArray &expected, double rtol, double atol);

} // namespace lathe

#endif // LIB_DRIVER_TENSORS_H
