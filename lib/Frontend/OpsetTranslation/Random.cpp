//===- Random.cpp - Random operators get seeds ----------------------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace lathe {

/// A number for each node that leaves its seed open, so that no two draw the same numbers.
static uint32_t makeSeed(Translation &t) { return xxh3_64bits(t.getFreshName()) & 0xffffff; }

static Error addSeed(Translation &t) {
  if (!t.find("seed"))
    t.setFloat("seed", float(makeSeed(t)));
  return Error::success();
}

static Error addDropoutSeed(Translation &t) {
  if (!t.find("seed") && !t.getInput(2).empty())
    t.setInt("seed", makeSeed(t));
  return Error::success();
}

ArrayRef<TranslationRule> getRandomTranslations() {
  static const TranslationRule rules[] = {
      {"Bernoulli", 0, kAnyOpset, addSeed},         {"Dropout", 12, kAnyOpset, addDropoutSeed},
      {"Multinomial", 0, kAnyOpset, addSeed},       {"RandomNormal", 0, kAnyOpset, addSeed},
      {"RandomNormalLike", 0, kAnyOpset, addSeed},  {"RandomUniform", 0, kAnyOpset, addSeed},
      {"RandomUniformLike", 0, kAnyOpset, addSeed},
  };
  return rules;
}

} // namespace lathe
