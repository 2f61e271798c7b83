//===- Recipe.cpp - Compression settings in a file ------------------------===//
#include "lib/Driver/Recipe.h"
#include "lib/Driver/Samples.h"
#include "lib/Support/YamlFile.h"

#include "llvm/Support/Path.h"

using namespace lathe;
namespace yaml = llvm::yaml;

LLVM_YAML_IS_SEQUENCE_VECTOR(lathe::SettingsOverride)

static void mapTransforms(yaml::IO &io, TransformTexts &texts) {
  for (llvm::StringRef transform : kTransforms) {
    std::string &text = texts[transform.str()];
    io.mapOptional(transform.data(), text, std::string());
    if (text.empty())
      texts.erase(transform.str());
  }
}

static std::string validateTransforms(const TransformTexts &texts) {
  for (const auto &[transform, text] : texts)
    if (llvm::Error error = checkTransform(transform, text))
      return transform + ": " + llvm::toString(std::move(error));
  return "";
}

template <>
struct yaml::MappingTraits<SettingsOverride> {
  static void mapping(IO &io, SettingsOverride &some) {
    io.mapRequired("nodes", some.nodes);
    mapTransforms(io, some.transforms);
  }
  static std::string validate(IO &, SettingsOverride &some) { return validateTransforms(some.transforms); }
};

template <>
struct yaml::MappingTraits<Recipe> {
  static void mapping(IO &io, Recipe &recipe) {
    mapTransforms(io, recipe.settings.transforms);
    io.mapOptional("activation-range", recipe.settings.activationRange, std::string("mse"));
    io.mapOptional("calibrate", recipe.calibration, std::string());
    io.mapOptional("preprocess", recipe.preprocess, std::string());
    io.mapOptional("overrides", recipe.settings.overrides);
  }
  static std::string validate(IO &, Recipe &recipe) {
    if (llvm::Error error = checkActivationRange(recipe.settings.activationRange))
      return "activation-range: " + llvm::toString(std::move(error));
    if (llvm::Error error = Preprocess::parse(recipe.preprocess).takeError())
      return "preprocess: " + llvm::toString(std::move(error));
    return validateTransforms(recipe.settings.transforms);
  }
};

llvm::Expected<Recipe> lathe::readRecipe(llvm::StringRef path) {
  llvm::Expected<Recipe> recipe = readYaml<Recipe>(path);
  if (!recipe)
    return recipe.takeError();
  if (!recipe->calibration.empty() && llvm::sys::path::is_relative(recipe->calibration)) {
    llvm::SmallString<128> file(llvm::sys::path::parent_path(path));
    llvm::sys::path::append(file, recipe->calibration);
    recipe->calibration = file.str().str();
  }
  return recipe;
}

void lathe::writeRecipe(Recipe recipe, llvm::raw_ostream &stream) {
  yaml::Output output(stream);
  output << recipe;
}
