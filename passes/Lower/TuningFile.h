//===- TuningFile.h - Measured choices in a file --------------------------===//
#ifndef PASSES_LOWER_TUNINGFILE_H
#define PASSES_LOWER_TUNINGFILE_H

#include "dialects/NN/IR/NNDialect.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace lathe {

/// What kernels must have in common to share a measurement: the kind of op, the types of its operands (without those
/// of the epilogue) and result, and the attributes that are not as they are by default, all as MLIR prints them.
struct TuningKey {
  std::string op, types, attributes;

  bool operator==(const TuningKey &other) const { return tie() == other.tie(); }
  bool operator<(const TuningKey &other) const { return tie() < other.tie(); }

private:
  std::tuple<const std::string &, const std::string &, const std::string &> tie() const {
    return {op, types, attributes};
  }
};

/// The key of an op that can be tuned, in the form on tensors with its weight not packed yet: `nn.conv`, `nn.linear` or
/// `nn.matmul`; nullopt for others.
std::optional<TuningKey> getTuningKey(mlir::Operation *op);

/// The parameters of `nn.tuning`, of which some may be left out.
struct TuningChoice {
  std::optional<int64_t> winograd, panelWidth, tileRows, kernelRows, tasks;
  std::optional<bool> fuse;
  std::optional<std::string> share;

  /// The attribute; null, after an error through `emitError`, if a value is not one that any op can have.
  nn::TuningAttr toAttr(mlir::MLIRContext &context, llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;
  bool empty() const;
  /// What `other` says, and else what this one says.
  TuningChoice with(const TuningChoice &other) const;
  bool operator==(const TuningChoice &other) const;
};

/// "panel-width=32 tile-rows=14"; "" for an empty one.
std::string toString(const TuningChoice &choice);

/// One kernel's choice, and what its layers took in one run of the model, in microseconds, without it and with it.
struct TuningRecord {
  TuningKey kernel;
  TuningChoice choice;
  double before = 0, after = 0;
};

/// What was measured on one kind of machine.
struct TunedMachine {
  std::string triple, cpu, features;
  std::string version; ///< of lathe, that measured
  int threads = 1;
  std::vector<TuningRecord> records;

  bool isFor(nn::TargetAttr target) const;
  /// The record of a kernel; null if there is none.
  const TuningRecord *find(const TuningKey &kernel) const;
};

/// A file of measurements, in YAML:
///
///     format: 1
///     machines:
///       - triple: x86_64-unknown-linux-gnu
///         cpu: sapphirerapids
///         features: '+avx512f,...'
///         lathe: 0.1.0
///         threads: 1
///         kernels:
///           - op: nn.conv
///             types: '(tensor<1x14x14x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32>'
///             attributes: '{pads = array<i64: 1, 1, 1, 1>}'
///             choice: { winograd: 2, panel-width: 32 }
///             microseconds: { before: 21.5, after: 18.25 }
struct TuningFile {
  std::vector<TunedMachine> machines;

  const TunedMachine *find(nn::TargetAttr target) const;
};

/// Reads a file; the error has file, line and column.
llvm::Expected<TuningFile> readTuning(llvm::StringRef path);

/// Writes what `readTuning` reads.
void writeTuning(TuningFile file, llvm::raw_ostream &stream);

} // namespace lathe

#endif // PASSES_LOWER_TUNINGFILE_H
