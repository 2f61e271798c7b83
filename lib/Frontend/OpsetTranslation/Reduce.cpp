//===- Reduce.cpp - Older forms of the reductions -------------------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// The axes were an attribute.
static Error translateAxes(Translation &t) {
  t.makeIntsInput("axes", 1);
  return Error::success();
}

ArrayRef<TranslationRule> getReduceTranslations() {
  static const TranslationRule rules[] = {
      {"ReduceSum", 0, 13, translateAxes},       {"ReduceL1", 0, 18, translateAxes},
      {"ReduceL2", 0, 18, translateAxes},        {"ReduceLogSum", 0, 18, translateAxes},
      {"ReduceLogSumExp", 0, 18, translateAxes}, {"ReduceMax", 0, 18, translateAxes},
      {"ReduceMean", 0, 18, translateAxes},      {"ReduceMin", 0, 18, translateAxes},
      {"ReduceProd", 0, 18, translateAxes},      {"ReduceSumSquare", 0, 18, translateAxes},
  };
  return rules;
}

} // namespace lathe
