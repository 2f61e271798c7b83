//===- Winograd.cpp - 3x3 convolutions with fewer multiplications ---------===//
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Codegen/Common/WinogradCost.h"
#include "passes/Lower/Decisions.h"
#include "passes/Lower/Passes.h"
#include "passes/Lower/QuantizedConstants.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERWINOGRAD
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// G, [m + 2, 3]: a filter's values, and its infinite one, at the points 0, 1, -1, 2, -2, each with the weight that
/// makes B^T and A^T whole numbers. For integers it has whole numbers, too (see nn.winograd_conv); the last row is
/// scaled less than the others, so that a transformed filter of bytes fits 16 bits.
static SmallVector<double> getFilterTransform(int64_t m, bool integers) {
  SmallVector<double> matrix = {2, 0, 0, 1, 1, 1, 1, -1, 1, 0, 0, 2};
  if (m == 4)
    matrix = {6, 0, 0, -4, -4, -4, -4, 4, -4, 1, 2, 4, 1, -2, 4, 0, 0, integers ? 12. : 24.};
  if (!integers)
    for (double &element : matrix)
      element /= m == 4 ? 24 : 2;
  return matrix;
}

/// out[i, x, c, o] = sum_y matrix[i, y] * in[y, x, c, o], or, with `columns`, out[i, x, ...] = sum_y matrix[x, y] *
/// in[i, y, ...]. In f64: a transformed filter is rounded once.
static Value transformFilter(OpBuilder &builder, Location loc, Value filter, ArrayRef<double> matrix, bool columns) {
  auto type = cast<RankedTensorType>(filter.getType());
  int64_t rows = matrix.size() / 3;
  SmallVector<int64_t> shape(type.getShape());
  shape[columns ? 1 : 0] = rows;
  auto resultType = RankedTensorType::get(shape, builder.getF64Type());
  auto matrixType = RankedTensorType::get({rows, 3}, builder.getF64Type());
  Value constant = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(matrixType, matrix));
  Value zero = arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0));
  Value empty = tensor::EmptyOp::create(builder, loc, shape, builder.getF64Type());
  Value zeros = linalg::FillOp::create(builder, loc, ValueRange{zero}, ValueRange{empty}).getResult(0);
  AffineExpr i, x, y, c, o;
  bindDims(builder.getContext(), i, x, y, c, o);
  SmallVector<AffineExpr> from = columns ? SmallVector<AffineExpr>{i, y, c, o} : SmallVector<AffineExpr>{y, x, c, o};
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(5, 0, results, builder.getContext()); };
  using utils::IteratorType;
  return linalg::GenericOp::create(
             builder, loc, resultType, ValueRange{filter, constant}, ValueRange{zeros},
             ArrayRef<AffineMap>{map(from), map({columns ? x : i, y}), map({i, x, c, o})},
             ArrayRef<IteratorType>{IteratorType::parallel, IteratorType::parallel, IteratorType::reduction,
                                    IteratorType::parallel, IteratorType::parallel},
             [](OpBuilder &b, Location l, ValueRange arguments) {
               Value element = arguments[0];
               if (element.getType().isInteger())
                 element = arith::SIToFPOp::create(b, l, b.getF64Type(), element);
               else if (!element.getType().isF64())
                 element = arith::ExtFOp::create(b, l, b.getF64Type(), element);
               Value product = arith::MulFOp::create(b, l, element, arguments[1]);
               linalg::YieldOp::create(b, l, arith::AddFOp::create(b, l, arguments[2], product).getResult());
             })
      .getResult(0);
}

/// G g G^T as [(m + 2)^2, C, O] of f32 or i16.
static Value transformWeight(OpBuilder &builder, Location loc, Value weight, int64_t m) {
  bool integers = getElementTypeOrSelf(weight).isInteger();
  SmallVector<double> matrix = getFilterTransform(m, integers);
  Value filter = transformFilter(builder, loc, weight, matrix, /*columns=*/false);
  filter = transformFilter(builder, loc, filter, matrix, /*columns=*/true);
  Type element = integers ? Type(builder.getI16Type()) : Type(builder.getF32Type());
  auto type = cast<RankedTensorType>(filter.getType()).clone(element);
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
  AffineMap identity = builder.getMultiDimIdentityMap(4);
  Value rounded =
      linalg::GenericOp::create(builder, loc, TypeRange{type}, ValueRange{filter}, ValueRange{empty},
                                ArrayRef<AffineMap>{identity, identity},
                                SmallVector<utils::IteratorType>(4, utils::IteratorType::parallel),
                                [&](OpBuilder &b, Location l, ValueRange arguments) {
                                  Value result = integers
                                                     ? arith::FPToSIOp::create(b, l, element, arguments[0]).getResult()
                                                     : arith::TruncFOp::create(b, l, element, arguments[0]).getResult();
                                  linalg::YieldOp::create(b, l, result);
                                })
          .getResult(0);
  return tensor::CollapseShapeOp::create(builder, loc, rounded, ArrayRef<ReassociationIndices>{{0, 1}, {2}, {3}});
}

/// Channels in a row of a tile: a vector of them.
static int64_t getTileLanes(nn::ConvOp op) {
  return nn::getTarget(op).getVectorBits() / cast<ShapedType>(op.getInput().getType()).getElementTypeBitWidth();
}

/// Whether it is a 3x3 convolution of stride 1.
static bool hasShape(nn::ConvOp op) {
  auto isOne = [](int64_t value) { return value == 1; };
  auto weight = cast<ShapedType>(op.getWeight().getType());
  return op.getNumResults() == 1 && weight.getRank() == 4 && weight.getDimSize(0) == 3 && weight.getDimSize(1) == 3 &&
         llvm::all_of(op.getStrides(), isOne) && llvm::all_of(op.getDilations(), isOne);
}

/// Why a convolution cannot be computed this way, whatever the cost; empty if it can.
static StringRef findObstacle(nn::ConvOp op) {
  if (!hasShape(op))
    return "it is not a 3x3 convolution of stride 1";
  auto input = cast<RankedTensorType>(op.getInput().getType()),
       weight = cast<RankedTensorType>(op.getWeight().getType());
  bool integers = input.getElementType().isInteger(16) && weight.getElementType().isInteger(8);
  if (!integers && (!input.getElementType().isF32() || !weight.getElementType().isF32()))
    return "it is not in f32, nor in 16 bits";
  if (input.isDynamicDim(3) || !weight.hasStaticShape() || op.getResultShapedType().isDynamicDim(3))
    return "its number of channels is dynamic";
  if (!matchPattern(op.getWeight(), m_Constant()))
    return "its weight is not constant";
  int64_t group = op.getGroup(), lanes = getTileLanes(op);
  if ((integers || group > 1) && input.getDimSize(3) % (group * lanes) != 0)
    return "its channels fill no whole vectors";
  if (group > 1 && weight.getDimSize(3) % (group * nn::getTarget(op).getVectorBits() / 32) != 0)
    return "the outputs of a group fill no whole vectors";
  return "";
}

/// The largest magnitude that a sum of products of the weight with unsigned bytes can have.
static std::optional<int64_t> getLargestSum(Value weight) {
  ElementsAttr constant;
  matchPattern(weight, m_Constant(&constant));
  std::optional<SmallVector<int8_t>> elements = readElements(constant);
  if (!elements)
    return std::nullopt;
  int64_t outputs = constant.getShapedType().getShape().back(), largest = 0;
  SmallVector<int64_t> positive(outputs), negative(outputs);
  for (auto [index, element] : llvm::enumerate(*elements))
    (element > 0 ? positive : negative)[index % outputs] += std::abs(int64_t(element));
  for (const SmallVector<int64_t> &sums : {positive, negative})
    for (int64_t sum : sums)
      largest = std::max(largest, sum * 255);
  return largest;
}

/// What the tuning of `op` says about it, as far as that can be had.
static codegen::WinogradChoice findChoice(nn::ConvOp op, int64_t largestTile) {
  codegen::WinogradChoice choice;
  nn::TargetAttr target = nn::getTarget(op);
  choice.panelVectors = codegen::chooseWinogradPanelWidth(op) * 32 / int64_t(target.getVectorBits());
  nn::TuningAttr tuning = nn::getTuning(op);
  if (!tuning)
    return choice;
  choice.m = codegen::takeTuned(op, "winograd", tuning.getWinograd(),
                                tuning.getWinograd() > largestTile ? "sums of so large tiles are not exact" : "");
  bool fits = tuning.getTileRows() <= codegen::maxTileRows(target, choice.panelVectors);
  StringRef obstacle = op.getGroup() > 1 ? "the cache says how many tiles of a group a task has"
                       : !fits           ? "so many rows do not fit the registers"
                                         : "";
  choice.tilesPerBlock = codegen::takeTuned(op, "tile_rows", tuning.getTileRows(), obstacle);
  return choice;
}

WinogradDecision lathe::decideWinograd(nn::ConvOp op) {
  WinogradDecision decision;
  decision.obstacle = findObstacle(op);
  if (!decision.obstacle.empty())
    return decision;
  ArrayRef<int64_t> result = op.getResultShapedType().getShape();
  int64_t channels = cast<ShapedType>(op.getInput().getType()).getDimSize(3);
  auto known = [](int64_t size) { return ShapedType::isDynamic(size) ? -1 : size; };
  codegen::WinogradConvShape shape = {known(result[0]), known(result[1]), known(result[2]),
                                      channels,         result[3],        int64_t(op.getGroup())};
  if (cast<ShapedType>(op.getInput().getType()).getElementType().isInteger()) {
    // What the sums are known modulo, divided by the square of the scale of G.
    std::optional<int64_t> largest = getLargestSum(op.getWeight());
    shape.integers = true;
    shape.largestTile = !largest || *largest >= int64_t(1) << 29 ? 0 : *largest < int64_t(1) << 25 ? 4 : 2;
  }
  codegen::WinogradChoice choice = findChoice(op, shape.largestTile);
  decision.largestTile = shape.largestTile;
  decision.isMeasured = choice.m.has_value();
  decision.plan = codegen::planWinograd(shape, nn::getTarget(op), choice);
  return decision;
}

namespace {

struct LowerWinograd : lathe::impl::LowerWinogradBase<LowerWinograd> {
  using LowerWinogradBase::LowerWinogradBase;

  void runOnOperation() override {
    SmallVector<nn::ConvOp> ops;
    getOperation().walk([&](nn::ConvOp op) {
      if (hasShape(op))
        ops.push_back(op);
    });
    for (nn::ConvOp op : ops)
      consider(op);
  }

private:
  void consider(nn::ConvOp op) {
    auto options = remark::RemarkOpts::name("Winograd").category("lower").function(getOperation().getName());
    WinogradDecision decision = decideWinograd(op);
    if (!decision.obstacle.empty()) {
      remark::missed(op.getLoc(), options) << remark::reason("{0}", decision.obstacle);
      if (nn::TuningAttr tuning = nn::getTuning(op); tuning && tuning.getWinograd() > 0)
        (void)codegen::takeTuned(op, "winograd", tuning.getWinograd(), decision.obstacle);
      return;
    }
    const codegen::WinogradPlan &plan = decision.plan;
    auto describe = [&](remark::detail::InFlightRemark &&remark) -> remark::detail::InFlightRemark {
      remark << remark::metric("DirectWork", plan.direct) << remark::metric("WinogradWork", plan.winograd);
      return std::move(remark);
    };
    if (plan.m == 0) {
      describe(remark::missed(op.getLoc(), options)) << remark::reason("the direct convolution is {0} to be faster",
                                                                       decision.isMeasured ? "measured" : "estimated");
      return;
    }
    describe(remark::passed(op.getLoc(), options))
        << remark::metric("TileSize", plan.m) << remark::metric("TransformInTasks", plan.transformInTasks);
    replace(op, plan);
  }

  void replace(nn::ConvOp op, const codegen::WinogradPlan &plan) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    auto input = cast<RankedTensorType>(op.getInput().getType());
    ArrayRef<int64_t> result = op.getResultShapedType().getShape();
    int64_t m = plan.m, lanes = getTileLanes(op);
    // Below and to the right the input is padded to whole tiles; a dynamic size by as much as that may take.
    SmallVector<int64_t> pads(op.getPads());
    int64_t tiles = ShapedType::isDynamic(result[0]) ? -1 : result[0];
    for (unsigned i = 0; i < 2; ++i) {
      if (input.isDynamicDim(1 + i) || ShapedType::isDynamic(result[1 + i])) {
        pads[2 + i] += m - 1;
        tiles = -1;
        continue;
      }
      int64_t count = llvm::divideCeil(result[1 + i], m);
      pads[2 + i] = m * count + 2 - input.getDimSize(1 + i) - pads[i];
      tiles = tiles < 0 ? -1 : tiles * count;
    }
    int64_t blocks = tiles < 0 ? ShapedType::kDynamic : llvm::divideCeil(tiles, plan.tilesPerBlock);
    auto tilesType = RankedTensorType::get(
        {blocks, (m + 2) * (m + 2), int64_t(llvm::divideCeil(input.getDimSize(3), lanes)), plan.tilesPerBlock, lanes},
        input.getElementType());
    Value image = op.getInput();
    int64_t padValue = op.getPadValue();
    if (!plan.transformInTasks) {
      image =
          nn::WinogradInputOp::create(builder, loc, tilesType, image, /*init=*/Value(), m, pads, padValue).getResult();
      llvm::fill(pads, 0);
      padValue = 0;
    }
    Value weight = transformWeight(builder, loc, op.getWeight(), m);
    auto conv = nn::WinogradConvOp::create(builder, loc, op->getResultTypes(), image, weight, op.getExtras(),
                                           op.getInit(), m, op.getGroup(), pads, padValue);
    conv.getEpilogue().takeBody(op.getEpilogue());
    if (nn::TuningAttr tuning = nn::getTuning(op))
      conv->setAttr(nn::kTuningAttr, tuning);
    op->replaceAllUsesWith(conv);
    op->erase();
  }
};

} // namespace
