//===- Header.cpp - The C header of a model -------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "lib/Artifact/SignatureEntries.h"
#include "lib/Support/DataTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace lathe;

/// The C type of an element; `void` where C has none.
static StringRef getCType(int64_t dtype) {
  switch (dtype) {
  case LATHE_FLOAT32:
    return "float";
  case LATHE_FLOAT64:
    return "double";
  case LATHE_INT8:
  case LATHE_INT4:
  case LATHE_INT2:
    return "int8_t";
  case LATHE_UINT8:
  case LATHE_BOOL:
  case LATHE_UINT4:
  case LATHE_UINT2:
    return "uint8_t";
  case LATHE_FLOAT8E4M3FN:
  case LATHE_FLOAT8E4M3FNUZ:
  case LATHE_FLOAT8E5M2:
  case LATHE_FLOAT8E5M2FNUZ:
  case LATHE_FLOAT8E8M0:
  case LATHE_FLOAT4E2M1:
    return "uint8_t";
  case LATHE_INT16:
    return "int16_t";
  case LATHE_UINT16:
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16:
    return "uint16_t";
  case LATHE_INT32:
    return "int32_t";
  case LATHE_UINT32:
    return "uint32_t";
  case LATHE_INT64:
    return "int64_t";
  case LATHE_UINT64:
    return "uint64_t";
  default:
    return "void";
  }
}

/// A name as a C identifier: other characters become '_', and keywords and leading digits get one in front.
static std::string identifier(StringRef name) {
  static constexpr llvm::StringLiteral kKeywords[] = {
      "auto",   "break",    "case",   "char",     "class",    "const",   "continue", "default",  "delete",
      "do",     "double",   "else",   "enum",     "extern",   "float",   "for",      "goto",     "if",
      "inline", "int",      "long",   "new",      "operator", "private", "public",   "register", "return",
      "short",  "signed",   "sizeof", "static",   "struct",   "switch",  "template", "this",     "typedef",
      "union",  "unsigned", "void",   "volatile", "while"};
  std::string text;
  for (char c : name)
    text += llvm::isAlnum(c) ? c : '_';
  if (text.empty() || llvm::isDigit(text[0]) || llvm::is_contained(kKeywords, text))
    text.insert(0, "_");
  return text;
}

/// "[batch, 1, 32, 32]", and the element type where the C type does not tell it: "[4], float8e5m2".
static std::string getShapeText(DictionaryAttr tensor) {
  std::string text = "[" + cast<StringAttr>(tensor.get("dims")).str() + "]";
  auto type = lathe_dtype(cast<IntegerAttr>(tensor.get("dtype")).getInt());
  if (isNarrow(type) || type == LATHE_FLOAT16 || type == LATHE_BFLOAT16)
    text += ", " + nameOf(type).str();
  return text;
}

/// A text that does not end the comment it stands in.
static std::string comment(std::string text) {
  for (size_t at; (at = text.find("*/")) != std::string::npos;)
    text[at] = '_';
  return text;
}

static void printStruct(llvm::raw_ostream &os, StringRef model, StringRef kind, ArrayAttr tensors, ArrayAttr dims,
                        bool isConst) {
  // Names that are the same as C identifiers are told apart by a number.
  llvm::StringSet<> taken;
  auto member = [&](DictionaryAttr entry, StringRef suffix = "") {
    std::string name = identifier(getName(entry)) + suffix.str(), unique = name;
    for (unsigned number = 2; !taken.insert(unique).second; ++number)
      unique = name + "_" + std::to_string(number);
    return unique;
  };
  os << "typedef struct " << model << "_" << kind << " {\n";
  for (Attribute attr : tensors) {
    auto tensor = cast<DictionaryAttr>(attr);
    os << "  " << (isConst ? "const " : "") << getCType(cast<IntegerAttr>(tensor.get("dtype")).getInt()) << " *"
       << member(tensor) << "; /* " << comment(getShapeText(tensor)) << " */\n";
  }
  for (auto tensor : tensors.getAsRange<DictionaryAttr>())
    if (!isConst && dependsOnData(tensor))
      os << "  int64_t *" << member(tensor, "_shape") << "; /* the run writes the "
         << cast<DenseI64ArrayAttr>(tensor.get("shape")).size() << " sizes of " << comment(getName(tensor).str())
         << " */\n";
  if (isConst)
    for (Attribute attr : dims) {
      auto dim = cast<DictionaryAttr>(attr);
      os << "  int64_t " << member(dim) << "; /* " << cast<IntegerAttr>(dim.get("lower")).getInt() << " to "
         << cast<IntegerAttr>(dim.get("upper")).getInt() << " */\n";
    }
  if (tensors.empty() && (!isConst || dims.empty()))
    os << "  char unused; /* a struct of C has a member */\n";
  os << "} " << model << "_" << kind << ";\n\n";
}

std::string lathe::generateHeader(ModuleOp module) {
  std::string model = identifier(module->getAttrOfType<StringAttr>(kModelNameAttr).getValue());
  std::string upper = StringRef(model).upper();
  auto inputs = module->getAttrOfType<ArrayAttr>(kInputsAttr), outputs = module->getAttrOfType<ArrayAttr>(kOutputsAttr);
  auto dims = module->getAttrOfType<ArrayAttr>(kModelDimsAttr);
  int64_t workspace = module->getAttrOfType<IntegerAttr>(kWorkspaceBytesAttr).getInt();
  auto device = module->getAttrOfType<DictionaryAttr>(kDeviceAttr);

  std::string text;
  llvm::raw_string_ostream os(text);
  os << "/* " << model << ": generated by Lathe. Link " << model << ".o; include path: Lathe's runtime/include. */\n"
     << "#ifndef LATHE_MODEL_" << upper << "_H\n#define LATHE_MODEL_" << upper << "_H\n\n"
     << "#include \"lathe/rt_abi.h\"\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << (device ? "/* Not used: the workspace is on the device, and may be NULL. */\n"
                : "/* Size of the workspace of one run, to be aligned to LATHE_ALIGNMENT. */\n")
     << "#define " << upper << "_WORKSPACE_BYTES " << std::max<int64_t>(workspace, 1) << "\n\n";
  if (device)
    os << "/* What the device has to hold: the weights, once, and the activations, for each run that overlaps others. "
          "*/\n"
       << "#define " << upper << "_DEVICE_WEIGHT_BYTES "
       << module->getAttrOfType<IntegerAttr>(kWeightBytesAttr).getInt() << "\n"
       << "#define " << upper << "_DEVICE_ARENA_BYTES " << device.getAs<IntegerAttr>("arena_bytes").getInt() << "\n\n";
  printStruct(os, model, "inputs", inputs, dims, /*isConst=*/true);
  printStruct(os, model, "outputs", outputs, dims, /*isConst=*/false);
  os << (device ? "/* Runs the model once, from tensors of the host to tensors of the host. Reentrant. executor is not "
                  "used. Loads the model\n"
                  " * if that has not been done. */\n"
                : "/* Runs the model once. Reentrant: all state is in the workspace. executor may be NULL: one thread. "
                  "*/\n")
     << "lathe_status " << model << "_run(const " << model << "_inputs *inputs, const " << model
     << "_outputs *outputs, void *workspace,\n"
     << "    const lathe_executor *executor);\n\n";
  if (device)
    os << "/* The same with tensors of the device: the pointers are its addresses, aligned to 16 bytes. `stream`, a "
          "CUstream, orders the run after what is in\n"
          " * it, and the call returns before the run ends; NULL takes a stream of the model's and waits for the end. "
          "*/\n"
       << "lathe_status " << model << "_run_device(const " << model << "_inputs *inputs, const " << model
       << "_outputs *outputs, void *stream);\n\n"
       << "/* Puts code and weights on the device: in the calling thread's CUDA context, or the primary one of the "
          "first device that\n"
          " * runs the code. All runs use that one. */\n"
       << "lathe_status " << model << "_load(void);\n\n"
       << "/* Frees what the model has on the device. No run may be going on; a later one loads it again. */\n"
       << "void " << model << "_unload(void);\n\n"
       << "/* What the last failure in this thread was, in English; never NULL. */\n"
       << "const char *" << model << "_message(void);\n\n";
  os << "/* Names, types, shapes and sizes, for generic callers. */\n"
     << "extern const lathe_model " << model << "_model;\n\n"
     << "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n"
     << "#endif /* LATHE_MODEL_" << upper << "_H */\n";
  return text;
}
