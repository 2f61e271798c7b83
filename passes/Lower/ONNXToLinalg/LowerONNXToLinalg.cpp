//===- LowerONNXToLinalg.cpp - onnx ops to linalg on tensors --------------===//
#include "dialects/ONNX/IR/DataTypes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/ONNXToLinalg/Signless.h"
#include "passes/Lower/Passes.h"
#include "runtime/include/lathe/rt_abi.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERONNXTOLINALG
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

void lathe::addLowerings(LoweringTable &table) {
  addElementwiseLowerings(table);
  addMatrixProductLowerings(table);
  addConvolutionLowerings(table);
  addPoolingLowerings(table);
  addQuantizationLowerings(table);
  addSamplingLowerings(table);
  addSelectionLowerings(table);
  addReductionLowerings(table);
  addGatherLowerings(table);
  addMovementLowerings(table);
  addReshapeLowerings(table);
  addCreationLowerings(table);
  addPaddingLowerings(table);
  addResizeLowerings(table);
  addScatterLowerings(table);
  addNormalizationLowerings(table);
  addRecurrentLowerings(table);
  addLinearAttentionLowerings(table);
  addDeformConvLowerings(table);
  addRandomLowerings(table);
  addNGramLowerings(table);
  addControlLowerings(table);
  addQuantCastLowerings(table);
}

namespace {
/// One walk in order instead of a dialect conversion: every size comes from an analysis of the
/// original values, which stay in place until all is lowered.
struct LowerONNXToLinalgPass : lathe::impl::LowerONNXToLinalgBase<LowerONNXToLinalgPass> {
  LogicalResult initialize(MLIRContext *) override {
    addCastLowerings(table);
    addLowerings(table);
    return success();
  }

  void runOnOperation() override;

private:
  LogicalResult lower(Lowering &lowering, Operation *op);
  static void returnStatus(func::FuncOp function, Lowering &lowering);
  void makeArgumentsSignless(func::FuncOp function, Lowering &lowering, SmallVectorImpl<Operation *> &casts);

  LoweringTable table;
};
} // namespace

/// On arguments and results: their elements were unsigned.
static constexpr StringLiteral kUnsignedAttr = "onnx.unsigned";
/// On arguments and results whose type no longer tells it: the number of the ONNX type.
static constexpr StringLiteral kDTypeAttr = "onnx.dtype";

static IntegerAttr getDTypeAttr(Type element) {
  return IntegerAttr::get(IntegerType::get(element.getContext(), 32), onnx::getOnnxDataType(element));
}

/// Ops that convert narrow elements or move them, which are bytes to all others.
static bool takesNarrowElements(Operation *op) {
  return isa<onnx::CastOp, onnx::CastLikeOp, onnx::QuantizeLinearOp, onnx::DequantizeLinearOp, onnx::ConstantOp,
             onnx::ConstantOfShapeOp, onnx::IdentityOp, onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp,
             onnx::UnsqueezeOp, onnx::TransposeOp, onnx::ConcatOp, onnx::SplitOp, onnx::SliceOp, onnx::ExpandOp,
             onnx::TileOp, onnx::PadOp, onnx::GatherOp, onnx::GatherElementsOp, onnx::GatherNDOp, onnx::DepthToSpaceOp,
             onnx::SpaceToDepthOp, onnx::ReverseSequenceOp, onnx::CenterCropPadOp, onnx::CompressOp, onnx::ShapeOp,
             onnx::SizeOp, onnx::IfOp>(op);
}

/// Values that the shape analysis knows need no computation.
static bool lowerKnownElements(Lowering &lowering, Operation *op) {
  if (op->getNumResults() != 1 || isa<onnx::ConstantOp, onnx::IfOp>(op))
    return false;
  Value result = op->getResult(0);
  auto elements = lowering.shapes.getElements(result);
  auto integer = dyn_cast<IntegerType>(lowering.elementType(result));
  if (!elements || !integer || onnx::isNarrow(lowering.shapes.getElementType(result)) || lowering.rank(result) > 1 ||
      elements->empty())
    return false;
  ImplicitLocOpBuilder &builder = lowering.builder;
  RankedTensorType type = lowering.type(lowering.shapes.getDims(result), integer);
  if (auto constants = lowering.getConstants(result)) {
    auto values = llvm::map_to_vector(*constants, [&](int64_t value) {
      return APInt(integer.getWidth(), uint64_t(value), /*isSigned=*/true, /*implicitTrunc=*/true);
    });
    lowering.set(result, arith::ConstantOp::create(builder, DenseElementsAttr::get(type, values)));
    return true;
  }
  if (integer.getWidth() == 1)
    return false;
  SmallVector<Value> values = llvm::map_to_vector(*elements, [&](AffineExpr element) -> Value {
    return arith::IndexCastOp::create(builder, integer, lowering.sizeValue(element));
  });
  lowering.set(result, tensor::FromElementsOp::create(builder, type, values));
  return true;
}

LogicalResult LowerONNXToLinalgPass::lower(Lowering &lowering, Operation *op) {
  if (lowerKnownElements(lowering, op))
    return success();
  LoweringTable::Function function = table.lookup(op);
  if (!function && isScalarOp(op))
    function = lowerElementwise;
  if (!function) {
    InFlightDiagnostic error = op->emitOpError("is not supported: operands ");
    return error << op->getOperandTypes() << ", results " << op->getResultTypes();
  }
  auto isNarrow = [&](Value value) {
    return isa<TensorType>(value.getType()) && onnx::isNarrow(getElementTypeOrSelf(value.getType()));
  };
  if (!takesNarrowElements(op) &&
      (llvm::any_of(op->getOperands(), isNarrow) || llvm::any_of(op->getResults(), isNarrow)))
    return op->emitOpError("computes with elements that are only converted and moved: operands ")
           << op->getOperandTypes() << ", results " << op->getResultTypes();
  return function(lowering, op);
}

/// An argument of unsigned or narrow elements gets a signless type; a cast to the original type, which is erased at the
/// end, stands for it in onnx ops until they are lowered.
void LowerONNXToLinalgPass::makeArgumentsSignless(func::FuncOp function, Lowering &lowering,
                                                  SmallVectorImpl<Operation *> &casts) {
  lowering.builder.setInsertionPointToStart(&function.getBody().front());
  for (BlockArgument argument : function.getArguments()) {
    Type type = argument.getType(), signless = getSignless(type);
    if (type == signless)
      continue;
    SmallVector<AffineExpr> dims(lowering.shapes.getDims(argument));
    argument.setType(signless);
    auto cast = UnrealizedConversionCastOp::create(lowering.builder, type, argument);
    argument.replaceAllUsesExcept(cast.getResult(0), cast);
    lowering.shapes.setDims(cast.getResult(0), dims);
    lowering.set(cast.getResult(0), argument);
    casts.push_back(cast);
    Type element = getElementTypeOrSelf(type);
    if (element.isUnsignedInteger())
      function.setArgAttr(argument.getArgNumber(), kUnsignedAttr, UnitAttr::get(&getContext()));
    function.setArgAttr(argument.getArgNumber(), kDTypeAttr, getDTypeAttr(element));
  }
}

/// One result more, where something has to hold of the data.
void LowerONNXToLinalgPass::returnStatus(func::FuncOp function, Lowering &lowering) {
  Operation *terminator = function.getBody().front().getTerminator();
  ImplicitLocOpBuilder &builder = lowering.builder;
  builder.setInsertionPoint(terminator);
  builder.setLoc(function.getLoc());
  Value good = lowering.takeConditions(function.getBody());
  if (!good)
    return;
  ScalarBuilder s{builder, function.getLoc()};
  auto status = [&](lathe_status code) -> Value { return arith::ConstantIntOp::create(builder, code, 64); };
  Value code = s.select(good, status(LATHE_OK), status(LATHE_ERROR_DATA_SIZE));
  terminator->insertOperands(terminator->getNumOperands(), Value(tensor::FromElementsOp::create(builder, code)));
  SmallVector<DictionaryAttr> attrs;
  function.getAllResultAttrs(attrs);
  attrs.resize(terminator->getNumOperands() - 1, builder.getDictionaryAttr({}));
  attrs.push_back(builder.getDictionaryAttr(builder.getNamedAttr(kStatusAttr, builder.getUnitAttr())));
  function.setType(builder.getFunctionType(function.getArgumentTypes(), terminator->getOperandTypes()));
  function.setAllResultAttrs(attrs);
}

/// Those in loops, of the model and over parts of a batch, and in branches, too.
static void collectOps(Block &block, SmallVectorImpl<Operation *> &ops) {
  for (Operation &op : block) {
    ops.push_back(&op);
    if (auto loop = dyn_cast<scf::ForOp>(op))
      collectOps(*loop.getBody(), ops);
    if (isa<onnx::LoopOp, onnx::IfOp>(op))
      for (Region &body : op.getRegions())
        collectOps(body.front(), ops);
  }
}

void LowerONNXToLinalgPass::runOnOperation() {
  func::FuncOp function = getOperation();
  if (function.isExternal())
    return;
  if (!function.getBody().hasOneBlock()) {
    function.emitError("expected a function of one block");
    return signalPassFailure();
  }
  SymbolicShapes shapes(function);
  if (failed(shapes.compute()))
    return signalPassFailure();

  Lowering lowering(shapes, OpBuilder(function.getContext()), function.getLoc());
  SmallVector<Operation *> obsolete, original;
  collectOps(function.getBody().front(), original);
  makeArgumentsSignless(function, lowering, obsolete);

  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [position, result] : llvm::enumerate(terminator->getOperands()))
    if (Type element = getElementTypeOrSelf(result); element != getSignless(element)) {
      if (element.isUnsignedInteger())
        function.setResultAttr(position, kUnsignedAttr, UnitAttr::get(&getContext()));
      function.setResultAttr(position, kDTypeAttr, getDTypeAttr(element));
    }

  bool good = true;
  for (Operation *op : original) {
    if (!isa<onnx::ONNXDialect>(op->getDialect()) && !table.lookup(op)) {
      // Kernels and upstream ops stay and read what was lowered.
      for (OpOperand &operand : op->getOpOperands())
        operand.set(lowering.get(operand.get()));
      continue;
    }
    obsolete.push_back(op);
    lowering.builder.setInsertionPoint(op);
    lowering.builder.setLoc(op->getLoc());
    if (succeeded(lower(lowering, op)))
      continue;
    // What depends on it may have errors of its own.
    good = false;
    for (Value result : op->getResults())
      if (isa<RankedTensorType>(result.getType()))
        lowering.set(result, lowering.empty(shapes.getDims(result), lowering.elementType(result)));
  }
  if (!good)
    return signalPassFailure();
  for (Operation *op : llvm::reverse(obsolete))
    op->erase();
  returnStatus(function, lowering);
  function.setFunctionType(
      FunctionType::get(&getContext(), function.getBody().getArgumentTypes(), terminator->getOperandTypes()));
}
