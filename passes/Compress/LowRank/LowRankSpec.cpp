//===- LowRankSpec.cpp - How far weights are factorized -------------------===//
#include "passes/Compress/LowRank/LowRankSpec.h"

using namespace lathe;

llvm::Expected<LowRankSpec> LowRankSpec::parse(llvm::StringRef text) {
  auto [name, number] = text.split(':');
  LowRankSpec spec;
  spec.kept = name == "flops" ? Kept::Flops : Kept::Energy;
  // The comparison refuses what is not a number, too.
  if ((name != "energy" && name != "flops") || number.getAsDouble(spec.part) || !(spec.part > 0 && spec.part < 1))
    return llvm::createStringError("expected energy:E or flops:F, a part between 0 and 1, but got '" + text + "'");
  return spec;
}
