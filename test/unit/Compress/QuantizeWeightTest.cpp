//===- QuantizeWeightTest.cpp - Scales and zero points of 8-bit formats ---===//
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Builders.h"
#include "passes/Compress/Quantize/Parameters.h"
#include <catch2/catch.hpp>

using namespace mlir;

namespace {
struct Fixture {
  MLIRContext context;
  Fixture() { context.loadDialect<quant::QuantDialect>(); }

  ElementsAttr weight(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
    return DenseElementsAttr::get(RankedTensorType::get(shape, Float32Type::get(&context)), values);
  }
};
} // namespace

TEST_CASE("weights are rounded half to even, each output channel on its own scale") {
  Fixture fixture;
  // Channel 0 has scale 1, channel 1 scale 2, channel 2 is empty.
  lathe::QuantizedWeight result = lathe::quantizeWeight(
      fixture.weight({3, 3}, {127, 254, 0, 2.5, -5, 0, -3.5, 3, 0}));
  REQUIRE(result.values);
  auto values = llvm::to_vector(llvm::cast<DenseElementsAttr>(result.values).getValues<int8_t>());
  CHECK(values == llvm::SmallVector<int8_t>{127, 127, 0, 2, -2, 0, -4, 2, 0});
  CHECK(result.type.getScales()[0] == 1.0);
  CHECK(result.type.getScales()[1] == 2.0);
  CHECK(result.type.getQuantizedDimension() == 1);
  CHECK(result.type.getStorageTypeMin() == -127);
}

TEST_CASE("weights that cannot be read are refused") {
  Fixture fixture;
  auto type = RankedTensorType::get({2}, IntegerType::get(&fixture.context, 8));
  CHECK(!lathe::quantizeWeight(DenseElementsAttr::get(type, llvm::ArrayRef<int8_t>{1, 2})).values);
}

TEST_CASE("activations have an exact zero") {
  Fixture fixture;
  lathe::RangeStatistics relu, shifted;
  relu.observe({0.5f, 2.55f}); // 0 is in the range though it was not seen
  shifted.observe({-1.0f, 1.55f});
  auto type = lathe::getActivationType(&fixture.context, relu, lathe::RangeMethod::MinMax, 100);
  CHECK(type.getZeroPoint() == 0);
  CHECK(type.getScale() == Approx(0.01));
  CHECK(!type.isSigned());
  type = lathe::getActivationType(&fixture.context, shifted, lathe::RangeMethod::MinMax, 100);
  CHECK(type.getZeroPoint() == 100);
  lathe::RangeStatistics zeros;
  zeros.observe({0.0f});
  CHECK(lathe::getActivationType(&fixture.context, zeros, lathe::RangeMethod::Percentile, 99).getScale() == 1.0);
}
