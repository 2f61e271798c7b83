//===- ConstantEvaluator.cpp - Constants folded by being run --------------===//
#include "lib/Driver/ConstantEvaluator.h"

#include "dialects/Interfaces/SymbolicShapes.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace lathe;

/// The bytes of a constant that is large enough to be an input; empty for others.
static ArrayRef<char> getLargeBytes(Operation &op) {
  constexpr size_t kLarge = 64 * 1024;
  DenseResourceElementsAttr value;
  if (!op.hasTrait<OpTrait::ConstantLike>() || !matchPattern(&op, m_Constant(&value)))
    return {};
  Type element = value.getType().getElementType();
  AsmResourceBlob *blob = value.getRawHandle().getBlob();
  if (!blob || !(isa<FloatType>(element) || element.isSignlessInteger(8)) || element.getIntOrFloatBitWidth() % 8 ||
      blob->getData().size() < kLarge ||
      !llvm::isAddrAligned(llvm::Align(element.getIntOrFloatBitWidth() / 8), blob->getData().data()))
    return {};
  return blob->getData();
}

/// Makes the large constants of @main arguments, in order: as weights they would be copied to be loaded.
static SmallVector<ArrayRef<char>> makeInputs(func::FuncOp main) {
  SmallVector<ArrayRef<char>> inputs;
  Builder builder(main.getContext());
  for (Operation &op : llvm::make_early_inc_range(main.getBody().front())) {
    ArrayRef<char> bytes = getLargeBytes(op);
    if (bytes.empty())
      continue;
    unsigned position = inputs.size();
    auto name = builder.getNamedAttr(kNameAttr, builder.getStringAttr("input" + Twine(position)));
    if (failed(main.insertArgument(position, op.getResult(0).getType(), builder.getDictionaryAttr(name), op.getLoc())))
      break;
    op.getResult(0).replaceAllUsesWith(main.getArgument(position));
    op.erase();
    inputs.push_back(bytes);
  }
  return inputs;
}

/// A resource that keeps the tensor it is the data of.
static AsmResourceBlob makeBlob(Tensor tensor) {
  ArrayRef<char> bytes(static_cast<const char *>(tensor.getData()), tensor.getNumBytes());
  return AsmResourceBlob(
      bytes, LATHE_ALIGNMENT, [owner = std::move(tensor)](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
}

namespace {
/// Runs the tasks of a model on the threads of an MLIR context.
struct ContextExecutor : lathe_executor {
  explicit ContextExecutor(MLIRContext *context)
      : lathe_executor{parallelFor, context->isMultithreadingEnabled() ? int32_t(context->getNumThreads()) : 1},
        context(context) {}

  static void parallelFor(const lathe_executor *self, lathe_task_fn task, const void *data, int64_t count) {
    int64_t parts = std::min<int64_t>(count, self->threads);
    mlir::parallelFor(static_cast<const ContextExecutor *>(self)->context, 0, parts, [&](size_t part) {
      task(data, count * int64_t(part) / parts, count * int64_t(part + 1) / parts);
    });
  }

  MLIRContext *context;
};
} // namespace

LogicalResult lathe::evaluateConstants(ModuleOp module, SmallVectorImpl<ElementsAttr> &results) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.getNumArguments() != 0)
    return module.emitError("expected a function @main without arguments");
  SmallVector<Type> types(main.getResultTypes());
  SmallVector<ArrayRef<char>> constants = makeInputs(main);
  CompileOptions options;
  options.name = "constants";
  options.foldConstants = false;
  if (failed(runPhases(module, options, Phase::LLVM, Phase::Shapes)))
    return failure();
  llvm::Expected<std::unique_ptr<LoadedModel>> loaded = loadModule(module);
  if (!loaded)
    return module.emitError("cannot evaluate constants: ") << textOf(loaded.takeError());
  SmallVector<Tensor> inputs, outputs;
  for (auto [index, bytes] : llvm::enumerate(constants)) {
    const lathe_tensor &input = (*loaded)->getModel().inputs[index];
    inputs.push_back(Tensor::borrow(lathe_dtype(input.dtype), {input.shape, size_t(input.rank)}, bytes.data()));
  }
  auto pointers = llvm::map_to_vector(inputs, [](const Tensor &input) { return &input; });
  ContextExecutor executor(module.getContext());
  if (llvm::Error error = (*loaded)->run(pointers, outputs, &executor))
    return module.emitError("cannot evaluate constants: ") << textOf(std::move(error));
  if (outputs.size() != types.size())
    return module.emitError("expected ") << types.size() << " constants, but got " << outputs.size();
  for (auto [type, output] : llvm::zip(types, outputs)) {
    auto shaped = RankedTensorType::get(output.getShape(), cast<ShapedType>(type).getElementType());
    // Booleans are bytes in memory but bits in a dense attribute; resources hold bytes.
    results.push_back(DenseResourceElementsAttr::get(shaped, "folded", makeBlob(std::move(output))));
  }
  return success();
}
