//===- Flags.h - Command-line flags shared by the subcommands -------------===//
#ifndef TOOLS_LATHE_FLAGS_H
#define TOOLS_LATHE_FLAGS_H

#include "lib/Driver/Recipe.h"
#include "passes/Lower/Passes.h"
#include "llvm/Support/CommandLine.h"
#include <cmath>

namespace lathe {

namespace cl = llvm::cl;

/// Integers from `Least` to `Most`, as the parser of a `cl::opt`.
template <typename T, T Least, T Most>
struct IntegerParser : cl::parser<T> {
  using cl::parser<T>::parser;
  bool parse(cl::Option &option, llvm::StringRef name, llvm::StringRef text, T &value) {
    if (cl::parser<T>::parse(option, name, text, value))
      return true;
    if (value < Least || value > Most)
      return option.error("expected an integer from " + llvm::Twine(Least) + " to " + llvm::Twine(Most) +
                          ", but got '" + text + "'");
    return false;
  }
};

/// Finite numbers, above zero or, if `MayBeZero`, not below it.
template <bool MayBeZero>
struct NumberParser : cl::parser<double> {
  using cl::parser<double>::parser;
  bool parse(cl::Option &option, llvm::StringRef name, llvm::StringRef text, double &value) {
    if (cl::parser<double>::parse(option, name, text, value))
      return true;
    if (!std::isfinite(value) || value < 0 || (value == 0 && !MayBeZero))
      return option.error("expected a finite number " + llvm::Twine(MayBeZero ? "of at least" : "above") +
                          " 0, but got '" + text + "'");
    return false;
  }
};

constexpr int kMostThreads = 4096;
using ThreadsFlag = cl::opt<int, false, IntegerParser<int, 0, kMostThreads>>;
using RunsFlag = cl::opt<int, false, IntegerParser<int, 0, 100'000'000>>;
using ToleranceFlag = cl::opt<double, false, NumberParser</*MayBeZero=*/true>>;
using SecondsFlag = cl::opt<double, false, NumberParser</*MayBeZero=*/false>>;

/// Parses the command line of a command whose flags are those of `category`; prints and exits with `kUsage` if it is
/// wrong, and with `kSuccess` after --help.
void parseFlags(cl::OptionCategory &category, int argc, char **argv, const char *overview);

/// The flags of every command that takes a model: the model and how it is compiled. One such object exists in a
/// process, made by the command that runs, so that commands may use the same flag names.
struct ModelFlags {
  cl::OptionCategory category{"Options"};
  cl::opt<std::string> model{cl::Positional, cl::Required, cl::desc("MODEL.onnx"), cl::cat(category)};
  cl::opt<std::string> target{"target",
                              cl::desc("machine to compile for: native, or the name of another, see "
                                       "docs/guides/Compile.md; or several of one kind, of "
                                       "which the object takes the best that it runs on"),
                              cl::init("native"), cl::value_desc("name,..."), cl::cat(category)};
  cl::opt<std::string> cpu{"cpu", cl::desc("processor of the target, as LLVM names it"), cl::value_desc("name"),
                           cl::cat(category)};
  cl::opt<bool> emulate{"emulate", cl::desc("run the kernels of a GPU target as loops on this machine"),
                        cl::cat(category)};
  cl::opt<std::string> hostTarget{
      "host-target", cl::desc("machine that launches the kernels of a GPU target (default: any of this one's kind)"),
      cl::value_desc("name"), cl::cat(category)};
  cl::list<std::string> dims{"dim", cl::desc("fix or bound a symbolic dimension: batch=1, seq=1..512"),
                             cl::value_desc("NAME=V|NAME=A..B"), cl::cat(category)};
  cl::list<std::string> elements{
      "elements",
      cl::desc("how many tensors an input has that is a sequence or optional, or their shapes: list=3, "
               "list=[2,3],[n,4], maybe=none"),
      cl::value_desc("NAME=COUNT|NAME=SHAPE,...|NAME=none"), cl::cat(category)};
  cl::list<std::string> constants{"constant", cl::desc("an input is a constant: steps=5, axes=0,2, flag=true"),
                                  cl::value_desc("NAME=NUMBER,..."), cl::cat(category)};
  cl::opt<std::string> tokenMerge{
      "token-merge", cl::desc("tokens that the layers of a vision transformer merge: r:8 in each, or 8,8,4,..."),
      cl::value_desc("r:N|N,N,..."), cl::cat(category)};
  cl::opt<std::string> lowRank{
      "low-rank",
      cl::desc("products of thin matrices for weights: energy:E keeps E of the squared singular "
               "values of each, flops:F keeps F of all operations; better with --calibrate"),
      cl::value_desc("energy:E|flops:F"), cl::cat(category)};
  cl::opt<std::string> tokenPrune{
      "token-prune",
      cl::desc("share of the tokens that three layers of a vision transformer keep (or those that :layers=3,6,9 counts "
               "from 0); the others are fused"),
      cl::value_desc("keep:S"), cl::cat(category)};
  cl::opt<std::string> prune{
      "prune",
      cl::desc("weights to remove: magnitude:S, wanda:S or sparsegpt:S (these need --calibrate), S of them "
               "all; N:M, N of each M stay, with :SCORE"),
      cl::value_desc("item,..."), cl::cat(category)};
  cl::opt<std::string> quantize{"quantize",
                                cl::desc("smaller numbers: int8 (needs --calibrate); weights only: w8, w4, w3, w2, "
                                         "with :group=32|64|128, :asymmetric, and :rtn, :gptq or :act-order"),
                                cl::value_desc("format"), cl::cat(category)};
  cl::opt<std::string> precision{
      "precision",
      cl::desc("what weights that are not quantized are stored in, and what they are "
               "multiplied with where the target has such products: bf16, f16, or tf32 for products "
               "of f32 alone"),
      cl::value_desc("format"), cl::cat(category)};
  cl::opt<std::string> calibrate{
      "calibrate", cl::desc("samples (.npz, .npy) or statistics (.json of 'lathe calibrate') to quantize by"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<std::string> activationRange{
      "activation-range",
      cl::desc("range of an 8-bit activation: mse (least squared error), minmax, or percentile "
               "(99.99 % of the elements at either end)"),
      cl::init("mse"), cl::value_desc("method"), cl::cat(category)};
  cl::opt<std::string> recipe{"recipe",
                              cl::desc("file (YAML) that says all this, and what some nodes get instead; flags win"),
                              cl::value_desc("R.yaml"), cl::cat(category)};
  cl::list<std::string> quantizeSkip{"quantize-skip", cl::desc("nodes to leave unquantized, by name with * and ?"),
                                     cl::value_desc("pattern"), cl::cat(category)};
  cl::opt<std::string> preprocess{"preprocess",
                                  cl::desc("what uint8 samples become as floats: scale=1/255,offset=-0.5"),
                                  cl::value_desc("map"), cl::cat(category)};
  cl::opt<bool> noWinograd{"no-winograd", cl::desc("compute 3x3 convolutions directly, never by Winograd's algorithm"),
                           cl::cat(category)};
  cl::opt<std::string> tuning{"tuning",
                              cl::desc("file of 'lathe tune' that says what is fastest for kernels on this machine"),
                              cl::value_desc("T.yaml"), cl::cat(category)};
  ThreadsFlag jobs{"jobs", cl::desc("threads that compile; 0: all of the machine"), cl::init(0), cl::value_desc("n"),
                   cl::cat(category)};
  cl::opt<bool> remarks{"remarks", cl::desc("print what the passes applied and missed, and why"), cl::cat(category)};

  ModelFlags();

  /// Parses the command line and reads the recipe and the tuning; prints and exits with `kUsage` if the flags are
  /// wrong, with `kFailure` if one of these is, and with `kSuccess` after --help.
  void parse(int argc, char **argv, const char *overview);

  /// The texts of the flags that name a transform of compression.
  TransformTexts transforms() const;

  /// What the flags ask of the compilation. Symbols are named after the model's file.
  CompileOptions options() const;

private:
  Recipe settings;
  std::shared_ptr<const TuningRequest> measured;
};

/// A C identifier made of a file's name: "resnet-50.onnx" gives "resnet_50".
std::string symbolNameOf(llvm::StringRef path);

/// Prints `lathe: error: ...` and returns `kFailure`.
int fail(const llvm::Twine &message);

} // namespace lathe

#endif // TOOLS_LATHE_FLAGS_H
