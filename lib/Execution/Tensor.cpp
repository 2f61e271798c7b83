//===- Tensor.cpp - Dense tensors in memory -------------------------------===//
#include "lib/Execution/LoadedModel.h"
#include <cstdlib>

using namespace lathe;

unsigned lathe::getByteSize(lathe_dtype type) {
  switch (type) {
  case LATHE_UINT8:
  case LATHE_INT8:
  case LATHE_BOOL:
    return 1;
  case LATHE_UINT16:
  case LATHE_INT16:
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16:
    return 2;
  case LATHE_FLOAT32:
  case LATHE_INT32:
  case LATHE_UINT32:
    return 4;
  case LATHE_FLOAT64:
  case LATHE_INT64:
  case LATHE_UINT64:
    return 8;
  }
  return 0;
}

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
