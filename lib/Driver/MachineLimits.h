//===- MachineLimits.h - The most that any kernel can reach ---------------===//
#ifndef LIB_DRIVER_MACHINELIMITS_H
#define LIB_DRIVER_MACHINELIMITS_H

#include "lathe/rt_abi.h"
#include "lib/Driver/Options.h"
#include "lib/Execution/LoadedModel.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Error.h"

namespace lathe {

/// Measures the rate of f32 multiply-adds that depend on nothing, two operations each. The code is compiled for the
/// target of `options` and run with the threads of `executor` (null: one). Fails if the target is not this machine's.
class PeakMeter {
public:
  static llvm::Expected<PeakMeter> create(mlir::MLIRContext &context, const CompileOptions &options,
                                          const lathe_executor *executor);

  /// GFLOP/s now, the median of three runs of less than a millisecond: clocks change within a second, and with what
  /// neighbours do.
  llvm::Expected<double> measure();

private:
  PeakMeter(std::unique_ptr<LoadedModel> loop, int64_t operations, const lathe_executor *executor)
      : loop(std::move(loop)), operations(operations), executor(executor) {}

  std::unique_ptr<LoadedModel> loop;
  int64_t operations;
  const lathe_executor *executor;
};

/// The best of several measurements with a `PeakMeter`.
llvm::Expected<double> measurePeak(mlir::MLIRContext &context, const CompileOptions &options,
                                   const lathe_executor *executor);

/// The rate in GB/s (1e9 bytes) at which a buffer of so many bytes, `chooseUncachedBytes` at most, is read in order
/// again and again: that of the cache which holds it, or of the memory. The median of several runs, compiled and run as
/// above.
llvm::Expected<double> measureReadRate(mlir::MLIRContext &context, const CompileOptions &options, int64_t bytes,
                                       const lathe_executor *executor);

/// Twice the size of the last cache, within 128 MB to 1 GB and a quarter of the memory: of a buffer that is read in
/// order, no byte is in a cache any more when its turn comes again.
int64_t chooseUncachedBytes();

/// What bounds the kernels of a model on this machine, now (Williams, Waterman and Patterson 2009, "Roofline: an
/// insightful visual performance model for multicore architectures"). Weights come around once in a run, and so does
/// the workspace: each is read from where a buffer of its size stays.
struct Roofline {
  double gflops = 0, weightGbs = 0, workspaceGbs = 0;

  /// The least time that a kernel can take. One that uses what the kernel before left in a smaller cache may be faster.
  double leastMicroseconds(double macs, double weightBytes, double otherBytes) const;
};

/// The rates of reading alone.
llvm::Expected<Roofline> measureReadRates(mlir::MLIRContext &context, const CompileOptions &options,
                                          const lathe_model &model, const lathe_executor *executor);

} // namespace lathe

#endif // LIB_DRIVER_MACHINELIMITS_H
