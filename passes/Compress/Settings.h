//===- Settings.h - What compression is asked for -------------------------===//
#ifndef PASSES_COMPRESS_SETTINGS_H
#define PASSES_COMPRESS_SETTINGS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

/// The transforms of the compress phase, as flags (`--prune=`), recipes (`prune:`) and op attributes name them.
inline constexpr llvm::StringLiteral kTransforms[] = {"token-merge", "token-prune", "low-rank",
                                                      "prune",       "quantize",    "precision"};

/// What is asked of each transform, by its name: "prune" -> "magnitude:0.8".
using TransformTexts = std::map<std::string, std::string>;

/// What some nodes get instead of what the model gets.
struct SettingsOverride {
  std::string nodes; ///< pattern of node names, with * and ?
  TransformTexts transforms;
};

/// Everything that compression is asked for; empty for none.
struct CompressionSettings {
  TransformTexts transforms;
  std::vector<SettingsOverride> overrides; ///< later ones win
  std::string activationRange = "mse";     ///< how 8-bit ranges follow from statistics: minmax, percentile or mse

  bool empty() const { return transforms.empty() && overrides.empty(); }
  /// The text for the whole model; "" where there is none.
  llvm::StringRef get(llvm::StringRef transform) const;
  /// Whether any text of `transform`, for the model or for some nodes, satisfies the predicate.
  bool any(llvm::StringRef transform, llvm::function_ref<bool(llvm::StringRef)> predicate) const;
};

/// Whether `text` is one that `transform` can be asked for, `none` or ""; the error says what is expected.
llvm::Error checkTransform(llvm::StringRef transform, llvm::StringRef text);

/// Whether `text` is a way to find the range of an 8-bit activation; the error says what is expected.
llvm::Error checkActivationRange(llvm::StringRef text);

/// The discardable attribute of an op with its own settings, a dictionary of texts by transform.
inline constexpr llvm::StringLiteral kSettingsAttr = "lathe.compress";

/// What an override asks of `transform` for this op: "none" to leave it alone, nullopt where the model's text holds.
std::optional<llvm::StringRef> getSetting(mlir::Operation *op, llvm::StringRef transform);

} // namespace lathe

#endif // PASSES_COMPRESS_SETTINGS_H
