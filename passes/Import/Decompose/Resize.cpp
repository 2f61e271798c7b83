//===- Resize.cpp - Resizing with antialias as matrix products ------------===//
#include "mlir/IR/Matchers.h"
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace {

/// How one dimension is resized.
struct ResizedAxis {
  int64_t axis, inputSize, outputSize;
  double scale;
};

} // namespace

/// Where the center of element `place` of the result lies in the input; nullopt for modes that need
/// a region.
static std::optional<double> getCoordinate(StringRef mode, const ResizedAxis &axis, int64_t place) {
  double x = double(place), out = axis.scale * double(axis.inputSize); // as if it were not rounded
  double center = (x + 0.5) / axis.scale - 0.5;
  if (mode == "half_pixel")
    return center;
  if (mode == "pytorch_half_pixel")
    return axis.outputSize > 1 ? center : 0;
  if (mode == "half_pixel_symmetric") {
    double adjustment = double(axis.outputSize) / out;
    return double(axis.inputSize) / 2 * (1 - adjustment) + center;
  }
  if (mode == "asymmetric")
    return x / axis.scale;
  if (mode == "align_corners")
    return out > 1 ? x * double(axis.inputSize - 1) / (out - 1) : 0;
  return std::nullopt;
}

/// The filter at distance `x` from its center: a triangle, or Keys' cubic (1981).
static double getFilter(bool isCubic, double x, double a) {
  x = std::abs(x);
  if (!isCubic)
    return std::max(1 - x, 0.0);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// The weight of each element of the input in each of the result, [output, input], of a filter that
/// is as wide as the result's elements are apart. Empty for modes that need a region.
static SmallVector<double> makeWeights(ResizeOp op, const ResizedAxis &axis) {
  bool isCubic = op.getMode() == "cubic";
  double a = op.getCubicCoeffA().convertToDouble(), narrow = std::min(axis.scale, 1.0);
  int64_t first = int64_t(std::floor(-(isCubic ? 2 : 1) / narrow)) + 1;
  SmallVector<double> weights(axis.outputSize * axis.inputSize, 0);
  for (int64_t place = 0; place < axis.outputSize; ++place) {
    std::optional<double> center = getCoordinate(op.getCoordinateTransformationMode(), axis, place);
    if (!center)
      return {};
    double floor = std::floor(*center), fraction = *center - floor, sum = 0;
    MutableArrayRef<double> row =
        MutableArrayRef<double>(weights).slice(place * axis.inputSize, axis.inputSize);
    for (int64_t tap = first; tap <= 1 - first; ++tap) {
      int64_t index = int64_t(floor) + tap,
              inside = std::clamp<int64_t>(index, 0, axis.inputSize - 1);
      if (op.getExcludeOutside() && index != inside)
        continue;
      double weight = getFilter(isCubic, (double(tap) - fraction) * narrow, a);
      row[inside] += weight;
      sum += weight;
    }
    for (double &weight : row)
      weight /= sum;
  }
  return weights;
}

/// The dimensions that change their size; nullopt if that is not known at compile time.
static std::optional<SmallVector<ResizedAxis>> getAxes(ResizeOp op) {
  ArrayRef<int64_t> in = NodeBuilder::getType(op.getX()).getShape(),
                    out = NodeBuilder::getType(op.getY()).getShape();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(in.size()));
  if (auto given = op.getAxes())
    axes.assign(given->begin(), given->end());
  DenseFPElementsAttr scales;
  bool hasScales = op.getScales() && NodeBuilder::getType(op.getScales()).getNumElements() > 0;
  if (hasScales && (!matchPattern(op.getScales(), m_Constant(&scales)) ||
                    scales.getNumElements() != int64_t(axes.size())))
    return std::nullopt;
  DenseIntElementsAttr sizes;
  StringRef policy = op.getKeepAspectRatioPolicy();
  bool keepsRatio = !hasScales && policy != "stretch";
  if (keepsRatio && (!op.getSizes() || !matchPattern(op.getSizes(), m_Constant(&sizes)) ||
                     sizes.getNumElements() != int64_t(axes.size())))
    return std::nullopt;
  SmallVector<ResizedAxis> resized;
  std::optional<double> common;
  for (auto [position, given] : llvm::enumerate(axes)) {
    int64_t axis = given < 0 ? given + int64_t(in.size()) : given;
    double scale = double(out[axis]) / double(in[axis]);
    if (hasScales)
      scale = scales.getValues<APFloat>()[position].convertToDouble();
    if (keepsRatio) {
      scale = double(sizes.getValues<APInt>()[position].getSExtValue()) / double(in[axis]);
      common = !common                  ? scale
               : policy == "not_larger" ? std::min(*common, scale)
                                        : std::max(*common, scale);
    }
    resized.push_back({axis, in[axis], out[axis], scale});
  }
  if (common)
    for (ResizedAxis &axis : resized)
      axis.scale = *common;
  llvm::erase_if(resized, [](const ResizedAxis &axis) {
    return axis.scale == 1 && axis.inputSize == axis.outputSize;
  });
  return resized;
}

/// The product with a matrix [output, input] along an axis.
static Value multiplyAlong(NodeBuilder &nodes, Value value, const ResizedAxis &axis,
                           ArrayRef<double> weights) {
  int64_t rank = NodeBuilder::getType(value).getRank();
  Value matrix =
      nodes.floats(NodeBuilder::getElement(value), {axis.outputSize, axis.inputSize}, weights);
  if (axis.axis == rank - 2)
    return nodes.matmul(matrix, value);
  matrix = nodes.transpose(matrix, {1, 0});
  if (axis.axis == rank - 1 && rank > 1)
    return nodes.matmul(value, matrix);
  SmallVector<int64_t> swap = llvm::to_vector(llvm::seq(rank)),
                       shape(NodeBuilder::getType(value).getShape());
  if (rank == 1)
    return nodes.reshape(nodes.matmul(nodes.reshape(value, {1, shape[0]}), matrix),
                         axis.outputSize);
  std::swap(swap[axis.axis], swap[rank - 1]);
  return nodes.transpose(nodes.matmul(nodes.transpose(value, swap), matrix), swap);
}

static LogicalResult rewriteAntialias(ResizeOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType()),
       result = dyn_cast<RankedTensorType>(op.getY().getType());
  if (!op.getAntialias() || (op.getMode() != "linear" && op.getMode() != "cubic") || !type ||
      !result || !type.hasStaticShape() || !result.hasStaticShape() || !type.getNumElements() ||
      !result.getNumElements())
    return failure();
  std::optional<SmallVector<ResizedAxis>> axes = getAxes(op);
  if (!axes)
    return failure();
  SmallVector<SmallVector<double>> weights;
  for (const ResizedAxis &axis : *axes) {
    weights.push_back(makeWeights(op, axis));
    if (weights.back().empty())
      return failure();
  }
  NodeBuilder nodes(rewriter, op.getLoc());
  Type element = type.getElementType();
  Value value = nodes.cast(op.getX(), element.isF64() ? element : rewriter.getF32Type());
  for (auto [axis, matrix] : llvm::zip_equal(*axes, weights))
    value = multiplyAlong(nodes, value, axis, matrix);
  rewriter.replaceOp(op, nodes.cast(value, element));
  return success();
}

void lathe::populateResizePatterns(RewritePatternSet &patterns) { patterns.add(rewriteAntialias); }
