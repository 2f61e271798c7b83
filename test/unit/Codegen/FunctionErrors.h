//===- FunctionErrors.h - Errors of functions of one f32 ------------------===//
#ifndef TEST_UNIT_CODEGEN_FUNCTIONERRORS_H
#define TEST_UNIT_CODEGEN_FUNCTIONERRORS_H

#include <cstddef>
#include <limits>
#include <vector>

namespace lathe::test {

/// What a bound is of.
enum class Error {
  Ulp,        ///< units of the last place of the result
  UlpOfInput, ///< units of the last place of the argument
};

/// A function as it is promised to be.
struct Function {
  const char *op;         ///< of the math dialect on scalars, or of onnx on tensors
  const char *attributes; ///< of the op
  void (*exact)(const float *x, double *result, size_t count);
  double bound, boundWithoutFma;
  Error error = Error::Ulp;
  double flushedBelow = 0; ///< exact results that are smaller may become 0
  double largest = std::numeric_limits<double>::infinity(); ///< size of arguments up to which the bound holds
  double boundInKernels = 0; ///< by a target's `FloatInstructions`, if that is more than `bound`
};

/// Functions that are tested on all floats, one module each of the ops of a dialect.
extern const std::vector<Function> kMathFunctions, kOnnxFunctions, kOtherOnnxFunctions;

/// 2^-|x|, which takes the place of |x|: attention's power of two, of numbers that are not positive, is no op.
extern const Function kPowerOfTwo;
/// Its bound where a target has `FloatInstructions` for vectors.
inline constexpr double kPowerOfTwoBoundByInstructions = 3;

struct Worst {
  double error = 0; ///< infinite where infinity or NaN are missing, or wrong
  float x = 0, result = 0;
};

/// Compares results with what libm computes in double, and updates `worst`.
void findWorst(const Function &function, const float *x, const float *result, size_t count, Worst &worst);

} // namespace lathe::test

#endif // TEST_UNIT_CODEGEN_FUNCTIONERRORS_H
