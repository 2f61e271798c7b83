//===- SparseWeights.cpp - Weights that are mostly zeros ------------------===//
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/SparseCost.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "passes/Lower/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPARSEWEIGHTS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// A weight [K, N] compressed by columns, as nn.sparse_linear takes it.
struct CompressedColumns {
  SmallVector<float, 0> values;
  SmallVector<uint16_t, 0> coordinates;
  SmallVector<int32_t, 0> positions = {0};
};

/// How much faster sparse weights must be estimated to be: what an estimate may be wrong by.
constexpr double kMargin = 1.15;

struct LowerSparseWeights : lathe::impl::LowerSparseWeightsBase<LowerSparseWeights> {
  using LowerSparseWeightsBase::LowerSparseWeightsBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<nn::LinearOp, nn::ConvOp>(op) && op->getNumResults() == 1)
        ops.push_back(op);
    });
    for (Operation *op : ops)
      consider(op);
  }

private:
  void consider(Operation *op);
  void replace(Operation *op, ArrayRef<float> weight, int64_t columns);
};

} // namespace

static Value getWeight(Operation *op) {
  return TypeSwitch<Operation *, Value>(op).Case<nn::LinearOp, nn::ConvOp>(
      [](auto product) { return product.getWeight(); });
}

static int64_t countNonzeros(ArrayRef<float> weight) {
  return llvm::count_if(weight, [](float value) { return value != 0; });
}

static CompressedColumns compress(ArrayRef<float> weight, int64_t columns) {
  CompressedColumns result;
  int64_t channels = weight.size() / columns;
  for (int64_t n = 0; n < columns; ++n) {
    for (int64_t k = 0; k < channels; ++k)
      if (float value = weight[k * columns + n]; value != 0) {
        result.values.push_back(value);
        result.coordinates.push_back(uint16_t(k));
      }
    result.positions.push_back(int32_t(result.values.size()));
  }
  return result;
}

template <typename T>
static Value makeConstant(OpBuilder &builder, Location loc, StringRef name, ArrayRef<T> elements) {
  Type element = std::is_floating_point_v<T> ? Type(builder.getF32Type()) : builder.getIntegerType(8 * sizeof(T));
  auto type = RankedTensorType::get({int64_t(elements.size())}, element);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(elements);
  return arith::ConstantOp::create(builder, loc, DenseResourceElementsAttr::get(type, name, std::move(blob)));
}

/// Why the op cannot have a sparse weight, whatever the cost; empty if it can.
static StringRef findObstacle(Operation *op) {
  auto input = cast<RankedTensorType>(op->getOperand(0).getType());
  auto weight = cast<RankedTensorType>(getWeight(op).getType());
  if (!input.getElementType().isF32())
    return "its input is not f32";
  if (codegen::getSparseTileRows(input.getShape().back(), nn::getTarget(op)) == 0)
    return "it has too many input channels for a tile of rows";
  if (auto conv = dyn_cast<nn::ConvOp>(op)) {
    if (weight.getDimSize(0) != 1 || weight.getDimSize(1) != 1)
      return "its window is larger than a pixel";
    if (conv.getGroup() != 1)
      return "it has groups";
    auto isOne = [](int64_t stride) { return stride == 1; };
    if (!llvm::all_of(conv.getStrides(), isOne) || llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; }))
      return "it has strides or padding";
  }
  return "";
}

void LowerSparseWeights::consider(Operation *op) {
  Value weight = getWeight(op);
  auto type = cast<RankedTensorType>(weight.getType());
  ElementsAttr constant;
  if (type.getRank() != (isa<nn::LinearOp>(op) ? 2 : 4) || !type.getElementType().isF32() ||
      !matchPattern(weight, m_Constant(&constant)))
    return;
  std::vector<float> storage;
  std::optional<ArrayRef<float>> elements = readFloats(constant, storage);
  if (!elements || elements->empty())
    return;
  int64_t nonzeros = countNonzeros(*elements);
  if (nonzeros == int64_t(elements->size()))
    return;
  auto options = remark::RemarkOpts::name("SparseWeight").category("lower").function(getOperation().getName());
  double density = double(nonzeros) / double(elements->size());
  if (StringRef obstacle = findObstacle(op); !obstacle.empty()) {
    remark::missed(op->getLoc(), options) << remark::metric("Density", density) << remark::reason("{0}", obstacle);
    return;
  }
  // A dynamic number of rows is at least the product of the static ones; there sparse weights gain least.
  int64_t rows = 1;
  for (int64_t size : cast<RankedTensorType>(op->getOperand(0).getType()).getShape().drop_back())
    rows *= ShapedType::isDynamic(size) ? 1 : size;
  int64_t columns = type.getShape().back();
  codegen::ProductCycles cycles =
      codegen::estimateCycles({rows, int64_t(elements->size()) / columns, columns, nonzeros}, nn::getTarget(op));
  auto describe = [&](remark::detail::InFlightRemark &&remark) -> remark::detail::InFlightRemark {
    remark << remark::metric("Density", density) << remark::metric("Rows", rows)
           << remark::metric("DenseCycles", cycles.dense) << remark::metric("SparseCycles", cycles.sparse);
    return std::move(remark);
  };
  if (cycles.sparse * kMargin > cycles.dense) {
    describe(remark::missed(op->getLoc(), options)) << remark::reason("a dense weight is estimated to be faster");
    return;
  }
  describe(remark::passed(op->getLoc(), options));
  replace(op, *elements, columns);
}

void LowerSparseWeights::replace(Operation *op, ArrayRef<float> weight, int64_t columns) {
  OpBuilder builder(op);
  Location loc = op->getLoc();
  CompressedColumns compressed = compress(weight, columns);
  Value values = makeConstant<float>(builder, loc, "values", compressed.values), coordinates;
  if (int64_t(weight.size()) / columns <= 256) {
    SmallVector<uint8_t, 0> bytes(compressed.coordinates.begin(), compressed.coordinates.end());
    coordinates = makeConstant<uint8_t>(builder, loc, "coordinates", bytes);
  } else {
    coordinates = makeConstant<uint16_t>(builder, loc, "coordinates", compressed.coordinates);
  }
  Value positions = makeConstant<int32_t>(builder, loc, "positions", compressed.positions);
  TypeSwitch<Operation *>(op).Case<nn::LinearOp, nn::ConvOp>([&](auto product) {
    auto sparse = nn::SparseLinearOp::create(builder, loc, op->getResultTypes(), product.getInput(), values,
                                             coordinates, positions, product.getExtras(), product.getInit());
    sparse.getEpilogue().takeBody(product.getEpilogue());
    op->replaceAllUsesWith(sparse);
    op->erase();
  });
}
