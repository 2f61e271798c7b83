//===- ConstantEvaluator.cpp - Constants folded by being run --------------===//
#include "lib/Driver/ConstantEvaluator.h"

#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace lathe;

LogicalResult lathe::evaluateConstants(ModuleOp module, SmallVectorImpl<ElementsAttr> &results) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.getNumArguments() != 0)
    return module.emitError("expected a function @main without arguments");
  SmallVector<Type> types(main.getResultTypes());
  CompileOptions options;
  options.name = "constants";
  options.foldConstants = false;
  if (failed(runPhases(module, options, Phase::LLVM, Phase::Shapes)))
    return failure();
  llvm::Expected<std::unique_ptr<LoadedModel>> loaded = loadModule(module);
  if (!loaded)
    return module.emitError("cannot evaluate constants: ") << textOf(loaded.takeError());
  SmallVector<Tensor> outputs;
  if (llvm::Error error = (*loaded)->run({}, outputs))
    return module.emitError("cannot evaluate constants: ") << textOf(std::move(error));
  if (outputs.size() != types.size())
    return module.emitError("expected ") << types.size() << " constants, but got " << outputs.size();
  for (auto [type, output] : llvm::zip(types, outputs)) {
    auto shaped = RankedTensorType::get(output.getShape(), cast<ShapedType>(type).getElementType());
    ArrayRef<char> bytes(static_cast<const char *>(output.getData()), output.getNumBytes());
    // Booleans are bytes in memory but bits in a dense attribute; resources hold bytes.
    results.push_back(DenseResourceElementsAttr::get(
        shaped, "folded", HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64)));
  }
  return success();
}
