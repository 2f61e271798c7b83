//===- CompressionReport.cpp - What compression cost and gained -----------===//
#include "lib/Report/CompressionReport.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"

using namespace lathe;
namespace json = llvm::json;

llvm::StringRef lathe::getTransformOf(const CollectedRemark &remark) {
  return llvm::StringSwitch<llvm::StringRef>(remark.name)
      .Cases({"Quantize", "QuantizeWeight", "QuantizeTable"}, "quantize")
      .Case("ReducePrecision", "precision")
      .Case("MergeTokens", "token-merge")
      .Case("PruneTokens", "token-prune")
      .Case("LowRank", "low-rank")
      .Cases({"Prune", "PruneChannels"}, "prune")
      .Case("CleanChannels", "channel clean-up")
      .Case("SparseWeight", "sparse kernel")
      .Default("");
}

/// "Bits=4, Group=32", or the reason.
static std::string describe(const CollectedRemark &remark) {
  std::string text;
  for (const auto &[key, value] : remark.arguments) {
    if (!text.empty())
      text += ", ";
    text += key == "Reason" || key == "Remark" ? value : key + "=" + value;
  }
  return text;
}

void CompressionReport::addLayers(llvm::ArrayRef<std::pair<std::string, LayerFigures>> before,
                                  llvm::ArrayRef<std::pair<std::string, LayerFigures>> after,
                                  llvm::ArrayRef<CollectedRemark> remarks) {
  llvm::MapVector<llvm::StringRef, LayerReport> byNode;
  auto add = [&](const auto &rows, auto member) {
    for (const auto &[node, figures] : rows) {
      LayerReport &layer = byNode[node];
      std::optional<LayerFigures> &known = layer.*member;
      if (!known) {
        known = figures;
        continue;
      }
      // Several kernels of one node are one layer, named after the one with the most work.
      if (figures.macs > known->macs)
        known->op = figures.op;
      known->macs = known->macs < 0 ? figures.macs : known->macs + std::max<int64_t>(figures.macs, 0);
      known->weightBytes += figures.weightBytes;
      known->microseconds += figures.microseconds;
    }
  };
  add(before, &LayerReport::before);
  add(after, &LayerReport::after);
  for (const CollectedRemark &remark : remarks)
    if (llvm::StringRef transform = getTransformOf(remark); !transform.empty() && !remark.node.empty())
      byNode[remark.node].notes.push_back({transform.str(), describe(remark), remark.passed});
  for (auto &[node, layer] : byNode) {
    layer.node = node.str();
    layers.push_back(std::move(layer));
  }
}

double CompressionReport::atPeak(const LayerFigures &figures) const {
  return figures.macs > 0 && peakGflops > 0 ? 2 * double(figures.macs) / peakGflops / 1000 : 0;
}

/// "2.42 MB", "13.1 KB".
static std::string formatBytes(int64_t bytes) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (bytes >= 1000000)
    stream << llvm::format("%.2f MB", double(bytes) / 1e6);
  else
    stream << llvm::format("%.1f KB", double(bytes) / 1e3);
  return text;
}

static std::string formatMacs(int64_t macs) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3f", double(macs) / 1e6);
  return macs < 0 ? "-" : text;
}

void CompressionReport::print(llvm::raw_ostream &stream) const {
  const char *score = classifies ? "accuracy %" : "perplexity";
  stream << model << ", " << samples << (classifies ? " samples" : " predictions") << "\n\n"
         << llvm::left_justify("build", 34) << llvm::right_justify(score, 12)
         << "      loss  latency ms  faster     M MACs       code    weights      arena\n";
  for (const Step &step : steps) {
    const BuildFigures &figures = step.figures;
    double faster = figures.latencyMs > 0 ? steps.front().figures.latencyMs / figures.latencyMs : 0;
    stream << llvm::left_justify(step.name, 34)
           << llvm::format("%12.*f %9.4f %11.4f %6.2fx ", classifies ? 2 : 4, figures.score, figures.loss,
                           figures.latencyMs, faster)
           << llvm::right_justify(formatMacs(figures.macs), 10) << " "
           << llvm::right_justify(formatBytes(figures.codeBytes), 10) << " "
           << llvm::right_justify(formatBytes(figures.weightBytes), 10) << " "
           << llvm::right_justify(formatBytes(figures.workspaceBytes), 10) << "\n";
  }
  for (const std::string &text : reverted)
    stream << "reverted: " << text << "\n";
  stream << "\n         M MACs before, after      weights before, after   us before, after, at peak  node\n";
  for (const LayerReport &layer : layers) {
    auto column = [&](const std::optional<LayerFigures> &figures, unsigned width, auto text) {
      stream << llvm::right_justify(figures ? text(*figures) : std::string("-"), width);
    };
    auto macs = [](const LayerFigures &figures) { return formatMacs(figures.macs); };
    auto bytes = [](const LayerFigures &figures) { return formatBytes(figures.weightBytes); };
    auto format = [](double value) {
      std::string text;
      llvm::raw_string_ostream(text) << llvm::format("%.2f", value);
      return text;
    };
    auto time = [&](const LayerFigures &figures) { return format(figures.microseconds); };
    column(layer.before, 14, macs), column(layer.after, 12, macs);
    column(layer.before, 15, bytes), column(layer.after, 14, bytes);
    column(layer.before, 12, time), column(layer.after, 10, time);
    column(layer.after, 10, [&](const LayerFigures &figures) { return format(atPeak(figures)); });
    stream << "  " << layer.node << "\n";
    for (const LayerNote &note : layer.notes)
      stream << llvm::indent(17) << (note.applied ? "" : "not ") << note.transform << ": " << note.text << "\n";
  }
}

json::Object CompressionReport::toJSON() const {
  json::Array builds, rows;
  for (const Step &step : steps) {
    const BuildFigures &figures = step.figures;
    builds.push_back(json::Object{{"name", step.name},
                                  {classifies ? "accuracy_percent" : "perplexity", figures.score},
                                  {"loss", figures.loss},
                                  {"latency_ms", figures.latencyMs},
                                  {"macs", figures.macs},
                                  {"code_bytes", figures.codeBytes},
                                  {"weight_bytes", figures.weightBytes},
                                  {"workspace_bytes", figures.workspaceBytes}});
  }
  auto layerOf = [&](const LayerFigures &figures) {
    return json::Object{{"op", figures.op},
                        {"macs", figures.macs},
                        {"weight_bytes", figures.weightBytes},
                        {"time_us", figures.microseconds},
                        {"time_at_peak_us", atPeak(figures)}};
  };
  for (const LayerReport &layer : layers) {
    json::Object row{{"node", layer.node}};
    if (layer.before)
      row["before"] = layerOf(*layer.before);
    if (layer.after)
      row["after"] = layerOf(*layer.after);
    json::Array notes;
    for (const LayerNote &note : layer.notes)
      notes.push_back(json::Object{{"transform", note.transform}, {"applied", note.applied}, {"text", note.text}});
    row["notes"] = std::move(notes);
    rows.push_back(std::move(row));
  }
  return json::Object{{"model", model},           {"samples", samples},
                      {"peak_gflops", peakGflops}, {"builds", std::move(builds)},
                      {"reverted", reverted},      {"layers", std::move(rows)}};
}
