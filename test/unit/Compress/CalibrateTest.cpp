//===- CalibrateTest.cpp - Statistics of a model's values on samples ------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Parser/Parser.h"
#include "passes/Compress/Calibration/Calibrate.h"
#include <catch2/catch.hpp>

using namespace mlir;
using lathe::CalibrationStatistics;

static const char *const kModel = R"(
func.func @main(%x: tensor<?x4x4x1xf32> {onnx.name = "image"}) -> (tensor<?x2x2x2xf32> {onnx.name = "y"}) {
  %w0 = onnx.Constant dense<0.5> : tensor<1x1x1x2xf32>
  %w1 = onnx.Constant dense<0.5> : tensor<1x1x2x2xf32>
  %a = nn.conv %x, %w0 : (tensor<?x4x4x1xf32>, tensor<1x1x1x2xf32>) -> tensor<?x4x4x2xf32> loc("block/conv")
  %p = nn.pool max %a {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<?x4x4x2xf32>) -> tensor<?x2x2x2xf32> loc("block/pool")
  %b = nn.conv %p, %w1 : (tensor<?x2x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<?x2x2x2xf32> loc("block/conv")
  %c = nn.conv %b, %w1 : (tensor<?x2x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<?x2x2x2xf32> loc("block/last")
  return %c : tensor<?x2x2x2xf32>
})";

namespace {
struct Fixture {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;

  explicit Fixture(const char *text) {
    context.loadDialect<lathe::nn::NNDialect, lathe::onnx::ONNXDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
  }
};
} // namespace

TEST_CASE("a copy of the model returns what contractions read, by name") {
  Fixture fixture(kModel);
  REQUIRE(fixture.module);
  auto observed = lathe::createObservedModule(*fixture.module);
  REQUIRE(succeeded(observed));
  // The pooled value has the range of the convolution below it; equal names are told apart.
  CHECK(observed->keys == llvm::SmallVector<std::string>{"image", "block/conv:0", "block/pool:0", "block/conv:0~1"});
  auto main = observed->module->lookupSymbol<func::FuncOp>("main");
  REQUIRE(main);
  CHECK(main.getNumResults() == 4);
  CHECK(main.getResultAttrOfType<StringAttr>(1, lathe::kNameAttr).getValue() == "block/conv:0");
  CHECK(succeeded(observed->module->verify()));
  // The model itself is as it was.
  CHECK(fixture.module->lookupSymbol<func::FuncOp>("main").getNumResults() == 1);
}

TEST_CASE("calibration collects what the runner records") {
  Fixture fixture(kModel);
  REQUIRE(fixture.module);
  auto statistics = lathe::calibrate(*fixture.module, {}, [](ModuleOp, lathe::CalibrationRecorder record) {
    record(0, {1.0f, -1.0f});
    record(0, {3.0f});
    record(1, {0.5f});
    return success();
  });
  REQUIRE(succeeded(statistics));
  REQUIRE(statistics->lookup("image"));
  CHECK(statistics->lookup("image")->range.getExtremes().high == 3.0f);
  CHECK(statistics->lookup("block/conv:0")->range.getCount() == 1);
  CHECK(statistics->lookup("block/conv:0~1") == nullptr);
}

TEST_CASE("calibration fails with an error where there is nothing to observe, or the runner fails") {
  Fixture fixture("func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> { return %x : tensor<1xf32> }");
  unsigned errors = 0;
  ScopedDiagnosticHandler handler(&fixture.context, [&](Diagnostic &) { return ++errors, success(); });
  CHECK(failed(lathe::calibrate(*fixture.module, {}, [](ModuleOp, lathe::CalibrationRecorder) { return success(); })));
  CHECK(errors == 1);
  Fixture model(kModel);
  CHECK(failed(lathe::calibrate(*model.module, {}, [](ModuleOp, lathe::CalibrationRecorder) { return failure(); })));
}
