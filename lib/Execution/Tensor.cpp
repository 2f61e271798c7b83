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

llvm::Expected<Tensor> Tensor::allocate(lathe_dtype type, llvm::ArrayRef<int64_t> shape, const llvm::Twine &what) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.capacity = tensor.getNumBytes();
  // One vector more than needed: a zero-sized tensor has an address too.
  tensor.storage.reset(std::aligned_alloc(LATHE_ALIGNMENT, (tensor.capacity / LATHE_ALIGNMENT + 1) * LATHE_ALIGNMENT));
  if (!tensor.storage)
    return llvm::createStringError("there is no memory for " + what + " of " + llvm::Twine(tensor.capacity) +
                                   " bytes; --dim bounds symbolic dimensions and sizes that depend on data");
  return std::move(tensor);
}

Tensor::Tensor(lathe_dtype type, llvm::ArrayRef<int64_t> shape) {
  llvm::Expected<Tensor> tensor = allocate(type, shape, "a tensor");
  if (!tensor)
    llvm::report_bad_alloc_error(llvm::toString(tensor.takeError()).c_str());
  *this = std::move(*tensor);
}

void Tensor::setShape(llvm::ArrayRef<int64_t> newShape) {
  shape.assign(newShape.begin(), newShape.end());
  assert(getNumBytes() <= capacity && "a tensor does not grow");
}

int64_t Tensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}
