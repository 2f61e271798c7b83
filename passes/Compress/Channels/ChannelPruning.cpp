//===- ChannelPruning.cpp - How channels are chosen and made up for -------===//
#include "passes/Compress/Channels/ChannelPruning.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"

using namespace lathe;

bool ChannelPruning::needsStatistics() const {
  return (score && *score != ChannelScore::Magnitude) || (compensation && *compensation != ChannelCompensation::None);
}

llvm::Expected<ChannelPruning> ChannelPruning::parse(llvm::StringRef item) {
  auto malformed = [&] {
    return llvm::createStringError("expected channels:F with :magnitude, :activation or :reconstruction and :none, :mean "
                                   "or :least-squares, but got '" +
                                   item + "'");
  };
  llvm::SmallVector<llvm::StringRef> parts;
  item.split(parts, ':');
  if (parts.size() < 2 || parts[0] != "channels")
    return malformed();
  ChannelPruning pruning;
  if (parts[1].getAsDouble(pruning.fraction) || !(pruning.fraction > 0 && pruning.fraction < 1))
    return llvm::createStringError("expected a fraction of multiply-adds between 0 and 1, but got '" + parts[1] + "'");
  for (llvm::StringRef part : llvm::drop_begin(parts, 2)) {
    auto score = llvm::StringSwitch<std::optional<ChannelScore>>(part)
                     .Case("magnitude", ChannelScore::Magnitude)
                     .Case("activation", ChannelScore::Activation)
                     .Case("reconstruction", ChannelScore::Reconstruction)
                     .Default(std::nullopt);
    auto compensation = llvm::StringSwitch<std::optional<ChannelCompensation>>(part)
                            .Case("none", ChannelCompensation::None)
                            .Case("mean", ChannelCompensation::Mean)
                            .Case("least-squares", ChannelCompensation::LeastSquares)
                            .Default(std::nullopt);
    if ((!score && !compensation) || (score && pruning.score) || (compensation && pruning.compensation))
      return malformed();
    (score ? (void)(pruning.score = score) : (void)(pruning.compensation = compensation));
  }
  return pruning;
}
