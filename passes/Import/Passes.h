//===- Passes.h - Passes of the import phase -----------------===//
#ifndef PASSES_IMPORT_PASSES_H
#define PASSES_IMPORT_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include <functional>
#include <memory>

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Import/Passes.h.inc"

/// Compiles a module with `func.func @main()` without arguments and runs it: one attribute for each result, of the
/// result's type. Fails after an error if it cannot.
using ConstantEvaluator =
    std::function<llvm::LogicalResult(mlir::ModuleOp module, llvm::SmallVectorImpl<mlir::ElementsAttr> &results)>;

/// `import-fold-constants` that runs constant subgraphs by `evaluator`; `release` as the pass's option.
std::unique_ptr<mlir::Pass> createFoldConstantsPass(ConstantEvaluator evaluator, bool release = false);

/// What the import phase needs to know.
struct ImportOptions {
  /// Folds constant subgraphs; they stay in the model without it.
  ConstantEvaluator evaluator;
  /// Frees the bytes of constants that were folded away.
  bool release = false;
  /// See `import-unroll-control`.
  bool computeBoth = false;
  /// NAME=SIZE or NAME=LOWER..UPPER for symbolic dimensions.
  llvm::SmallVector<std::string> dims;
};

/// The passes of the import phase in order.
void buildImportPipeline(mlir::OpPassManager &passes, const ImportOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Import/Passes.h.inc"

} // namespace lathe

#endif // PASSES_IMPORT_PASSES_H
