//===- NarrowTypesTest.cpp - Casts of types of at most 8 bits -------------===//
//
// Compiles onnx.Cast to machine code, runs it, and compares every element with APFloat, whose formats are those of ONNX, and
// with ONNX's rules of saturation.
//
//===----------------------------------------------------------------------===//
#include "dialects/ONNX/IR/DataTypes.h"
#include "lib/Driver/Pipeline.h"
#include "lib/Driver/Tensors.h"
#include "mlir/Parser/Parser.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

using namespace mlir;
using namespace lathe;
using llvm::APFloat, llvm::APInt, llvm::fltSemantics;

static const lathe_dtype kFloats[] = {LATHE_FLOAT8E4M3FN,   LATHE_FLOAT8E4M3FNUZ, LATHE_FLOAT8E5M2,
                                      LATHE_FLOAT8E5M2FNUZ, LATHE_FLOAT4E2M1,     LATHE_FLOAT8E8M0};
static const lathe_dtype kIntegers[] = {LATHE_INT4, LATHE_UINT4, LATHE_INT2, LATHE_UINT2};

static MLIRContext &getContext() {
  static MLIRContext *context = [] {
    DialectRegistry registry;
    registerDialects(registry);
    auto *made = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

static std::string typeText(lathe_dtype type) {
  std::string text;
  llvm::raw_string_ostream(text) << onnx::getOnnxElementType(&getContext(), type);
  return text;
}

static std::string tensorText(int64_t size, lathe_dtype type) {
  return "tensor<" + std::to_string(size) + "x" + typeText(type) + ">";
}

/// Compiles and runs @main, which has one input and one output of rank 1.
static Tensor run(const std::string &text, const Tensor &input, lathe_dtype result) {
  INFO(text);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &getContext());
  REQUIRE(module);
  REQUIRE(succeeded(runPhases(*module, CompileOptions(), Phase::LLVM)));
  llvm::Expected<std::unique_ptr<LoadedModel>> model = loadModule(*module);
  REQUIRE(bool(model));
  CHECK((*model)->getModel().inputs[0].dtype == input.getType());
  CHECK((*model)->getModel().outputs[0].dtype == result);
  llvm::SmallVector<Tensor> outputs;
  REQUIRE(!(*model)->run({&input}, outputs));
  return std::move(outputs[0]);
}

static Tensor cast(const Tensor &input, lathe_dtype to, const std::string &attributes = "") {
  std::string x = tensorText(input.getNumElements(), input.getType()), y = tensorText(input.getNumElements(), to);
  std::string text = "func.func @main(%x: " + x + " {onnx.name = \"x\"}) -> (" + y + " {onnx.name = \"y\"}) {\n";
  text += "  %y = \"onnx.Cast\"(%x) {to = " + std::to_string(int(to)) + " : i64" + attributes + "}";
  text += " : (" + x + ") -> " + y + "\n  return %y : " + y + "\n}";
  return run(text, input, to);
}

template <typename T>
static Tensor makeTensor(lathe_dtype type, llvm::ArrayRef<T> values) {
  Tensor tensor(type, {int64_t(values.size())});
  std::memcpy(tensor.getData(), values.data(), values.size() * sizeof(T));
  return tensor;
}

/// All bytes: of types of fewer bits, every element comes with all that may stand above it.
static Tensor allCodes(lathe_dtype type) {
  std::vector<uint8_t> codes(256);
  for (int i = 0; i < 256; ++i)
    codes[i] = uint8_t(i);
  return makeTensor<uint8_t>(type, codes);
}

static APFloat getElement(lathe_dtype type, unsigned code) {
  return APFloat(*getSemantics(type), APInt(getBits(type), code & ((1u << getBits(type)) - 1)));
}

static double toDouble(APFloat value) {
  if (value.isNaN()) // APFloat makes infinity of float8e8m0's
    return std::numeric_limits<double>::quiet_NaN();
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

static bool isSame(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

TEST_CASE("Every code of a narrow float is decoded exactly", "[types]") {
  for (lathe_dtype type : kFloats)
    for (lathe_dtype wide : {LATHE_FLOAT32, LATHE_FLOAT64, LATHE_FLOAT16, LATHE_BFLOAT16}) {
      NpyArray decoded = toArray(cast(allCodes(type), wide));
      for (unsigned code = 0; code < 256; ++code) {
        APFloat expected = getElement(type, code);
        bool lost;
        if (!expected.isNaN())
          expected.convert(*getSemantics(wide), APFloat::rmNearestTiesToEven, &lost);
        INFO(nameOf(type).str() << " " << code << " as " << nameOf(wide).str());
        CHECK(isSame(decoded.at(code), toDouble(expected)));
      }
    }
}

TEST_CASE("Only the low bits of small integers are read", "[types]") {
  for (lathe_dtype type : kIntegers)
    for (lathe_dtype wide : {LATHE_INT8, LATHE_INT64, LATHE_FLOAT32, LATHE_FLOAT16}) {
      NpyArray decoded = toArray(cast(allCodes(type), wide));
      for (unsigned code = 0; code < 256; ++code) {
        APInt element(getBits(type), code, /*isSigned=*/false, /*implicitTrunc=*/true);
        INFO(nameOf(type).str() << " " << code << " as " << nameOf(wide).str());
        CHECK(decoded.at(code) == double(isSigned(type) ? element.getSExtValue() : int64_t(element.getZExtValue())));
      }
    }
}

/// Values where rounding to `type` may go wrong: every element, the middle between neighbours, what is next to both, and what
/// is out of range.
static std::vector<float> getHardValues(lathe_dtype type) {
  std::set<double> elements;
  for (unsigned code = 0; code < 256; ++code)
    if (double value = toDouble(getElement(type, code)); std::isfinite(value))
      elements.insert(std::abs(value));
  std::vector<float> values;
  auto add = [&](double value) {
    float exact = float(value), infinity = std::numeric_limits<float>::infinity();
    for (float near : {exact, std::nextafter(exact, infinity), std::nextafter(exact, -infinity)}) {
      values.push_back(near);
      values.push_back(-near);
    }
  };
  double last = 0;
  for (double element : elements) {
    add(element);
    add((last + element) / 2);
    add(last + (element - last) / 4);
    last = element;
  }
  double smallest = *elements.upper_bound(0);
  for (double value : {last * 1.03, last * 1.05, last * 1.0625, last * 1.125, last * 1.25, last * 1.5, last * 2, 1e38,
                       smallest / 4, smallest / 1024, 1e-40})
    add(value);
  for (float value : {0.0f, -0.0f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::max()})
    values.push_back(value);
  return values;
}

/// What ONNX's tables say. APFloat has no saturation.
static unsigned encode(lathe_dtype type, double value, bool saturate) {
  const fltSemantics &semantics = *getSemantics(type);
  auto codeOf = [](const APFloat &element) { return unsigned(element.bitcastToAPInt().getZExtValue()); };
  if (std::isnan(value) && !APFloat::semanticsHasNaN(semantics))
    return 1u << (getBits(type) - 1);
  if (std::isinf(value) && !APFloat::semanticsHasNaN(semantics))
    return codeOf(APFloat::getLargest(semantics, std::signbit(value)));
  APFloat rounded(value);
  bool lost;
  rounded.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
  if (saturate && !std::isnan(value) && !rounded.isFinite())
    rounded = APFloat::getLargest(semantics, std::signbit(value));
  return codeOf(rounded);
}

/// NaN of either sign and any payload are the same.
static void checkCode(lathe_dtype type, unsigned actual, unsigned expected) {
  if (getElement(type, expected).isNaN())
    CHECK(getElement(type, actual).isNaN());
  else
    CHECK(actual == expected);
}

TEST_CASE("f32 is rounded to narrow floats, halves to even", "[types]") {
  for (lathe_dtype type : llvm::ArrayRef(kFloats).drop_back())
    for (bool saturate : {true, false}) {
      std::vector<float> values = getHardValues(type);
      Tensor encoded = cast(makeTensor<float>(LATHE_FLOAT32, values), type, saturate ? "" : ", saturate = 0 : i64");
      for (size_t i = 0; i < values.size(); ++i) {
        INFO(values[i] << " as " << nameOf(type).str() << (saturate ? ", saturated" : ""));
        checkCode(type, encoded.as<uint8_t>()[i], encode(type, values[i], saturate));
      }
    }
}

TEST_CASE("f64, f16 and bf16 are rounded once", "[types]") {
  for (lathe_dtype type : llvm::ArrayRef(kFloats).drop_back())
    for (lathe_dtype wide : {LATHE_FLOAT64, LATHE_FLOAT16, LATHE_BFLOAT16}) {
      std::vector<float> hard = getHardValues(type);
      NpyArray values(wide, {int64_t(hard.size())});
      for (size_t i = 0; i < hard.size(); ++i)
        values.set(i, double(hard[i]) * (1 + 0x1p-50)); // f64: next to a half, which f32 would round to
      Tensor encoded = cast(toTensor(values), type);
      for (size_t i = 0; i < hard.size(); ++i) {
        INFO(values.at(i) << " of " << nameOf(wide).str() << " as " << nameOf(type).str());
        checkCode(type, encoded.as<uint8_t>()[i], encode(type, values.at(i), /*saturate=*/true));
      }
    }
}

/// ONNX's table of float8e8m0, and where it is silent, what createNarrowEncode promises.
static unsigned encodePower(double value, const std::string &mode, bool saturate) {
  constexpr unsigned nan = 0xff, largest = 0xfe;
  if (std::isnan(value) || value < 0)
    return nan;
  if (value < 0x1p-127)
    return saturate ? 0 : nan;
  if (std::isinf(value))
    return saturate ? largest : nan;
  int exponent;
  double fraction = 2 * std::frexp(value, &exponent); // 1 <= fraction < 2
  bool larger = mode == "up" ? fraction > 1 : mode == "nearest" && fraction >= 1.5;
  int code = exponent - 1 + 127 + larger;
  return code <= int(largest) ? code : saturate ? largest : nan;
}

TEST_CASE("float8e8m0 is rounded as round_mode says", "[types]") {
  for (std::string mode : {"up", "down", "nearest"})
    for (bool saturate : {true, false})
      for (lathe_dtype wide : {LATHE_FLOAT32, LATHE_FLOAT64}) {
        std::vector<float> hard = getHardValues(LATHE_FLOAT8E8M0);
        NpyArray values(wide, {int64_t(hard.size())});
        for (size_t i = 0; i < hard.size(); ++i)
          values.set(i, double(hard[i]) * (wide == LATHE_FLOAT64 ? 1 + 0x1p-50 : 1));
        Tensor encoded = cast(toTensor(values), LATHE_FLOAT8E8M0,
                              ", round_mode = \"" + mode + "\"" + (saturate ? "" : ", saturate = 0 : i64"));
        for (size_t i = 0; i < hard.size(); ++i) {
          INFO(values.at(i) << " " << mode << (saturate ? ", saturated" : ""));
          CHECK(encoded.as<uint8_t>()[i] == encodePower(values.at(i), mode, saturate));
        }
      }
}

TEST_CASE("Small integers wrap around and are extended", "[types]") {
  std::vector<float> values;
  for (int i = -40; i <= 40; ++i)
    values.push_back(i * 0.5f);
  for (lathe_dtype type : kIntegers) {
    Tensor encoded = cast(makeTensor<float>(LATHE_FLOAT32, values), type);
    for (size_t i = 0; i < values.size(); ++i) {
      APInt low(getBits(type), int64_t(values[i]), /*isSigned=*/true, /*implicitTrunc=*/true);
      INFO(values[i] << " as " << nameOf(type).str());
      CHECK(int(encoded.as<int8_t>()[i]) == (isSigned(type) ? int(low.getSExtValue()) : int(low.getZExtValue())));
    }
  }
}

TEST_CASE("Narrow types are cast to each other and to bool", "[types]") {
  std::vector<uint8_t> codes = {0x00, 0x38, 0xb8, 0x40, 0x7f, 0x80}; // 0, 1, -1, 2, NaN, -0
  Tensor input = makeTensor<uint8_t>(LATHE_FLOAT8E4M3FN, codes);
  CHECK(cast(input, LATHE_BOOL).as<uint8_t>() == llvm::ArrayRef<uint8_t>({0, 1, 1, 1, 1, 0}));
  CHECK(cast(input, LATHE_FLOAT8E5M2FNUZ).as<uint8_t>().take_front(4) == llvm::ArrayRef<uint8_t>({0x00, 0x40, 0xc0, 0x44}));
  CHECK(cast(input, LATHE_FLOAT8E5M2FNUZ).as<uint8_t>().drop_front(4) == llvm::ArrayRef<uint8_t>({0x80, 0x00}));
  CHECK(cast(input, LATHE_INT4).as<int8_t>().take_front(4) == llvm::ArrayRef<int8_t>({0, 1, -1, 2}));
  CHECK(cast(makeTensor<uint8_t>(LATHE_BOOL, {0, 1}), LATHE_FLOAT4E2M1).as<uint8_t>() == llvm::ArrayRef<uint8_t>({0, 2}));
}

/// Three constants that are one model's output: as they are, folded by being run, and moved at run time.
TEST_CASE("Constants of small integers are bytes with their sign", "[types]") {
  Tensor input = makeTensor<int64_t>(LATHE_INT64, {1});
  Tensor output = run(R"(
func.func @main(%x: tensor<1xi64> {onnx.name = "x"}) -> (tensor<6xi4> {onnx.name = "y"}) {
  %a = onnx.Constant dense<[[-8, 7]]> : tensor<1x2xi4>
  %b = onnx.Constant dense<[[-1, 1], [3, -3]]> : tensor<2x2xi4>
  %folded = "onnx.Transpose"(%b) {perm = array<i64: 1, 0>} : (tensor<2x2xi4>) -> tensor<2x2xi4>
  %moved = "onnx.Gather"(%folded, %x) {axis = 0 : i64} : (tensor<2x2xi4>, tensor<1xi64>) -> tensor<1x2xi4>
  %c = "onnx.Concat"(%a, %moved, %a) {axis = 1 : i64} : (tensor<1x2xi4>, tensor<1x2xi4>, tensor<1x2xi4>) -> tensor<1x6xi4>
  %shape = onnx.Constant dense<6> : tensor<1xi64>
  %y = "onnx.Reshape"(%c, %shape) : (tensor<1x6xi4>, tensor<1xi64>) -> tensor<6xi4>
  return %y : tensor<6xi4>
})",
                      input, LATHE_INT4);
  CHECK(output.as<int8_t>() == llvm::ArrayRef<int8_t>({-8, 7, 1, -3, -8, 7}));
}

TEST_CASE("Constants of narrow floats are their codes", "[types]") {
  Tensor output = run(R"(
func.func @main(%x: tensor<1xi64> {onnx.name = "x"}) -> (tensor<4xf4E2M1FN> {onnx.name = "y"}) {
  %y = onnx.Constant dense<[0.5, -6.0, 0.0, 3.0]> : tensor<4xf4E2M1FN>
  return %y : tensor<4xf4E2M1FN>
})",
                      makeTensor<int64_t>(LATHE_INT64, {1}), LATHE_FLOAT4E2M1);
  CHECK(output.as<uint8_t>() == llvm::ArrayRef<uint8_t>({1, 15, 0, 5}));
}
