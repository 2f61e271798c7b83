//===- Profile.h - Where a model's time goes ------------------------------===//
#ifndef LIB_DRIVER_PROFILE_H
#define LIB_DRIVER_PROFILE_H

#include "lib/Driver/Options.h"
#include "lib/Execution/LoadedModel.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace lathe {

/// One call of a kernel in `codegen-instrument`'s profile.
struct ProfiledCall {
  std::string name; ///< of the ONNX node
  std::string op;
  int64_t macs;        ///< of one run of the kernel; -1: unknown
  int64_t bytes;       ///< of all that one run reads and writes, each once; -1: unknown
  int64_t weightBytes; ///< of the constants among them
};

/// Where the instrumented code of a module writes what it measures.
struct ProfileLayout {
  int64_t offset = -1; ///< into the workspace; -1: nothing is measured
  std::vector<ProfiledCall> calls;
};

/// The layout that a module compiled with `CompileOptions::profile` has.
ProfileLayout readProfileLayout(mlir::ModuleOp module);

/// One run, in ticks of the machine's counter.
struct ProfiledRun {
  struct Call {
    uint64_t ticks, begin, count;
  };
  uint64_t begin, end;
  std::vector<Call> calls;
};

/// What the last run left in the workspace.
ProfiledRun readProfile(const ProfileLayout &layout, const void *workspace);

} // namespace lathe

#endif // LIB_DRIVER_PROFILE_H
