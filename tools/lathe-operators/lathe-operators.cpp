//===- lathe-operators.cpp - What Lathe does with each operator -----------===//
//
// Prints a line for each operator that Lathe reads, of fields apart by tabs: its domain ("" for ONNX's own), its name,
// the opset of its newest form, the first opset for which a rule of the importer writes it by others (0: none), and how
// it is computed: any of kernel, linalg, elementwise, decomposed and translated. tools/dev/generate-operators makes
// docs/operators.md of it.
//
//===----------------------------------------------------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Frontend/OpSchemas.h"
#include "lib/Frontend/OpsetTranslation/Translation.h"
#include "passes/Fuse/Utils.h"
#include "passes/Import/Decompose/Patterns.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe;

/// The names, without the dialect, of the operators that patterns begin at.
static llvm::StringSet<> getRoots(const mlir::RewritePatternSet &patterns) {
  llvm::StringSet<> roots;
  for (const std::unique_ptr<mlir::RewritePattern> &pattern :
       const_cast<mlir::RewritePatternSet &>(patterns).getNativePatterns())
    if (std::optional<mlir::OperationName> root = pattern->getRootKind())
      roots.insert(root->stripDialect());
  return roots;
}

int main() {
  mlir::MLIRContext context;
  context.loadDialect<lathe::onnx::ONNXDialect, nn::NNDialect>();
  LoweringTable table;
  addLowerings(table);
  mlir::RewritePatternSet decompose(&context), kernels(&context);
  populateDecomposePatterns(decompose);
  fuse::populateConvertToNNPatterns(kernels);
  llvm::StringSet<> decomposed = getRoots(decompose), computed = getRoots(kernels);

  auto print = [](llvm::StringRef domain, llvm::StringRef name, int64_t since, int64_t from,
                  llvm::ArrayRef<llvm::StringRef> how) {
    llvm::outs() << domain << "\t" << name << "\t" << since << "\t" << from << "\t" << llvm::join(how, " ") << "\n";
  };
  for (const OpSchema &schema : getOpSchemas()) {
    llvm::SmallVector<llvm::StringRef> how;
    if (computed.contains(schema.name))
      how.push_back("kernel");
    if (table.contains(("onnx." + schema.name).str()))
      how.push_back("linalg");
    if (isScalarOp(schema.name))
      how.push_back("elementwise");
    if (decomposed.contains(schema.name))
      how.push_back("decomposed");
    for (llvm::ArrayRef<TranslationRule> rules : getTranslations(""))
      for (const TranslationRule &rule : rules)
        if (rule.op == schema.name && rule.until == kAnyOpset && how.empty())
          how.push_back("translated");
    print("", schema.name, schema.since, 0, how);
  }
  print("", "Constant", 1, 0, {}); // no op: the importer reads it
  for (llvm::StringRef domain : {"", "ai.onnx.preview", "com.microsoft"})
    for (llvm::ArrayRef<TranslationRule> rules : getTranslations(domain))
      for (const TranslationRule &rule : rules)
        if (!domain.empty() || !findOpSchema(rule.op))
          print(domain, rule.op, rule.from, rule.from, {"translated"});
  return 0;
}
