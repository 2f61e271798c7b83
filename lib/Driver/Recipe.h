//===- Recipe.h - Compression settings in a file --------------------------===//
#ifndef LIB_DRIVER_RECIPE_H
#define LIB_DRIVER_RECIPE_H

#include "lib/Driver/Options.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace lathe {

/// What a model is to be compressed by, as a YAML file says it:
///
///     token-merge: r:3
///     quantize: int8
///     calibrate: calib.npz          # beside the recipe
///     overrides:
///       - nodes: "*/head/*"
///         quantize: none
///
/// The keys of transforms are the names of flags, and so are `activation-range`, `calibrate` and `preprocess`.
struct Recipe {
  CompressionSettings settings;
  std::string calibration, preprocess;
};

/// Reads a recipe; the error has file, line and column. A relative `calibrate` becomes relative to the recipe's folder.
llvm::Expected<Recipe> readRecipe(llvm::StringRef path);

/// Writes what `readRecipe` reads.
void writeRecipe(Recipe recipe, llvm::raw_ostream &stream);

} // namespace lathe

#endif // LIB_DRIVER_RECIPE_H
