//===- Compare.cpp - Outputs against expected ones ------------------------===//
#include "TestCase.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <cstring>

using namespace lathe;

static double decode(const llvm::fltSemantics &semantics, uint16_t bits) {
  llvm::APFloat value(semantics, llvm::APInt(16, bits));
  bool losesInfo;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

/// Element `i` as a double; only for floating-point types.
static double getFloat(const Tensor &tensor, size_t i) {
  switch (tensor.getType()) {
  case LATHE_FLOAT32:
    return tensor.as<float>()[i];
  case LATHE_FLOAT64:
    return tensor.as<double>()[i];
  case LATHE_FLOAT16:
    return decode(llvm::APFloat::IEEEhalf(), tensor.as<uint16_t>()[i]);
  default:
    return decode(llvm::APFloat::BFloat(), tensor.as<uint16_t>()[i]);
  }
}

static bool isFloat(lathe_dtype type) {
  return type == LATHE_FLOAT32 || type == LATHE_FLOAT64 || type == LATHE_FLOAT16 || type == LATHE_BFLOAT16;
}

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

static llvm::Error compare(unsigned index, const Tensor &actual, const Tensor &expected,
                           bool isRandom, double rtol, double atol) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("output " + llvm::Twine(index) + ": " + what);
  };
  if (actual.getType() != expected.getType())
    return fail("expected element type " + llvm::Twine(int(expected.getType())) + ", but got " +
                llvm::Twine(int(actual.getType())));
  if (actual.getShape() != expected.getShape())
    return fail("expected shape " + shapeText(expected.getShape()) + ", but got " + shapeText(actual.getShape()));
  if (isRandom)
    return llvm::Error::success();
  if (!isFloat(expected.getType())) {
    if (expected.getNumBytes() && std::memcmp(actual.getData(), expected.getData(), expected.getNumBytes()) != 0)
      return fail("values differ");
    return llvm::Error::success();
  }
  for (size_t i = 0, count = expected.getNumElements(); i < count; ++i) {
    double a = getFloat(actual, i), e = getFloat(expected, i);
    bool same = std::isnan(e) ? std::isnan(a) : a == e || std::abs(a - e) <= atol + rtol * std::abs(e);
    if (!same)
      return fail("element " + llvm::Twine(i) + ": expected " + std::to_string(e) + ", but got " + std::to_string(a));
  }
  return llvm::Error::success();
}

llvm::Error lathe::compareOutputs(llvm::ArrayRef<Tensor> actual, llvm::ArrayRef<Tensor> expected,
                                  bool isRandom, double rtol, double atol) {
  if (actual.size() != expected.size())
    return llvm::createStringError("expected " + llvm::Twine(expected.size()) + " outputs, but got " +
                                   llvm::Twine(actual.size()));
  for (unsigned i = 0; i < expected.size(); ++i)
    if (llvm::Error error = compare(i, actual[i], expected[i], isRandom, rtol, atol))
      return error;
  return llvm::Error::success();
}
