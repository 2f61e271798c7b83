//===- Inputs.cpp - Inputs named on the command line ----------------------===//
#include "tools/lathe/Inputs.h"

#include "lib/Driver/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace lathe;

InputFlags::InputFlags(cl::OptionCategory &category)
    : inputs("input", cl::desc("an input: a .npy file, or random numbers from a seed"),
             cl::value_desc("NAME=F.npy|NAME=random:SEED"), cl::cat(category)),
      sizes("size", cl::desc("size of a symbolic dimension of random inputs (default: its lower bound)"),
            cl::value_desc("NAME=V"), cl::cat(category)) {}

std::string lathe::describe(const lathe_model &model, const lathe_tensor &tensor) {
  std::string text = std::string(tensor.name) + ": " + nameOf(lathe_dtype(tensor.dtype)).str() + " [";
  for (int32_t dim = 0; dim < tensor.rank; ++dim) {
    int64_t size = tensor.shape[dim];
    text += dim ? ", " : "";
    if (size >= 0)
      text += std::to_string(size);
    else
      text += size >= -int64_t(model.num_dims) ? model.dims[-1 - size].name : "?";
  }
  return text + "]";
}

llvm::Expected<std::pair<std::string, std::string>> lathe::splitAssignment(llvm::StringRef flag, llvm::StringRef text) {
  auto [name, value] = text.split('=');
  if (name.empty() || value.empty())
    return llvm::createStringError("expected " + flag + " NAME=VALUE, but got '" + text + "'");
  return std::make_pair(name.str(), value.str());
}

static llvm::Error givenTwice(llvm::StringRef flag, llvm::StringRef name, llvm::StringRef text) {
  return llvm::createStringError("expected one " + flag + " for '" + name + "', but got '" + text + "', too");
}

/// Records the sizes that an array gives to symbolic dimensions.
static void learnDims(const lathe_tensor &input, llvm::ArrayRef<int64_t> shape,
                      llvm::MutableArrayRef<std::optional<int64_t>> dims) {
  if (int64_t(shape.size()) != input.rank)
    return;
  for (int32_t dim = 0; dim < input.rank; ++dim)
    if (input.shape[dim] < 0)
      dims[-1 - input.shape[dim]] = shape[dim];
}

llvm::Expected<std::vector<Tensor>> InputFlags::read(const lathe_model &model, bool fill) const {
  llvm::ArrayRef<lathe_tensor> known(model.inputs, model.num_inputs);
  std::vector<std::optional<Tensor>> tensors(known.size());
  std::vector<std::optional<uint64_t>> seeds(known.size());
  std::vector<std::optional<int64_t>> dims(model.num_dims);

  for (const std::string &flag : sizes) {
    auto split = splitAssignment("--size", flag);
    if (!split)
      return split.takeError();
    int64_t size;
    const auto *dim = llvm::find_if(llvm::ArrayRef(model.dims, model.num_dims),
                                    [&](const lathe_dim &it) { return split->first == it.name; });
    if (dim == model.dims + model.num_dims || llvm::StringRef(split->second).getAsInteger(10, size))
      return llvm::createStringError("expected --size of a symbolic dimension, but got '" + flag + "'");
    if (size < dim->lower || size > dim->upper)
      return llvm::createStringError(
          "expected --size %s from %lld to %lld, for which it was compiled, but got %lld; recompile with --dim",
          dim->name, (long long)dim->lower, (long long)dim->upper, (long long)size);
    if (dims[dim - model.dims])
      return givenTwice("--size", split->first, flag);
    dims[dim - model.dims] = size;
  }
  for (const std::string &flag : inputs) {
    auto split = splitAssignment("--input", flag);
    if (!split)
      return split.takeError();
    const auto *input = llvm::find_if(known, [&](const lathe_tensor &it) { return split->first == it.name; });
    if (input == known.end()) {
      std::string names;
      for (const lathe_tensor &it : known)
        names += "\n  " + describe(model, it);
      return llvm::createStringError("the model has no input '" + split->first + "'; its inputs are" + names);
    }
    size_t index = input - known.begin();
    if (seeds[index] || tensors[index])
      return givenTwice("--input", split->first, flag);
    llvm::StringRef value = split->second;
    if (value.consume_front("random:")) {
      uint64_t seed;
      if (value.getAsInteger(10, seed))
        return llvm::createStringError("expected a number after random:, but got '" + value + "'");
      seeds[index] = seed;
      continue;
    }
    llvm::Expected<NpyArray> array = readNpy(value);
    if (!array)
      return array.takeError();
    array->nameBytes(lathe_dtype(input->dtype));
    learnDims(*input, array->shape, dims);
    tensors[index] = toTensor(*array);
  }

  std::string missing;
  for (auto [index, input] : llvm::enumerate(known))
    if (!fill && !tensors[index] && !seeds[index])
      missing += "\n  " + describe(model, input);
  if (!missing.empty())
    return llvm::createStringError("expected --input NAME=F.npy or NAME=random:SEED for" + missing);

  std::vector<int64_t> sizes;
  for (auto [index, size] : llvm::enumerate(dims))
    sizes.push_back(size.value_or(model.dims[index].lower));
  std::vector<Tensor> result;
  for (auto [index, input] : llvm::enumerate(known))
    result.push_back(tensors[index] ? std::move(*tensors[index])
                                    : randomTensor(input, sizes, seeds[index].value_or(index)));
  return result;
}
