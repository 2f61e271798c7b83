//===- TokenFlow.cpp - Where the tokens of an encoder go ------------------===//
#include "passes/Compress/Tokens/TokenFlow.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

std::string TokenFlow::visitBroadcast(ValueRange operands, Value result) {
  int64_t rank = getType(result).getRank();
  std::optional<TokenDim> found;
  for (Value operand : operands)
    if (auto it = dims.find(operand); it != dims.end()) {
      TokenDim tokens = it->second;
      tokens.dim += rank - getType(operand).getRank();
      if (found && (found->dim != tokens.dim || found->layer != tokens.layer || found->noClass != tokens.noClass))
        return "different tokens meet";
      found = tokens;
    }
  for (Value operand : operands) {
    int64_t own = int64_t(found->dim) - (rank - getType(operand).getRank());
    if (!dims.count(operand) && own >= 0 && getType(operand).getDimSize(own) != 1)
      return "fewer tokens meet a tensor for all tokens";
  }
  dims[result] = *found;
  return {};
}

std::string TokenFlow::visitAttention(nn::AttentionOp op) {
  unsigned queryDim = op.getHeadsFirst() ? 2 : 1, keyDim = op.getKvHeadsFirst() ? 2 : 1;
  auto query = dims.find(op.getQuery()), key = dims.find(op.getKey()), value = dims.find(op.getValue());
  if (query == dims.end() || key == dims.end() || value == dims.end())
    return "only a part of query, key and value is of fewer tokens";
  if (query->second.dim != queryDim || key->second.dim != keyDim || value->second.dim != keyDim ||
      query->second.layer != key->second.layer || value->second.layer != key->second.layer || query->second.noClass ||
      key->second.noClass || value->second.noClass)
    return "query, key and value are not of the same tokens";
  if (op.getMask() || op.getCausal())
    return "its scores are masked";
  TokenDim tokens = query->second;
  dims[op.getResult()] = tokens;
  attentions.push_back({op, tokens});
  return {};
}

/// Sizes before a dimension: the product of the static ones, and how many are dynamic.
static std::pair<int64_t, int64_t> countBefore(RankedTensorType type, int64_t dim) {
  std::pair<int64_t, int64_t> count{1, 0};
  for (int64_t size : type.getShape().take_front(dim)) {
    if (ShapedType::isDynamic(size))
      ++count.second;
    else
      count.first *= size;
  }
  return count;
}

/// Reshape, Squeeze and Unsqueeze keep a dimension that has the same number of elements before it, and its size.
std::string TokenFlow::visitReshape(Operation *op) {
  TokenDim tokens = dims.lookup(op->getOperand(0));
  RankedTensorType from = getType(op->getOperand(0)), to = getType(op->getResult(0));
  for (int64_t dim = 0; dim < to.getRank(); ++dim) {
    if (to.getDimSize(dim) != from.getDimSize(tokens.dim) || countBefore(to, dim) != countBefore(from, tokens.dim))
      continue;
    record(op->getResult(0), tokens, dim);
    if (isa<onnx::ReshapeOp>(op))
      reshapes.push_back({op, dims.lookup(op->getResult(0))});
    return {};
  }
  return "its result has no dimension of tokens";
}

/// The first token is the class, which stays where it is.
std::string TokenFlow::visitGather(Operation *op) {
  auto gather = cast<onnx::GatherOp>(op);
  auto tokens = dims.find(gather.getData());
  if (tokens == dims.end())
    return "tokens are indices";
  int64_t axis = gather.getAxis(), rank = getType(gather.getData()).getRank();
  axis += axis < 0 ? rank : 0;
  int64_t dim = tokens->second.dim, indicesRank = getType(gather.getIndices()).getRank();
  if (axis != dim) {
    record(gather.getOutput(), tokens->second, axis < dim ? dim + indicesRank - 1 : dim);
    return {};
  }
  DenseIntElementsAttr indices;
  if (tokens->second.noClass || !matchPattern(gather.getIndices(), m_Constant(&indices)) ||
      !llvm::all_of(indices.getValues<APInt>(), [](const APInt &index) { return index.isZero(); }))
    return "it reads other tokens than the first";
  readsClass = true;
  return {};
}

/// Of the tokens, the first one or all others are sliced; other dimensions as they are.
std::string TokenFlow::visitSlice(Operation *op) {
  auto slice = cast<onnx::SliceOp>(op);
  auto found = dims.find(slice.getData());
  if (found == dims.end())
    return "tokens are positions";
  TokenDim tokens = found->second;
  RankedTensorType type = getType(slice.getData());
  auto read = [](Value value) {
    DenseIntElementsAttr elements;
    if (!value || !matchPattern(value, m_Constant(&elements)))
      return SmallVector<int64_t>();
    return llvm::map_to_vector(elements.getValues<APInt>(), [](const APInt &element) { return element.getSExtValue(); });
  };
  SmallVector<int64_t> starts = read(slice.getStarts()), ends = read(slice.getEnds()), axes = read(slice.getAxes()),
                       steps = read(slice.getSteps());
  if (!slice.getAxes())
    axes.assign(llvm::seq<int64_t>(0, starts.size()).begin(), llvm::seq<int64_t>(0, starts.size()).end());
  if (starts.empty() || ends.size() != starts.size() || axes.size() != starts.size() ||
      (slice.getSteps() && steps.size() != starts.size()))
    return "it slices at positions that are not constant";
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (axis + (axis < 0 ? type.getRank() : 0) != int64_t(tokens.dim))
      continue;
    int64_t count = type.getDimSize(tokens.dim), start = starts[index], end = ends[index];
    start = std::clamp<int64_t>(start + (start < 0 ? count : 0), 0, count);
    end = std::clamp<int64_t>(end + (end < 0 ? count : 0), 0, count);
    if (tokens.noClass || (slice.getSteps() && steps[index] != 1) || !((start == 0 && end == 1) || (start == 1 && end == count)))
      return "it reads other tokens than the first, or all but the first";
    if (start == 0) {
      readsClass = true;
      return {};
    }
    dropsClass = tokens.noClass = true;
    --tokens.count;
  }
  dims[slice.getOutput()] = tokens;
  return {};
}

/// The mean over tokens, and no other dimension, ends them.
std::string TokenFlow::visitMean(Operation *op) {
  auto mean = cast<onnx::ReduceMeanOp>(op);
  TokenDim tokens = dims.lookup(mean.getData());
  RankedTensorType type = getType(mean.getData());
  DenseIntElementsAttr axes;
  if (!mean.getAxes() || !matchPattern(mean.getAxes(), m_Constant(&axes)) || axes.getNumElements() != 1)
    return "it reduces more than the tokens";
  int64_t axis = (*axes.value_begin<APInt>()).getSExtValue();
  if (axis + (axis < 0 ? type.getRank() : 0) != int64_t(tokens.dim))
    return "it reduces another dimension than the tokens";
  if (type.getRank() != 3 || tokens.dim != 1)
    return "its tokens are not [batch, tokens, channels]";
  means.push_back({op, tokens});
  return {};
}

std::string TokenFlow::visit(Operation *op) {
  if (isa<nn::NormOp>(op)) {
    auto tokens = dims.find(op->getOperand(0));
    if (tokens == dims.end() || tokens->second.dim + 1 == getType(op->getOperand(0)).getRank())
      return "it normalises over tokens";
    dims[op->getResult(0)] = TokenDim(tokens->second);
    return {};
  }
  if (auto linear = dyn_cast<nn::LinearOp>(op)) {
    auto tokens = dims.find(linear.getInput());
    if (tokens != dims.end() && tokens->second.dim + 1 == getType(linear.getInput()).getRank())
      return "it sums over tokens";
    if (dims.count(linear.getWeight()))
      return "tokens are its weight";
    // The input broadcasts as the result does, but for the channels, which are not tokens.
    SmallVector<Value> operands(linear.getExtras());
    operands.push_back(linear.getInput());
    return visitBroadcast(operands, linear.getResult());
  }
  if (auto attention = dyn_cast<nn::AttentionOp>(op))
    return visitAttention(attention);
  if (isa<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op))
    return visitReshape(op);
  if (isa<onnx::GatherOp>(op))
    return visitGather(op);
  if (isa<onnx::ReduceMeanOp>(op))
    return visitMean(op);
  if (isa<onnx::SliceOp>(op))
    return visitSlice(op);
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op)) {
    TokenDim tokens = dims.lookup(transpose.getData());
    int64_t rank = getType(transpose.getData()).getRank();
    std::optional<ArrayRef<int64_t>> permutation = transpose.getPerm();
    for (int64_t i = 0; i < rank; ++i)
      if ((permutation ? (*permutation)[i] : rank - 1 - i) == int64_t(tokens.dim))
        record(transpose.getTransposed(), tokens, i);
    return {};
  }
  if (auto split = dyn_cast<onnx::SplitOp>(op)) {
    auto tokens = dims.find(split.getInput());
    int64_t axis = split.getAxis(), rank = getType(split.getInput()).getRank();
    if (tokens == dims.end() || axis + (axis < 0 ? rank : 0) == int64_t(tokens->second.dim))
      return "it splits tokens";
    TokenDim dim = tokens->second;
    for (Value result : op->getResults())
      dims[result] = dim;
    return {};
  }
  if (isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::ReluOp, onnx::ErfOp, onnx::GeluOp, onnx::TanhOp,
          onnx::SigmoidOp>(op))
    return visitBroadcast(op->getOperands(), op->getResult(0));
  // Sizes are inferred anew.
  if (isa<onnx::ShapeOp>(op))
    return {};
  if (isa<func::ReturnOp>(op))
    return "tokens are a result of the model";
  return "it is not known what becomes of tokens";
}

LogicalResult TokenFlow::trace(func::FuncOp function, ArrayRef<EncoderLayer> layers) {
  for (Operation &op : function.getBody().front()) {
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return dims.count(operand); }))
      if (std::string obstacle = visit(&op); !obstacle.empty())
        return op.emitError("cannot have fewer tokens before ") << op.getName() << ": " << obstacle;
    for (auto [index, layer] : llvm::enumerate(layers))
      if (layer.left < layer.before && layer.stream.getDefiningOp() == &op)
        dims[layer.stream] = {1, layer.left, unsigned(index)};
  }
  if (!dims.empty() && !readsClass && means.empty())
    return function.emitError("cannot have fewer tokens: expected the class to be read from the first token, or the mean of tokens");
  return success();
}

void TokenFlow::rewriteReshapes() {
  for (auto [op, tokens] : reshapes) {
    DenseIntElementsAttr target;
    if (!matchPattern(op->getOperand(1), m_Constant(&target)))
      continue;
    SmallVector<int64_t> sizes(target.getValues<int64_t>());
    // 0 and -1 follow from the input.
    if (sizes[tokens.dim] <= 0)
      continue;
    sizes[tokens.dim] = tokens.count;
    OpBuilder builder(op);
    op->setOperand(1, onnx::ConstantOp::create(builder, op->getLoc(), builder.getI64TensorAttr(sizes)));
  }
}
