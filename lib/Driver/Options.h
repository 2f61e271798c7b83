//===- Options.h - What a compilation can be told -------------------------===//
#ifndef LIB_DRIVER_OPTIONS_H
#define LIB_DRIVER_OPTIONS_H

#include "llvm/ADT/StringRef.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class PassManager;
} // namespace mlir

namespace lathe {

class CalibrationStatistics;

/// The stages of a compilation, in order; docs/design.md says what holds after each.
enum class Phase { Import, Shapes, Fuse, Compress, Lower, Bufferize, Codegen, LLVM, Object };

inline constexpr Phase kLastPhase = Phase::Object;

/// The name of a phase as `--compile-to=` takes it.
llvm::StringRef nameOf(Phase phase);

/// The phase of that name, or nullopt.
std::optional<Phase> parsePhase(llvm::StringRef name);

/// Everything that decides what is compiled. The same model and options give the same bytes.
struct CompileOptions {
  /// Prefix of the object's symbols: a C identifier.
  std::string name = "model";
  /// See `resolveTarget`.
  std::string target = "native";
  std::string cpu;
  /// What `--dim` says, one `NAME=VALUE` or `NAME=LOWER..UPPER` each.
  std::vector<std::string> dims;
  /// Convolutions and matrix products in 8-bit integers.
  bool quantizeInt8 = false;
  /// Bits of the weights of matrix products whose activations stay f32: 8 or 4, 0 for none.
  unsigned weightBits = 0;
  /// Rows of a weight that share a scale; 0 is the default of the format.
  int64_t weightGroup = 0;
  bool symmetricWeights = true;
  /// How an activation's range follows from its statistics: minmax, percentile or mse.
  std::string activationRange = "mse";
  /// Nodes that quantization leaves as they are, by name with * and ?.
  std::vector<std::string> quantizeSkip;
  /// A .npz or .npy of samples, or a statistics file that `lathe calibrate` wrote.
  std::string calibration;
  /// What `calibration` says, once it was read or observed; `runPhases` sees to it.
  std::shared_ptr<const CalibrationStatistics> statistics;
  /// How integer samples become the model's floats; see `Preprocess::parse`.
  std::string preprocess;
  /// Constant subgraphs are folded by being run on this machine.
  bool foldConstants = true;
  /// Frees the bytes of constants that were folded away: no other module of the context shares them.
  bool releaseConstants = true;
  /// The code counts the ticks of each kernel; see lib/Driver/Profile.h.
  bool profile = false;
  /// False where the outputs are those of the float model, up to rounding.
  bool compresses() const { return quantizeInt8 || weightBits; }
  /// The same without compression.
  CompileOptions uncompressed() const {
    CompileOptions plain = *this;
    plain.quantizeInt8 = false;
    plain.weightBits = 0;
    return plain;
  }
  /// Called on every pass manager before it runs: where instrumentation is attached.
  std::function<void(mlir::PassManager &)> configure;
};

} // namespace lathe

#endif // LIB_DRIVER_OPTIONS_H
