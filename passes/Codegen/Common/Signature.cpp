//===- Signature.cpp - Writes the model's interface down ------------------===//
#include "passes/Codegen/Common/Signature.h"
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace lathe {
#define GEN_PASS_DEF_SIGNATUREPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static SmallVector<TensorInfo> readTensors(ModuleOp module, StringRef name) {
  SmallVector<TensorInfo> tensors;
  auto list = module->getAttrOfType<ArrayAttr>(name);
  if (!list)
    return tensors;
  for (auto entry : list.getAsRange<DictionaryAttr>()) {
    TensorInfo tensor;
    if (auto text = entry.getAs<StringAttr>("name"))
      tensor.name = text.str();
    if (auto dtype = entry.getAs<IntegerAttr>("dtype"))
      tensor.dtype = dtype.getInt();
    if (auto shape = entry.getAs<DenseI64ArrayAttr>("shape"))
      tensor.shape = llvm::to_vector(shape.asArrayRef());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

Signature codegen::readSignature(ModuleOp module) {
  Signature signature;
  signature.inputs = readTensors(module, kInputsAttr);
  signature.outputs = readTensors(module, kOutputsAttr);
  if (auto list = module->getAttrOfType<ArrayAttr>(kSymbolsAttr))
    for (auto entry : list.getAsRange<DictionaryAttr>()) {
      DimInfo dim;
      if (auto text = entry.getAs<StringAttr>("name"))
        dim.name = text.str();
      if (auto lower = entry.getAs<IntegerAttr>("lower"))
        dim.lower = lower.getInt();
      if (auto upper = entry.getAs<IntegerAttr>("upper"))
        dim.upper = upper.getInt();
      signature.dims.push_back(std::move(dim));
    }
  if (auto conditions = module->getAttrOfType<AffineMapAttr>(kConditionsAttr))
    signature.conditions = llvm::to_vector(conditions.getValue().getResults());
  return signature;
}

func::FuncOp codegen::getMain(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>(kMainName);
  if (!main || main.isExternal() || !llvm::hasSingleElement(main.getBody())) {
    module.emitError("expected a function @main of one block");
    return nullptr;
  }
  return main;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Number of an element type in ONNX; 0 if it has none. `given` is what the argument or result says
/// of types that kernels do not have; other signless integers are signed unless they are marked.
static int32_t getDType(Type type, Attribute given, bool isMarkedUnsigned) {
  if (auto number = dyn_cast_or_null<IntegerAttr>(given))
    return number.getInt();
  if (type.isF32())
    return 1;
  if (type.isF16())
    return 10;
  if (type.isBF16())
    return 16;
  if (type.isF64())
    return 11;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return 0;
  bool isUnsigned = isMarkedUnsigned || integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return 9;
  case 8:
    return isUnsigned ? 2 : 3;
  case 16:
    return isUnsigned ? 4 : 5;
  case 32:
    return isUnsigned ? 12 : 6;
  case 64:
    return isUnsigned ? 13 : 7;
  default:
    return 0;
  }
}

namespace {

/// A value that a loop carries: what it begins with, the argument of the body and what that yields.
struct Carried {
  Value initial, argument, yielded;
};

/// The value behind a result of a loop; nullopt for other ops, and where a condition does not pass on what it got.
static std::optional<Carried> getCarried(OpResult result) {
  unsigned index = result.getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
    return Carried{loop.getInitArgs()[index], loop.getRegionIterArg(index), loop.getYieldedValues()[index]};
  auto loop = dyn_cast<scf::WhileOp>(result.getOwner());
  auto passed = loop ? dyn_cast<BlockArgument>(loop.getConditionOp().getArgs()[index]) : BlockArgument();
  if (!passed || passed.getOwner() != loop.getBeforeBody())
    return std::nullopt;
  unsigned number = passed.getArgNumber();
  return Carried{loop.getInits()[number], loop.getAfterArguments()[index], loop.getYieldOp().getOperand(number)};
}

/// What a loop's result begins with, if it has that shape: elements and slices are inserted, nothing else.
static Value getShapeSource(Value loopResult) {
  auto result = dyn_cast<OpResult>(loopResult);
  std::optional<Carried> carried = result ? getCarried(result) : std::nullopt;
  if (!carried)
    return nullptr;
  Value value = carried->yielded;
  while (value != carried->argument) {
    Operation *op = value.getDefiningOp();
    if (auto insert = dyn_cast_or_null<tensor::InsertOp>(op))
      value = insert.getDest();
    else if (auto slice = dyn_cast_or_null<tensor::InsertSliceOp>(op))
      value = slice.getDest();
    else if (Value inner = getShapeSource(value))
      value = inner;
    else
      return nullptr;
  }
  return carried->initial;
}

/// `tensor.dim` of a loop's result is that of what it begins with; MLIR's own pattern follows slices only.
struct DimOfLoop : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    Value source = getShapeSource(op.getSource());
    if (!source)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(source); });
    return success();
  }
};

/// `tensor.dim` of a cast tensor, of which some sizes became known, is that of the tensor.
struct DimOfCast : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto cast = op.getSource().getDefiningOp<tensor::CastOp>();
    if (!cast || !isa<RankedTensorType>(cast.getSource().getType()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(cast.getSource()); });
    return success();
  }
};

/// `tensor.dim` of a kernel's result is that of its destination.
struct DimOfKernel : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto kernel = op.getSource().getDefiningOp<nn::KernelOpInterface>();
    if (!kernel || !kernel.getDestination() || kernel->getResult(0) != op.getSource())
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(kernel.getDestination()); });
    return success();
  }
};

struct SignaturePass : lathe::impl::SignaturePassBase<SignaturePass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    SignaturePassBase::getDependentDialects(registry);
    tensor::registerInferTypeOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return signalPassFailure();
    SymbolicShapes shapes(main);
    Value status = takeStatus(main);
    OutputSizes sizes(main.getNumResults());
    if (failed(describeArguments(main, shapes)) || failed(makeOutputSizes(main, shapes, sizes)) ||
        failed(describeResults(main, sizes)))
      return signalPassFailure();
    returnSizes(main, sizes, status);
  }

  /// Removes the result that is a status; null if there is none.
  static Value takeStatus(func::FuncOp main) {
    unsigned last = main.getNumResults() - 1;
    if (main.getNumResults() == 0 || !main.getResultAttr(last, kStatusAttr))
      return nullptr;
    Operation *terminator = main.getBody().front().getTerminator();
    Value status = terminator->getOperand(last);
    terminator->eraseOperand(last);
    BitVector erased(main.getNumResults());
    erased.set(last);
    (void)main.eraseResults(erased);
    return status;
  }

  /// Of each result, the sizes that depend on data by their dimension, with the largest each can be.
  using OutputSizes = SmallVector<llvm::SmallMapVector<int64_t, int64_t, 4>>;

  DictionaryAttr describe(StringRef name, int32_t dtype, ArrayRef<int64_t> shape, StringRef dims) {
    Builder builder(&getContext());
    return builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr(name)),
                                      builder.getNamedAttr("dtype", builder.getI32IntegerAttr(dtype)),
                                      builder.getNamedAttr("shape", builder.getDenseI64ArrayAttr(shape)),
                                      builder.getNamedAttr("dims", builder.getStringAttr(dims))});
  }

  LogicalResult describeArguments(func::FuncOp main, const SymbolicShapes &shapes) {
    Builder builder(&getContext());
    SmallVector<Attribute> inputs, dims;
    for (BlockArgument argument : main.getArguments()) {
      unsigned index = argument.getArgNumber();
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      int32_t dtype = type ? getDType(type.getElementType(), main.getArgAttr(index, kDTypeAttr),
                                      main.getArgAttr(index, kUnsignedAttr) != nullptr)
                           : 0;
      if (!dtype)
        return main.emitError("expected argument ")
               << index << " to be a tensor of an ONNX type, but got " << argument.getType();
      SmallVector<int64_t> shape;
      std::string text;
      for (AffineExpr dim : shapes.getDims(argument)) {
        text += text.empty() ? "" : ", ";
        if (auto size = dyn_cast<AffineConstantExpr>(dim)) {
          shape.push_back(size.getValue());
          text += std::to_string(size.getValue());
          continue;
        }
        unsigned symbol = cast<AffineSymbolExpr>(dim).getPosition();
        shape.push_back(-1 - int64_t(symbol));
        text += shapes.getSymbols()[symbol].name;
      }
      inputs.push_back(
          describe(nameOf(main.getArgAttrOfType<StringAttr>(index, kNameAttr), "input", index), dtype, shape, text));
    }
    for (const SymbolicDim &symbol : shapes.getSymbols())
      dims.push_back(
          builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr(symbol.name)),
                                     builder.getNamedAttr("lower", builder.getI64IntegerAttr(symbol.lower)),
                                     builder.getNamedAttr("upper", builder.getI64IntegerAttr(symbol.upper))}));
    getOperation()->setAttr(kInputsAttr, builder.getArrayAttr(inputs));
    getOperation()->setAttr(kSymbolsAttr, builder.getArrayAttr(dims));
    if (auto conditions = main->getAttrOfType<AffineMapAttr>(kSizeConditionsAttr);
        conditions && conditions.getValue().getNumSymbols() == dims.size())
      getOperation()->setAttr(kConditionsAttr, conditions);
    return success();
  }

  LogicalResult describeResults(func::FuncOp main, const OutputSizes &sizes) {
    Builder builder(&getContext());
    SmallVector<Attribute> outputs;
    for (auto [index, resultType] : llvm::enumerate(main.getResultTypes())) {
      auto type = dyn_cast<RankedTensorType>(resultType);
      int32_t dtype = type ? getDType(type.getElementType(), main.getResultAttr(index, kDTypeAttr),
                                      main.getResultAttr(index, kUnsignedAttr) != nullptr)
                           : 0;
      if (!dtype)
        return main.emitError("expected result ") << index << " to be a tensor of an ONNX type, but got " << resultType;
      SmallVector<int64_t> shape;
      std::string text;
      for (int64_t size : type.getShape()) {
        bool isDynamic = ShapedType::isDynamic(size), isData = sizes[index].contains(shape.size());
        text += text.empty() ? "" : ", ";
        text += isDynamic ? nameOfDim(main, index, shape.size()) : std::to_string(size);
        if (isData)
          text += " <= " + std::to_string(sizes[index].lookup(shape.size()));
        shape.push_back(isData ? kDataSize : isDynamic ? kComputedSize : size);
      }
      outputs.push_back(describe(nameOf(main.getResultAttrOfType<StringAttr>(index, kNameAttr), "output", index), dtype,
                                 shape, text));
    }
    getOperation()->setAttr(kOutputsAttr, builder.getArrayAttr(outputs));
    return success();
  }

  /// What the result's `onnx.dims` say of a dynamic size; "?" if nothing.
  static std::string nameOfDim(func::FuncOp main, unsigned result, size_t dim) {
    auto names = main.getResultAttrOfType<ArrayAttr>(result, kDimsAttr);
    auto name = names && dim < names.size() ? dyn_cast<StringAttr>(names[dim]) : nullptr;
    return name && !name.empty() ? name.str() : "?";
  }

  std::string nameOf(StringAttr given, StringRef kind, unsigned index) {
    return given ? given.str() : (kind + std::to_string(index)).str();
  }

  /// Lets @main return what a run tells, see `Signature`. `status` is a list of one element, or null.
  void returnSizes(func::FuncOp main, const OutputSizes &sizes, Value status) {
    Operation *terminator = main.getBody().front().getTerminator();
    ImplicitLocOpBuilder builder(main.getLoc(), terminator);
    SmallVector<Value> all;
    for (auto [index, result] : llvm::enumerate(terminator->getOperands())) {
      if (sizes[index].empty())
        continue;
      for (int64_t dim = 0; dim < cast<RankedTensorType>(result.getType()).getRank(); ++dim)
        all.push_back(
            arith::IndexCastOp::create(builder, builder.getI64Type(), tensor::DimOp::create(builder, result, dim)));
    }
    if (status)
      all.push_back(tensor::ExtractOp::create(builder, status, Value(arith::ConstantIndexOp::create(builder, 0))));
    if (all.empty())
      return;
    Value list = tensor::FromElementsOp::create(builder, all);
    terminator->insertOperands(terminator->getNumOperands(), list);
    SmallVector<DictionaryAttr> attrs;
    main.getAllResultAttrs(attrs);
    main.setType(builder.getFunctionType(main.getArgumentTypes(), terminator->getOperandTypes()));
    attrs.resize(main.getNumResults(), builder.getDictionaryAttr({}));
    main.setAllResultAttrs(attrs);
    SmallVector<Operation *> dims;
    main.walk([&](tensor::DimOp dim) { dims.push_back(dim); });
    resolveDims(dims);
  }

  /// A copy of @main that returns sizes instead of tensors, less what they do not need. Sizes that depend on data,
  /// which go to `dataSizes`, are the largest they can be.
  LogicalResult makeOutputSizes(func::FuncOp main, const SymbolicShapes &shapes, OutputSizes &dataSizes) {
    IRRewriter rewriter(&getContext());
    rewriter.setInsertionPointAfter(main);
    auto sizes = cast<func::FuncOp>(rewriter.clone(*main));
    sizes.setName(kOutputSizesName);
    sizes.setPrivate();
    sizes.removeArgAttrsAttr();
    sizes.removeResAttrsAttr();
    Operation *terminator = sizes.getBody().front().getTerminator();
    rewriter.setInsertionPoint(terminator);
    SmallVector<Value> results;
    SmallVector<std::pair<size_t, int64_t>> places; // result and dimension
    for (auto [index, result] : llvm::enumerate(terminator->getOperands())) {
      auto type = cast<RankedTensorType>(result.getType());
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim)) {
          Value position = arith::ConstantIndexOp::create(rewriter, main.getLoc(), dim);
          auto size = tensor::DimOp::create(rewriter, main.getLoc(), result, position);
          results.push_back(size);
          places.push_back({index, dim});
        }
    }
    terminator->setOperands(results);
    Type indexType = rewriter.getIndexType();
    sizes.setType(rewriter.getFunctionType(sizes.getArgumentTypes(), SmallVector<Type>(results.size(), indexType)));
    // Nothing but the dims is visited: canonicalising the whole copy would cost time for ops that
    // go away.
    SmallVector<Operation *> dims;
    sizes.walk([&](tensor::DimOp dim) { dims.push_back(dim); });
    resolveDims(dims);
    if (failed(boundSizes(sizes, places, dataSizes)))
      return failure();
    removeDead(sizes);
    return replaceArguments(sizes, shapes);
  }

  /// Puts the largest value into the place of each size that depends on data.
  LogicalResult boundSizes(func::FuncOp sizes, ArrayRef<std::pair<size_t, int64_t>> places, OutputSizes &dataSizes) {
    Operation *terminator = sizes.getBody().front().getTerminator();
    Signature signature = readSignature(getOperation());
    SizeBounds bounds(sizes, signature);
    OpBuilder builder(terminator);
    for (auto [operand, place] : llvm::zip_equal(terminator->getOpOperands(), places)) {
      Value size = operand.get();
      if (!dependsOnData(size))
        continue;
      auto range = bounds.get(size);
      if (!range)
        return terminator->emitError("expected results of bounded size, but got one whose size depends on data");
      dataSizes[place.first][place.second] = range->upper;
      // Of dimensions that the caller chose, a count of something has a bound of its own.
      auto minimum = size.getDefiningOp<arith::MinSIOp>();
      if (minimum && !dependsOnData(minimum.getRhs()))
        operand.set(minimum.getRhs());
      else if (minimum && !dependsOnData(minimum.getLhs()))
        operand.set(minimum.getLhs());
      else
        operand.set(arith::ConstantIndexOp::create(builder, size.getLoc(), range->upper));
    }
    return success();
  }

  /// Whether an index is computed from more than sizes.
  static bool dependsOnData(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return false;
    if (auto dim = dyn_cast<tensor::DimOp>(op))
      return !isa<BlockArgument>(dim.getSource());
    bool isArithmetic = isPure(op) && op->getNumRegions() == 0 && value.getType().isIndex() &&
                        llvm::none_of(op->getOperandTypes(), [](Type type) { return isa<ShapedType>(type); });
    return !isArithmetic || llvm::any_of(op->getOperands(), dependsOnData);
  }

  /// Finds the sizes of tensors where they were made.
  void resolveDims(ArrayRef<Operation *> dims) {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<DimOfCast, DimOfKernel, DimOfLoop>(context);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    memref::populateResolveShapedTypeResultDimsPatterns(patterns);
    scf::populateSCFForLoopCanonicalizationPatterns(patterns);
    for (OperationName name : context->getRegisteredOperationsByDialect("tensor"))
      name.getCanonicalizationPatterns(patterns, context);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    (void)applyOpPatternsGreedily(dims, FrozenRewritePatternSet(std::move(patterns)), config);
  }

  static void removeDead(func::FuncOp function) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
      if (!op.hasTrait<OpTrait::IsTerminator>() && op.use_empty() && isMemoryEffectFree(&op))
        op.erase();
  }

  /// The arguments become the symbolic dimensions.
  LogicalResult replaceArguments(func::FuncOp sizes, const SymbolicShapes &shapes) {
    Block &body = sizes.getBody().front();
    unsigned numArguments = body.getNumArguments();
    Type indexType = IndexType::get(&getContext());
    for (size_t symbol = 0; symbol < shapes.getSymbols().size(); ++symbol)
      body.addArgument(indexType, sizes.getLoc());
    func::FuncOp main = getMain(getOperation());
    for (unsigned index = 0; index < numArguments; ++index)
      for (Operation *user : llvm::make_early_inc_range(body.getArgument(index).getUsers())) {
        auto dim = dyn_cast<tensor::DimOp>(user);
        std::optional<int64_t> position = dim ? dim.getConstantIndex() : std::nullopt;
        if (!position)
          return user->emitError("expected the sizes of results to depend on symbolic dimensions "
                                 "only, but got one "
                                 "that depends on the data of argument ")
                 << index;
        AffineExpr size = shapes.getDims(main.getArgument(index))[*position];
        OpBuilder builder(dim);
        Value replacement;
        if (auto symbol = dyn_cast<AffineSymbolExpr>(size))
          replacement = body.getArgument(numArguments + symbol.getPosition());
        else
          replacement =
              arith::ConstantIndexOp::create(builder, dim.getLoc(), cast<AffineConstantExpr>(size).getValue());
        dim.replaceAllUsesWith(replacement);
        dim.erase();
      }
    body.eraseArguments(0, numArguments);
    sizes.setType(FunctionType::get(&getContext(), body.getArgumentTypes(), sizes.getResultTypes()));
    return success();
  }
};

} // namespace

llvm::StringRef codegen::findNodeName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return findNodeName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = findNodeName(part); !name.empty())
        return name;
  return "";
}
