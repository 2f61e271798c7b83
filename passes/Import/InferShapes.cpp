//===- InferShapes.cpp - Gives every tensor its type ----------------------===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Import/DeclaredTypes.h"
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

/// A constant in place of the target of a Reshape or Expand whose elements depend on symbolic dimensions: sizes that
/// the input has at the same place become 0 (Reshape) or 1 (Expand), one other of a Reshape -1. Null if that says less.
static Value makeConstantTarget(const SymbolicShapes &shapes, Operation &op) {
  auto reshape = dyn_cast<onnx::ReshapeOp>(op);
  if (!reshape && !isa<onnx::ExpandOp>(op))
    return nullptr;
  // A constant that took the place of a known value is none of the analysis's.
  if (!shapes.hasDims(op.getOperand(0)))
    return nullptr;
  ArrayRef<AffineExpr> in = shapes.getDims(op.getOperand(0)), out = shapes.getDims(op.getResult(0));
  Value target = op.getOperand(1);
  auto targetType = cast<ShapedType>(target.getType());
  bool isSymbolic = llvm::any_of(out, [](AffineExpr dim) { return !isa<AffineConstantExpr>(dim); });
  if (target.getDefiningOp<onnx::ConstantOp>() || !isSymbolic || !targetType.hasStaticShape())
    return nullptr;
  // Expand aligns at the end and takes a target of lower rank than its input.
  size_t rank = targetType.getNumElements(), skipped = out.size() - rank;
  SmallVector<int64_t> sizes;
  bool hasOpen = false;
  for (size_t i = 0; i < rank; ++i) {
    AffineExpr size = out[i + skipped];
    auto constant = dyn_cast<AffineConstantExpr>(size);
    std::optional<AffineExpr> same;
    if (reshape && i < in.size())
      same = in[i];
    else if (!reshape && i + skipped + in.size() >= out.size())
      same = in[i + skipped + in.size() - out.size()];
    if (constant && (constant.getValue() > 0 || !reshape)) {
      sizes.push_back(constant.getValue());
    } else if (same == size && !(reshape && reshape.getAllowzero())) {
      sizes.push_back(reshape ? 0 : 1);
    } else if (reshape && !hasOpen && !constant) {
      sizes.push_back(-1);
      hasOpen = true;
    } else {
      return nullptr;
    }
  }
  // An empty tensor leaves a size of -1 open.
  if (hasOpen && llvm::any_of(in, [&](AffineExpr dim) { return shapes.getBounds(dim).first <= 0; }))
    return nullptr;
  OpBuilder builder(&op);
  return onnx::ConstantOp::create(builder, op.getLoc(), builder.getI64TensorAttr(sizes));
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
    declareOperands(function.getBody().front());
    declareRanges(function);
    SymbolicShapes shapes(function);
    if (failed(shapes.compute()))
      return signalPassFailure();
    FailureOr<bool> tightened = tightenBounds(function, shapes);
    if (failed(tightened))
      return signalPassFailure();
    if (*tightened) {
      shapes = SymbolicShapes(function);
      if (failed(shapes.compute()))
        return signalPassFailure();
    }
    if (failed(checkBounds(function, shapes)))
      return signalPassFailure();
    keepConditions(function, shapes);
    Block &body = function.getBody().front();
    for (Operation &op : llvm::make_early_inc_range(body))
      setTypes(shapes, op);
    removeDead(body);
    setFunctionType(function);
    describeResults(function, shapes);
  }

private:
  /// Bounds are of dimensions that there are.
  static LogicalResult checkBounds(func::FuncOp function, const SymbolicShapes &shapes) {
    auto bounds = function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr);
    for (NamedAttribute bound : bounds ? bounds.getValue() : ArrayRef<NamedAttribute>()) {
      auto names = llvm::map_range(shapes.getSymbols(), [](const SymbolicDim &symbol) { return symbol.name; });
      if (!llvm::is_contained(names, bound.getName()))
        return function.emitError(
                   "expected a symbolic dimension of the model, or a size that depends on data, but got `")
               << bound.getName().getValue() << "`; the model has " << llvm::join(names, ", ");
    }
    return success();
  }

  /// Conditions of one symbolic dimension become bounds of it, of which callers, plans and messages know. Whether there
  /// were any that say more than the bounds did.
  static FailureOr<bool> tightenBounds(func::FuncOp function, const SymbolicShapes &shapes) {
    bool tightened = false;
    Builder builder(function.getContext());
    NamedAttrList bounds(function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr));
    for (auto [position, symbol] : llvm::enumerate(shapes.getSymbols())) {
      if (symbol.dependsOnData())
        continue;
      int64_t lower = symbol.lower, upper = symbol.upper;
      for (AffineExpr condition : shapes.getConditions())
        tighten(condition, position, shapes.getSymbols().size(), lower, upper);
      if (lower > upper)
        return function.emitError("expected sizes that fit each other, but ")
                   << symbol.name << " would have to be " << lower << " or more and " << upper << " or less",
               failure();
      if (lower == symbol.lower && upper == symbol.upper)
        continue;
      bounds.set(symbol.name, builder.getDenseI64ArrayAttr({lower, upper}));
      tightened = true;
    }
    if (tightened)
      function->setAttr(kDimBoundsAttr, bounds.getDictionary(function.getContext()));
    return tightened;
  }

  /// Takes in what `condition` >= 0 says of the symbol, if it is a multiple of it and a number.
  static void tighten(AffineExpr condition, unsigned position, unsigned symbols, int64_t &lower, int64_t &upper) {
    MLIRContext *context = condition.getContext();
    AffineExpr symbol = getAffineSymbolExpr(position, context);
    auto at = [&](int64_t size) { return condition.replace(symbol, getAffineConstantExpr(size, context)); };
    auto zero = dyn_cast<AffineConstantExpr>(at(0)), one = dyn_cast<AffineConstantExpr>(at(1));
    if (!zero || !one)
      return;
    int64_t offset = zero.getValue(), factor = one.getValue() - offset;
    if (simplifyAffineExpr(condition - symbol * factor - offset, 0, symbols) != getAffineConstantExpr(0, context))
      return;
    if (factor > 0)
      lower = std::max(lower, llvm::divideCeilSigned(-offset, factor));
    else if (factor < 0)
      upper = std::min(upper, llvm::divideFloorSigned(offset, -factor));
  }

  /// `onnx.size_conditions`: what a run has to check of the sizes that a caller chooses.
  static void keepConditions(func::FuncOp function, const SymbolicShapes &shapes) {
    function->removeAttr(kSizeConditionsAttr);
    SmallVector<AffineExpr> open;
    for (AffineExpr condition : shapes.getConditions())
      if (shapes.getBounds(condition).first < 0)
        open.push_back(condition);
    unsigned symbols = llvm::count_if(shapes.getSymbols(), [](const SymbolicDim &dim) { return !dim.dependsOnData(); });
    if (!open.empty())
      function->setAttr(kSizeConditionsAttr,
                        AffineMapAttr::get(AffineMap::get(/*dimCount=*/0, symbols, open, function.getContext())));
  }

  /// `onnx.dims` of each result in terms of the symbolic dimensions: a model's own names ("total") do not say what they
  /// are.
  static void describeResults(func::FuncOp function, const SymbolicShapes &shapes) {
    Builder builder(function.getContext());
    for (OpOperand &result : function.getBody().front().getTerminator()->getOpOperands()) {
      if (!isDynamic(result.get()))
        continue;
      SmallVector<Attribute> names;
      for (AffineExpr dim : shapes.getDims(result.get()))
        names.push_back(builder.getStringAttr(isa<AffineConstantExpr>(dim) ? "" : shapes.describe(dim)));
      function.setResultAttr(result.getOperandNumber(), kDimsAttr, builder.getArrayAttr(names));
    }
  }

  static void setArgumentType(const SymbolicShapes &shapes, BlockArgument argument) {
    argument.setType(shapes.getType(argument));
    if (DenseElementsAttr value = argument.use_empty() ? nullptr : getKnownValue(shapes, argument)) {
      OpBuilder builder(argument.getOwner(), argument.getOwner()->begin());
      argument.replaceAllUsesWith(onnx::ConstantOp::create(builder, argument.getLoc(), value));
    }
  }

  void setTypes(const SymbolicShapes &shapes, Operation &op) {
    if (isa<onnx::LoopOp, onnx::IfOp>(op))
      for (Region &region : op.getRegions()) {
        Block &body = region.front();
        for (BlockArgument argument : body.getArguments())
          setArgumentType(shapes, argument);
        for (Operation &inner : llvm::make_early_inc_range(body))
          setTypes(shapes, inner);
        removeDead(body);
      }
    for (Value result : op.getResults()) {
      if (!isa<TensorType>(result.getType()) || !shapes.hasDims(result))
        continue;
      result.setType(shapes.getType(result));
      if (op.hasTrait<OpTrait::ConstantLike>() || result.use_empty())
        continue;
      if (DenseElementsAttr value = getKnownValue(shapes, result)) {
        OpBuilder builder(&op);
        result.replaceAllUsesWith(onnx::ConstantOp::create(builder, op.getLoc(), value));
      }
    }
    if (op.getNumResults() == 1)
      if (Value target = makeConstantTarget(shapes, op))
        op.setOperand(1, target);
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
