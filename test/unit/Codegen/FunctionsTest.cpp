//===- FunctionsTest.cpp - Elementary functions, run as models ------------===//
// Functions are compiled as those of a model are, and run on floats of every kind. What is allowed here is what
// docs/functions.md promises.
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/Codegen/FunctionErrors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <catch2/catch.hpp>
#include <thread>

using namespace lathe;
using namespace lathe::test;

namespace {

/// Several functions of one argument, all of them of the same dialect, as one model.
class Compiled {
public:
  Compiled(llvm::ArrayRef<Function> functions, int64_t size, llvm::StringRef target)
      : functions(functions), input(LATHE_FLOAT32, {size}) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    mlir::MLIRContext context(registry);
    context.loadAllAvailableDialects();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(writeModule(), &context);
    REQUIRE(module);
    CompileOptions options;
    options.target = target.str();
    REQUIRE(succeeded(runPhases(*module, options, Phase::LLVM, isMath() ? Phase::Lower : Phase::Import)));
    auto loaded = loadModule(*module);
    if (!loaded)
      FAIL(textOf(loaded.takeError()));
    model = std::move(*loaded);
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
  bool isMath() const { return llvm::StringRef(functions.front().op).starts_with("math."); }

  std::string writeModule() const {
    std::string tensor = "tensor<" + std::to_string(input.getNumElements()) + "xf32>", results, body, names, types;
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

/// Checks every `stride`th float, and those around zeros, infinities and powers of two.
static void check(llvm::ArrayRef<Function> functions, llvm::StringRef target, uint64_t stride) {
  constexpr uint64_t all = uint64_t(1) << 32;
  // Vectors do not divide the size: the rest is computed by scalars.
  Compiled compiled(functions, (1 << 18) - 3, target);
  std::vector<Worst> worst(functions.size());
  for (uint64_t next = 0; next < all;) {
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
