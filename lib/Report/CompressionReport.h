//===- CompressionReport.h - What compression cost and gained -------------===//
#ifndef LIB_REPORT_COMPRESSIONREPORT_H
#define LIB_REPORT_COMPRESSIONREPORT_H

#include "lib/Report/RemarkCollector.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <vector>

namespace lathe {

/// Figures of one build of a model.
struct BuildFigures {
  double score = 0; ///< accuracy in percent, or perplexity
  double loss = 0;  ///< mean negative log-likelihood
  double latencyMs = 0;
  int64_t macs = 0, codeBytes = 0, weightBytes = 0, workspaceBytes = 0;
};

/// A node of the model in one build.
struct LayerFigures {
  std::string op;
  int64_t macs = -1; ///< -1: unknown
  int64_t weightBytes = 0;
  double microseconds = 0; ///< measured: the median of several runs
};

/// What a transform did to a node, or why it did not.
struct LayerNote {
  std::string transform, text;
  bool applied = false;
};

struct LayerReport {
  std::string node;
  std::optional<LayerFigures> before, after; ///< absent where the build has no kernel of that name
  std::vector<LayerNote> notes;
};

/// Everything that is known of a compression, build by build and layer by layer.
struct CompressionReport {
  std::string model;
  bool classifies = true;  ///< scores are accuracies; else perplexities
  int64_t samples = 0;
  double peakGflops = 0;   ///< of f32 multiply-adds, measured in the same run
  struct Step {
    std::string name; ///< "float", and then what is added to it: "quantize=int8"
    BuildFigures figures;
  };
  std::vector<Step> steps; ///< the first is the float build, the last what was asked for
  std::vector<std::string> reverted; ///< "quantize of head/MatMul", in the order that --max-drop gave them up
  std::vector<LayerReport> layers;

  /// Appends a layer for each node, with the figures of both builds and what remarks say of it.
  void addLayers(llvm::ArrayRef<std::pair<std::string, LayerFigures>> before,
                 llvm::ArrayRef<std::pair<std::string, LayerFigures>> after, llvm::ArrayRef<CollectedRemark> remarks);

  void print(llvm::raw_ostream &stream) const;
  llvm::json::Object toJSON() const;

private:
  /// The time that the layer's arithmetic takes at the f32 peak, in microseconds; 0 where it is not known.
  double atPeak(const LayerFigures &figures) const;
};

/// The transform whose pass emits remarks of this name; "" for the remarks of other passes.
llvm::StringRef getTransformOf(const CollectedRemark &remark);

} // namespace lathe

#endif // LIB_REPORT_COMPRESSIONREPORT_H
