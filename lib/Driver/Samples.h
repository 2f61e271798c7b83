//===- Samples.h - Data sets for evaluation and calibration ---------------===//
#ifndef LIB_DRIVER_SAMPLES_H
#define LIB_DRIVER_SAMPLES_H

#include "lib/Driver/Tensors.h"

namespace lathe {

/// A linear map from the numbers of a data set to a model's floats.
struct Preprocess {
  double scale = 1, offset = 0;

  bool changes() const { return scale != 1 || offset != 0; }

  /// Reads "scale=1/255,offset=-0.5"; both parts are optional, and finite.
  static llvm::Expected<Preprocess> parse(llvm::StringRef text);
};

/// Samples as a model's input wants them: of its element type, mapped by `preprocess` if the input is of floats, and
/// with dimensions of size 1 inserted: [N, 32, 32] for an input [N, 1, 32, 32]. The outermost dimension counts samples.
llvm::Expected<NpyArray> adaptSamples(NpyArray samples, const lathe_tensor &input, const Preprocess &preprocess);

/// Samples for all inputs of a model, each with the outermost dimension counting them. A .npz holds an array for each
/// input by name; a model of one input takes a .npy, or the first array of a .npz that is not named "labels".
llvm::Expected<std::vector<NpyArray>> readSamples(llvm::StringRef path, const lathe_model &model,
                                                  const Preprocess &preprocess);

} // namespace lathe

#endif // LIB_DRIVER_SAMPLES_H
