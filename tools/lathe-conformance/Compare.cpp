//===- Compare.cpp - Outputs against expected ones ------------------------===//
#include "TestCase.h"
#include "lib/Driver/Tensors.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace lathe;

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

static std::string print(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", value);
  return text;
}

static llvm::Error compareOutput(unsigned index, const Tensor &actual, const Tensor &expected, bool isRandom,
                                 double rtol, double atol) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("output " + llvm::Twine(index) + ": " + what);
  };
  if (actual.getType() != expected.getType())
    return fail("expected elements of " + nameOf(expected.getType()) + ", but got " + nameOf(actual.getType()));
  if (actual.getShape() != expected.getShape())
    return fail("expected shape " + shapeText(expected.getShape()) + ", but got " + shapeText(actual.getShape()));
  if (isRandom)
    return llvm::Error::success();
  if (!getSemantics(expected.getType())) {
    if (expected.getNumBytes() && std::memcmp(actual.getData(), expected.getData(), expected.getNumBytes()) != 0)
      return fail("values differ");
    return llvm::Error::success();
  }
  NpyArray actualArray = toArray(actual), expectedArray = toArray(expected);
  for (size_t i = 0, count = expected.getNumElements(); i < count; ++i) {
    double a = actualArray.at(i), e = expectedArray.at(i);
    bool same = std::isnan(e) ? std::isnan(a) : a == e || std::abs(a - e) <= atol + rtol * std::abs(e);
    if (!same)
      return fail(llvm::formatv("element {0}: expected {1}, but got {2}", i, print(e), print(a)));
  }
  return llvm::Error::success();
}

llvm::Error lathe::compareOutputs(llvm::ArrayRef<Tensor> actual, llvm::ArrayRef<Tensor> expected,
                                  bool isRandom, double rtol, double atol) {
  if (actual.size() != expected.size())
    return llvm::createStringError("expected " + llvm::Twine(expected.size()) + " outputs, but got " +
                                   llvm::Twine(actual.size()));
  for (unsigned i = 0; i < expected.size(); ++i)
    if (llvm::Error error = compareOutput(i, actual[i], expected[i], isRandom, rtol, atol))
      return error;
  return llvm::Error::success();
}
