//===- FunctionErrors.cpp - Errors of functions of one f32 ----------------===//
// Written and compiled so that loops become vector code, calls of libm among them: there are 2^32 floats.
#include "test/unit/Codegen/FunctionErrors.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

using namespace lathe::test;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kSmallestNormal = std::numeric_limits<float>::min(), kLargest = std::numeric_limits<float>::max();
/// Where exp begins: 2^-125.5, and what the rounding of x / ln 2 may add.
static constexpr double kSmallestExp = 0x1p-126 * 1.41422;

template <double (*function)(double)>
static void evaluate(const float *x, double *result, size_t count) {
  for (size_t i = 0; i < count; ++i)
    result[i] = function(double(x[i]));
}

// Functions of <cmath> are overloaded.
static inline double exp_(double x) { return exp(x); }
static inline double expm1_(double x) { return expm1(x); }
static inline double log_(double x) { return log(x); }
static inline double log1p_(double x) { return log1p(x); }
static inline double tanh_(double x) { return tanh(x); }
static inline double erf_(double x) { return erf(x); }
static inline double sin_(double x) { return sin(x); }
static inline double cos_(double x) { return cos(x); }
static inline double tan_(double x) { return tan(x); }
static inline double sinh_(double x) { return sinh(x); }
static inline double cosh_(double x) { return cosh(x); }
static inline double sqrt_(double x) { return sqrt(x); }
static inline double asin_(double x) { return asin(x); }
static inline double acos_(double x) { return acos(x); }
static inline double atan_(double x) { return atan(x); }
static inline double asinh_(double x) { return asinh(x); }
static inline double acosh_(double x) { return acosh(x); }
static inline double atanh_(double x) { return atanh(x); }
static inline double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static inline double softplus(double x) { return (x < 0 ? 0 : x) + log1p(exp(-fabs(x))); }
static inline double mish(double x) { return x * tanh(softplus(x)); }
static inline double gelu(double x) { return x * 0.5 * erfc(-x * M_SQRT1_2); }
static inline double geluTanh(double x) { return x * sigmoid(2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)); }
static inline double powerOfTwo(double x) { return exp(-fabs(x) * M_LN2); } // of which there is one of vectors
static inline double elu(double x) { return x < 0 ? expm1(x) : x; }

const std::vector<Function> lathe::test::kMathFunctions = {
    {"math.expm1", "", evaluate<expm1_>, 2, 2},
    {"math.log1p", "", evaluate<log1p_>, 2, 2},
};

const std::vector<Function> lathe::test::kOnnxFunctions = {
    {"onnx.Exp", "", evaluate<exp_>, 1, 1.5, Error::Ulp, kSmallestExp},
    {"onnx.Log", "", evaluate<log_>, 1.5, 1.5},
    {"onnx.Tanh", "", evaluate<tanh_>, 3, 3},
    {"onnx.Erf", "", evaluate<erf_>, 4, 4},
    {"onnx.Sigmoid", "", evaluate<sigmoid>, 3, 3, Error::Ulp, kSmallestNormal, kInfinity, 3.5},
    {"onnx.Sin", "", evaluate<sin_>, 2, 2, Error::Ulp, 0, 0x1p20},
    {"onnx.Cos", "", evaluate<cos_>, 2, 2, Error::Ulp, 0, 0x1p20},
};

const std::vector<Function> lathe::test::kOtherOnnxFunctions = {
    {"onnx.Sinh", "", evaluate<sinh_>, 2.5, 3},
    {"onnx.Cosh", "", evaluate<cosh_>, 2.5, 3},
    {"onnx.Tan", "", evaluate<tan_>, 3, 3.5, Error::Ulp, 0, 0x1p20},
    {"onnx.Asin", "", evaluate<asin_>, 3, 3},
    {"onnx.Acos", "", evaluate<acos_>, 2, 2},
    {"onnx.Atan", "", evaluate<atan_>, 2.5, 2.5},
    {"onnx.Asinh", "", evaluate<asinh_>, 4, 4},
    {"onnx.Acosh", "", evaluate<acosh_>, 4, 4},
    {"onnx.Atanh", "", evaluate<atanh_>, 4, 4},
    {"onnx.Sqrt", "", evaluate<sqrt_>, 0.5, 0.5},
    {"onnx.Elu", "", evaluate<elu>, 1.5, 2},
    {"onnx.Softplus", "", evaluate<softplus>, 3, 3, Error::Ulp, kSmallestExp},
    {"onnx.Mish", "", evaluate<mish>, 6, 6, Error::Ulp, 88 * kSmallestExp},
    {"onnx.Gelu", "", evaluate<gelu>, 3, 3, Error::UlpOfInput},
    {"onnx.Gelu", "{approximate = \"tanh\"}", evaluate<geluTanh>, 3, 3, Error::UlpOfInput},
};

const Function lathe::test::kPowerOfTwo = {"onnx.Abs", "", evaluate<powerOfTwo>, 2, 2.5, Error::Ulp, kSmallestExp};

/// 1 / the distance of the floats around `x`.
static inline double getScale(double x) {
  x = std::min(std::max(fabs(x), kSmallestNormal), kLargest);
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (uint64_t(2 * 1023 + 23) << 52) - (bits & (uint64_t(0x7ff) << 52));
  memcpy(&x, &bits, sizeof bits);
  return x;
}

/// The error of each result, in units of the last place.
static void measure(const Function &function, const float *x, const float *results, const double *exacts, double *errors, size_t count) {
  // After the largest number comes infinity as if it were the next one.
  constexpr double end = 0x1p128;
  double flushedBelow = function.flushedBelow, largest = function.largest;
  bool ofInput = function.error == Error::UlpOfInput;
  for (size_t i = 0; i < count; ++i) {
    double result = results[i], exact = exacts[i];
    double difference = fabs(std::min(std::max(result, -end), end) - std::min(std::max(exact, -end), end));
    double error = difference * getScale(ofInput ? double(x[i]) : exact);
    error = fabs(exact) == kInfinity && fabs(result) != kInfinity ? kInfinity : error;
    error = result == 0 && fabs(exact) < flushedBelow ? 0 : error;
    error = fabs(x[i]) > largest ? 0 : error;
    bool isNaN = exact != exact, hasNaN = result != result;
    errors[i] = isNaN != hasNaN ? kInfinity : isNaN ? 0 : error;
  }
}

void lathe::test::findWorst(const Function &function, const float *x, const float *result, size_t count, Worst &worst) {
  constexpr size_t block = 1024;
  double exacts[block], errors[block];
  for (size_t begin = 0; begin < count; begin += block) {
    size_t size = std::min(block, count - begin);
    function.exact(x + begin, exacts, size);
    measure(function, x + begin, result + begin, exacts, errors, size);
    double largest = 0;
    for (size_t i = 0; i < size; ++i)
      largest = std::max(largest, errors[i]);
    if (largest <= worst.error)
      continue;
    size_t found = std::max_element(errors, errors + size) - errors;
    worst = {largest, x[begin + found], result[begin + found]};
  }
}
