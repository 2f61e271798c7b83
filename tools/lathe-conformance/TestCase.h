//===- TestCase.h - One case of ONNX's backend tests ----------------------===//
#ifndef TOOLS_LATHE_CONFORMANCE_TESTCASE_H
#define TOOLS_LATHE_CONFORMANCE_TESTCASE_H

#include "lib/Execution/LoadedModel.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lathe {

/// Inputs and expected outputs of one `test_data_set_*` folder.
struct TestData {
  std::vector<Tensor> inputs, outputs;
};

/// Reads `input_*.pb` and `output_*.pb`. Fails on sequences, optionals, strings and other values that are no dense tensor.
llvm::Expected<TestData> readTestData(llvm::StringRef folder);

/// ONNX's rule: floating-point values agree within atol + rtol * |expected| (NaN equals NaN), all others exactly. The error
/// names the first output and element that differ.
llvm::Error compareOutputs(llvm::ArrayRef<Tensor> actual, llvm::ArrayRef<Tensor> expected, double rtol, double atol);

} // namespace lathe

#endif // TOOLS_LATHE_CONFORMANCE_TESTCASE_H
