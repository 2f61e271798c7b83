//===- Object.cpp - One relocatable object of code and weights ------------===//
//
// LLVM writes the code as an ELF object in which the weights' symbol is undefined. Here a read-only section with the
// weights is appended to it and the symbol moved there. The payload goes from where it lies to the stream in one write.
// A WebAssembly or Mach-O object gets the weights from LLVM: as bytes of a constant that no optimisation has seen.
//
//===----------------------------------------------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/Constants.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace mlir;
using namespace lathe;

static CompiledObject::Blob getBlob(ElementsAttr attr, uint64_t offset) {
  auto type = cast<ShapedType>(attr.getType());
  uint64_t size = llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(), 8);
  if (type.getElementType().isInteger(1))
    size = type.getNumElements();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return {offset, resource.getRawHandle().getBlob()->getData(), false, size};
  auto dense = cast<DenseElementsAttr>(attr);
  return {offset, dense.getRawData(), dense.isSplat(), size};
}

/// Copies the weights to the block of `weightBytes` at `data`; the gaps between them stay as they are.
static void copyBlobs(const CompiledObject &object, char *data) {
  for (const CompiledObject::Blob &blob : object.weights)
    for (uint64_t at = 0; at < blob.size; at += blob.bytes.size())
      memcpy(data + blob.offset + at, blob.bytes.data(), blob.bytes.size());
}

static void defineWeights(const CompiledObject &object, llvm::Module &code, bool external) {
  llvm::GlobalVariable *symbol = code.getNamedGlobal(object.name + "_weights");
  if (!symbol)
    return;
  if (external) { // zeros, which take no room in a module
    symbol->setInitializer(llvm::ConstantAggregateZero::get(symbol->getValueType()));
    symbol->setConstant(false);
    return;
  }
  std::string bytes(object.weightBytes, '\0');
  copyBlobs(object, bytes.data());
  symbol->setInitializer(llvm::ConstantDataArray::getString(code.getContext(), bytes, /*AddNull=*/false));
  symbol->setVisibility(llvm::GlobalValue::HiddenVisibility);
}

/// The code as an ELF object, compiled in parts.
static FailureOr<Bytes> generateElf(ModuleOp module, nn::TargetAttr target, TimingScope *timing) {
  FailureOr<SmallVector<Bytes>> parts = generateObjects(module, target, timing);
  if (failed(parts))
    return failure();
  TimingScope joining = timing ? timing->nest("JoinObjects") : TimingScope();
  llvm::Expected<Bytes> joined = joinObjects(*parts);
  if (!joined)
    return module.emitError("cannot be joined: ") << llvm::toString(joined.takeError()), failure();
  return std::move(*joined);
}

FailureOr<CompiledObject> lathe::compileObject(ModuleOp module, nn::TargetAttr target, TimingScope *timing,
                                               bool externalWeights) {
  CompiledObject object;
  auto name = module->getAttrOfType<StringAttr>(kModelNameAttr);
  auto weights = module->getAttrOfType<ArrayAttr>(kWeightsAttr);
  auto offsets = module->getAttrOfType<DenseI64ArrayAttr>(kWeightOffsetsAttr);
  auto bytes = module->getAttrOfType<IntegerAttr>(kWeightBytesAttr);
  if (!name || !weights || !offsets || !bytes || weights.size() != size_t(offsets.size()))
    return module.emitError("is not in the llvm phase: expected the attributes of codegen-to-llvm"), failure();
  object.name = name.str();
  object.weightBytes = bytes.getInt();
  for (auto [attr, offset] : llvm::zip(weights, offsets.asArrayRef()))
    object.weights.push_back(getBlob(cast<ElementsAttr>(attr), offset));
  llvm::sort(object.weights, [](const auto &a, const auto &b) { return a.offset < b.offset; });
  bool isElf = llvm::Triple(target.getTriple()).isOSBinFormatELF();
  FailureOr<Bytes> code = isElf ? generateElf(module, target, timing)
                                : generateCode(module, target, CodeKind::Object, timing, [&](llvm::Module &code) {
                                    defineWeights(object, code, externalWeights);
                                  });
  if (failed(code))
    return failure();
  object.code = std::move(*code);
  object.hasWeights = !isElf;
  object.callsRuntime = module->hasAttr(kDeviceAttr);
  return object;
}

static void writeBlob(const CompiledObject::Blob &blob, llvm::raw_ostream &stream) {
  if (!blob.splat)
    return void(stream.write(blob.bytes.data(), blob.bytes.size()));
  for (uint64_t written = 0; written < blob.size; written += blob.bytes.size())
    stream.write(blob.bytes.data(), blob.bytes.size());
}

void lathe::writeWeights(const CompiledObject &object, llvm::raw_ostream &stream) {
  uint64_t at = 0;
  for (const CompiledObject::Blob &blob : object.weights) {
    stream.write_zeros(blob.offset - at);
    writeBlob(blob, stream);
    at = blob.offset + blob.size;
  }
  stream.write_zeros(object.weightBytes - at);
}

namespace {
/// Hashes what is written to it.
class HashStream final : public llvm::raw_ostream {
public:
  ~HashStream() override { flush(); }
  uint32_t get() { return flush(), hash; }

private:
  void write_impl(const char *data, size_t size) override {
    for (size_t i = 0; i < size; ++i) {
      word |= uint32_t(uint8_t(data[i])) << 8 * (position++ % 4);
      if (position % 4 == 0) {
        hash = (hash ^ word) * 0x01000193;
        word = 0;
      }
    }
  }
  uint64_t current_pos() const override { return position; }

  uint64_t position = 0;
  uint32_t word = 0, hash = 0x811c9dc5;
};
} // namespace

std::string lathe::hashWeights(const CompiledObject &object) {
  HashStream stream;
  writeWeights(object, stream);
  return llvm::utohexstr(stream.get(), /*LowerCase=*/true, /*Width=*/8);
}

namespace {
/// The parts of an ELF64 little-endian relocatable object that change when a section is added.
struct ElfObject {
  Bytes bytes;
  llvm::ELF::Elf64_Ehdr header;
  SmallVector<llvm::ELF::Elf64_Shdr> sections;

  template <typename T>
  T read(uint64_t offset) const {
    T value;
    memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }

  explicit ElfObject(ArrayRef<char> object) : bytes(object.begin(), object.end()) {
    header = read<llvm::ELF::Elf64_Ehdr>(0);
    for (unsigned i = 0; i < header.e_shnum; ++i)
      sections.push_back(read<llvm::ELF::Elf64_Shdr>(header.e_shoff + i * sizeof(llvm::ELF::Elf64_Shdr)));
  }

  /// Moves the undefined symbol `name` to the start of section `index`; false if there is none.
  bool defineSymbol(StringRef name, unsigned index, uint64_t size) {
    for (const llvm::ELF::Elf64_Shdr &table : sections) {
      if (table.sh_type != llvm::ELF::SHT_SYMTAB)
        continue;
      uint64_t strings = sections[table.sh_link].sh_offset;
      for (uint64_t at = table.sh_offset; at < table.sh_offset + table.sh_size; at += sizeof(llvm::ELF::Elf64_Sym)) {
        auto symbol = read<llvm::ELF::Elf64_Sym>(at);
        if (StringRef(bytes.data() + strings + symbol.st_name) != name || symbol.st_shndx != llvm::ELF::SHN_UNDEF)
          continue;
        symbol.st_shndx = index;
        symbol.st_value = 0;
        symbol.st_size = size;
        symbol.setBindingAndType(llvm::ELF::STB_GLOBAL, llvm::ELF::STT_OBJECT);
        symbol.st_other = llvm::ELF::STV_HIDDEN; // for the model's own code, also in a shared object
        memcpy(bytes.data() + at, &symbol, sizeof symbol);
        return true;
      }
    }
    return false;
  }
};
} // namespace

llvm::Error lathe::writeObject(const CompiledObject &object, llvm::raw_ostream &stream) {
  auto writeCode = [&] {
    stream.write(object.code.data(), object.code.size());
    return llvm::Error::success();
  };
  if (object.weightBytes == 0 || object.hasWeights)
    return writeCode();
  ElfObject elf(object.code);
  unsigned index = elf.sections.size();
  if (!elf.defineSymbol(object.name + "_weights", index, object.weightBytes))
    return writeCode();
  // The section names get a copy of their table with one more name, behind the weights.
  llvm::ELF::Elf64_Shdr &names = elf.sections[elf.header.e_shstrndx];
  std::string nameTable(elf.bytes.data() + names.sh_offset, names.sh_size);
  uint64_t newName = nameTable.size();
  nameTable += std::string(".rodata.") + object.name + "_weights" + '\0';

  uint64_t payload = llvm::alignTo(elf.bytes.size(), 64), namesAt = payload + object.weightBytes;
  uint64_t sectionsAt = llvm::alignTo(namesAt + nameTable.size(), 8);
  names.sh_offset = namesAt;
  names.sh_size = nameTable.size();
  llvm::ELF::Elf64_Shdr section = {};
  section.sh_name = newName;
  section.sh_type = llvm::ELF::SHT_PROGBITS;
  section.sh_flags = llvm::ELF::SHF_ALLOC;
  section.sh_offset = payload;
  section.sh_size = object.weightBytes;
  section.sh_addralign = 64;
  elf.sections.push_back(section);
  elf.header.e_shoff = sectionsAt;
  elf.header.e_shnum = elf.sections.size();
  memcpy(elf.bytes.data(), &elf.header, sizeof elf.header);

  stream.write(elf.bytes.data(), elf.bytes.size());
  stream.write_zeros(payload - elf.bytes.size());
  writeWeights(object, stream);
  stream << nameTable;
  stream.write_zeros(sectionsAt - namesAt - nameTable.size());
  for (const llvm::ELF::Elf64_Shdr &each : elf.sections)
    stream.write(reinterpret_cast<const char *>(&each), sizeof each);
  return llvm::Error::success();
}

std::unique_ptr<llvm::MemoryBuffer> lathe::copyWeights(const CompiledObject &object) {
  if (object.weightBytes == 0)
    return nullptr;
  bool large = prefersLargePages(object.weightBytes);
  std::unique_ptr<llvm::WritableMemoryBuffer> buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
      object.weightBytes, "weights", llvm::Align(large ? kLargePageBytes : 64));
  char *data = buffer->getBufferStart();
#ifdef __linux__
  // As a linked program would have them; a kernel without such pages says so, and nothing is lost.
  if (large)
    (void)madvise(data, object.weightBytes, MADV_HUGEPAGE);
#endif
  copyBlobs(object, data);
  return buffer;
}
