//===- Bias.cpp - Constants added to what a contraction sums up -----------===//
#include "passes/Compress/Prune/Bias.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"
#include "passes/Compress/Quantize/Parameters.h"

using namespace mlir;
using namespace lathe;

/// The number of the extra that the epilogue's first op adds to the sums, if it is a constant for each output; -1 if not.
static int64_t findBias(Block &epilogue, OperandRange extras, int64_t outputs, ElementsAttr &bias) {
  Value sums = epilogue.getArgument(0);
  auto add = sums.hasOneUse() ? dyn_cast<arith::AddFOp>(*sums.user_begin()) : arith::AddFOp();
  if (!add)
    return -1;
  auto argument = dyn_cast<BlockArgument>(add.getLhs() == sums ? add.getRhs() : add.getLhs());
  if (!argument || argument == sums || argument.getOwner() != &epilogue || !argument.hasOneUse())
    return -1;
  Value extra = extras[argument.getArgNumber() - 1];
  bool fits = matchPattern(extra, m_Constant(&bias)) && bias.getElementType().isF32() &&
              bias.getShapedType().getShape() == ArrayRef(outputs);
  return fits ? argument.getArgNumber() - 1 : -1;
}

template <typename OpT>
static void add(OpT op, ArrayRef<float> constants) {
  OpBuilder builder(op);
  auto type = RankedTensorType::get({int64_t(constants.size())}, builder.getF32Type());
  auto createConstant = [&](ArrayRef<float> values) -> Value {
    return onnx::ConstantOp::create(builder, op.getLoc(), DenseElementsAttr::get(type, values));
  };
  Type element = cast<ShapedType>(op.getResult().getType()).getElementType();
  Region &region = op.getEpilogue();
  if (region.empty()) {
    Block &body = region.emplaceBlock();
    Value sums = body.addArgument(element, op.getLoc());
    OpBuilder inside = OpBuilder::atBlockEnd(&body);
    nn::YieldOp::create(inside, op.getLoc(), sums);
  }
  Block &body = region.front();
  ElementsAttr bias;
  int64_t number = findBias(body, op.getExtras(), int64_t(constants.size()), bias);
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = number >= 0 ? readFloats(bias, storage) : std::nullopt;
  if (values) {
    std::vector<float> sum = values->vec();
    for (auto [total, constant] : llvm::zip_equal(sum, constants))
      total += constant;
    op.getExtrasMutable()[number].set(createConstant(sum));
    return;
  }
  op.getExtrasMutable().append(createConstant(constants));
  Value sums = body.getArgument(0), constant = body.addArgument(builder.getF32Type(), op.getLoc());
  builder.setInsertionPointToStart(&body);
  auto total = arith::AddFOp::create(builder, op.getLoc(), sums, constant);
  sums.replaceAllUsesExcept(total, total);
}

void lathe::addToSums(nn::ConvOp op, ArrayRef<float> constants) { add(op, constants); }
void lathe::addToSums(nn::LinearOp op, ArrayRef<float> constants) { add(op, constants); }
