//===- ModelSummary.h - What a model consists of --------------------------===//
#ifndef LIB_REPORT_MODELSUMMARY_H
#define LIB_REPORT_MODELSUMMARY_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <string>
#include <vector>

namespace lathe {

/// A model's input or output.
struct ValueSummary {
  std::string name, type;
};

/// Figures of a module in the form after the `shapes` phase (or `import`, where shapes may be missing).
struct ModelSummary {
  std::vector<ValueSummary> inputs, outputs;
  std::map<std::string, int64_t> operators; ///< how often each ONNX operator occurs
  int64_t parameters = 0, parameterBytes = 0;
  int64_t flops = 0;           ///< two for each multiply-add of convolutions, matrix products and cells
  int64_t activationBytes = 0; ///< of all intermediate values together
  int64_t unshaped = 0;        ///< values whose size is not known: they count as nothing
};

ModelSummary summarize(mlir::ModuleOp module);

llvm::json::Object toJSON(const ModelSummary &summary);
void print(const ModelSummary &summary, llvm::raw_ostream &stream);

} // namespace lathe

#endif // LIB_REPORT_MODELSUMMARY_H
