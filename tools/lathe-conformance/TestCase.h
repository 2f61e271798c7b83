//===- TestCase.h - One case of ONNX's backend tests ----------------------===//
#ifndef TOOLS_LATHE_CONFORMANCE_TESTCASE_H
#define TOOLS_LATHE_CONFORMANCE_TESTCASE_H

#include "lib/Execution/LoadedModel.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lathe {

/// What a value of a model's interface is, and its name.
struct TestValue {
  enum Kind { kTensor, kSequence, kOptional, kOptionalSequence } kind;
  std::string name;
  std::vector<std::string> dims = {}; ///< names of a tensor's symbolic dimensions, "" for others
  bool isConstant = false;            ///< the model that runs has it as an initialiser
  bool isDeclared = false;            ///< decides how many tensors an output has: the compiler is told its value
};

/// What a case's model says about its test data.
struct TestInterface {
  std::vector<TestValue> inputs, outputs;
  bool isRandom =
      false; ///< a node draws random numbers: only types and shapes of outputs are known
};

/// Reads the interface of a model's file.
llvm::Expected<TestInterface> readInterface(llvm::StringRef path);

/// Inputs and expected outputs of one `test_data_set_*` folder, those of sequences and optionals
/// one after the other.
struct TestData {
  std::vector<Tensor> inputs, outputs;
  /// What `CompileOptions::elements` says of inputs that are sequences or optionals,
  /// `CompileOptions::constants` of inputs that are declared, which are not among `inputs`, and
  /// `CompileOptions::dims` of symbolic dimensions that are 0.
  std::vector<std::string> elements, constants, dims;
};

/// Reads `input_*.pb`, but those of constants, and `output_*.pb`. Fails on strings and other values that are made of no
/// dense tensors.
llvm::Expected<TestData> readTestData(llvm::StringRef folder, const TestInterface &interface);

/// ONNX's rule: floating-point values agree within atol + rtol * |expected| (NaN equals NaN), all
/// others exactly. The error names the first output and element that differ. Of random numbers,
/// types and shapes have to agree.
llvm::Error compareOutputs(llvm::ArrayRef<Tensor> actual, llvm::ArrayRef<Tensor> expected,
                           bool isRandom, double rtol, double atol);

} // namespace lathe

#endif // TOOLS_LATHE_CONFORMANCE_TESTCASE_H
