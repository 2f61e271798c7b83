//===- Contractions.cpp - Products with constant weights ------------------===//
#include "passes/Compress/Channels/Contractions.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"
#include "passes/Compress/Channels/Constants.h"
#include "passes/Compress/Quantize/Parameters.h"

using namespace mlir;
using namespace lathe;

static int64_t getRank(Value value) { return cast<ShapedType>(value.getType()).getRank(); }

std::optional<Contraction> Contraction::match(Operation *op) {
  auto linear = dyn_cast<nn::LinearOp>(op);
  auto conv = dyn_cast<nn::ConvOp>(op);
  bool plain = linear ? getRank(linear.getWeight()) == 2 && !linear.getScales() && !linear.getInit()
                      : conv && getRank(conv.getWeight()) == 4 && !conv.getInit();
  return plain ? std::optional<Contraction>(Contraction(op)) : std::nullopt;
}

Block *Contraction::getEpilogue() const {
  Region &region = op->getRegion(0);
  return region.empty() ? nullptr : &region.front();
}

int64_t Contraction::getGroup() const { return isConv() ? int64_t(cast<nn::ConvOp>(op).getGroup()) : 1; }

int64_t Contraction::getSize(unsigned dim) const {
  return cast<ShapedType>(op->getOperand(1).getType()).getDimSize(dim);
}

bool Contraction::isDepthwise() const { return getGroup() > 1 && getInputs() == 1 && getOutputs() == getGroup(); }

bool Contraction::isPadded() const {
  return isConv() && llvm::any_of(cast<nn::ConvOp>(op).getPads(), [](int64_t pad) { return pad != 0; });
}

bool Contraction::readsFloats() const {
  return cast<ShapedType>(op->getOperand(1).getType()).getElementType().isF32() && canSlice(op->getOperand(1));
}

ArrayRef<float> Contraction::getWeight(std::vector<float> &storage) const {
  ElementsAttr constant;
  if (!matchPattern(op->getOperand(1), m_Constant(&constant)))
    return {};
  return readFloats(constant, storage).value_or(ArrayRef<float>());
}

/// Replaces a constant operand of f32.
static void setConstant(OpOperand &operand, ArrayRef<float> elements) {
  ElementsAttr constant;
  matchPattern(operand.get(), m_Constant(&constant));
  OpBuilder builder(operand.get().getContext());
  builder.setInsertionPointAfterValue(operand.get());
  operand.set(onnx::ConstantOp::create(builder, operand.get().getLoc(), createFloats(constant, elements)));
}

void Contraction::setWeight(ArrayRef<float> elements) const { setConstant(getWeightOperand(), elements); }

void Contraction::addToAccumulator(ArrayRef<float> numbers) const {
  Region &region = op->getRegion(0);
  OpBuilder builder(op);
  if (region.empty()) {
    Block *block = builder.createBlock(&region, {}, builder.getF32Type(), op->getLoc());
    nn::YieldOp::create(builder, op->getLoc(), block->getArgument(0));
    builder.setInsertionPoint(op);
  }
  Block &epilogue = region.front();
  Value accumulator = epilogue.getArgument(0);
  unsigned firstExtra = 2; // behind input and weight
  if (accumulator.hasOneUse())
    if (auto sum = dyn_cast<arith::AddFOp>(*accumulator.user_begin()))
      if (auto bias = dyn_cast<BlockArgument>(sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs());
          bias && bias != accumulator && bias.hasOneUse()) {
        OpOperand &extra = op->getOpOperand(firstExtra + bias.getArgNumber() - 1);
        auto type = cast<RankedTensorType>(extra.get().getType());
        ElementsAttr constant;
        std::vector<float> storage;
        bool isColumn = type.getRank() > 0 && type.getShape().back() == type.getNumElements() &&
                        type.getNumElements() == int64_t(numbers.size());
        if (isColumn && matchPattern(extra.get(), m_Constant(&constant)))
          if (std::optional<ArrayRef<float>> old = readFloats(constant, storage)) {
            std::vector<float> total(numbers);
            for (auto [element, before] : llvm::zip_equal(total, *old))
              element += before;
            return setConstant(extra, total);
          }
      }

  auto type = RankedTensorType::get(int64_t(numbers.size()), builder.getF32Type());
  auto bias = onnx::ConstantOp::create(builder, op->getLoc(), DenseElementsAttr::get(type, numbers));
  auto append = [&](auto contraction) { contraction.getExtrasMutable().append(bias.getResult()); };
  isConv() ? append(cast<nn::ConvOp>(op)) : append(cast<nn::LinearOp>(op));
  Value element = epilogue.addArgument(builder.getF32Type(), op->getLoc());
  builder.setInsertionPointToStart(&epilogue);
  auto sum = arith::AddFOp::create(builder, op->getLoc(), accumulator, element);
  accumulator.replaceAllUsesExcept(sum, sum);
}
