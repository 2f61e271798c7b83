//===- TuningFile.cpp - Measured choices in a file ------------------------===//
#include "passes/Lower/TuningFile.h"
#include "lib/Support/YamlFile.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;
namespace yaml = llvm::yaml;

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

template <typename ValueT>
static std::string textOf(ValueT value) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  value.print(stream);
  return text;
}

/// The attributes of `op` that differ from their defaults, less those that say what operands are for.
template <typename OpT>
static DictionaryAttr getSpecialAttributes(OpT op) {
  MLIRContext *context = op->getContext();
  typename OpT::Properties properties;
  OpT::populateDefaultProperties(op->getName(), properties);
  auto defaults = cast<DictionaryAttr>(OpT::getPropertiesAsAttr(context, properties));
  NamedAttrList special;
  for (NamedAttribute attribute : cast<DictionaryAttr>(op->getPropertiesAsAttribute()))
    if (attribute.getName() != OpT::getOperandSegmentSizeAttr() &&
        defaults.get(attribute.getName()) != attribute.getValue())
      special.append(attribute);
  return special.getDictionary(context);
}

template <typename OpT>
static TuningKey makeKey(OpT op, ArrayRef<Value> operands) {
  auto types = FunctionType::get(op->getContext(), TypeRange(ValueRange(operands)), op->getResultTypes());
  DictionaryAttr attributes = getSpecialAttributes(op);
  return {op->getName().getStringRef().str(), textOf(types), attributes.empty() ? "" : textOf(attributes)};
}

std::optional<TuningKey> lathe::getTuningKey(Operation *op) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  return TypeSwitch<Operation *, std::optional<TuningKey>>(op)
      .Case([](nn::ConvOp conv) { return makeKey(conv, {conv.getInput(), conv.getWeight()}); })
      .Case([](nn::LinearOp linear) {
        SmallVector<Value> operands = {linear.getInput(), linear.getWeight()};
        for (Value parameter : {linear.getScales(), linear.getOffsets()})
          if (parameter)
            operands.push_back(parameter);
        return makeKey(linear, operands);
      })
      .Case([](nn::MatMulOp matmul) { return makeKey(matmul, {matmul.getLhs(), matmul.getRhs()}); })
      .Default([](Operation *) { return std::nullopt; });
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

/// Calls `visit(name, value)` for each parameter, by the names of the file.
template <typename ChoiceT, typename VisitorT>
static void visitParameters(ChoiceT &choice, VisitorT visit) {
  visit("winograd", choice.winograd);
  visit("fuse", choice.fuse);
  visit("panel-width", choice.panelWidth);
  visit("tile-rows", choice.tileRows);
  visit("kernel-rows", choice.kernelRows);
  visit("share", choice.share);
  visit("tasks", choice.tasks);
}

nn::TuningAttr TuningChoice::toAttr(MLIRContext &context, function_ref<InFlightDiagnostic()> emitError) const {
  return nn::TuningAttr::getChecked(emitError, &context, winograd.value_or(-1), fuse ? int64_t(*fuse) : -1,
                                    panelWidth.value_or(-1), tileRows.value_or(-1), kernelRows.value_or(-1),
                                    StringRef(share ? *share : ""), tasks.value_or(-1));
}

bool TuningChoice::empty() const { return *this == TuningChoice(); }

TuningChoice TuningChoice::with(const TuningChoice &other) const {
  auto either = [](const auto &first, const auto &second) { return first ? first : second; };
  return {either(other.winograd, winograd), either(other.panelWidth, panelWidth),
          either(other.tileRows, tileRows), either(other.kernelRows, kernelRows),
          either(other.tasks, tasks),       either(other.fuse, fuse),
          either(other.share, share)};
}

bool TuningChoice::operator==(const TuningChoice &other) const {
  return std::tie(winograd, panelWidth, tileRows, kernelRows, tasks, fuse, share) ==
         std::tie(other.winograd, other.panelWidth, other.tileRows, other.kernelRows, other.tasks, other.fuse,
                  other.share);
}

std::string lathe::toString(const TuningChoice &choice) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  visitParameters(choice, [&](StringRef name, const auto &value) {
    if (!value)
      return;
    stream << (text.empty() ? "" : " ") << name << "=";
    if constexpr (std::is_same_v<std::decay_t<decltype(*value)>, bool>)
      stream << (*value ? "true" : "false");
    else
      stream << *value;
  });
  return text;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

bool TunedMachine::isFor(nn::TargetAttr target) const {
  return triple == target.getTriple() && cpu == target.getCpu() && features == target.getFeatures();
}

const TuningRecord *TunedMachine::find(const TuningKey &kernel) const {
  for (const TuningRecord &record : records)
    if (record.kernel == kernel)
      return &record;
  return nullptr;
}

const TunedMachine *TuningFile::find(nn::TargetAttr target) const {
  for (const TunedMachine &machine : machines)
    if (machine.isFor(target))
      return &machine;
  return nullptr;
}

namespace {
struct Microseconds {
  double before = 0, after = 0;
};
} // namespace

LLVM_YAML_IS_SEQUENCE_VECTOR(TuningRecord)
LLVM_YAML_IS_SEQUENCE_VECTOR(TunedMachine)

/// Why a choice is one that no op can have; empty if it is not.
static std::string findMistake(const TuningChoice &choice) {
  if (choice.winograd && !llvm::is_contained({0, 2, 4}, *choice.winograd))
    return "expected winograd to be 0, 2 or 4";
  if (choice.share && *choice.share != "rows" && *choice.share != "columns")
    return "expected share to be rows or columns";
  for (const std::optional<int64_t> &count : {choice.panelWidth, choice.tileRows, choice.kernelRows, choice.tasks})
    if (count && *count < 1)
      return "expected widths, rows and tasks to be positive";
  return "";
}

template <>
struct yaml::MappingTraits<TuningChoice> {
  static const bool flow = true;
  static void mapping(IO &io, TuningChoice &choice) {
    visitParameters(choice, [&](const char *name, auto &value) { io.mapOptional(name, value); });
  }
  static std::string validate(IO &, TuningChoice &choice) { return findMistake(choice); }
};

template <>
struct yaml::MappingTraits<Microseconds> {
  static const bool flow = true;
  static void mapping(IO &io, Microseconds &times) {
    io.mapRequired("before", times.before);
    io.mapRequired("after", times.after);
  }
};

template <>
struct yaml::MappingTraits<TuningRecord> {
  static void mapping(IO &io, TuningRecord &record) {
    io.mapRequired("op", record.kernel.op);
    io.mapRequired("types", record.kernel.types);
    io.mapOptional("attributes", record.kernel.attributes, std::string());
    io.mapRequired("choice", record.choice);
    Microseconds times{record.before, record.after};
    io.mapOptional("microseconds", times);
    record.before = times.before;
    record.after = times.after;
  }
  static std::string validate(IO &io, TuningRecord &record) {
    return record.choice.empty() && !io.error() ? "expected something to choose" : "";
  }
};

template <>
struct yaml::MappingTraits<TunedMachine> {
  static void mapping(IO &io, TunedMachine &machine) {
    io.mapRequired("triple", machine.triple);
    io.mapRequired("cpu", machine.cpu);
    io.mapRequired("features", machine.features);
    io.mapRequired("lathe", machine.version);
    io.mapOptional("threads", machine.threads, 1);
    io.mapRequired("kernels", machine.records);
  }
  static std::string validate(IO &, TunedMachine &machine) {
    for (const TuningRecord &record : machine.records)
      if (machine.find(record.kernel) != &record)
        return "expected one record for each kernel, but got several for " + record.kernel.op + " " +
               record.kernel.types;
    return "";
  }
};

template <>
struct yaml::MappingTraits<TuningFile> {
  static void mapping(IO &io, TuningFile &file) {
    constexpr int current = 1;
    int format = current;
    io.mapRequired("format", format);
    if (format != current)
      io.setError("expected format " + Twine(current) + ", but got " + Twine(format));
    io.mapRequired("machines", file.machines);
  }
};

llvm::Expected<TuningFile> lathe::readTuning(StringRef path) { return readYaml<TuningFile>(path); }

void lathe::writeTuning(TuningFile file, llvm::raw_ostream &stream) {
  // Types are longer than a line.
  yaml::Output output(stream, /*Ctxt=*/nullptr, /*WrapColumn=*/0);
  output << file;
}
