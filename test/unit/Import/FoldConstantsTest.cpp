//===- FoldConstantsTest.cpp - Constant subgraphs that an evaluator runs --===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Import/Passes.h"
#include <catch2/catch.hpp>

using namespace mlir;
using namespace lathe;

namespace {

/// Parses a model and folds it with an evaluator that answers every result with sevens.
struct Fixture {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  unsigned runs = 0, results = 0, ops = 0;
  bool good = false;

  explicit Fixture(const char *text) {
    context.loadDialect<onnx::ONNXDialect, func::FuncDialect, arith::ArithDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    REQUIRE(module);
    PassManager passes(&context);
    passes.addPass(createFoldConstantsPass([&](ModuleOp outlined, SmallVectorImpl<ElementsAttr> &values) {
      ++runs;
      auto main = outlined.lookupSymbol<func::FuncOp>("main");
      if (!main || main.getNumArguments() != 0)
        return failure();
      main.walk([&](Operation *op) { ops += isa<onnx::TransposeOp, onnx::ExpOp, onnx::ExpandOp>(op); });
      for (Type type : main.getResultTypes()) {
        ++results;
        values.push_back(DenseElementsAttr::get(cast<ShapedType>(type), 7.0f));
      }
      return success();
    }));
    good = succeeded(passes.run(*module));
  }

  template <typename OpT>
  unsigned count() {
    unsigned number = 0;
    module->walk([&](OpT) { ++number; });
    return number;
  }
};

} // namespace

TEST_CASE("A constant subgraph is run once and only what others use is its result", "[import]") {
  Fixture fixture(R"(
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = onnx.Constant dense<1.0> : tensor<2x3xf32>
  %t = "onnx.Transpose"(%w) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %e = "onnx.Exp"(%t) : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = "onnx.Add"(%x, %e) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
})");
  CHECK(fixture.good);
  CHECK(fixture.runs == 1);
  CHECK(fixture.results == 1);
  CHECK(fixture.ops == 2);
  CHECK(fixture.count<onnx::TransposeOp>() == 0);
  CHECK(fixture.count<onnx::ExpOp>() == 0);
  CHECK(fixture.count<onnx::ConstantOp>() == 1);
  CHECK(fixture.count<onnx::AddOp>() == 1);
}

TEST_CASE("Results that only grow stay computed", "[import]") {
  Fixture fixture(R"(
func.func @main() -> (tensor<512x512xf32>, tensor<8x8xf32>) {
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %large = onnx.Constant dense<[512, 512]> : tensor<2xi64>
  %small = onnx.Constant dense<[8, 8]> : tensor<2xi64>
  %0 = "onnx.Expand"(%one, %large) : (tensor<f32>, tensor<2xi64>) -> tensor<512x512xf32>
  %1 = "onnx.Expand"(%one, %small) : (tensor<f32>, tensor<2xi64>) -> tensor<8x8xf32>
  return %0, %1 : tensor<512x512xf32>, tensor<8x8xf32>
})");
  CHECK(fixture.good);
  CHECK(fixture.results == 1);
  CHECK(fixture.count<onnx::ExpandOp>() == 1);
}

TEST_CASE("Random numbers and quantized weights are not folded", "[import]") {
  Fixture fixture(R"(
func.func @main() -> (tensor<4xf32>, tensor<2xf32>) {
  %0 = "onnx.RandomNormal"() {shape = array<i64: 4>} : () -> tensor<4xf32>
  %q = onnx.Constant dense<[1, 2]> : tensor<2xi8>
  %s = onnx.Constant dense<0.5> : tensor<f32>
  %1 = "onnx.DequantizeLinear"(%q, %s) : (tensor<2xi8>, tensor<f32>) -> tensor<2xf32>
  return %0, %1 : tensor<4xf32>, tensor<2xf32>
})");
  CHECK(fixture.good);
  CHECK(fixture.runs == 0);
  CHECK(fixture.count<onnx::DequantizeLinearOp>() == 1);
}

TEST_CASE("The bytes of a constant that was folded away are freed if that is asked for", "[import]") {
  for (bool release : {false, true}) {
    MLIRContext context;
    context.loadDialect<onnx::ONNXDialect, func::FuncDialect, arith::ArithDialect>();
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(R"mlir(
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %w = onnx.Constant dense_resource<gone> : tensor<2xf32>
  %v = onnx.Constant dense_resource<kept> : tensor<2xf32>
  %e = "onnx.Exp"(%w) : (tensor<2xf32>) -> tensor<2xf32>
  %y = "onnx.Add"(%x, %e) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %z = "onnx.Add"(%y, %v) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %z : tensor<2xf32>
}
{-# dialect_resources: { builtin: {
  gone: "0x040000000000803F00000040", kept: "0x040000000000803F00000040" } } #-}
)mlir",
                                                               &context);
    REQUIRE(module);
    PassManager passes(&context);
    auto evaluate = [](ModuleOp outlined, SmallVectorImpl<ElementsAttr> &values) {
      for (Type type : outlined.lookupSymbol<func::FuncOp>("main").getResultTypes())
        values.push_back(DenseElementsAttr::get(cast<ShapedType>(type), 7.0f));
      return success();
    };
    passes.addPass(createFoldConstantsPass(evaluate, release));
    REQUIRE(succeeded(passes.run(*module)));
    auto &resources = DenseResourceElementsHandle::getManagerInterface(&context).getBlobManager();
    CHECK(resources.lookup("gone")->getBlob()->getData().size() == (release ? 0 : 8));
    CHECK(resources.lookup("kept")->getBlob()->getData().size() == 8);
  }
}

TEST_CASE("An evaluator has to give each result, in its type", "[import]") {
  MLIRContext context;
  context.loadDialect<onnx::ONNXDialect, func::FuncDialect, arith::ArithDialect>();
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  auto fold = [&](ConstantEvaluator evaluate) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(R"mlir(
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %w = onnx.Constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = "onnx.Exp"(%w) : (tensor<2xf32>) -> tensor<2xf32>
  %y = "onnx.Add"(%x, %e) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
)mlir",
                                                               &context);
    REQUIRE(module);
    PassManager passes(&context);
    passes.addPass(createFoldConstantsPass(evaluate));
    CHECK(failed(passes.run(*module)));
  };
  fold([](ModuleOp, SmallVectorImpl<ElementsAttr> &) { return success(); });
  CHECK(message == "expected 1 values of constants, but got 0");
  fold([](ModuleOp outlined, SmallVectorImpl<ElementsAttr> &values) {
    auto type = RankedTensorType::get({3}, Float32Type::get(outlined.getContext()));
    values.push_back(DenseElementsAttr::get(type, 7.0f));
    return success();
  });
  CHECK(message == "expected a constant of 'tensor<2xf32>', but got 'tensor<3xf32>'");
}
