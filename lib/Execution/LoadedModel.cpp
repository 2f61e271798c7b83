//===- LoadedModel.cpp - Objects linked into this process -----------------===//
#include "lib/Execution/LoadedModel.h"
#include "lathe/cuda_abi.h"
#include "lib/Support/Npy.h"
#include "lib/Target/TargetFamily.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

using namespace lathe;

struct LoadedModel::Impl {
  std::unique_ptr<llvm::MemoryBuffer> weights;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::sys::DynamicLibrary library;
};

/// Objects and machines of another ABI must not be called.
static llvm::Error checkVersion(const lathe_model &model, llvm::StringRef name) {
  if (model.abi_version == LATHE_ABI_VERSION)
    return llvm::Error::success();
  return llvm::createStringError("model '" + name + "' has ABI version " + llvm::Twine(model.abi_version) +
                                 ", expected " + llvm::Twine(LATHE_ABI_VERSION));
}

/// The name of the one model that an object defines, from its symbols.
static llvm::Expected<std::string> findModelName(const llvm::object::ELFObjectFileBase &object) {
  llvm::SmallVector<std::string> names;
  auto collect = [&](auto symbols) {
    for (const llvm::object::ELFSymbolRef &symbol : symbols) {
      llvm::Expected<llvm::StringRef> name = symbol.getName();
      llvm::Expected<uint32_t> flags = symbol.getFlags();
      if (!name || !flags) {
        llvm::consumeError(name.takeError());
        llvm::consumeError(flags.takeError());
        continue;
      }
      if (name->consume_back("_model") && !(*flags & llvm::object::SymbolRef::SF_Undefined))
        names.push_back(name->str());
    }
  };
  if (object.getEType() == llvm::ELF::ET_DYN)
    collect(object.getDynamicSymbolIterators());
  else
    collect(object.symbols());
  if (names.size() != 1)
    return llvm::createStringError("expected the descriptor of one model, but found " + llvm::Twine(names.size()));
  return names.front();
}

LoadedModel::LoadedModel() : impl(std::make_unique<Impl>()) {}
LoadedModel::~LoadedModel() {
  if (unload)
    unload();
}

/// The functions of the runtime that models for a GPU call.
static llvm::orc::SymbolMap getRuntimeSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](llvm::StringRef name, auto *function) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported};
  };
  add("lathe_cuda_load", &lathe_cuda_load);
  add("lathe_cuda_unload", &lathe_cuda_unload);
  add("lathe_cuda_run_host", &lathe_cuda_run_host);
  add("lathe_cuda_run_device", &lathe_cuda_run_device);
  add("lathe_cuda_message", &lathe_cuda_message);
  add("lathe_cuda_launch", &lathe_cuda_launch);
  return symbols;
}

llvm::Expected<std::unique_ptr<LoadedModel>> LoadedModel::load(std::unique_ptr<llvm::MemoryBuffer> object,
                                                               llvm::StringRef name,
                                                               std::unique_ptr<llvm::MemoryBuffer> weights) {
  (void)getTargetFamilies(); // LLJIT asks the target registry even when it never compiles
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  std::unique_ptr<LoadedModel> loaded(new LoadedModel());
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  if (weights) {
    llvm::orc::SymbolMap symbols;
    symbols[(*jit)->mangleAndIntern((name + "_weights").str())] = {
        llvm::orc::ExecutorAddr::fromPtr(weights->getBufferStart()), llvm::JITSymbolFlags::Exported};
    if (llvm::Error error = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
      return std::move(error);
  }
  if (llvm::Error error = library.define(llvm::orc::absoluteSymbols(getRuntimeSymbols(**jit))))
    return std::move(error);
  if (llvm::Error error = (*jit)->addObjectFile(std::move(object)))
    return std::move(error);
  llvm::Expected<llvm::orc::ExecutorAddr> address = (*jit)->lookup((name + "_model").str());
  if (!address)
    return address.takeError();
  loaded->impl->weights = std::move(weights);
  loaded->impl->jit = std::move(*jit);
  loaded->model = address->toPtr<const lathe_model *>();
  if (llvm::Error error = checkVersion(*loaded->model, name))
    return std::move(error);
  loaded->findDeviceFunctions([&](const std::string &symbol) -> void * {
    llvm::Expected<llvm::orc::ExecutorAddr> found = loaded->impl->jit->lookup(symbol);
    if (found)
      return found->toPtr<void *>();
    llvm::consumeError(found.takeError());
    return nullptr;
  });
  return std::move(loaded);
}

void LoadedModel::findDeviceFunctions(llvm::function_ref<void *(const std::string &symbol)> find) {
  unload = reinterpret_cast<void (*)()>(find(std::string(model->name) + "_unload"));
  message = reinterpret_cast<const char *(*)()>(find(std::string(model->name) + "_message"));
}

llvm::Expected<std::unique_ptr<LoadedModel>> LoadedModel::open(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read it: " + buffer.getError().message());
  llvm::Expected<std::unique_ptr<llvm::object::ObjectFile>> file =
      llvm::object::ObjectFile::createObjectFile((*buffer)->getMemBufferRef());
  if (!file)
    return file.takeError();
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->get());
  if (!elf || elf->getEMachine() != llvm::ELF::EM_X86_64)
    return llvm::createStringError("expected an ELF object for x86-64");
  llvm::Expected<std::string> name = findModelName(*elf);
  if (!name)
    return name.takeError();
  if (elf->getEType() != llvm::ELF::ET_DYN)
    return load(std::move(*buffer), *name);

  std::unique_ptr<LoadedModel> loaded(new LoadedModel());
  llvm::SmallString<128> absolute(path); // a name without a slash would be searched for elsewhere
  (void)llvm::sys::fs::make_absolute(absolute);
  std::string message;
  loaded->impl->library = llvm::sys::DynamicLibrary::getLibrary(absolute.c_str(), &message);
  if (!loaded->impl->library.isValid())
    return llvm::createStringError(message);
  loaded->model =
      static_cast<const lathe_model *>(loaded->impl->library.getAddressOfSymbol((*name + "_model").c_str()));
  if (!loaded->model)
    return llvm::createStringError("symbol '" + *name + "_model' is not visible");
  if (llvm::Error error = checkVersion(*loaded->model, *name))
    return std::move(error);
  loaded->findDeviceFunctions(
      [&](const std::string &symbol) { return loaded->impl->library.getAddressOfSymbol(symbol.c_str()); });
  return std::move(loaded);
}

llvm::Error LoadedModel::setVariant(llvm::StringRef name) {
  llvm::ArrayRef<lathe_variant> variants(model->variants, model->num_variants);
  auto found = llvm::find_if(variants, [&](const lathe_variant &each) { return name == each.target; });
  if (found == variants.end()) {
    auto names = llvm::map_range(variants, [](const lathe_variant &each) { return llvm::StringRef(each.target); });
    return llvm::createStringError("model '" + llvm::Twine(model->name) + "' has no code for '" + name + "', but for " +
                                   llvm::join(names, ", "));
  }
  if (!(model->supported() >> (found - variants.begin()) & 1))
    return llvm::createStringError("this machine cannot run the code for '" + name + "'");
  variant = found;
  return llvm::Error::success();
}

/// Reads the symbolic dimensions from the inputs' shapes; an error names the first input that does not fit.
static llvm::Error readDims(const lathe_model &model, llvm::ArrayRef<const Tensor *> inputs,
                            llvm::MutableArrayRef<int64_t> dims) {
  if (inputs.size() != model.num_inputs)
    return llvm::createStringError("expected " + llvm::Twine(model.num_inputs) + " inputs, but got " +
                                   llvm::Twine(inputs.size()));
  llvm::SmallVector<bool> known(dims.size(), false);
  for (unsigned i = 0; i < model.num_inputs; ++i) {
    const lathe_tensor &expected = model.inputs[i];
    llvm::ArrayRef<int64_t> shape = inputs[i]->getShape();
    auto fail = [&](const llvm::Twine &what) {
      return llvm::createStringError("input '" + llvm::Twine(expected.name) + "': " + what);
    };
    if (inputs[i]->getType() != expected.dtype)
      return fail("expected " + nameOf(lathe_dtype(expected.dtype)) + " elements, but got " +
                  nameOf(inputs[i]->getType()));
    if (int64_t(shape.size()) != expected.rank)
      return fail("expected rank " + llvm::Twine(expected.rank) + ", but got " + llvm::Twine(shape.size()));
    for (int32_t d = 0; d < expected.rank; ++d) {
      int64_t size = expected.shape[d];
      if (size < 0) {
        unsigned symbol = -1 - size;
        const lathe_dim &dim = model.dims[symbol];
        if (shape[d] < dim.lower || shape[d] > dim.upper)
          return fail("dimension '" + llvm::Twine(dim.name) + "' is " + llvm::Twine(shape[d]) + ", compiled for " +
                      llvm::Twine(dim.lower) + " to " + llvm::Twine(dim.upper));
        size = known[symbol] ? dims[symbol] : shape[d];
        dims[symbol] = size;
        known[symbol] = true;
      }
      if (shape[d] != size)
        return fail("expected size " + llvm::Twine(size) + " of dimension " + llvm::Twine(d) + ", but got " +
                    llvm::Twine(shape[d]));
    }
  }
  return llvm::Error::success();
}

llvm::Error LoadedModel::run(llvm::ArrayRef<const Tensor *> inputs, llvm::SmallVectorImpl<Tensor> &outputs,
                             const lathe_executor *executor) {
  llvm::SmallVector<int64_t> dims(model->num_dims, 0);
  if (llvm::Error error = readDims(*model, inputs, dims))
    return error;

  unsigned ranks = 0;
  for (unsigned i = 0; i < model->num_outputs; ++i)
    ranks += model->outputs[i].rank;
  llvm::SmallVector<int64_t> sizes(ranks + 1);
  model->output_shapes(dims.data(), sizes.data());
  outputs.resize(model->num_outputs);
  const int64_t *shape = sizes.data();
  for (unsigned i = 0; i < model->num_outputs; ++i) {
    const lathe_tensor &expected = model->outputs[i];
    llvm::ArrayRef<int64_t> wanted(shape, expected.rank);
    if (llvm::any_of(wanted, [](int64_t size) { return size < 0; }))
      return llvm::createStringError("output '" + llvm::Twine(expected.name) +
                                     "' has a negative size: the inputs are too small for the model");
    shape += expected.rank;
    size_t bytes = sizeOf(lathe_dtype(expected.dtype));
    for (int64_t size : wanted)
      bytes *= size;
    if (outputs[i].getType() == expected.dtype && outputs[i].hasRoomFor(bytes))
      outputs[i].setShape(wanted);
    else if (llvm::Error error =
                 Tensor::allocate(lathe_dtype(expected.dtype), wanted, llvm::Twine("output '") + expected.name + "'")
                     .moveInto(outputs[i]))
      return error;
  }
  if (!workspace)
    workspace.reset(lathe_workspace_create(model->workspace_bytes));
  if (!workspace)
    return llvm::createStringError("there is no memory for a workspace of " + llvm::Twine(model->workspace_bytes) +
                                   " bytes; --dim bounds symbolic dimensions and sizes that depend on data");

  // The structs of the generated header: pointers, then the symbolic dimensions, and where sizes of outputs go.
  llvm::SmallVector<uint64_t> in;
  for (const Tensor *input : inputs)
    in.push_back(reinterpret_cast<uintptr_t>(input->getData()));
  in.append(dims.begin(), dims.end());
  llvm::SmallVector<void *> out;
  for (Tensor &output : outputs)
    out.push_back(output.getData());
  int64_t *actual = sizes.data();
  for (unsigned i = 0; i < model->num_outputs; ++i) {
    llvm::ArrayRef<int64_t> described(model->outputs[i].shape, model->outputs[i].rank);
    if (llvm::is_contained(described, LATHE_SIZE_OF_DATA))
      out.push_back(actual);
    actual += described.size();
  }
  auto *code = variant ? variant->run : model->run;
  lathe_status status = code(in.data(), out.data(), workspace.get(), executor);
  if (status == LATHE_ERROR_UNSUPPORTED_CPU)
    return llvm::createStringError("model '" + llvm::Twine(model->name) +
                                   "' was compiled for instructions that this machine lacks");
  if (status == LATHE_ERROR_DIM_RANGE) // each is within its bounds: those were compared above
    return llvm::createStringError("model '" + llvm::Twine(model->name) +
                                   "' was given dimensions that do not fit each other: nodes need some to be equal, or "
                                   "large enough for others");
  if (status == LATHE_ERROR_DATA_SIZE)
    return llvm::createStringError("model '" + llvm::Twine(model->name) +
                                   "' was given data that tells a size that does not "
                                   "fit, or is above the bound that was compiled; --dim NAME=0..SIZE sets it");
  if (status >= LATHE_ERROR_NO_DRIVER && message)
    return llvm::createStringError(message());
  if (status != LATHE_OK)
    return llvm::createStringError("model '" + llvm::Twine(model->name) + "' returned status " +
                                   llvm::Twine(int(status)));
  actual = sizes.data();
  for (Tensor &output : outputs) {
    size_t rank = output.getShape().size();
    output.setShape(llvm::ArrayRef<int64_t>(actual, rank));
    actual += rank;
  }
  return llvm::Error::success();
}
