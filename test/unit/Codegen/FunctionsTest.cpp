//===- FunctionsTest.cpp - Elementary functions, run as models ------------===//
// Functions are compiled as those of a model are, and run on floats of every kind. What is allowed here is what
// docs/functions.md promises.
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "lib/Target/Target.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "passes/Codegen/Common/Functions/Functions.h"
#include "test/unit/Codegen/FunctionErrors.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <thread>

using namespace lathe;
using namespace lathe::test;

/// Changes a module of the `codegen` phase.
using Change = llvm::function_ref<void(mlir::ModuleOp)>;

/// Compiles MLIR in the form after `done`.
static std::unique_ptr<LoadedModel> load(const std::string &text, llvm::StringRef target, Phase done, Change change = {}) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  REQUIRE(module);
  CompileOptions options;
  options.target = target.str();
  if (change) {
    REQUIRE(succeeded(runPhases(*module, options, Phase::Codegen, done)));
    change(*module);
    done = Phase::Codegen;
  }
  REQUIRE(succeeded(runPhases(*module, options, Phase::LLVM, done)));
  auto loaded = loadModule(*module);
  if (!loaded)
    FAIL(textOf(loaded.takeError()));
  return std::move(*loaded);
}

namespace {

/// Several functions of one argument, all of them of the same dialect, as one model.
class Compiled {
public:
  Compiled(llvm::ArrayRef<Function> functions, int64_t size, llvm::StringRef target, lathe_dtype type = LATHE_FLOAT32,
           Change change = {})
      : functions(functions), input(type, {size}) {
    model = load(writeModule(), target, isMath() ? Phase::Lower : Phase::Import, change);
  }

  /// A function of onnx after a convolution that multiplies by 1, in whose vectors it is computed.
  Compiled(const Function &function, llvm::StringRef target, Change change = {})
      : functions(function), input(LATHE_FLOAT32, {1, 16, 128, 128}) {
    model = load(writeEpilogue(), target, Phase::Import, change);
  }

  void run() {
    if (llvm::Error error = model->run({&input}, outputs))
      FAIL(textOf(std::move(error)));
  }

  /// Runs the functions and updates the worst error of each; threads share the elements.
  void compare(llvm::MutableArrayRef<Worst> worst) {
    run();
    unsigned count = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::vector<Worst>> found(count, std::vector<Worst>(worst.begin(), worst.end()));
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < count; ++thread)
      threads.emplace_back([&, thread] {
        size_t size = input.getNumElements(), begin = size * thread / count, end = size * (thread + 1) / count;
        for (auto [index, function] : llvm::enumerate(functions))
          findWorst(function, &input.as<float>()[begin], &outputs[index].as<float>()[begin], end - begin, found[thread][index]);
      });
    for (auto [thread, results] : llvm::zip(threads, found)) {
      thread.join();
      for (auto [best, result] : llvm::zip(worst, results))
        if (result.error > best.error)
          best = result;
    }
  }

  llvm::ArrayRef<Function> functions;
  std::unique_ptr<LoadedModel> model;
  Tensor input;
  llvm::SmallVector<Tensor> outputs;

private:
  /// Of an input as the constructor above makes it.
  std::string writeEpilogue() const {
    std::string image = "tensor<1x16x128x128xf32>", weight = "tensor<16x1x1x1xf32>", of = "(" + image + ") -> " + image;
    return "func.func @main(%x: " + image + " {onnx.name = \"x\"}) -> (" + image + " {onnx.name = \"y\"}) {\n" +
           "%w = \"onnx.Constant\"() {value = dense<1.0> : " + weight + "} : () -> " + weight + "\n" +
           "%c = \"onnx.Conv\"(%x, %w) {group = 16 : i64} : (" + image + ", " + weight + ") -> " + image + "\n" +
           "%y = \"" + functions.front().op + "\"(%c) : " + of + "\nreturn %y : " + image + "\n}\n";
  }

  bool isMath() const { return llvm::StringRef(functions.front().op).starts_with("math."); }

  std::string writeModule() const {
    llvm::StringRef element = input.getType() == LATHE_FLOAT16 ? "xf16>" : input.getType() == LATHE_BFLOAT16 ? "xbf16>" : "xf32>";
    std::string tensor = ("tensor<" + llvm::Twine(input.getNumElements()) + element).str(), results, body, names, types;
    for (auto [index, function] : llvm::enumerate(functions)) {
      std::string number = std::to_string(index), separator = index ? ", " : "", name = "%y" + number;
      results += separator + tensor + " {onnx.name = \"y" + number + "\"}";
      names += separator + name;
      types += separator + tensor;
      if (isMath())
        body += "%e" + number + " = tensor.empty() : " + tensor + "\n" + name + " = linalg.map { " + function.op + " } ins(%x : " +
                tensor + ") outs(%e" + number + " : " + tensor + ")\n";
      else
        body += name + " = \"" + function.op + "\"(%x) " + function.attributes + " : (" + tensor + ") -> " + tensor + "\n";
    }
    return "func.func @main(%x: " + tensor + " {onnx.name = \"x\"}) -> (" + results + ") {\n" + body + "return " + names + " : " +
           types + "\n}\n";
  }
};

} // namespace

/// The bits of the first negative float.
static constexpr uint64_t kNegativeZero = uint64_t(1) << 31;

/// Checks every `stride`th float from that with the bits `first`, and those around zeros, infinities and powers of two.
static void check(Compiled &compiled, llvm::StringRef target, uint64_t stride, uint64_t first = 0) {
  constexpr uint64_t all = uint64_t(1) << 32;
  llvm::ArrayRef<Function> functions = compiled.functions;
  std::vector<Worst> worst(functions.size());
  for (uint64_t next = first; next < all;) {
    for (float &x : compiled.input.as<float>()) {
      x = llvm::bit_cast<float>(uint32_t(next));
      next += stride;
    }
    compiled.compare(worst);
  }
  uint32_t special = 0;
  for (float &x : compiled.input.as<float>()) {
    x = llvm::bit_cast<float>((special / 16 << 23) + special % 16 - 8);
    ++special;
  }
  compiled.compare(worst);
  bool hasFma = target != "x86-64-v2";
  for (auto [function, found] : llvm::zip(functions, worst)) {
    INFO(function.op << function.attributes << " for " << target.str() << ": of " << found.x << " with bits "
                     << llvm::bit_cast<uint32_t>(found.x) << " it is " << found.result);
    CHECK(found.error <= (hasFma ? function.bound : function.boundWithoutFma));
    llvm::outs() << function.op << function.attributes << " for " << target << ": " << found.error << " ulp of " << found.x << "\n";
  }
  llvm::outs().flush();
}

static void check(llvm::ArrayRef<Function> functions, llvm::StringRef target, uint64_t stride) {
  // Vectors do not divide the size: the rest is computed by scalars.
  Compiled compiled(functions, (1 << 18) - 3, target);
  check(compiled, target, stride);
}

TEST_CASE("Functions keep their bounds in the vectors of a convolution", "[functions]") {
  // What the machine's own CPU divides by, others of its level may not.
  std::vector<std::string> targets = {"native"};
  mlir::MLIRContext context;
  context.loadDialect<nn::NNDialect>();
  llvm::Expected<nn::TargetAttr> wide = resolveTarget(context, "x86-64-v4");
  REQUIRE(bool(wide));
  if (runsHere(*wide))
    targets.push_back("x86-64-v4");
  for (const std::string &target : targets)
    for (Function function : kOnnxFunctions) {
      function.bound = std::max(function.bound, function.boundInKernels);
      Compiled compiled(function, target);
      check(compiled, target, 257);
    }
}

TEST_CASE("Functions keep their bounds on a sample of all floats", "[functions]") {
  for (llvm::ArrayRef<Function> functions : {kMathFunctions, kOnnxFunctions, kOtherOnnxFunctions}) {
    check(functions, "native", 257);
    check(functions, "x86-64-v3", 16411);
    check(functions, "x86-64-v2", 4099);
  }
}

TEST_CASE("Functions keep their bounds on all floats", "[.][exhaustive]") {
  for (llvm::ArrayRef<Function> functions : {kMathFunctions, kOnnxFunctions})
    check(functions, "native", 1);
}

/// Puts attention's power of two in the place of absolute values. Returns whether any is of the target's instructions.
static bool putPowersOfTwo(mlir::ModuleOp module) {
  codegen::FloatTarget target = codegen::getFloatTarget(nn::getTarget(module));
  llvm::SmallVector<mlir::math::AbsFOp> standIns;
  module.walk([&](mlir::math::AbsFOp op) { standIns.push_back(op); });
  REQUIRE(!standIns.empty());
  bool hasInstructions = false;
  for (mlir::math::AbsFOp op : standIns) {
    mlir::OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    codegen::FloatBuilder b(builder, op.getLoc(), target);
    hasInstructions |= b.hasInstructions(op);
    mlir::Value negated = mlir::arith::NegFOp::create(builder, op.getLoc(), op);
    mlir::Value power = codegen::emitExp2NonPositive(b, negated);
    op.getResult().replaceAllUsesExcept(power, negated.getDefiningOp());
  }
  return hasInstructions;
}

/// Results that would be no normal numbers are 0.
static void checkSmallPowersOfTwo(Compiled &compiled, llvm::StringRef target) {
  auto x = compiled.input.as<float>();
  for (auto [index, each] : llvm::enumerate(x))
    each = 125 + 2.0f * index / x.size();
  x.front() = std::numeric_limits<float>::infinity();
  compiled.run();
  auto isRight = [](float x, float y) { return y == 0 ? x >= 125.5f : x <= 126 && y >= std::numeric_limits<float>::min(); };
  for (auto [each, y] : llvm::zip(x, compiled.outputs.front().as<float>()))
    if (!isRight(each, y))
      FAIL("2^-" << each << " is " << y << " for " << target.str());
}

/// Checks powers of two as LLVM makes vectors of them in a loop, then those in the vectors of a convolution.
static void checkPowerOfTwo(llvm::StringRef target, uint64_t stride, uint64_t strideOfVectors) {
  Function function = kPowerOfTwo;
  bool hasInstructions = false;
  auto change = [&](mlir::ModuleOp module) { hasInstructions = putPowersOfTwo(module); };
  Compiled loop(function, (1 << 18) - 3, target, LATHE_FLOAT32, change);
  CHECK(!hasInstructions);
  check(loop, target, stride, kNegativeZero);
  checkSmallPowersOfTwo(loop, target);

  Compiled vectors(function, target, change);
  if (hasInstructions)
    function.bound = kPowerOfTwoBoundByInstructions;
  check(vectors, target, strideOfVectors, kNegativeZero);
  checkSmallPowersOfTwo(vectors, target);
}

TEST_CASE("Powers of two of attention keep their bound on a sample of all floats", "[functions]") {
  checkPowerOfTwo("native", 257, 257);
  checkPowerOfTwo("x86-64-v3", 16411, 16411);
  checkPowerOfTwo("x86-64-v2", 4099, 4099);
}

TEST_CASE("Powers of two of attention keep their bound on all floats", "[.][exhaustive]") {
  checkPowerOfTwo("native", 1, 1);
  // Without instructions of their own, vectors compute what a loop does.
  checkPowerOfTwo("x86-64-v3", 1, 257);
  checkPowerOfTwo("x86-64-v2", 1, 257);
}

TEST_CASE("Sines and cosines of any number are in [-1, 1]", "[functions]") {
  const Function functions[] = {{"onnx.Sin", "", nullptr, 0, 0}, {"onnx.Cos", "", nullptr, 0, 0}};
  Compiled compiled(functions, 1 << 18, "native");
  uint32_t bits = 0;
  for (float &x : compiled.input.as<float>())
    x = llvm::bit_cast<float>(bits), bits += 0x7f800000 >> 18;
  compiled.run();
  for (const Tensor &output : compiled.outputs)
    CHECK(llvm::all_of(output.as<float>(), [](float y) { return y >= -1 && y <= 1; }));
}

//===----------------------------------------------------------------------===//
// Half precision
//===----------------------------------------------------------------------===//

/// The number that 16 bits are in a format.
static double decode(const llvm::fltSemantics &format, uint16_t bits) {
  return llvm::APFloat(format, llvm::APInt(16, bits)).convertToDouble();
}

/// The distance of numbers around `x`, in a format of `digits` and a smallest exponent.
static double getUlp(double x, int digits, int smallest) {
  return std::ldexp(1, std::max(x == 0 ? smallest : std::ilogb(x), smallest) - digits + 1);
}

/// Results of f16 and bf16 are those of f32, rounded.
static void checkHalf(lathe_dtype type, llvm::StringRef target) {
  bool isBF16 = type == LATHE_BFLOAT16;
  const llvm::fltSemantics &format = isBF16 ? llvm::APFloat::BFloat() : llvm::APFloat::IEEEhalf();
  int digits = isBF16 ? 8 : 11, smallest = isBF16 ? -126 : -14;
  double end = std::ldexp(1, isBF16 ? 128 : 16);
  Compiled compiled(kOnnxFunctions, 1 << 16, target, type);
  for (auto [index, bits] : llvm::enumerate(compiled.input.as<uint16_t>()))
    bits = index;
  compiled.run();
  for (auto [function, output] : llvm::zip(kOnnxFunctions, compiled.outputs)) {
    double worst = 0, worstX = 0;
    for (uint32_t bits = 0; bits < 1 << 16; ++bits) {
      double x = decode(format, bits), result = decode(format, output.as<uint16_t>()[bits]), exact;
      float single = x;
      function.exact(&single, &exact, 1);
      if (!(std::abs(x) <= function.largest) && !std::isnan(exact))
        continue;
      double error = std::abs(std::clamp(result, -end, end) - std::clamp(exact, -end, end)) / getUlp(exact, digits, smallest);
      if (std::isnan(exact) || std::isnan(result))
        error = std::isnan(exact) && std::isnan(result) ? 0 : end;
      else if (result == 0 && std::abs(exact) < function.flushedBelow)
        error = 0;
      if (error > worst)
        worst = error, worstX = x;
    }
    INFO(function.op << " of " << (isBF16 ? "bf16 " : "f16 ") << worstX << " for " << target.str());
    CHECK(worst <= 0.51);
  }
}

TEST_CASE("Half precision is computed in single", "[functions]") {
  for (llvm::StringRef target : {"native", "x86-64-v3", "x86-64-v2"})
    for (lathe_dtype type : {LATHE_FLOAT16, LATHE_BFLOAT16})
      checkHalf(type, target);
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

TEST_CASE("Powers keep their bound", "[functions]") {
  const float infinity = std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();
  const float special[] = {0, 0x1p-149f, 0x1p-130f, 0x1p-126f, 1e-10f, 0.3f, 0.5f, 0.99999994f, 1, 1.0000001f, 1.5f, 2, 3, 4, 7.5f, 88, 16777215,
                           16777216, 1e10f, largest, infinity, std::numeric_limits<float>::quiet_NaN()};
  std::vector<std::pair<float, float>> pairs;
  for (float x : special)
    for (float y : special)
      for (float xSign : {1, -1})
        for (float ySign : {1, -1})
          pairs.push_back({x * xSign, y * ySign});
  std::mt19937 random;
  std::uniform_real_distribution<double> logOfBase(-80, 80), logOfPower(-88, 88.7), exponent(-4, 4);
  while (pairs.size() < 1 << 20) {
    double log = logOfBase(random);
    pairs.push_back({float(std::exp(log)), float(logOfPower(random) / log)});
    pairs.push_back({float(std::exp(log / 20)), float(exponent(random))});
  }
  std::string tensor = "tensor<" + std::to_string(pairs.size()) + "xf32>";
  for (llvm::StringRef target : {"native", "x86-64-v2"}) {
    auto model = load("func.func @main(%x: " + tensor + " {onnx.name = \"x\"}, %y: " + tensor + " {onnx.name = \"y\"}) -> (" + tensor +
                          " {onnx.name = \"z\"}) {\n%z = \"onnx.Pow\"(%x, %y) : (" + tensor + ", " + tensor + ") -> " + tensor +
                          "\nreturn %z : " + tensor + "\n}",
                      target, Phase::Import);
    Tensor bases(LATHE_FLOAT32, {int64_t(pairs.size())}), exponents(LATHE_FLOAT32, {int64_t(pairs.size())});
    for (auto [pair, x, y] : llvm::zip(pairs, bases.as<float>(), exponents.as<float>()))
      std::tie(x, y) = pair;
    llvm::SmallVector<Tensor> outputs;
    if (llvm::Error error = model->run({&bases, &exponents}, outputs))
      FAIL(textOf(std::move(error)));
    double worst = 0;
    for (auto [pair, result] : llvm::zip(pairs, outputs[0].as<float>())) {
      double exact = std::pow(double(pair.first), double(pair.second)), rounded = float(exact);
      INFO(pair.first << " to " << pair.second << " is " << result << " for " << target.str());
      if (std::isnan(exact) || std::isinf(rounded) || std::abs(exact) < 0x1p-126 * (1 + 0x1p-20)) {
        bool isSmall = !std::isnan(exact) && std::abs(exact) < 0x1p-126 * (1 + 0x1p-20);
        REQUIRE((std::isnan(exact)    ? std::isnan(result)
                 : isSmall            ? std::abs(result) <= 0x1.0002p-126 && std::signbit(result) == std::signbit(exact)
                                      : result == rounded || std::abs(result) == largest));
        continue;
      }
      double error = std::abs(std::clamp(double(result), -0x1p128, 0x1p128) - exact) / getUlp(exact, 24, -126);
      REQUIRE(error <= (target == "x86-64-v2" ? 2 : 1.5));
      worst = std::max(worst, error);
    }
    llvm::outs() << "onnx.Pow for " << target << ": " << worst << " ulp\n";
  }
}
