//===- Calibrate.cpp - Statistics of a model's values on samples ----------===//
#include "passes/Compress/Calibration/Calibrate.h"
#include "dialects/NN/IR/NNDialect.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace lathe;

/// The first node name in a location; empty where there is none.
static StringRef getNodeName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().strref();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = getNodeName(part); !name.empty())
        return name;
  return {};
}

/// Name of a value that need not be unique.
static std::string getBaseKey(Value value, func::FuncOp function) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() == &function.getBody().front())
      if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr))
        return name.str();
    return "argument:" + std::to_string(argument.getArgNumber());
  }
  auto result = cast<OpResult>(value);
  StringRef name = getNodeName(result.getOwner()->getLoc());
  if (name.empty())
    name = result.getOwner()->getName().getStringRef();
  return (name + ":" + Twine(result.getResultNumber())).str();
}

Value lathe::getRangeSource(Value value) {
  while (auto pool = value.getDefiningOp<nn::PoolOp>()) {
    if (pool.getKind() != nn::PoolKind::Max)
      break;
    value = pool.getInput();
  }
  return value;
}

SmallVector<ObservedValue> lathe::collectObservedValues(func::FuncOp function) {
  llvm::SetVector<Value> values;
  auto insertOne = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    Operation *producer = value.getDefiningOp();
    if (type && type.getElementType().isF32() && !(producer && producer->hasTrait<OpTrait::ConstantLike>()))
      values.insert(value);
  };
  auto insert = [&](Value value) {
    insertOne(getRangeSource(value));
    insertOne(value);
  };
  function.walk([&](Operation *op) {
    if (auto conv = dyn_cast<nn::ConvOp>(op)) {
      insert(conv.getInput());
      // A residual of a convolution is stored as its producer's other readers want it.
      for (Value extra : conv.getExtras())
        if (getRangeSource(extra).getDefiningOp<nn::ConvOp>())
          insert(extra);
    } else if (auto linear = dyn_cast<nn::LinearOp>(op)) {
      insert(linear.getInput());
    }
  });

  llvm::StringMap<unsigned> uses;
  SmallVector<ObservedValue> observed;
  for (Value value : values) {
    std::string key = getBaseKey(value, function);
    if (unsigned repetition = uses[key]++)
      key += "~" + std::to_string(repetition);
    observed.push_back({std::move(key), value});
  }
  return observed;
}

FailureOr<ObservedModule> lathe::createObservedModule(ModuleOp module) {
  ObservedModule result{module.clone(), {}, {}};
  auto main = result.module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal()) {
    module.emitError("expected a function @main to calibrate");
    return failure();
  }
  Block &body = main.getBody().front();
  auto terminator = dyn_cast<func::ReturnOp>(body.getTerminator());
  SmallVector<ObservedValue> observed = collectObservedValues(main);
  // What lives inside a loop has no single value to return.
  llvm::erase_if(observed, [&](ObservedValue &entry) { return entry.value.getParentBlock() != &body; });
  if (!terminator || observed.empty()) {
    module.emitError("expected convolutions or matrix products to calibrate, but got none");
    return failure();
  }

  Builder builder(module.getContext());
  SmallVector<Value> values;
  SmallVector<Type> types;
  SmallVector<Attribute> attributes;
  for (ObservedValue &entry : observed) {
    values.push_back(entry.value);
    types.push_back(entry.value.getType());
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(entry.key))));
    result.keys.push_back(std::move(entry.key));
    ArrayRef<int64_t> shape = cast<RankedTensorType>(entry.value.getType()).getShape();
    result.channels.push_back(shape.empty() || ShapedType::isDynamic(shape.back()) ? 0 : shape.back());
  }
  terminator.getOperandsMutable().assign(values);
  main.setFunctionType(builder.getFunctionType(main.getArgumentTypes(), types));
  main.setResAttrsAttr(builder.getArrayAttr(attributes));
  return result;
}

DenseMap<Value, const ValueStatistics *> lathe::matchStatistics(func::FuncOp function,
                                                                const CalibrationStatistics &statistics) {
  DenseMap<Value, const ValueStatistics *> matched;
  for (const ObservedValue &observed : collectObservedValues(function))
    if (const ValueStatistics *found = statistics.lookup(observed.key))
      matched[observed.value] = found;
  return matched;
}

FailureOr<std::shared_ptr<const CalibrationStatistics>>
lathe::takeStatistics(Location loc, std::shared_ptr<const CalibrationStatistics> given, StringRef file) {
  if (given)
    return given;
  if (file.empty())
    return emitError(loc) << "expected calibration statistics, but got none", failure();
  llvm::Expected<CalibrationStatistics> loaded = CalibrationStatistics::load(file);
  if (!loaded)
    return emitError(loc) << llvm::toString(loaded.takeError()), failure();
  return std::make_shared<const CalibrationStatistics>(std::move(*loaded));
}

FailureOr<CalibrationStatistics> lathe::calibrate(ModuleOp module, const CalibrationNeeds &needs,
                                                  CalibrationRunner runner) {
  FailureOr<ObservedModule> observed = createObservedModule(module);
  if (failed(observed))
    return failure();
  CalibrationStatistics statistics;
  auto record = [&](unsigned result, ArrayRef<float> elements) {
    if (result >= observed->keys.size())
      return;
    ValueStatistics &value = statistics[observed->keys[result]];
    value.range.observe(elements);
    value.channels.observe(elements, observed->channels[result], needs.gram);
  };
  if (failed(runner(*observed->module, record)))
    return failure();
  for (StringRef key : observed->keys)
    if (const RangeStatistics &range = statistics[key].range; range.getCount() == 0 && range.getNonFiniteCount())
      return module.emitError("expected samples with finite activations, but all of '")
                 << key << "' are NaN or infinite on them",
             failure();
  return statistics;
}
