//===- Session.h - One compilation of the command line --------------------===//
#ifndef TOOLS_LATHE_SESSION_H
#define TOOLS_LATHE_SESSION_H

#include "lathe/lathe.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "lib/Driver/Profile.h"
#include "lib/Driver/Samples.h"
#include "lib/Report/RemarkCollector.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/Timing.h"
#include "tools/lathe/Flags.h"
#include "llvm/Support/ThreadPool.h"
#include <optional>

namespace lathe {

/// All dialects, for contexts of this program.
const mlir::DialectRegistry &getRegistry();

/// A context set up as the flags ask, with diagnostics going to stderr.
class Session {
public:
  /// `remarks`, if given, takes what passes say.
  Session(const ModelFlags &flags, CompileOptions options, std::vector<CollectedRemark> *remarks = nullptr);

  /// The model after `last`; null after diagnostics.
  mlir::OwningOpRef<mlir::ModuleOp> compile(Phase last);

  /// Compiles the model and loads it into this process, or opens it if it is compiled already (.o, .so); null after
  /// diagnostics.
  std::unique_ptr<LoadedModel> load();

  mlir::MLIRContext &getContext() { return context; }
  const CompileOptions &getOptions() const { return options; }
  /// Bytes of the code that `load` made, without weights.
  uint64_t getCodeBytes() const { return codeBytes; }
  /// Where the model that `load` made writes its profile, if it was compiled for that.
  const ProfileLayout &getProfileLayout() const { return profile; }

private:
  std::optional<llvm::DefaultThreadPool> threads; ///< the context's, where it has not its own
  mlir::MLIRContext context;
  CompileOptions options;
  std::string file;
  mlir::DefaultTimingManager timing;
  mlir::TimingScope root;
  DiagnosticPrinter diagnostics;
  uint64_t codeBytes = 0;
  ProfileLayout profile;
};

/// An executor with that many threads, or none for 1 (the caller's thread alone).
struct ExecutorDeleter {
  void operator()(lathe_executor *executor) const { lathe_executor_destroy(executor); }
};
using ExecutorPtr = std::unique_ptr<lathe_executor, ExecutorDeleter>;
ExecutorPtr makeExecutor(int threads);

/// Times of repeated runs in milliseconds.
struct Times {
  double minimum = 0, median = 0, mean = 0, p90 = 0;
};
Times summarize(std::vector<double> milliseconds);

/// Milliseconds on a clock that never goes back.
double now();

} // namespace lathe

#endif // TOOLS_LATHE_SESSION_H
