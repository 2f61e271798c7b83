//===- InferShapes.cpp - Gives every tensor its type ----------------------===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Import/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTINFERSHAPES
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// The value as a constant; null if it is not a small integer tensor whose elements are all known.
static DenseElementsAttr getKnownValue(const SymbolicShapes &shapes, Value value) {
  auto elements = shapes.getElements(value);
  RankedTensorType type = shapes.getType(value);
  auto integer = dyn_cast<IntegerType>(type.getElementType());
  if (!elements || !integer || !type.hasStaticShape() || type.getNumElements() != int64_t(elements->size()))
    return nullptr;
  SmallVector<APInt> numbers;
  for (AffineExpr element : *elements) {
    auto constant = dyn_cast<AffineConstantExpr>(element);
    if (!constant)
      return nullptr;
    numbers.push_back(APInt(64, constant.getValue(), /*isSigned=*/true).sextOrTrunc(integer.getWidth()));
  }
  return DenseElementsAttr::get(type, numbers);
}

/// `onnx.shape` on the op: one list of sizes for each result.
static void annotateShape(const SymbolicShapes &shapes, Operation &op) {
  Builder builder(op.getContext());
  SmallVector<Attribute> all;
  for (Value result : op.getResults()) {
    SmallVector<Attribute> sizes;
    for (AffineExpr dim : shapes.getDims(result))
      sizes.push_back(builder.getStringAttr(shapes.describe(dim)));
    all.push_back(builder.getArrayAttr(sizes));
  }
  op.setAttr("onnx.shape", builder.getArrayAttr(all));
}

static bool isDynamic(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && !type.hasStaticShape();
}

namespace {

struct ImportInferShapesPass : lathe::impl::ImportInferShapesBase<ImportInferShapesPass> {
  using ImportInferShapesBase::ImportInferShapesBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    bool good = true;
    for (BlockArgument argument : function.getArguments())
      if (isa<UnrankedTensorType>(argument.getType())) {
        auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
        function.emitError("expected an input of known rank, but got ")
            << argument.getType() << " for " << (name ? name.getValue() : "an input");
        good = false;
      }
    if (!good)
      return signalPassFailure();
    SymbolicShapes shapes(function);
    if (failed(shapes.compute()))
      return signalPassFailure();
    Block &body = function.getBody().front();
    for (Operation &op : llvm::make_early_inc_range(body))
      setTypes(shapes, op);
    removeDead(body);
    setFunctionType(function);
  }

private:
  void setTypes(const SymbolicShapes &shapes, Operation &op) {
    for (Value result : op.getResults()) {
      if (!isa<TensorType>(result.getType()) || !shapes.hasDims(result))
        continue;
      result.setType(shapes.getType(result));
      if (op.hasTrait<OpTrait::ConstantLike>() || result.use_empty())
        continue;
      if (DenseElementsAttr value = getKnownValue(shapes, result)) {
        OpBuilder builder(&op);
        result.replaceAllUsesWith(onnx::ConstantOp::create(builder, op.getLoc(), value));
        ++constants;
      }
    }
    if (annotate && llvm::any_of(op.getResults(), isDynamic))
      annotateShape(shapes, op);
  }

  static void removeDead(Block &body) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  static void setFunctionType(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    function.setFunctionType(
        FunctionType::get(function.getContext(), function.getArgumentTypes(), end->getOperandTypes()));
  }
};

} // namespace
