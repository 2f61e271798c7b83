//===- Bufferize.cpp - From tensors to memrefs ----------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "passes/Codegen/Common/NNBufferization.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_BUFFERIZEPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// The tensor that ops in place made the value from; null where it was not made in place.
static tensor::EmptyOp findDestination(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      return empty.getType() == value.getType() ? empty : nullptr;
    auto inPlace = dyn_cast<DestinationStyleOpInterface>(op);
    if (!inPlace)
      return nullptr;
    value = inPlace.getTiedOpOperand(cast<OpResult>(value))->get();
  }
  return nullptr;
}

/// A result whose size depends on data: an argument of bytes, and in @main a view of them once the size is known.
static Value viewBytes(OpBuilder builder, Value bytes, Value result, MemRefType type) {
  SmallVector<Value> sizes;
  if (tensor::EmptyOp empty = findDestination(result)) {
    builder.setInsertionPoint(empty);
    llvm::append_range(sizes, empty.getDynamicSizes());
  } else {
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        sizes.push_back(tensor::DimOp::create(builder, result.getLoc(), result, dim));
  }
  Value offset = arith::ConstantIndexOp::create(builder, result.getLoc(), 0);
  return memref::ViewOp::create(builder, result.getLoc(), type, bytes, offset, sizes);
}

/// Appends one memref argument for each result and writes the results there, to `places`.
static LogicalResult moveResultsToArguments(func::FuncOp main, const Signature &signature,
                                            SmallVectorImpl<Value> &places) {
  Operation *terminator = main.getBody().front().getTerminator();
  OpBuilder builder(terminator);
  SmallVector<DictionaryAttr> resultAttrs;
  main.getAllResultAttrs(resultAttrs);
  for (auto [index, result] : llvm::enumerate(terminator->getOperands())) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type)
      return main.emitError("expected result ") << index << " to be a tensor, but got " << result.getType();
    auto memref = MemRefType::get(type.getShape(), type.getElementType());
    bool isBytes = index < signature.outputs.size() && signature.outputs[index].dependsOnData();
    auto argumentType = isBytes ? MemRefType::get(ShapedType::kDynamic, builder.getI8Type()) : memref;
    unsigned position = main.getNumArguments();
    DictionaryAttr attrs = index < resultAttrs.size() ? resultAttrs[index] : DictionaryAttr();
    if (failed(main.insertArgument(position, argumentType, attrs ? attrs : builder.getDictionaryAttr({}),
                                   result.getLoc())))
      return failure();
    Value place = main.getArgument(position);
    if (isBytes)
      place = viewBytes(builder, place, result, memref);
    places.push_back(place);
    bufferization::MaterializeInDestinationOp::create(builder, result.getLoc(), /*result=*/Type(), result, place,
                                                      /*restrict=*/true, /*writable=*/true);
  }
  terminator->setOperands({});
  main.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  main.setType(FunctionType::get(main.getContext(), main.getArgumentTypes(), {}));
  return success();
}

/// The buffer behind casts and behind loops that carry it from begin to end.
static Value findBuffer(Value value) {
  while (true) {
    if (auto cast = value.getDefiningOp<memref::CastOp>()) {
      value = cast.getSource();
    } else if (auto loop = value.getDefiningOp<scf::ForOp>()) {
      unsigned number = llvm::cast<OpResult>(value).getResultNumber();
      if (loop.getYieldedValues()[number] != loop.getRegionIterArg(number))
        return value;
      value = loop.getInitArgs()[number];
    } else {
      return value;
    }
  }
}

/// A new buffer with the contents of `value`.
static Value copyOf(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<MemRefType>(value.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(builder, loc, value, dim));
  Value copy = memref::AllocOp::create(builder, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
  memref::CopyOp::create(builder, loc, value, copy);
  return copy;
}

/// A loop that yields another buffer than it got copies it back, so that each carried value is one
/// buffer: a buffer made in the body must not be alive in the next iteration, where it is made
/// again.
static void carryOneBuffer(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  OpBuilder builder(yield);
  SmallVector<std::pair<Value, Value>> copies;
  for (auto [index, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
    if (!isa<MemRefType>(argument.getType()))
      continue;
    Value yielded = findBuffer(yield.getOperand(index));
    if (yielded == argument) {
      yield.setOperand(index, argument);
      continue;
    }
    auto alloc = yielded.getDefiningOp<memref::AllocOp>();
    bool isOwn = loop.getRegion().isAncestor(yielded.getParentRegion());
    bool isCopied = llvm::is_contained(llvm::make_first_range(copies), yielded);
    if (alloc && isOwn && !isCopied && argument.use_empty() && alloc.getType() == argument.getType()) {
      // Nobody reads what the last iteration left: what the next one reads is made in its place.
      yield.setOperand(index, argument);
      alloc.getResult().replaceAllUsesWith(argument);
      alloc.erase();
      continue;
    }
    // What may be part of another carried buffer is saved before that is overwritten.
    if (!alloc && isOwn)
      yielded = copyOf(builder, loop.getLoc(), yielded);
    copies.push_back({yielded, argument});
    yield.setOperand(index, argument);
  }
  for (auto [source, target] : copies)
    memref::CopyOp::create(builder, loop.getLoc(), source, target);
}

/// The buffer that a condition passes on. Bufferization may have it copy what it got, which then goes.
static Value takePassed(Value value) {
  if (value.getDefiningOp<memref::AllocOp>())
    for (Operation *user : value.getUsers())
      if (auto copy = dyn_cast<memref::CopyOp>(user); copy && copy.getTarget() == value)
        if (Value source = findBuffer(copy.getSource()); source.getType() == value.getType()) {
          copy.erase();
          return source;
        }
  Value buffer = findBuffer(value);
  return buffer.getType() == value.getType() ? buffer : value;
}

/// The same of a loop with a condition, which passes on what it got: the buffers that it begins with are named in its
/// body and behind it.
static void carryOneBuffer(scf::WhileOp loop) {
  auto isBuffer = [](Value value) { return isa<MemRefType>(value.getType()); };
  llvm::SmallPtrSet<Value, 4> places;
  for (auto [argument, initial] : llvm::zip_equal(loop.getBeforeArguments(), loop.getInits()))
    if (isBuffer(argument)) {
      argument.replaceAllUsesWith(initial);
      places.insert(findBuffer(initial));
    }
  for (OpOperand &operand : loop.getConditionOp()->getOpOperands().drop_front()) {
    if (!isBuffer(operand.get()))
      continue;
    Value value = operand.get(), passed = takePassed(value);
    unsigned number = operand.getOperandNumber() - 1;
    value.replaceUsesWithIf(passed, [&](OpOperand &use) { return loop->isAncestor(use.getOwner()); });
    loop.getAfterArguments()[number].replaceAllUsesWith(passed);
    loop.getResult(number).replaceAllUsesWith(passed);
  }
  scf::YieldOp yield = loop.getYieldOp();
  OpBuilder builder(yield);
  SmallVector<std::pair<Value, Value>> copies;
  for (auto [index, initial] : llvm::enumerate(loop.getInits())) {
    if (!isBuffer(initial))
      continue;
    Value yielded = findBuffer(yield.getOperand(index));
    yield.setOperand(index, initial);
    if (yielded == findBuffer(initial))
      continue;
    // What may be part of another carried buffer is saved before that is overwritten.
    if (!yielded.getDefiningOp<memref::AllocOp>() || places.contains(yielded))
      yielded = copyOf(builder, loop.getLoc(), yielded);
    copies.push_back({yielded, initial});
  }
  for (auto [source, target] : copies)
    memref::CopyOp::create(builder, loop.getLoc(), source, target);
}

/// Kernels of nn ops read and write whole vectors of a row. A view need not have such rows: a column that was cut out
/// and reshaped is a row whose elements are far from each other. It is copied, and a destination copied back.
static void makeRowsContiguous(nn::KernelOpInterface op) {
  OpBuilder before(op), after(op);
  after.setInsertionPointAfter(op);
  for (OpOperand &operand : op->getOpOperands()) {
    Value view = operand.get();
    auto type = dyn_cast<MemRefType>(view.getType());
    if (!type || type.getRank() == 0 || type.isLastDimUnitStride())
      continue;
    bool isDestination = view == op.getDestination();
    operand.set(copyOf(before, op.getLoc(), view));
    if (isDestination)
      memref::CopyOp::create(after, op.getLoc(), operand.get(), view);
  }
}

/// Where a result is copied to its place at the end, the place must not have served others before: what lies there may
/// still be read after the copy. The elimination of empty tensors takes places for values that are not the result in
/// the end, as an empty or filled tensor may be what several begin with.
static void keepForResult(memref::CopyOp result) {
  Value place = result.getTarget();
  bool isOwn =
      llvm::all_of(place.getUsers(), [&](Operation *user) { return user == result || isa<memref::DimOp>(user); });
  if (isOwn || findBuffer(result.getSource()) == place)
    return;
  OpBuilder builder(result);
  builder.setInsertionPointAfterValue(place);
  auto type = cast<MemRefType>(place.getType());
  SmallVector<Value> sizes;
  SmallPtrSet<Operation *, 4> kept = {result};
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim)) {
      sizes.push_back(memref::DimOp::create(builder, result.getLoc(), place, dim));
      kept.insert(sizes.back().getDefiningOp());
    }
  Value other = memref::AllocOp::create(builder, result.getLoc(), type, sizes, builder.getI64IntegerAttr(64));
  place.replaceAllUsesExcept(other, kept);
}

namespace {

struct BufferizePass : lathe::impl::BufferizePassBase<BufferizePass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    BufferizePassBase::getDependentDialects(registry);
    arith::registerBufferizableOpInterfaceExternalModels(registry);
    bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerSubsetOpInterfaceExternalModels(registry);
    scf::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerInferTypeOpInterfaceExternalModels(registry);
    tensor::registerSubsetOpInterfaceExternalModels(registry);
    registerNNBufferization(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp main = getMain(module);
    if (!main)
      return signalPassFailure();
    StringRef writable = bufferization::BufferizationDialect::kWritableAttrName;
    unsigned numInputs = main.getNumArguments();
    for (unsigned index = 0; index < numInputs; ++index)
      main.setArgAttr(index, writable, BoolAttr::get(&getContext(), false));
    SmallVector<Value> places;
    SmallVector<memref::CopyOp> results;
    if (failed(moveResultsToArguments(main, readSignature(module), places)) ||
        failed(bufferize(module, places, results)))
      return signalPassFailure();
    for (unsigned index = 0; index < numInputs; ++index)
      main.removeArgAttr(index, writable);
    module.walk([](scf::ForOp loop) { carryOneBuffer(loop); });
    module.walk([](scf::WhileOp loop) { carryOneBuffer(loop); });
    for (memref::CopyOp result : results)
      keepForResult(result);
    module.walk([](nn::KernelOpInterface op) { makeRowsContiguous(op); });
  }

  /// `results` become the copies to `places`.
  LogicalResult bufferize(ModuleOp module, ArrayRef<Value> places, SmallVectorImpl<memref::CopyOp> &results) {
    bufferization::OneShotBufferizationOptions options;
    options.memCpyFn = [&](OpBuilder &builder, Location loc, Value from, Value to) -> LogicalResult {
      auto copy = memref::CopyOp::create(builder, loc, from, to);
      if (llvm::is_contained(places, to))
        results.push_back(copy);
      return success();
    };
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    options.bufferAlignment = 64;
    options.allowReturnAllocsFromLoops = true; // carryOneBuffer takes them back
    options.opFilter.denyOperation([](Operation *op) {
      auto function = dyn_cast<func::FuncOp>(op);
      if (!function)
        function = op->getParentOfType<func::FuncOp>();
      return function && function.getName() == kOutputSizesName;
    });
    {
      IRRewriter rewriter(&getContext());
      bufferization::OneShotAnalysisState analysis(module, options);
      if (failed(bufferization::analyzeModuleOp(module, analysis)) ||
          failed(bufferization::eliminateEmptyTensors(rewriter, module, analysis)))
        return failure();
    } // the analysis refers to ops that are gone: bufferisation makes its own
    bufferization::BufferizationState state;
    return bufferization::runOneShotModuleBufferize(module, options, state);
  }
};

} // namespace
