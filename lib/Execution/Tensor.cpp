//===- Tensor.cpp - Dense tensors in memory -------------------------------===//
#include "lib/Execution/LoadedModel.h"
#include <cstdlib>

using namespace lathe;

void Tensor::Free::operator()(void *pointer) const {
  if (owns)
    std::free(pointer);
}

Tensor Tensor::borrow(lathe_dtype type, llvm::ArrayRef<int64_t> shape, const void *data) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.storage = std::unique_ptr<void, Free>(const_cast<void *>(data), Free(false));
  return tensor;
}

Tensor::Tensor(lathe_dtype type, llvm::ArrayRef<int64_t> shape) : type(type), shape(shape) {
  // One vector more than needed: a zero-sized tensor has an address too.
  storage.reset(std::aligned_alloc(LATHE_ALIGNMENT, (getNumBytes() / LATHE_ALIGNMENT + 1) * LATHE_ALIGNMENT));
  if (!storage)
    llvm::report_bad_alloc_error("tensor");
}

int64_t Tensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}
