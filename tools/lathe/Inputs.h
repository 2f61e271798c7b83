//===- Inputs.h - Inputs named on the command line ------------------------===//
#ifndef TOOLS_LATHE_INPUTS_H
#define TOOLS_LATHE_INPUTS_H

#include "lib/Driver/Tensors.h"
#include "tools/lathe/Flags.h"

namespace lathe {

/// The flags of commands that run a model on given or random inputs.
struct InputFlags {
  cl::list<std::string> inputs;
  cl::list<std::string> sizes;

  explicit InputFlags(cl::OptionCategory &category);

  /// Tensors for all inputs of the model in order. Inputs that no flag names are random if `fill` is set, else an error that
  /// lists them. Symbolic dimensions of random inputs are those of the files, then of --size, then their lower bounds.
  llvm::Expected<std::vector<Tensor>> read(const lathe_model &model, bool fill) const;
};

/// "input: float32 [batch, 1, 32, 32]".
std::string describe(const lathe_model &model, const lathe_tensor &tensor);

/// Splits "NAME=VALUE" at the first '='; an error quotes the flag.
llvm::Expected<std::pair<std::string, std::string>> splitAssignment(llvm::StringRef flag,
                                                                    llvm::StringRef text);

} // namespace lathe

#endif // TOOLS_LATHE_INPUTS_H
