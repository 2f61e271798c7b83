/// RAII over the C interface of compiled models: any model, through its descriptor `<name>_model`.
#ifndef LATHE_EXAMPLES_MODEL_H
#define LATHE_EXAMPLES_MODEL_H

#include "lathe/lathe.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace example {

/// Bytes per element of a model's input or output.
inline std::size_t elementSize(std::int32_t dtype) {
  switch (dtype) {
  case LATHE_UINT8:
  case LATHE_INT8:
  case LATHE_BOOL:
    return 1;
  case LATHE_UINT16:
  case LATHE_INT16:
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16:
    return 2;
  case LATHE_INT64:
  case LATHE_UINT64:
  case LATHE_FLOAT64:
    return 8;
  default:
    return 4;
  }
}

/// Memory aligned as workspaces have to be.
class AlignedBuffer {
public:
  explicit AlignedBuffer(std::size_t bytes) : data(lathe_workspace_create(bytes), lathe_workspace_destroy) {
    if (!data)
      throw std::bad_alloc();
  }
  void *get() const { return data.get(); }

private:
  std::unique_ptr<void, void (*)(void *)> data;
};

/// The threads that models run on; one run at a time may use them.
class Executor {
public:
  explicit Executor(std::int32_t threads) : executor(lathe_executor_create(threads), lathe_executor_destroy) {
    if (!executor)
      throw std::runtime_error("cannot start threads");
  }
  const lathe_executor *get() const { return executor.get(); }

private:
  std::unique_ptr<lathe_executor, void (*)(lathe_executor *)> executor;
};

/// What a run computed: bytes in the order of rows, and their sizes.
struct Output {
  const lathe_tensor *description;
  std::vector<std::int64_t> shape;
  AlignedBuffer data; // of the largest size, where that depends on data

  std::int64_t size() const {
    std::int64_t count = 1;
    for (std::int64_t size : shape)
      count *= size;
    return count;
  }
  template <typename T>
  const T *as() const {
    return static_cast<const T *>(data.get());
  }
};

/// A model and a workspace. Different objects may run the same model at the same time.
class Model {
public:
  explicit Model(const lathe_model &model) : model(model), workspace(model.workspace_bytes) {
    if (model.abi_version != LATHE_ABI_VERSION)
      throw std::runtime_error(std::string(model.name) + " was compiled for another version of Lathe");
    lathe_weights_prefault(&model);
  }

  /// The number of the symbolic dimension of that name; throws if there is none.
  std::size_t dim(const std::string &name) const {
    for (std::uint32_t i = 0; i < model.num_dims; ++i)
      if (name == model.dims[i].name)
        return i;
    throw std::runtime_error(std::string(model.name) + " has no dimension " + name);
  }

  /// Elements of an input for these sizes of the symbolic dimensions.
  std::int64_t inputSize(std::size_t index, const std::vector<std::int64_t> &dims) const {
    const lathe_tensor &input = model.inputs[index];
    std::int64_t count = 1;
    for (std::int32_t i = 0; i < input.rank; ++i)
      count *= input.shape[i] < 0 ? dims[-1 - input.shape[i]] : input.shape[i];
    return count;
  }

  /// Runs once; throws unless the status is LATHE_OK.
  std::vector<Output> run(const std::vector<const void *> &inputs, const std::vector<std::int64_t> &dims,
                          const lathe_executor *executor = nullptr) {
    if (inputs.size() != model.num_inputs || dims.size() != model.num_dims)
      throw std::runtime_error("the number of inputs or dimensions is wrong");
    // output_shapes() expects sizes within bounds.
    for (std::size_t i = 0; i < dims.size(); ++i)
      if (dims[i] < model.dims[i].lower || dims[i] > model.dims[i].upper)
        check(LATHE_ERROR_DIM_RANGE);

    // The generated structs are these pointers, followed by the dimensions.
    std::vector<std::uint64_t> in;
    for (const void *input : inputs)
      in.push_back(reinterpret_cast<std::uintptr_t>(input));
    in.insert(in.end(), dims.begin(), dims.end());

    std::size_t ranks = 0;
    for (std::uint32_t i = 0; i < model.num_outputs; ++i)
      ranks += model.outputs[i].rank;
    std::vector<std::int64_t> sizes(ranks + 1);
    model.output_shapes(dims.data(), sizes.data());
    std::vector<Output> outputs;
    outputs.reserve(model.num_outputs); // runs write to shapes in it
    std::vector<void *> out, shapes;
    const std::int64_t *next = sizes.data();
    for (std::uint32_t i = 0; i < model.num_outputs; ++i) {
      const lathe_tensor &description = model.outputs[i];
      std::vector<std::int64_t> shape(next, next + description.rank);
      next += description.rank;
      std::size_t bytes = elementSize(description.dtype);
      for (std::int64_t size : shape)
        bytes *= static_cast<std::size_t>(size);
      outputs.push_back({&description, std::move(shape), AlignedBuffer(bytes)});
      out.push_back(outputs.back().data.get());
      if (std::count(description.shape, description.shape + description.rank, LATHE_SIZE_OF_DATA))
        shapes.push_back(outputs.back().shape.data());
    }
    out.insert(out.end(), shapes.begin(), shapes.end()); // the run tells the sizes of these
    check(model.run(in.data(), out.data(), workspace.get(), executor));
    return outputs;
  }

private:
  void check(lathe_status status) const {
    if (status != LATHE_OK)
      throw std::runtime_error(std::string(model.name) + ": " + lathe_status_string(status));
  }

  const lathe_model &model;
  AlignedBuffer workspace;
};

} // namespace example

#endif // LATHE_EXAMPLES_MODEL_H
