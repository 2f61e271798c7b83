//===- Options.h - What a compilation can be told -------------------------===//
#ifndef LIB_DRIVER_OPTIONS_H
#define LIB_DRIVER_OPTIONS_H

#include "passes/Compress/Settings.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class PassManager;
class TimingScope;
} // namespace mlir

namespace lathe {

struct TuningRequest;

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
  /// See `resolveTargets`.
  std::string target = "native";
  std::string cpu;
  std::string triple;
  /// Kernels of a GPU target become loops on this machine, to prove them where there is no GPU.
  bool emulate = false;
  /// The functions that run one block of these loops are visible, for a stand-in of the GPU's driver.
  bool exportBlocks = false;
  /// The machine that launches the kernels of a GPU target, as `target`; empty: the least of this machine's kind.
  std::string hostTarget;
  /// What `--dim` says, one `NAME=VALUE` or `NAME=LOWER..UPPER` each.
  std::vector<std::string> dims;
  /// What `--elements` says, one `NAME=COUNT`, `NAME=SHAPE,...` or `NAME=none` each.
  std::vector<std::string> elements;
  /// What `--constant` says, one `NAME=NUMBER,...` each.
  std::vector<std::string> constants;
  /// What the compress phase does.
  CompressionSettings compression;
  /// A .npz or .npy of samples, or a statistics file that `lathe calibrate` wrote.
  std::string calibration;
  /// How integer samples become the model's floats; see `Preprocess::parse`.
  std::string preprocess;
  /// 3x3 convolutions may be computed by Winograd's algorithm, with other rounding errors than the direct sum.
  bool winograd = true;
  /// Choices that were measured, and who wants to know what can be; null for those of cost models.
  std::shared_ptr<const TuningRequest> tuning;
  /// Constant subgraphs are folded by being run on this machine.
  bool foldConstants = true;
  /// Frees the bytes of constants that were folded away: no other module of the context shares them.
  bool releaseConstants = true;
  /// The code counts the ticks of each kernel; see lib/Driver/Profile.h.
  bool profile = false;
  /// Called on every pass manager before it runs: where instrumentation is attached.
  std::function<void(mlir::PassManager &)> configure;
  /// Where the time is accounted that no pass takes; may be null.
  mlir::TimingScope *timing = nullptr;

  /// False where the outputs are those of the float model, up to rounding.
  bool compresses() const { return !compression.empty(); }
  /// The same without compression.
  CompileOptions uncompressed() const {
    CompileOptions plain = *this;
    plain.compression = {};
    return plain;
  }
};

} // namespace lathe

#endif // LIB_DRIVER_OPTIONS_H
