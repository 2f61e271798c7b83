//===- TargetFamily.cpp - The families that are built in ------------------===//
#include "lib/Target/TargetFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"

using namespace lathe;

TargetFamily::~TargetFamily() = default;
FloatInstructions::~FloatInstructions() = default;
TileUnit::~TileUnit() = default;

void TargetFamily::defineMachineTest(llvm::Function &, nn::TargetAttr) const {
  llvm_unreachable("a family without a baseline has no test of the machine");
}

namespace lathe {
#define LATHE_TARGET_FAMILY(NAME) const TargetFamily &get##NAME##Family();
#include "lib/Target/TargetFamilies.def"
} // namespace lathe

llvm::ArrayRef<const TargetFamily *> lathe::getTargetFamilies() {
  static const llvm::SmallVector<const TargetFamily *> families = [] {
    llvm::SmallVector<const TargetFamily *> known = {
#define LATHE_TARGET_FAMILY(NAME) &get##NAME##Family(),
#include "lib/Target/TargetFamilies.def"
    };
    for (const TargetFamily *family : known)
      family->initialize();
    return known;
  }();
  return families;
}

const TargetFamily *lathe::findTargetFamily(const llvm::Triple &triple) {
  llvm::ArrayRef<const TargetFamily *> families = getTargetFamilies();
  auto found = llvm::find_if(families, [&](const TargetFamily *family) { return family->contains(triple); });
  return found == families.end() ? nullptr : *found;
}

const TargetFamily *lathe::findTargetFamily(nn::TargetAttr target) {
  return findTargetFamily(llvm::Triple(target.getTriple()));
}

std::unique_ptr<llvm::MCSubtargetInfo> lathe::getSubtarget(const llvm::Triple &triple, llvm::StringRef cpu,
                                                           llvm::StringRef features) {
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  return std::unique_ptr<llvm::MCSubtargetInfo>(target ? target->createMCSubtargetInfo(triple, cpu, features) : nullptr);
}

bool lathe::hasFeature(nn::TargetAttr target, llvm::StringRef feature) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget =
      getSubtarget(llvm::Triple(target.getTriple()), target.getCpu(), target.getFeatures());
  return subtarget && subtarget->checkFeatures(("+" + feature).str());
}

bool lathe::hostHas(nn::TargetAttr target, llvm::StringRef hostFeatures, llvm::ArrayRef<llvm::StringRef> features) {
  llvm::Triple triple(target.getTriple());
  std::unique_ptr<llvm::MCSubtargetInfo> wanted = getSubtarget(triple, target.getCpu(), target.getFeatures());
  std::unique_ptr<llvm::MCSubtargetInfo> host = getSubtarget(triple, llvm::sys::getHostCPUName(), hostFeatures);
  return llvm::all_of(features, [&](llvm::StringRef feature) {
    std::string flag = ("+" + feature).str();
    return !wanted->checkFeatures(flag) || host->checkFeatures(flag);
  });
}

std::string lathe::getHostFeatures() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<llvm::StringRef> names(features.keys());
  llvm::sort(names);
  std::string text;
  for (llvm::StringRef name : names)
    text += (text.empty() ? "" : ",") + std::string(features[name] ? "+" : "-") + name.str();
  return text;
}
