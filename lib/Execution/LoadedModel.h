//===- LoadedModel.h - A compiled model in this process -------------------===//
#ifndef LIB_EXECUTION_LOADEDMODEL_H
#define LIB_EXECUTION_LOADEDMODEL_H

#include "lathe/lathe.h"
#include "lib/Support/DataTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace lathe {

/// A dense tensor in memory, row-major; its own is 64-byte aligned.
class Tensor {
public:
  Tensor() = default;
  Tensor(lathe_dtype type, llvm::ArrayRef<int64_t> shape);
  /// A new tensor, or an error that names `what` where there is no memory for it.
  static llvm::Expected<Tensor> allocate(lathe_dtype type, llvm::ArrayRef<int64_t> shape, const llvm::Twine &what);
  /// A tensor that reads memory of someone else, who keeps it alive; it may be aligned less.
  static Tensor borrow(lathe_dtype type, llvm::ArrayRef<int64_t> shape, const void *data);

  lathe_dtype getType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getNumElements() const;
  size_t getNumBytes() const { return getNumElements() * sizeOf(type); }
  /// Another shape of at most as many elements as the tensor was made for.
  void setShape(llvm::ArrayRef<int64_t> newShape);
  /// Whether the tensor was made for that many bytes of its own.
  bool hasRoomFor(size_t bytes) const { return storage && bytes <= capacity; }
  void *getData() { return storage.get(); }
  const void *getData() const { return storage.get(); }
  template <typename T>
  llvm::MutableArrayRef<T> as() {
    return {static_cast<T *>(getData()), size_t(getNumElements())};
  }
  template <typename T>
  llvm::ArrayRef<T> as() const {
    return {static_cast<const T *>(getData()), size_t(getNumElements())};
  }

private:
  struct Free {
    bool owns;
    explicit Free(bool owns) : owns(owns) {}
    Free() : Free(true) {}
    void operator()(void *pointer) const;
  };
  lathe_dtype type = LATHE_FLOAT32;
  llvm::SmallVector<int64_t, 4> shape;
  size_t capacity = 0; ///< bytes; 0 of memory of someone else
  std::unique_ptr<void, Free> storage;
};

/// A model whose object was linked into this process by JITLink: `run` executes the very bytes that `compile` writes.
class LoadedModel {
public:
  /// Loads a relocatable object that defines `<name>_model`. `weights`, if given, is what `<name>_weights` refers to
  /// and is kept alive; else the object defines it.
  static llvm::Expected<std::unique_ptr<LoadedModel>> load(std::unique_ptr<llvm::MemoryBuffer> object,
                                                           llvm::StringRef name,
                                                           std::unique_ptr<llvm::MemoryBuffer> weights = nullptr);
  /// Opens what `lathe compile` wrote: a relocatable object, which is linked here, or a shared one, which the system
  /// loads. The model is the one whose `<name>_model` it defines; none or several are an error.
  static llvm::Expected<std::unique_ptr<LoadedModel>> open(llvm::StringRef path);
  ~LoadedModel();

  const lathe_model &getModel() const { return *model; }

  /// Makes `run` execute the variant of this name from now on, instead of the best one. An error lists the names if
  /// there is none, and says so if this machine cannot run it.
  llvm::Error setVariant(llvm::StringRef name);

  /// Runs once. `inputs` in the model's order; symbolic dimensions are read from their shapes. Errors: a wrong number,
  /// type, rank or size of inputs, or a status other than LATHE_OK, each with names in the text. Outputs are resized as
  /// needed, to what the run says where that depends on data, and reused if they fit. Runs of one LoadedModel share its
  /// workspace: one at a time.
  llvm::Error run(llvm::ArrayRef<const Tensor *> inputs, llvm::SmallVectorImpl<Tensor> &outputs,
                  const lathe_executor *executor = nullptr);

  /// The workspace of `run`, allocated by the first; `getModel().workspace_bytes` long.
  void *getWorkspace() { return workspace.get(); }

private:
  struct Impl;
  LoadedModel();
  void findDeviceFunctions(llvm::function_ref<void *(const std::string &symbol)> find);
  std::unique_ptr<Impl> impl;
  const lathe_model *model = nullptr;
  const lathe_variant *variant = nullptr; ///< null: the model chooses
  /// Of models for a GPU, else null: `<name>_unload` and `<name>_message`.
  void (*unload)() = nullptr;
  const char *(*message)() = nullptr;
  std::unique_ptr<void, decltype(&lathe_workspace_destroy)> workspace{nullptr, &lathe_workspace_destroy};
};

} // namespace lathe

#endif // LIB_EXECUTION_LOADEDMODEL_H
