//===- TokenFlow.cpp - Where the tokens of an encoder go ------------------===//
#include "passes/Compress/Tokens/TokenFlow.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Encoder layers
//===----------------------------------------------------------------------===//

/// The sequence whose projection a query, key or value is; null if it is none.
static Value getProjected(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto linear = dyn_cast<nn::LinearOp>(op))
      return linear.getInput();
    if (!isa<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::TransposeOp, onnx::SplitOp, onnx::SliceOp,
             onnx::GatherOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// The sum of an attention's projection and its residual; null if there is none.
static Value getStream(nn::AttentionOp attention) {
  Value value = attention.getResult();
  while (value.hasOneUse() && isa<onnx::ReshapeOp, onnx::TransposeOp, onnx::SqueezeOp>(*value.user_begin()))
    value = value.user_begin()->getResult(0);
  auto linear = value.hasOneUse() ? dyn_cast<nn::LinearOp>(*value.user_begin()) : nullptr;
  if (!linear || linear.getInput() != value)
    return {};
  for (Value extra : linear.getExtras())
    if (extra.getType() == linear.getResult().getType() && !extra.getDefiningOp<onnx::ConstantOp>())
      return linear.getResult();
  value = linear.getResult();
  while (value.hasOneUse() && isa<onnx::ReshapeOp, onnx::UnsqueezeOp>(*value.user_begin()))
    value = value.user_begin()->getResult(0);
  if (!value.hasOneUse())
    return {};
  auto sum = dyn_cast<onnx::AddOp>(*value.user_begin());
  bool keepsType = sum && sum.getA().getType() == sum.getB().getType() && sum.getC().getType() == sum.getA().getType();
  return keepsType ? sum.getC() : Value();
}

std::string lathe::matchEncoderLayer(nn::AttentionOp attention, EncoderLayer &layer) {
  if (attention.getMask() || attention.getCausal())
    return "its scores are masked";
  if (attention.getInit() || attention.getKeyPacked())
    return "it is lowered already";
  Value sequence = getProjected(attention.getKey());
  if (!sequence || getProjected(attention.getQuery()) != sequence || getProjected(attention.getValue()) != sequence)
    return "query, key and value are not projections of one sequence";
  layer.attention = attention;
  layer.stream = getStream(attention);
  if (!layer.stream)
    return "no residual is added to its projection";
  RankedTensorType type = getType(layer.stream);
  int64_t keys = getType(attention.getKey()).getDimSize(attention.getKvHeadsFirst() ? 2 : 1);
  if (type.getRank() != 3 || !type.getElementType().isF32() || type.isDynamicDim(1) || type.getDimSize(1) != keys)
    return "its tokens are not [batch, tokens, channels] of f32 in a static number";
  layer.tokens = keys;
  return {};
}

//===----------------------------------------------------------------------===//
// Flow
//===----------------------------------------------------------------------===//

std::string TokenFlow::visitBroadcast(ValueRange operands, Value result) {
  int64_t rank = getType(result).getRank();
  std::optional<TokenDim> found;
  for (Value operand : operands)
    if (auto it = dims.find(operand); it != dims.end()) {
      TokenDim dim{unsigned(it->second.dim + rank - getType(operand).getRank()), it->second.count};
      if (found && (found->dim != dim.dim || found->count != dim.count))
        return "different numbers of tokens meet";
      found = dim;
    }
  for (Value operand : operands) {
    int64_t own = int64_t(found->dim) - (rank - getType(operand).getRank());
    if (!dims.count(operand) && own >= 0 && getType(operand).getDimSize(own) != 1)
      return "merged tokens meet a tensor for all tokens";
  }
  dims[result] = *found;
  return {};
}

std::string TokenFlow::visitAttention(nn::AttentionOp op) {
  unsigned queryDim = op.getHeadsFirst() ? 2 : 1, keyDim = op.getKvHeadsFirst() ? 2 : 1;
  auto query = dims.find(op.getQuery()), key = dims.find(op.getKey()), value = dims.find(op.getValue());
  if (query == dims.end() || key == dims.end() || value == dims.end())
    return "only a part of query, key and value is of merged tokens";
  if (query->second.dim != queryDim || key->second.dim != keyDim || value->second.dim != keyDim ||
      query->second.count != key->second.count || value->second.count != key->second.count)
    return "query, key and value are not of the same tokens";
  if (op.getMask() || op.getCausal())
    return "its scores are masked";
  dims[op.getResult()] = {queryDim, query->second.count};
  attentions.push_back(op);
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
    dims[op->getResult(0)] = {unsigned(dim), tokens.count};
    if (isa<onnx::ReshapeOp>(op))
      reshapes.push_back({op, unsigned(dim), tokens.count});
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
    dims[gather.getOutput()] = {unsigned(axis < dim ? dim + indicesRank - 1 : dim), tokens->second.count};
    return {};
  }
  DenseIntElementsAttr indices;
  if (!matchPattern(gather.getIndices(), m_Constant(&indices)) ||
      !llvm::all_of(indices.getValues<APInt>(), [](const APInt &index) { return index.isZero(); }))
    return "it reads other tokens than the first";
  readsClass = true;
  return {};
}

std::string TokenFlow::visitSlice(Operation *op) {
  auto slice = cast<onnx::SliceOp>(op);
  TokenDim tokens = dims.lookup(slice.getData());
  dims[slice.getOutput()] = tokens;
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
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op)) {
    TokenDim tokens = dims.lookup(transpose.getData());
    int64_t rank = getType(transpose.getData()).getRank();
    std::optional<ArrayRef<int64_t>> permutation = transpose.getPerm();
    for (int64_t i = 0; i < rank; ++i)
      if ((permutation ? (*permutation)[i] : rank - 1 - i) == int64_t(tokens.dim))
        dims[transpose.getTransposed()] = {unsigned(i), tokens.count};
    return {};
  }
  if (auto slice = dyn_cast<onnx::SliceOp>(op))
    return visitSlice(slice);
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
        return op.emitError("cannot merge tokens before ") << op.getName() << ": " << obstacle;
    for (const EncoderLayer &layer : layers)
      if (layer.merged && layer.stream.getDefiningOp() == &op) {
        auto tokens = dims.find(layer.stream);
        int64_t before = tokens == dims.end() ? layer.tokens : tokens->second.count;
        dims[layer.stream] = {1, before - layer.merged};
      }
  }
  if (!dims.empty() && !readsClass)
    return function.emitError("cannot merge tokens: expected the class to be read from the first token");
  return success();
}

void TokenFlow::rewriteReshapes() {
  for (Reshape &reshape : reshapes) {
    DenseIntElementsAttr target;
    if (!matchPattern(reshape.op->getOperand(1), m_Constant(&target)))
      continue;
    SmallVector<int64_t> sizes(target.getValues<int64_t>());
    // 0 and -1 follow from the input.
    if (sizes[reshape.dim] <= 0)
      continue;
    sizes[reshape.dim] = reshape.count;
    OpBuilder builder(reshape.op);
    reshape.op->setOperand(
        1, onnx::ConstantOp::create(builder, reshape.op->getLoc(), builder.getI64TensorAttr(sizes)));
  }
}
