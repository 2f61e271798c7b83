//===- Profile.cpp - Where a model's time goes ----------------------------===//
#include "lib/Driver/Profile.h"

#include "passes/Codegen/Common/Signature.h"
#include <cstring>

using namespace mlir;
using namespace lathe;

ProfileLayout lathe::readProfileLayout(ModuleOp module) {
  ProfileLayout layout;
  auto calls = module->getAttrOfType<ArrayAttr>(codegen::kProfileAttr);
  auto offset = module->getAttrOfType<IntegerAttr>(codegen::kProfileOffsetAttr);
  if (!calls || !offset)
    return layout;
  layout.offset = offset.getInt();
  for (auto call : calls.getAsRange<DictionaryAttr>())
    layout.calls.push_back({call.getAs<StringAttr>("name").str(), call.getAs<StringAttr>("op").str(),
                            call.getAs<IntegerAttr>("macs").getInt(), call.getAs<IntegerAttr>("bytes").getInt(),
                            call.getAs<IntegerAttr>("weight_bytes").getInt()});
  return layout;
}

ProfiledRun lathe::readProfile(const ProfileLayout &layout, const void *workspace) {
  std::vector<uint64_t> words(2 + 3 * layout.calls.size());
  std::memcpy(words.data(), static_cast<const char *>(workspace) + layout.offset, 8 * words.size());
  ProfiledRun run{words[0], words[1], {}};
  for (size_t word = 2; word < words.size(); word += 3)
    run.calls.push_back({words[word], words[word + 1], words[word + 2]});
  return run;
}
