//===- Samples.cpp - Data sets for evaluation and calibration -------------===//
#include "lib/Driver/Samples.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <cmath>

using namespace llvm;
using namespace lathe;

/// A number or a quotient of two.
static bool parseQuotient(StringRef text, double &value) {
  auto [numerator, denominator] = text.split('/');
  double divisor = 1;
  bool isQuotient = text.contains('/');
  if (numerator.trim().getAsDouble(value) || (isQuotient && denominator.trim().getAsDouble(divisor)))
    return false;
  value /= divisor;
  return std::isfinite(value);
}

Expected<Preprocess> Preprocess::parse(StringRef text) {
  Preprocess result;
  if (text.empty())
    return result;
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  SmallPtrSet<double *, 2> given;
  for (StringRef part : parts) {
    auto [key, value] = part.split('=');
    double *target = key.trim() == "scale" ? &result.scale : key.trim() == "offset" ? &result.offset : nullptr;
    if (!target || !given.insert(target).second || !parseQuotient(value, *target))
      return createStringError("expected scale=NUMBER,offset=NUMBER, but got '" + text + "'");
  }
  return result;
}

Expected<NpyArray> lathe::adaptSamples(NpyArray samples, const lathe_tensor &input, const Preprocess &preprocess) {
  auto fail = [&](const Twine &what) { return createStringError("input '" + Twine(input.name) + "': " + what); };
  if (samples.shape.empty() || input.rank == 0)
    return fail("expected samples along an outermost dimension, but got a scalar");
  // Walk both shapes from the inside; where the model has a 1 that the data lacks, insert it.
  std::vector<int64_t> shape;
  size_t at = samples.shape.size();
  for (int32_t dim = input.rank; dim-- > 1;) {
    int64_t wanted = input.shape[dim];
    bool missing = at <= 1 || (wanted == 1 && samples.shape[at - 1] != 1 && int64_t(at) < dim + 1);
    int64_t size = missing ? 1 : samples.shape[--at];
    if (wanted >= 0 && size != wanted)
      return fail("expected samples with " + Twine(wanted) + " in dimension " + Twine(dim) + ", but got shape " +
                  formatShape(samples.shape));
    shape.insert(shape.begin(), size);
  }
  if (at != 1)
    return fail("expected samples of rank " + Twine(input.rank) + ", but got shape " + formatShape(samples.shape));
  shape.insert(shape.begin(), samples.shape[0]);
  samples.shape = shape;

  bool maps = getSemantics(lathe_dtype(input.dtype));
  if (samples.type == input.dtype && !(maps && preprocess.changes()))
    return samples;
  NpyArray converted(lathe_dtype(input.dtype), shape);
  for (int64_t i = 0, count = samples.size(); i < count; ++i) {
    double value = samples.at(i);
    converted.set(i, maps ? value * preprocess.scale + preprocess.offset : value);
  }
  return converted;
}

Expected<std::vector<NpyArray>> lathe::readSamples(StringRef path, const lathe_model &model,
                                                   const Preprocess &preprocess) {
  std::vector<std::pair<std::string, NpyArray>> arrays;
  if (path.ends_with(".npz")) {
    Expected<std::vector<std::pair<std::string, NpyArray>>> read = readNpz(path);
    if (!read)
      return read.takeError();
    arrays = std::move(*read);
  } else {
    Expected<NpyArray> read = readNpy(path);
    if (!read)
      return read.takeError();
    arrays.emplace_back(model.num_inputs ? model.inputs[0].name : "", std::move(*read));
  }
  std::vector<NpyArray> result;
  for (const lathe_tensor &input : ArrayRef(model.inputs, model.num_inputs)) {
    auto found = find_if(arrays, [&](auto &entry) { return entry.first == input.name; });
    if (found == arrays.end() && model.num_inputs == 1)
      found = find_if(arrays, [](auto &entry) { return entry.first != "labels"; });
    if (found == arrays.end())
      return createStringError(path + ": expected an array for input '" + input.name + "'");
    Expected<NpyArray> adapted = adaptSamples(std::move(found->second), input, preprocess);
    if (!adapted)
      return createStringError(path + ": " + toString(adapted.takeError()));
    if (!result.empty() && adapted->shape[0] != result[0].shape[0])
      return createStringError(path + ": expected as many samples of every input");
    result.push_back(std::move(*adapted));
  }
  return result;
}
