//===- Recurrent.cpp - GRU, LSTM and RNN as loops over time ---------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/RecurrentActivations.h"

using namespace mlir;
using namespace lathe;

namespace {
using Dims = ArrayRef<AffineExpr>;

/// Emits one layer. The input projection of all steps is one product; a loop over time adds the
/// projection of the hidden state. `Gates` of the op stack in one matrix. States are carried as
/// [batch, hidden].
class RecurrentLayer {
public:
  RecurrentLayer(Lowering &lowering, Operation *op, Value x, Value w, Value r, Value bias,
                 unsigned stateCount)
      : lowering(lowering), builder(lowering.builder), op(op), x(x), w(w), r(r), bias(bias),
        stateCount(stateCount) {}
  virtual ~RecurrentLayer() = default;

  /// Reads what all layers share and refuses what they do not support.
  LogicalResult initialize(StringRef direction, int64_t layout, Value sequenceLens,
                           std::optional<APFloat> clip, ArrayRef<StringRef> defaults);
  /// Emits the layer. `initialStates` and `finalStates` may hold nulls.
  void emit(ArrayRef<Value> initialStates, Value y, ArrayRef<Value> finalStates);

protected:
  /// The states after one step: `input` gives the projected input of a gate, [batch, hidden].
  virtual SmallVector<Value> step(function_ref<Value(unsigned)> input, ValueRange states) = 0;
  /// Weights of one direction, made once, before the loop.
  virtual void prepareDirection() = 0;
  /// Bias of the input projection, [gates * hidden]; null without.
  virtual Value inputBias() { return bias ? biasSlice(0, gates()) : Value(); }

  int64_t gates() const { return gateCount; }
  Value activate(ImplicitLocOpBuilder &b, unsigned index, Value value) const;
  /// The same of a sum of products, which is held within the bound that `clip` says.
  Value activateSum(ImplicitLocOpBuilder &b, unsigned index, Value sum) const;
  /// Rows [gate * hidden, (gate + count) * hidden) of this direction of a weight, transposed to [K,
  /// count * hidden].
  Value weight(Value matrix, unsigned gate, unsigned count);
  /// Gates [gate, gate + count) of this direction's bias; the hidden state's follow the input's.
  Value biasSlice(unsigned gate, unsigned count) { return vector(bias, gate, count); }
  Value vector(Value matrix, unsigned gate, unsigned count);
  Value linear(Value input, Dims inputDims, Value matrix, int64_t columns, Value addend);
  /// A gate of a [batch, gates * hidden] product.
  Value gateOf(Value product, unsigned gate);
  /// The states updated in place; the body gets the inputs' elements and then the states'.
  SmallVector<Value>
  update(ValueRange inputs, ArrayRef<AffineMap> maps, ValueRange states,
         function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> body);
  SmallVector<AffineMap> identityMaps(unsigned count) const {
    return SmallVector<AffineMap>(count, builder.getMultiDimIdentityMap(2));
  }

  Lowering &lowering;
  ImplicitLocOpBuilder &builder;
  Operation *op;
  Value x, w, r, bias;
  unsigned stateCount;
  SmallVector<AffineExpr> stateDims; ///< [batch, hidden]
  int64_t hidden = 0, gateCount = 0;
  int64_t direction = 0; ///< the one that is emitted

private:
  void emitDirection(ArrayRef<Value> initialStates, bool reverse, Value &y,
                     MutableArrayRef<Value> finalStates, bool needsSteps);
  /// One of two [batch, hidden]: `now` of the sequences that have a step at `time`. Null
  /// `otherwise` is 0.
  Value choose(Value time, Value now, Value otherwise);

  int64_t directions = 1;
  bool firstIsReverse = false, batchFirst = false;
  SmallVector<AffineExpr> inputDims; ///< [steps, batch, inputs]
  Value inputSteps;                  ///< the input in this order
  Value lengths;                     ///< steps of each sequence; null: all of them
  Type element;
  std::optional<double> bound; ///< of the sums that activations see, on both sides
  SmallVector<RecurrentActivation> activations; ///< of all directions
};
} // namespace

LogicalResult RecurrentLayer::initialize(StringRef directionName, int64_t layout,
                                         Value sequenceLens, std::optional<APFloat> clip,
                                         ArrayRef<StringRef> defaults) {
  element = lowering.elementType(x);
  if (!element.isF32())
    return op->emitOpError("expected elements of f32, but got ") << element;
  batchFirst = layout == 1;
  lengths = sequenceLens;
  if (clip)
    bound = clip->convertToDouble();
  directions = directionName == "bidirectional" ? 2 : 1;
  firstIsReverse = directionName == "reverse";

  Dims recurrent = lowering.shapes.getDims(r), input = lowering.shapes.getDims(x);
  inputDims.assign(input.begin(), input.end());
  if (batchFirst)
    std::swap(inputDims[0], inputDims[1]);
  auto rows = dyn_cast<AffineConstantExpr>(recurrent[1]),
       columns = dyn_cast<AffineConstantExpr>(recurrent[2]);
  if (!rows || !columns || !isa<AffineConstantExpr>(input[2]))
    return op->emitOpError("expected static input and hidden sizes");
  hidden = columns.getValue();
  gateCount = rows.getValue() / hidden;
  stateDims = {inputDims[1], columns};

  FailureOr<SmallVector<RecurrentActivation>> read = readActivations(op, directions, defaults);
  if (failed(read))
    return failure();
  activations = *read;
  return success();
}

Value RecurrentLayer::activate(ImplicitLocOpBuilder &b, unsigned index, Value value) const {
  return emitActivation(b, activations[direction * (activations.size() / directions) + index], value);
}

Value RecurrentLayer::activateSum(ImplicitLocOpBuilder &b, unsigned index, Value sum) const {
  ScalarBuilder s{b, b.getLoc()};
  if (bound)
    sum = s.max(s.min(sum, s.constant(element, *bound)), s.constant(element, -*bound));
  return activate(b, index, sum);
}

/// A slice of which dimensions of size 1 are dropped.
static Value dropUnits(ImplicitLocOpBuilder &builder, Value value, RankedTensorType type,
                       ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, type, value, offsets, sizes, strides);
}

Value RecurrentLayer::weight(Value matrix, unsigned gate, unsigned count) {
  AffineExpr inputs = lowering.shapes.getDims(matrix)[2],
             outputs = lowering.constantExpr(count * hidden);
  SmallVector<AffineExpr> dims = {outputs, inputs};
  Value rows = dropUnits(builder, lowering.get(matrix), lowering.type(dims, element),
                         {builder.getIndexAttr(direction), builder.getIndexAttr(gate * hidden),
                          builder.getIndexAttr(0)},
                         {builder.getIndexAttr(1), lowering.size(outputs), lowering.size(inputs)});
  return lowering.transpose(rows, dims, {1, 0});
}

Value RecurrentLayer::vector(Value matrix, unsigned gate, unsigned count) {
  AffineExpr size = lowering.constantExpr(count * hidden);
  return dropUnits(builder, lowering.get(matrix), lowering.type(size, element),
                   {builder.getIndexAttr(direction), builder.getIndexAttr(gate * hidden)},
                   {builder.getIndexAttr(1), lowering.size(size)});
}

Value RecurrentLayer::linear(Value input, Dims inputDims, Value matrix, int64_t columns,
                             Value addend) {
  SmallVector<AffineExpr> dims(inputDims.drop_back());
  dims.push_back(lowering.constantExpr(columns));
  // The destination is made here, where the sizes are known in terms of the function's arguments.
  Value init = lowering.empty(dims, element);
  auto linear = nn::LinearOp::create(builder, init.getType(), input, matrix,
                                     addend ? ValueRange(addend) : ValueRange(), init);
  if (addend) {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&linear.getEpilogue(), {}, {element, element},
                                      {builder.getLoc(), builder.getLoc()});
    Value sum = arith::AddFOp::create(builder, body->getArgument(0), body->getArgument(1));
    nn::YieldOp::create(builder, sum);
  }
  return linear.getResult();
}

Value RecurrentLayer::gateOf(Value product, unsigned gate) {
  return lowering.slice(product, {builder.getIndexAttr(0), builder.getIndexAttr(gate * hidden)},
                        stateDims);
}

SmallVector<Value>
RecurrentLayer::update(ValueRange inputs, ArrayRef<AffineMap> inputMaps, ValueRange states,
                       function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> body) {
  SmallVector<AffineMap> maps(inputMaps);
  maps.append(identityMaps(states.size()));
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  auto generic =
      linalg::GenericOp::create(builder, states.getTypes(), inputs, states, maps, iterators,
                                [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                                  ImplicitLocOpBuilder b(loc, nested);
                                  linalg::YieldOp::create(b, body(b, arguments));
                                });
  return SmallVector<Value>(generic.getResults());
}

Value RecurrentLayer::choose(Value time, Value now, Value otherwise) {
  SmallVector<Value> inputs = {lowering.get(lengths), now};
  SmallVector<AffineMap> maps = {AffineMap::get(2, 0, lowering.dim(0)),
                                 builder.getMultiDimIdentityMap(2)};
  if (otherwise) {
    inputs.push_back(otherwise);
    maps.push_back(maps.back());
  }
  return lowering.generic(
      stateDims, element, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        Value length = arith::IndexCastOp::create(b, b.getIndexType(), x[0]);
        return s.select(s.less(time, length), x[1], otherwise ? x[2] : s.constant(element, 0));
      });
}

void RecurrentLayer::emitDirection(ArrayRef<Value> initialStates, bool reverse, Value &y,
                                   MutableArrayRef<Value> finalStates, bool needsSteps) {
  prepareDirection();
  Value projected =
      linear(inputSteps, inputDims, weight(w, 0, gates()), gates() * hidden, inputBias());

  SmallVector<Value> carried;
  for (Value initial : initialStates) {
    if (!initial) {
      carried.push_back(lowering.filled(
          stateDims,
          arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)))));
      continue;
    }
    SmallVector<OpFoldResult> offsets(3, builder.getIndexAttr(0)),
        sizes(3, builder.getIndexAttr(1));
    offsets[batchFirst ? 1 : 0] = builder.getIndexAttr(direction);
    sizes[batchFirst ? 0 : 1] = lowering.size(stateDims[0]);
    sizes[2] = lowering.size(stateDims[1]);
    carried.push_back(dropUnits(builder, lowering.get(initial), lowering.type(stateDims, element),
                                offsets, sizes));
  }
  if (needsSteps)
    carried.push_back(y);
  Value steps = lowering.sizeValue(inputDims[0]),
        last = arith::SubIOp::create(builder, steps, lowering.index(1));
  SmallVector<OpFoldResult> stateSizes = lowering.sizes(stateDims);
  auto loop = scf::ForOp::create(builder, lowering.index(0), steps, lowering.index(1), carried);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value time = loop.getInductionVar();
    if (reverse)
      time = arith::SubIOp::create(builder, last, time);
    ValueRange states = loop.getRegionIterArgs();
    auto inputOf = [&](unsigned gate) {
      return dropUnits(builder, projected, lowering.type(stateDims, element),
                       {time, builder.getIndexAttr(0), builder.getIndexAttr(gate * hidden)},
                       {builder.getIndexAttr(1), stateSizes[0], stateSizes[1]});
    };
    SmallVector<Value> next = step(inputOf, states.take_front(stateCount));
    Value seen = next[0];
    if (lengths) {
      // A sequence that is over keeps its states; backwards, one that has not begun.
      seen = choose(time, seen, Value());
      for (auto [now, before] : llvm::zip(next, states))
        now = choose(time, now, before);
    }
    if (needsSteps) {
      // [steps, directions, batch, hidden] or [batch, steps, directions, hidden]
      SmallVector<OpFoldResult> offsets(4, builder.getIndexAttr(0)),
          sizes(4, builder.getIndexAttr(1));
      offsets[batchFirst ? 1 : 0] = time,
                               offsets[batchFirst ? 2 : 1] = builder.getIndexAttr(direction);
      sizes[batchFirst ? 0 : 2] = stateSizes[0], sizes[3] = stateSizes[1];
      SmallVector<OpFoldResult> strides(4, builder.getIndexAttr(1));
      next.push_back(
          tensor::InsertSliceOp::create(builder, seen, states.back(), offsets, sizes, strides));
    }
    scf::YieldOp::create(builder, next);
  }
  if (needsSteps)
    y = loop.getResults().back();
  for (auto [position, final] : llvm::enumerate(finalStates)) {
    if (!final)
      continue;
    SmallVector<OpFoldResult> offsets(3, builder.getIndexAttr(0)),
        strides(3, builder.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = strides;
    offsets[batchFirst ? 1 : 0] = builder.getIndexAttr(direction);
    sizes[batchFirst ? 0 : 1] = stateSizes[0], sizes[2] = stateSizes[1];
    final = tensor::InsertSliceOp::create(builder, loop.getResult(position), final, offsets, sizes,
                                          strides);
  }
}

void RecurrentLayer::emit(ArrayRef<Value> initialStates, Value y, ArrayRef<Value> finalStates) {
  inputSteps = lowering.get(x);
  if (batchFirst)
    inputSteps = lowering.transpose(inputSteps, lowering.shapes.getDims(x), {1, 0, 2});
  Value steps;
  if (y)
    steps = lowering.empty(lowering.shapes.getDims(y), element);
  SmallVector<Value> finals;
  for (Value final : finalStates)
    finals.push_back(final ? lowering.empty(lowering.shapes.getDims(final), element) : Value());
  for (direction = 0; direction < directions; ++direction)
    emitDirection(initialStates, direction == 1 || firstIsReverse, steps, finals, bool(y));
  if (y)
    lowering.set(y, steps);
  for (auto [onnxValue, value] : llvm::zip(finalStates, finals))
    if (onnxValue)
      lowering.set(onnxValue, value);
}

//===----------------------------------------------------------------------===//
// GRU: gates z, r, h
//===----------------------------------------------------------------------===//

namespace {
class GRULayer : public RecurrentLayer {
public:
  GRULayer(Lowering &lowering, onnx::GRUOp op)
      : RecurrentLayer(lowering, op, op.getX(), op.getW(), op.getR(), op.getB(), 1),
        linearBeforeReset(op.getLinearBeforeReset()) {}

private:
  void prepareDirection() override {
    unsigned count = linearBeforeReset ? 3 : 2;
    hiddenWeight = weight(r, 0, count);
    hiddenBias = bias ? biasSlice(3, count) : Value();
    if (!linearBeforeReset) {
      candidateWeight = weight(r, 2, 1);
      candidateBias = bias ? biasSlice(5, 1) : Value();
    }
  }

  SmallVector<Value> step(function_ref<Value(unsigned)> input, ValueRange states) override {
    Value state = states[0];
    Value product =
        linear(state, stateDims, hiddenWeight, (linearBeforeReset ? 3 : 2) * hidden, hiddenBias);
    if (linearBeforeReset)
      return update({input(0), input(1), input(2), gateOf(product, 0), gateOf(product, 1),
                     gateOf(product, 2)},
                    identityMaps(6), state,
                    [&](ImplicitLocOpBuilder &b, ValueRange v) -> SmallVector<Value> {
                      ScalarBuilder s{b, b.getLoc()};
                      Value reset = activateSum(b, 0, s.add(v[1], v[4]));
                      Value candidate = activateSum(b, 1, s.add(v[2], s.mul(reset, v[5])));
                      return {blend(b, activateSum(b, 0, s.add(v[0], v[3])), candidate, v[6])};
                    });
    // The reset gate acts on the state before its product with the candidate's weight.
    Value gated =
        lowering.map(stateDims, getElementTypeOrSelf(state), {input(1), gateOf(product, 1), state},
                     [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                       ScalarBuilder s{b, b.getLoc()};
                       return s.mul(activateSum(b, 0, s.add(v[0], v[1])), v[2]);
                     });
    Value candidate = linear(gated, stateDims, candidateWeight, hidden, candidateBias);
    return update({input(0), gateOf(product, 0), input(2), candidate}, identityMaps(4), state,
                  [&](ImplicitLocOpBuilder &b, ValueRange v) -> SmallVector<Value> {
                    ScalarBuilder s{b, b.getLoc()};
                    return {blend(b, activateSum(b, 0, s.add(v[0], v[1])),
                                  activateSum(b, 1, s.add(v[2], v[3])), v[4])};
                  });
  }

  /// (1 - update) * candidate + update * state
  static Value blend(ImplicitLocOpBuilder &b, Value update, Value candidate, Value state) {
    ScalarBuilder s{b, b.getLoc()};
    return s.add(s.mul(s.sub(s.constant(update.getType(), 1), update), candidate),
                 s.mul(update, state));
  }

  bool linearBeforeReset;
  Value hiddenWeight, hiddenBias, candidateWeight, candidateBias;
};

//===----------------------------------------------------------------------===//
// LSTM: gates i, o, f, c; states h, c
//===----------------------------------------------------------------------===//

class LSTMLayer : public RecurrentLayer {
public:
  LSTMLayer(Lowering &lowering, onnx::LSTMOp op)
      : RecurrentLayer(lowering, op, op.getX(), op.getW(), op.getR(), op.getB(), 2),
        couplesGates(op.getInputForget()), peephole(op.getP()) {}

private:
  void prepareDirection() override {
    hiddenWeight = weight(r, 0, 4);
    hiddenBias = bias ? biasSlice(4, 4) : Value();
    peepholes.clear();
    if (peephole)
      for (unsigned gate = 0; gate < 3; ++gate)
        peepholes.push_back(vector(peephole, gate, 1));
  }

  SmallVector<Value> step(function_ref<Value(unsigned)> input, ValueRange states) override {
    Value product = linear(states[0], stateDims, hiddenWeight, 4 * hidden, hiddenBias);
    SmallVector<Value> inputs;
    for (unsigned gate = 0; gate < 4; ++gate)
      inputs.push_back(input(gate));
    for (unsigned gate = 0; gate < 4; ++gate)
      inputs.push_back(gateOf(product, gate));
    SmallVector<AffineMap> maps = identityMaps(8);
    for (Value vector : peepholes) {
      inputs.push_back(vector);
      maps.push_back(AffineMap::get(2, 0, lowering.dim(1)));
    }
    return update(
        inputs, maps, states, [&](ImplicitLocOpBuilder &b, ValueRange v) -> SmallVector<Value> {
          ScalarBuilder s{b, b.getLoc()};
          Value cell = v.back();
          auto gate = [&](unsigned index, unsigned activation, Value seen) {
            Value sum = s.add(v[index], v[4 + index]);
            if (!peepholes.empty() && seen) // in the order i, o, f
              sum = s.add(sum, s.mul(v[8 + index], seen));
            return activateSum(b, activation, sum);
          };
          Value candidate = gate(3, 1, Value());
          Value taken = gate(0, 0, cell);
          Value kept = couplesGates ? s.sub(s.constant(taken.getType(), 1), taken) : gate(2, 0, cell);
          Value next = s.add(s.mul(kept, cell), s.mul(taken, candidate));
          // The cell state is not held within the bound, as in ONNX Runtime.
          Value output = s.mul(gate(1, 0, next), activate(b, 2, next));
          return {output, next};
        });
  }

  bool couplesGates; ///< what is not taken in is kept
  Value peephole, hiddenWeight, hiddenBias;
  SmallVector<Value> peepholes;
};

class RNNLayer : public RecurrentLayer {
public:
  RNNLayer(Lowering &lowering, onnx::RNNOp op)
      : RecurrentLayer(lowering, op, op.getX(), op.getW(), op.getR(), op.getB(), 1) {}

private:
  void prepareDirection() override {
    hiddenWeight = weight(r, 0, 1);
    hiddenBias = bias ? biasSlice(1, 1) : Value();
  }

  SmallVector<Value> step(function_ref<Value(unsigned)> input, ValueRange states) override {
    Value product = linear(states[0], stateDims, hiddenWeight, hidden, hiddenBias);
    return update({input(0), product}, identityMaps(2), states,
                  [&](ImplicitLocOpBuilder &b, ValueRange v) -> SmallVector<Value> {
                    return {activateSum(b, 0, ScalarBuilder{b, b.getLoc()}.add(v[0], v[1]))};
                  });
  }

  Value hiddenWeight, hiddenBias;
};
} // namespace

template <typename OpT>
static LogicalResult initialize(RecurrentLayer &layer, OpT op, ArrayRef<StringRef> defaults) {
  return layer.initialize(op.getDirection(), op.getLayout(), op.getSequenceLens(), op.getClip(),
                          defaults);
}

static LogicalResult lowerGRU(Lowering &lowering, onnx::GRUOp op) {
  GRULayer layer(lowering, op);
  if (failed(initialize(layer, op, {"Sigmoid", "Tanh"})))
    return failure();
  layer.emit({op.getInitialH()}, op.getY(), {op.getYH()});
  return success();
}

static LogicalResult lowerLSTM(Lowering &lowering, onnx::LSTMOp op) {
  LSTMLayer layer(lowering, op);
  if (failed(initialize(layer, op, {"Sigmoid", "Tanh", "Tanh"})))
    return failure();
  layer.emit({op.getInitialH(), op.getInitialC()}, op.getY(), {op.getYH(), op.getYC()});
  return success();
}

static LogicalResult lowerRNN(Lowering &lowering, onnx::RNNOp op) {
  RNNLayer layer(lowering, op);
  if (failed(initialize(layer, op, {"Tanh"})))
    return failure();
  layer.emit({op.getInitialH()}, op.getY(), {op.getYH()});
  return success();
}

void lathe::addRecurrentLowerings(LoweringTable &table) {
  table.add<onnx::GRUOp, lowerGRU>();
  table.add<onnx::LSTMOp, lowerLSTM>();
  table.add<onnx::RNNOp, lowerRNN>();
}
