//===- LinearAttention.cpp - Attention whose state is a matrix ------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

namespace {

/// Emits, token after token, for each head of keys with its state S [dk, dv]
///
///   write = beta * (v - (exp(g) * k) . S)     of the delta rules, v of the others
///   S = exp(g) * S + k (x) write
///   o = scale * q . S                         for every head of queries that shares the state
///
/// with sums in f32 (Yang et al., "Gated Delta Networks: Improving Mamba2 with Delta Rule", 2024).
class LinearAttentionLayer {
public:
  LinearAttentionLayer(Lowering &lowering, onnx::LinearAttentionOp op)
      : lowering(lowering), builder(lowering.builder), op(op),
        element(lowering.elementType(op.getQuery())), wide(getProductType(element)) {}

  LogicalResult emit();

private:
  using Dims = SmallVector<AffineExpr>;

  LogicalResult initialize();
  Value makeState();
  /// The slice of one token of a tensor [batch, tokens, rest...]: [batch, rest...].
  Value takeToken(Value value, ArrayRef<AffineExpr> dims, Value token);
  /// Reads the given loops of (batch, head, ...).
  AffineMap loops(unsigned count, ArrayRef<unsigned> dims) const;
  Value widen(ImplicitLocOpBuilder &b, Value value) const {
    return createScalarCast(b, b.getLoc(), value, false, wide, false);
  }
  /// value * exp(gate).
  Value decayed(ImplicitLocOpBuilder &b, Value value, Value gate) const {
    ScalarBuilder s{b, b.getLoc()};
    return s.mul(value, s.make<math::ExpOp>({widen(b, gate)}));
  }
  Value makeWrite(Value state, Value key, Value value, Value decay, Value beta);
  Value updateState(Value state, Value key, Value write, Value decay);
  Value readState(Value state, Value query);
  SmallVector<Value> step(Value token, ValueRange carried);

  Lowering &lowering;
  ImplicitLocOpBuilder &builder;
  onnx::LinearAttentionOp op;
  Type element, wide;
  AffineExpr batch, tokens, heads, group, keySize, valueSize;
  Dims queryDims, keyDims, valueDims, decayDims, betaDims, resultDims; ///< with heads apart
  Value query, key, value, decay, beta;
  bool isDelta = false, decaysByRow = false;
  double scale = 1;
};

} // namespace

LogicalResult LinearAttentionLayer::initialize() {
  StringRef rule = op.getUpdateRule();
  if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta")
    return op.emitOpError("expected update_rule linear, gated, delta or gated_delta, but got ")
           << rule;
  bool isGated = rule.starts_with("gated");
  isDelta = rule.ends_with("delta");
  if ((isGated && !op.getDecay()) || (isDelta && !op.getBeta()))
    return op.emitOpError("expected decay and beta as update_rule ")
           << rule << " needs them, but got fewer";
  ArrayRef<AffineExpr> in = lowering.shapes.getDims(op.getQuery());
  int64_t queryHeads = op.getQNumHeads(), keyHeads = op.getKvNumHeads();
  auto depth = dyn_cast<AffineConstantExpr>(lowering.shapes.getDims(op.getKey())[2]);
  if (!depth)
    return op.emitOpError("expected keys of a size that is known at compile time");
  batch = in[0], tokens = in[1];
  heads = lowering.constantExpr(keyHeads), group = lowering.constantExpr(queryHeads / keyHeads);
  keySize = lowering.constantExpr(depth.getValue() / keyHeads);
  valueSize =
      lowering.shapes.simplify(lowering.shapes.getDims(op.getValue())[2].floorDiv(keyHeads));
  double given = op.getScale().convertToDouble();
  scale = given != 0 ? given : 1 / std::sqrt(double(depth.getValue() / keyHeads));
  auto split = [&](Value onnxValue, Dims &dims) {
    return lowering.reshape(lowering.get(onnxValue), lowering.shapes.getDims(onnxValue), dims);
  };
  queryDims = {batch, tokens, heads, group, keySize};
  keyDims = {batch, tokens, heads, keySize};
  valueDims = {batch, tokens, heads, valueSize};
  resultDims = {batch, tokens, heads, group, valueSize};
  query = split(op.getQuery(), queryDims);
  key = split(op.getKey(), keyDims);
  value = split(op.getValue(), valueDims);
  if (isGated) {
    decaysByRow = lowering.shapes.getDims(op.getDecay())[2] != heads;
    decayDims = {batch, tokens, heads};
    if (decaysByRow)
      decayDims.push_back(keySize);
    decay = split(op.getDecay(), decayDims);
  }
  if (isDelta) {
    betaDims.assign(lowering.shapes.getDims(op.getBeta()).begin(),
                    lowering.shapes.getDims(op.getBeta()).end());
    beta = lowering.get(op.getBeta());
  }
  return success();
}

Value LinearAttentionLayer::makeState() {
  Dims dims = {batch, heads, keySize, valueSize};
  if (!op.getPastState())
    return lowering.filled(dims, ScalarBuilder{builder, builder.getLoc()}.constant(wide, 0));
  return lowering.map(dims, wide, lowering.get(op.getPastState()),
                      [&](ImplicitLocOpBuilder &b, ValueRange x) { return widen(b, x[0]); });
}

Value LinearAttentionLayer::takeToken(Value value, ArrayRef<AffineExpr> dims, Value token) {
  Dims kept(dims);
  kept.erase(kept.begin() + 1);
  SmallVector<OpFoldResult> offsets(dims.size(), builder.getIndexAttr(0)),
      sizes = lowering.sizes(dims), strides(dims.size(), builder.getIndexAttr(1));
  offsets[1] = token;
  sizes[1] = builder.getIndexAttr(1);
  return tensor::ExtractSliceOp::create(builder, lowering.type(kept, element), value, offsets,
                                        sizes, strides);
}

AffineMap LinearAttentionLayer::loops(unsigned count, ArrayRef<unsigned> dims) const {
  return AffineMap::get(count, 0,
                        llvm::map_to_vector(dims, [&](unsigned dim) { return lowering.dim(dim); }),
                        builder.getContext());
}

/// What is added to the state in the direction of the key: [batch, heads, dv].
Value LinearAttentionLayer::makeWrite(Value state, Value key, Value value, Value decay,
                                      Value beta) {
  if (!isDelta)
    return value;
  SmallVector<Value> inputs = {state, key};
  SmallVector<AffineMap> maps = {loops(4, {0, 1, 3, 2}), loops(4, {0, 1, 3})};
  if (decay) {
    inputs.push_back(decay);
    maps.push_back(decaysByRow ? loops(4, {0, 1, 3}) : loops(4, {0, 1}));
  }
  maps.push_back(loops(4, {0, 1, 2}));
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  iterators[3] = utils::IteratorType::reduction;
  Dims dims = {batch, heads, valueSize};
  Value zero = lowering.filled(dims, ScalarBuilder{builder, builder.getLoc()}.constant(wide, 0));
  auto addProduct = [&](OpBuilder &nested, Location loc, ValueRange x) {
    ImplicitLocOpBuilder b(loc, nested);
    ScalarBuilder s{b, loc};
    Value weight = widen(b, x[1]);
    if (decay)
      weight = decayed(b, weight, x[2]);
    linalg::YieldOp::create(b, s.add(x.back(), s.mul(x[0], weight)));
  };
  Value found =
      linalg::GenericOp::create(builder, zero.getType(), inputs, zero, maps, iterators, addProduct).getResult(0);
  bool isShared = betaDims[2] != heads;
  AffineMap betaMap =
      AffineMap::get(3, 0, {lowering.dim(0), isShared ? lowering.constantExpr(0) : lowering.dim(1)},
                     builder.getContext());
  AffineMap identity = builder.getMultiDimIdentityMap(3);
  return lowering.generic(dims, wide, {value, found, beta}, {identity, identity, betaMap},
                          [&](ImplicitLocOpBuilder &b, ValueRange x) {
                            ScalarBuilder s{b, b.getLoc()};
                            return s.mul(widen(b, x[2]), s.sub(widen(b, x[0]), x[1]));
                          });
}

Value LinearAttentionLayer::updateState(Value state, Value key, Value write, Value decay) {
  SmallVector<Value> inputs = {key, write};
  SmallVector<AffineMap> maps = {loops(4, {0, 1, 2}), loops(4, {0, 1, 3})};
  if (decay) {
    inputs.push_back(decay);
    maps.push_back(decaysByRow ? loops(4, {0, 1, 2}) : loops(4, {0, 1}));
  }
  maps.push_back(builder.getMultiDimIdentityMap(4));
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  auto addOuterProduct = [&](OpBuilder &nested, Location loc, ValueRange x) {
    ImplicitLocOpBuilder b(loc, nested);
    ScalarBuilder s{b, loc};
    Value old = decay ? decayed(b, x.back(), x[2]) : Value(x.back());
    Value more = s.mul(widen(b, x[0]), widen(b, x[1]));
    linalg::YieldOp::create(b, s.add(old, more));
  };
  return linalg::GenericOp::create(builder, state.getType(), inputs, state, maps, iterators, addOuterProduct)
      .getResult(0);
}

/// [batch, heads, group, dv] of the result.
Value LinearAttentionLayer::readState(Value state, Value query) {
  Dims dims = {batch, heads, group, valueSize};
  Value sum = emitContraction(lowering, dims, 1, wide, {query, state},
                              {loops(5, {0, 1, 2, 4}), loops(5, {0, 1, 4, 3})});
  return lowering.map(dims, element, sum, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    return createScalarCast(b, b.getLoc(), s.mul(x[0], s.constant(wide, scale)), false, element,
                            false);
  });
}

SmallVector<Value> LinearAttentionLayer::step(Value token, ValueRange carried) {
  Value state = carried[0], now = takeToken(key, keyDims, token);
  Value gate = decay ? takeToken(decay, decayDims, token) : Value();
  Value strength = beta ? takeToken(beta, betaDims, token) : Value();
  Value write = makeWrite(state, now, takeToken(value, valueDims, token), gate, strength);
  state = updateState(state, now, write, gate);
  Value read = readState(state, takeToken(query, queryDims, token));
  SmallVector<OpFoldResult> offsets(5, builder.getIndexAttr(0)),
      strides(5, builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = lowering.sizes(resultDims);
  offsets[1] = token;
  sizes[1] = builder.getIndexAttr(1);
  return {state, tensor::InsertSliceOp::create(builder, read, carried[1], offsets, sizes, strides)};
}

LogicalResult LinearAttentionLayer::emit() {
  if (failed(initialize()))
    return failure();
  Value result = lowering.empty(resultDims, element), count = lowering.sizeValue(tokens);
  SmallVector<Value> carried = {makeState(), result};
  auto loop = scf::ForOp::create(builder, lowering.index(0), count, lowering.index(1), carried);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(builder, step(loop.getInductionVar(), loop.getRegionIterArgs()));
  }
  lowering.set(op.getOutput(), lowering.reshape(loop.getResult(1), resultDims,
                                                lowering.shapes.getDims(op.getOutput())));
  if (Value present = op.getPresentState()) {
    Dims dims(lowering.shapes.getDims(present));
    lowering.set(
        present,
        lowering.map(dims, element, loop.getResult(0), [&](ImplicitLocOpBuilder &b, ValueRange x) {
          return createScalarCast(b, b.getLoc(), x[0], false, element, false);
        }));
  }
  return success();
}

static LogicalResult lowerLinearAttention(Lowering &lowering, onnx::LinearAttentionOp op) {
  return LinearAttentionLayer(lowering, op).emit();
}

void lathe::addLinearAttentionLowerings(LoweringTable &table) {
  table.add<onnx::LinearAttentionOp, lowerLinearAttention>();
}
