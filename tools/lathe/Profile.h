//===- Profile.h - lathe bench --profile ----------------------------------===//
#ifndef TOOLS_LATHE_PROFILE_H
#define TOOLS_LATHE_PROFILE_H

#include "lib/Driver/MachineLimits.h"
#include "lib/Driver/Profile.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace lathe {

/// The times of a model's layers over several runs.
class Profile {
public:
  /// Measures `runs` runs of a model that was compiled with this layout; `runOnce` may do other things after its run.
  static llvm::Expected<Profile> measure(const ProfileLayout &layout, LoadedModel &model, int runs,
                                         llvm::function_ref<llvm::Error()> runOnce);

  /// A table with one line for each layer, in the order they run, and the total. Calls that take no visible time, such
  /// as the fills of borders, share one line.
  void print(llvm::raw_ostream &stream, const Roofline &roofline) const;
  llvm::json::Object toJSON(const Roofline &roofline) const;
  /// The fastest run in the format of Chrome's tracing. The calls of a layer in a loop are one event, where the first
  /// of them was.
  llvm::json::Value toTrace() const;

  struct Layer {
    ProfiledCall call;
    int64_t count = 0;
    double microseconds = 0; ///< median of the runs
  };
  llvm::ArrayRef<Layer> getLayers() const { return layers; }

private:
  double share(double microseconds) const { return total > 0 ? microseconds / total : 0; }
  /// From one end of the model to the other, without what is spent in layers.
  double getRest() const;

  std::vector<Layer> layers;
  ProfiledRun fastest;
  double ticksPerMicrosecond = 1, total = 0;
};

} // namespace lathe

#endif // TOOLS_LATHE_PROFILE_H
