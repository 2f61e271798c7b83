//===- ModelSummary.cpp - What a model consists of ------------------------===//
#include "lib/Report/ModelSummary.h"

#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace lathe;

static ShapedType staticShape(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasStaticShape() ? shaped : ShapedType();
}

static int64_t bytesOf(ShapedType type) {
  Type element = type.getElementType();
  return element.isIntOrFloat() ? type.getNumElements() * ((element.getIntOrFloatBitWidth() + 7) / 8) : 0;
}

/// Two for each multiply-add of the op; 0 for ops without any, or of unknown shape.
static int64_t flopsOf(Operation *op) {
  llvm::StringRef name = op->getName().stripDialect();
  if (op->getNumOperands() < 2 || op->getNumResults() == 0)
    return 0;
  ShapedType result = staticShape(op->getResult(0).getType());
  ShapedType left = staticShape(op->getOperand(0).getType());
  ShapedType right = staticShape(op->getOperand(1).getType());
  if (!left || !right || left.getRank() == 0 || right.getRank() == 0)
    return 0;
  if (name == "Conv" && result && right.getRank() > 1)
    return 2 * result.getNumElements() * (right.getNumElements() / std::max<int64_t>(1, right.getDimSize(0)));
  if (name == "ConvTranspose")
    return 2 * left.getNumElements() * (right.getNumElements() / std::max<int64_t>(1, right.getDimSize(0)));
  if (name == "MatMul" && result)
    return 2 * result.getNumElements() * left.getDimSize(left.getRank() - 1);
  if (name == "Gemm" && result && left.getRank() == 2) {
    auto transposed = op->getAttrOfType<IntegerAttr>("transA");
    return 2 * result.getNumElements() * left.getDimSize(transposed && transposed.getValue() != 0 ? 0 : 1);
  }
  if ((name == "GRU" || name == "LSTM" || name == "RNN") && op->getNumOperands() > 2) {
    // Input [steps, batch, size]; both weights are multiplied at every step.
    ShapedType recurrent = staticShape(op->getOperand(2).getType());
    if (recurrent && left.getRank() == 3)
      return 2 * left.getDimSize(0) * left.getDimSize(1) * (right.getNumElements() + recurrent.getNumElements());
  }
  return 0;
}

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  type.print(stream);
  return text;
}

static std::string nameOfValue(DictionaryAttr attributes, unsigned index) {
  auto name = attributes ? attributes.getAs<StringAttr>("onnx.name") : StringAttr();
  return name ? name.getValue().str() : "#" + std::to_string(index);
}

/// ", ? = found": what the dynamic sizes of a result are, which the run tells.
static std::string dimsText(Type type, DictionaryAttr attributes) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto names = attributes ? attributes.getAs<ArrayAttr>(kDimsAttr) : ArrayAttr();
  std::string text;
  for (int64_t dim = 0; tensor && names && dim < std::min<int64_t>(tensor.getRank(), names.size()); ++dim)
    if (tensor.isDynamicDim(dim))
      text += ", ? = " + cast<StringAttr>(names[dim]).str();
  return text;
}

ModelSummary lathe::summarize(ModuleOp module) {
  ModelSummary summary;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return summary;
  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes()))
    summary.inputs.push_back({nameOfValue(main.getArgAttrDict(index), index), typeText(type)});
  for (auto [index, type] : llvm::enumerate(main.getResultTypes()))
    summary.outputs.push_back({nameOfValue(main.getResultAttrDict(index), index),
                               typeText(type) + dimsText(type, main.getResultAttrDict(index))});
  main.walk([&](Operation *op) {
    if (!isa_and_nonnull<onnx::ONNXDialect>(op->getDialect()))
      return;
    llvm::StringRef name = op->getName().stripDialect();
    if (name == "Constant") {
      if (ShapedType type = staticShape(op->getResult(0).getType())) {
        summary.parameters += type.getNumElements();
        summary.parameterBytes += bytesOf(type);
      }
      return;
    }
    if (name == "NoValue" || name == "None" || name == "Yield")
      return;
    ++summary.operators[name.str()];
    summary.flops += flopsOf(op);
    for (Type type : op->getResultTypes()) {
      ShapedType shaped = staticShape(type);
      shaped ? summary.activationBytes += bytesOf(shaped) : ++summary.unshaped;
    }
  });
  return summary;
}

llvm::json::Object lathe::toJSON(const ModelSummary &summary) {
  auto values = [](llvm::ArrayRef<ValueSummary> list) {
    llvm::json::Array array;
    for (const ValueSummary &value : list)
      array.push_back(llvm::json::Object{{"name", value.name}, {"type", value.type}});
    return array;
  };
  llvm::json::Object operators;
  for (const auto &[name, count] : summary.operators)
    operators[name] = count;
  return llvm::json::Object{{"inputs", values(summary.inputs)},
                            {"outputs", values(summary.outputs)},
                            {"operators", std::move(operators)},
                            {"parameters", summary.parameters},
                            {"parameter_bytes", summary.parameterBytes},
                            {"flops", summary.flops},
                            {"activation_bytes", summary.activationBytes},
                            {"values_of_unknown_size", summary.unshaped}};
}

void lathe::print(const ModelSummary &summary, llvm::raw_ostream &stream) {
  for (const ValueSummary &value : summary.inputs)
    stream << "input       " << value.name << ": " << value.type << "\n";
  for (const ValueSummary &value : summary.outputs)
    stream << "output      " << value.name << ": " << value.type << "\n";
  stream << "parameters  " << summary.parameters << " (" << summary.parameterBytes << " bytes)\n"
         << "FLOPs       " << summary.flops << " (" << llvm::format("%.2f", double(summary.flops) / 2e6)
         << " M multiply-adds)\n"
         << "activations " << summary.activationBytes << " bytes, all together";
  if (summary.unshaped)
    stream << ", without " << summary.unshaped << " values of unknown size";
  stream << "\noperators  ";
  for (const auto &[name, count] : summary.operators)
    stream << " " << name << (count > 1 ? " x" + std::to_string(count) : "");
  stream << "\n";
}
