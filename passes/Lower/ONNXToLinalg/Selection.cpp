//===- Selection.cpp - Onnx ops that choose elements by their values ------===//
//
// Where the model declares how many are chosen, results have that size: places for which nothing was chosen are 0, or
// repeat the first element. Else lists are as long as they can become, and results are as much of them as was used.
//
//===----------------------------------------------------------------------===//
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/ONNXToLinalg/SequentialLoop.h"

using namespace mlir;
using namespace lathe;

static Value toI64(ImplicitLocOpBuilder &b, Value index) {
  return arith::IndexCastOp::create(b, b.getI64Type(), index);
}
static Value toIndex(ImplicitLocOpBuilder &b, Value i64) {
  return arith::IndexCastOp::create(b, b.getIndexType(), i64);
}

/// Whether position `index` of a list of `size` may be written; the position held within it.
static std::pair<Value, Value> boundPosition(ImplicitLocOpBuilder &b, Value index, Value size) {
  ScalarBuilder s{b, b.getLoc()};
  Value last = s.sub(size, arith::ConstantIndexOp::create(b, 1));
  return {s.less(index, size), s.max(s.min(index, last), arith::ConstantIndexOp::create(b, 0))};
}

/// The size of a list while it is filled: all that can be chosen where data decides how many are.
static AffineExpr getListSize(Lowering &lowering, AffineExpr count) {
  const SymbolicDim *symbol = lowering.shapes.getDataSymbol(count);
  return symbol ? symbol->bound : count;
}

/// What was used of a list that was filled with `used` elements, where data decides; it is as long as the result then.
static Value takeUsed(Lowering &lowering, Value list, AffineExpr count, ArrayRef<AffineExpr> dims, Value used) {
  if (!lowering.shapes.getDataSymbol(count))
    return list;
  lowering.setSize(count, used);
  return lowering.slice(list, SmallVector<OpFoldResult>(dims.size(), lowering.builder.getIndexAttr(0)), dims);
}

/// The first `count` places [0, size) for which `isChosen`, as i64.
static Value emitChosen(Lowering &lowering, AffineExpr size, AffineExpr count,
                        function_ref<Value(ImplicitLocOpBuilder &, Value)> isChosen) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  AffineExpr listSize = getListSize(lowering, count);
  Value zero = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(0)), length = lowering.sizeValue(listSize);
  Value list = lowering.filled(listSize, zero);
  if (listSize == lowering.constantExpr(0))
    return list;
  SmallVector<Value> end = emitSequentialLoop(
      builder, lowering.sizeValue(size), {list, lowering.index(0)},
      [&](ImplicitLocOpBuilder &b, Value place, ValueRange state) -> SmallVector<Value> {
        ScalarBuilder s{b, b.getLoc()};
        Value chosen = isChosen(b, place);
        auto [fits, position] = boundPosition(b, state[1], length);
        Value take = s.make<arith::AndIOp>({chosen, fits});
        Value next = s.select(take, toI64(b, place), tensor::ExtractOp::create(b, state[0], position));
        Value more = s.select(chosen, arith::ConstantIndexOp::create(b, 1), arith::ConstantIndexOp::create(b, 0));
        return {tensor::InsertOp::create(b, next, state[0], position), s.add(state[1], more)};
      });
  return takeUsed(lowering, end[0], count, count, end[1]);
}

/// The slices of `data` along `axis` at a list of places.
static Value emitTake(Lowering &lowering, Value data, ArrayRef<AffineExpr> resultDims, Value list, int64_t axis,
                      Value size) {
  return lowering.generic(resultDims, getElementTypeOrSelf(data), list,
                          AffineMap::get(resultDims.size(), 0, lowering.dim(axis)),
                          [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                            SmallVector<Value> position;
                            for (unsigned dim = 0; dim < resultDims.size(); ++dim)
                              position.push_back(int64_t(dim) == axis ? createBoundedIndex(b, x[0], size)
                                                                      : linalg::IndexOp::create(b, dim));
                            return tensor::ExtractOp::create(b, data, position);
                          });
}

static LogicalResult lowerCompress(Lowering &lowering, onnx::CompressOp op) {
  SmallVector<AffineExpr> dims(lowering.shapes.getDims(op.getInput()));
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  Value data = lowering.get(op.getInput()), condition = lowering.get(op.getCondition());
  int64_t axis = 0;
  if (op.getAxis()) {
    axis = normalizeAxis(*op.getAxis(), dims.size());
  } else {
    AffineExpr count = lowering.constantExpr(1);
    for (AffineExpr dim : dims)
      count = count * dim;
    data = lowering.reshape(data, dims, lowering.shapes.simplify(count));
    dims = {lowering.shapes.simplify(count)};
  }
  Value list = emitChosen(
      lowering, lowering.shapes.getDims(op.getCondition())[0], resultDims[axis],
      [&](ImplicitLocOpBuilder &b, Value place) -> Value { return tensor::ExtractOp::create(b, condition, place); });
  lowering.set(op.getOutput(), emitTake(lowering, data, resultDims, list, axis, lowering.sizeValue(dims[axis])));
  return success();
}

/// [rank, count]: the coordinates of each element that is not zero.
static LogicalResult lowerNonZero(Lowering &lowering, onnx::NonZeroOp op) {
  SmallVector<AffineExpr> dims(lowering.shapes.getDims(op.getX()));
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getY());
  if (resultDims.size() != 2 || resultDims[0] != lowering.constantExpr(dims.size()))
    return op.emitOpError("expected a declared result of ") << dims.size() << " rows";
  AffineExpr count = lowering.constantExpr(1);
  for (AffineExpr dim : dims)
    count = lowering.shapes.simplify(count * dim);
  Value flat = lowering.reshape(lowering.get(op.getX()), dims, count);
  Type element = lowering.elementType(op.getX());
  Value list = emitChosen(lowering, count, resultDims[1], [&](ImplicitLocOpBuilder &b, Value place) -> Value {
    ScalarBuilder s{b, b.getLoc()};
    Value value = tensor::ExtractOp::create(b, flat, place), zero = s.constant(element, 0);
    return s.isFloat(value) ? s.compare(arith::CmpFPredicate::UNE, value, zero)
                            : s.compare(arith::CmpIPredicate::ne, value, zero);
  });
  SmallVector<Value> sizes = llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  lowering.set(op.getY(),
               lowering.generic(resultDims, lowering.builder.getI64Type(), list, AffineMap::get(2, 0, lowering.dim(1)),
                                [&](ImplicitLocOpBuilder &b, ValueRange x) {
                                  ScalarBuilder s{b, b.getLoc()};
                                  Value rest = toIndex(b, x[0]), row = linalg::IndexOp::create(b, 0);
                                  Value result = arith::ConstantIndexOp::create(b, 0);
                                  for (size_t dim = dims.size(); dim-- > 0;) {
                                    Value place = s.make<arith::RemUIOp>({rest, sizes[dim]});
                                    Value here = s.equal(row, arith::ConstantIndexOp::create(b, dim));
                                    result = s.select(here, place, result);
                                    rest = s.make<arith::DivUIOp>({rest, sizes[dim]});
                                  }
                                  return toI64(b, result);
                                }));
  return success();
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

/// -1, 0 or 1 as rows `i` and `j` of a matrix compare in lexicographic order.
static Value emitCompareRows(ImplicitLocOpBuilder &b, Value matrix, Value i, Value j, Value columns, bool isUnsigned) {
  Value equal = arith::ConstantIntOp::create(b, 0, 32);
  return emitSequentialLoop(
             b, columns, equal,
             [&](ImplicitLocOpBuilder &inner, Value column, ValueRange state) -> SmallVector<Value> {
               ScalarBuilder s{inner, inner.getLoc(), isUnsigned}, n{inner, inner.getLoc()};
               Value x = tensor::ExtractOp::create(inner, matrix, ValueRange{i, column}),
                     y = tensor::ExtractOp::create(inner, matrix, ValueRange{j, column});
               auto number = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(inner, value, 32); };
               Value order = n.select(s.less(x, y), number(-1), n.select(s.less(y, x), number(1), number(0)));
               return {n.select(n.equal(state[0], number(0)), order, state[0])};
             })
      .front();
}

/// A number for each row, from all rows: the sum of `term` of the row and another.
static Value emitSumOverPairs(Lowering &lowering, AffineExpr rows, ValueRange inputs, ArrayRef<AffineMap> inputMaps,
                              int64_t init, function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value first = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(init));
  Value result = lowering.filled(rows, first);
  // A tensor that is never read gives the second loop its size.
  SmallVector<Value> operands(inputs);
  operands.push_back(lowering.empty(rows, builder.getI1Type()));
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(AffineMap::get(2, 0, lowering.dim(1)));
  maps.push_back(AffineMap::get(2, 0, lowering.dim(0)));
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel, utils::IteratorType::reduction};
  return linalg::GenericOp::create(builder, result.getType(), operands, result, maps, iterators,
                                   [&](OpBuilder &nested, Location loc, ValueRange x) {
                                     ImplicitLocOpBuilder b(loc, nested);
                                     linalg::YieldOp::create(b, body(b, x));
                                   })
      .getResult(0);
}

namespace {
/// What Unique compares: the rows of a matrix.
struct UniqueRows {
  Value data; ///< from which the results are taken: the input, in one dimension where there is no axis
  SmallVector<AffineExpr> dims;
  Value matrix;
  SmallVector<AffineExpr> matrixDims;
};
} // namespace

/// Slices along the axis, which is counted from the front, or elements where there is none.
static UniqueRows createUniqueRows(Lowering &lowering, onnx::UniqueOp op, int64_t axis) {
  UniqueRows rows;
  rows.dims = SmallVector<AffineExpr>(lowering.shapes.getDims(op.getX()));
  rows.data = lowering.get(op.getX());
  AffineExpr all = lowering.constantExpr(1), inner = all;
  for (auto [dim, size] : llvm::enumerate(rows.dims)) {
    all = lowering.shapes.simplify(all * size);
    if (int64_t(dim) != axis)
      inner = lowering.shapes.simplify(inner * size);
  }
  if (!op.getAxis()) {
    rows.data = lowering.reshape(rows.data, rows.dims, all);
    rows.dims = {all};
    rows.matrixDims = {all, lowering.constantExpr(1)};
    rows.matrix = lowering.reshape(rows.data, rows.dims, rows.matrixDims);
    return rows;
  }
  SmallVector<int64_t> perm = {axis};
  SmallVector<AffineExpr> moved = {rows.dims[axis]};
  for (int64_t dim = 0; dim < int64_t(rows.dims.size()); ++dim)
    if (dim != axis) {
      perm.push_back(dim);
      moved.push_back(rows.dims[dim]);
    }
  rows.matrixDims = {rows.dims[axis], inner};
  rows.matrix = lowering.reshape(lowering.transpose(rows.data, rows.dims, perm), moved, rows.matrixDims);
  return rows;
}

/// For each row the first that equals it, then the place of that one among the different rows; the rest follows.
static LogicalResult lowerUnique(Lowering &lowering, onnx::UniqueOp op) {
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getY());
  ImplicitLocOpBuilder &builder = lowering.builder;
  int64_t axis = op.getAxis() ? normalizeAxis(*op.getAxis(), lowering.rank(op.getX())) : 0;
  UniqueRows input = createUniqueRows(lowering, op, axis);
  Value matrix = input.matrix;
  AffineExpr rows = input.matrixDims[0], count = resultDims[axis];
  AffineExpr listSize = getListSize(lowering, count);
  Value rowCount = lowering.sizeValue(rows), columns = lowering.sizeValue(input.matrixDims[1]),
        length = lowering.sizeValue(listSize);
  bool isUnsigned = lowering.isUnsigned(op.getX()), sorted = op.getSorted();
  Type i64 = builder.getI64Type();
  AffineMap byRow = AffineMap::get(2, 0, lowering.dim(0)), byOther = AffineMap::get(2, 0, lowering.dim(1));

  Value first = emitSumOverPairs(lowering, rows, {}, {}, INT64_MAX, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Value i = linalg::IndexOp::create(b, 0), j = linalg::IndexOp::create(b, 1);
    Value order = emitCompareRows(b, matrix, i, j, columns, isUnsigned);
    return s.select(s.equal(order, s.constant(b.getI32Type(), 0)), s.min(x[1], toI64(b, j)), x[1]);
  });
  Value inverse =
      emitSumOverPairs(lowering, rows, {first, first}, {byRow, byOther}, 0, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        ScalarBuilder s{b, b.getLoc()};
        Value i = linalg::IndexOp::create(b, 0), j = linalg::IndexOp::create(b, 1), before;
        if (sorted)
          before = s.less(emitCompareRows(b, matrix, j, i, columns, isUnsigned), s.constant(b.getI32Type(), 0));
        else
          before = s.less(toI64(b, j), x[0]);
        Value counts = s.make<arith::AndIOp>({s.equal(x[1], toI64(b, j)), before});
        return s.add(x[3], s.select(counts, s.constant(i64, 1), s.constant(i64, 0)));
      });
  Value zero = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(0));
  SmallVector<Value> lists = {lowering.filled(listSize, zero), lowering.filled(listSize, zero), lowering.index(0)};
  if (listSize != lowering.constantExpr(0))
    lists = emitSequentialLoop(builder, rowCount, lists,
                               [&](ImplicitLocOpBuilder &b, Value row, ValueRange state) -> SmallVector<Value> {
                                 ScalarBuilder s{b, b.getLoc()};
                                 Value place = toIndex(b, tensor::ExtractOp::create(b, inverse, row));
                                 auto [fits, position] = boundPosition(b, place, length);
                                 Value index = tensor::ExtractOp::create(b, first, row);
                                 Value old = tensor::ExtractOp::create(b, state[0], position);
                                 Value more = s.select(fits, s.constant(i64, 1), s.constant(i64, 0));
                                 Value number = s.add(tensor::ExtractOp::create(b, state[1], position), more);
                                 Value used = s.max(state[2], s.add(place, arith::ConstantIndexOp::create(b, 1)));
                                 return {tensor::InsertOp::create(b, s.select(fits, index, old), state[0], position),
                                         tensor::InsertOp::create(b, number, state[1], position), used};
                               });
  for (Value &list : MutableArrayRef(lists).take_front(2))
    list = takeUsed(lowering, list, count, count, lists[2]);
  lowering.set(op.getY(), emitTake(lowering, input.data, resultDims, lists[0], axis, rowCount));
  if (op.getIndices())
    lowering.set(op.getIndices(), lists[0]);
  if (op.getInverseIndices())
    lowering.set(op.getInverseIndices(), inverse);
  if (op.getCounts())
    lowering.set(op.getCounts(), lists[1]);
  return success();
}

//===----------------------------------------------------------------------===//
// NonMaxSuppression
//===----------------------------------------------------------------------===//

namespace {
/// Corners of a box.
struct Box {
  Value low[2], high[2];
};
} // namespace

static Box readBox(ImplicitLocOpBuilder &b, Value boxes, Value batch, Value index, bool isCenter) {
  ScalarBuilder s{b, b.getLoc()};
  Value numbers[4];
  for (int64_t i = 0; i < 4; ++i)
    numbers[i] = tensor::ExtractOp::create(b, boxes, ValueRange{batch, index, arith::ConstantIndexOp::create(b, i)});
  Box box;
  for (int i = 0; i < 2; ++i) {
    Value a = numbers[i], c = numbers[i + 2];
    if (isCenter) {
      Value half = s.mul(c, s.constant(c.getType(), 0.5));
      c = s.add(a, half), a = s.sub(a, half);
    }
    box.low[i] = s.min(a, c), box.high[i] = s.max(a, c);
  }
  return box;
}

/// Intersection over union.
static Value emitOverlap(ImplicitLocOpBuilder &b, const Box &x, const Box &y) {
  ScalarBuilder s{b, b.getLoc()};
  Value shared, zero = s.constant(x.low[0].getType(), 0);
  for (int i = 0; i < 2; ++i) {
    Value side = s.max(s.sub(s.min(x.high[i], y.high[i]), s.max(x.low[i], y.low[i])), zero);
    shared = shared ? s.mul(shared, side) : side;
  }
  auto area = [&](const Box &box) { return s.mul(s.sub(box.high[0], box.low[0]), s.sub(box.high[1], box.low[1])); };
  Value whole = s.sub(s.add(area(x), area(y)), shared);
  return s.select(s.less(zero, whole), s.div(shared, whole), zero);
}

/// The only element of a tensor, null without one.
static Value readScalar(Lowering &lowering, Value onnxValue) {
  if (!onnxValue)
    return nullptr;
  SmallVector<Value> zeros(lowering.rank(onnxValue), lowering.index(0));
  return tensor::ExtractOp::create(lowering.builder, lowering.get(onnxValue), zeros);
}

namespace {
/// Chooses boxes one by one. The state of a run: which boxes are left, the list of those chosen, and how many there are.
struct BoxSelection {
  Value boxes, scores, boxCount;
  Value overlap; ///< above which a box goes with the chosen one
  Value length;  ///< of the list
  Value none;    ///< index of no box
  bool isCenter; ///< boxes are centers and sizes, not corners

  /// The best of the boxes that are left, or `none`.
  Value emitBest(ImplicitLocOpBuilder &b, Value batch, Value category, Value alive) const {
    Value worst = ScalarBuilder{b, b.getLoc()}.constant(getElementTypeOrSelf(scores), 0);
    return emitSequentialLoop(
               b, boxCount, {none, worst},
               [&](ImplicitLocOpBuilder &c, Value box, ValueRange found) -> SmallVector<Value> {
                 ScalarBuilder s{c, c.getLoc()};
                 Value score = tensor::ExtractOp::create(c, scores, ValueRange{batch, category, box});
                 Value isAlive = tensor::ExtractOp::create(c, alive, ValueRange{batch, category, box});
                 Value better = s.make<arith::OrIOp>({s.equal(found[0], none), s.less(found[1], score)});
                 Value take = s.make<arith::AndIOp>({isAlive, better});
                 return {s.select(take, box, found[0]), s.select(take, score, found[1])};
               })
        .front();
  }

  /// What is left without the chosen box and those that overlap it too much, if one was `found`.
  Value emitLeft(ImplicitLocOpBuilder &b, Value batch, Value category, Value alive, Value chosen, Value found) const {
    Box chosenBox = readBox(b, boxes, batch, chosen, isCenter);
    return emitSequentialLoop(b, boxCount, alive,
                              [&](ImplicitLocOpBuilder &c, Value box, ValueRange inner) -> SmallVector<Value> {
                                ScalarBuilder t{c, c.getLoc()};
                                Value position[] = {batch, category, box};
                                Value isAlive = tensor::ExtractOp::create(c, inner[0], position);
                                Value iou = emitOverlap(c, chosenBox, readBox(c, boxes, batch, box, isCenter));
                                Value goes = t.make<arith::OrIOp>({t.equal(box, chosen), t.less(overlap, iou)});
                                goes = t.make<arith::AndIOp>({goes, found});
                                Value stays = t.select(goes, t.constant(c.getI1Type(), 0), isAlive);
                                return {tensor::InsertOp::create(c, stays, inner[0], position)};
                              })
        .front();
  }

  /// The state after one more box, if there is one and the list has room.
  SmallVector<Value> emitOne(ImplicitLocOpBuilder &b, Value batch, Value category, ValueRange state) const {
    Value best = emitBest(b, batch, category, state[0]);
    ScalarBuilder s{b, b.getLoc()};
    Value found = s.compare(arith::CmpIPredicate::ne, best, none);
    Value chosen = s.max(best, arith::ConstantIndexOp::create(b, 0));
    Value left = emitLeft(b, batch, category, state[0], chosen, found);
    auto [fits, row] = boundPosition(b, state[2], length);
    Value write = s.make<arith::AndIOp>({found, fits}), result = state[1];
    Value numbers[] = {batch, category, chosen};
    for (int64_t i = 0; i < 3; ++i) {
      Value position[] = {row, arith::ConstantIndexOp::create(b, i)};
      Value old = tensor::ExtractOp::create(b, result, position);
      result = tensor::InsertOp::create(b, s.select(write, toI64(b, numbers[i]), old), result, position);
    }
    Value more = s.select(found, arith::ConstantIndexOp::create(b, 1), arith::ConstantIndexOp::create(b, 0));
    return {left, result, s.add(state[2], more)};
  }
};
} // namespace

/// For each batch and class, again and again the best box that is left, without those that overlap it too much.
static LogicalResult lowerNonMaxSuppression(Lowering &lowering, onnx::NonMaxSuppressionOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getScores());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getSelectedIndices());
  if (resultDims.size() != 2 || resultDims[1] != lowering.constantExpr(3))
    return op.emitOpError("expected a declared result of 3 columns");
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value boxes = lowering.get(op.getBoxes()), scores = lowering.get(op.getScores());
  Type element = lowering.elementType(op.getScores());
  Value limit = readScalar(lowering, op.getMaxOutputBoxesPerClass()),
        overlap = readScalar(lowering, op.getIouThreshold()), lowest = readScalar(lowering, op.getScoreThreshold());
  Value zero64 = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(0));
  limit = arith::IndexCastOp::create(builder, builder.getIndexType(), limit ? limit : zero64);
  if (!overlap)
    overlap = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)));
  Value alive = lowering.map(dims, builder.getI1Type(), scores, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    ScalarBuilder s{b, b.getLoc()};
    return lowest ? s.less(lowest, x[0]) : Value(arith::ConstantIntOp::create(b, 1, 1));
  });
  AffineExpr listSize = getListSize(lowering, resultDims[0]);
  Value rows = lowering.filled({listSize, resultDims[1]}, zero64), length = lowering.sizeValue(listSize);
  if (listSize == lowering.constantExpr(0)) {
    lowering.set(op.getSelectedIndices(), rows);
    return success();
  }
  Value boxCount = lowering.sizeValue(dims[2]), classCount = lowering.sizeValue(dims[1]);
  Value rounds = arith::MaxSIOp::create(builder, arith::MinSIOp::create(builder, limit, boxCount), lowering.index(0));
  BoxSelection selection{boxes, scores, boxCount, overlap, length, lowering.index(-1), bool(op.getCenterPointBox())};
  SmallVector<Value> state = {alive, rows, lowering.index(0)};
  state = emitSequentialLoop(
      builder, lowering.sizeValue(dims[0]), state, [&](ImplicitLocOpBuilder &b, Value batch, ValueRange outer) {
        return emitSequentialLoop(
            b, classCount, outer, [&](ImplicitLocOpBuilder &c, Value category, ValueRange middle) {
              return emitSequentialLoop(c, rounds, middle, [&](ImplicitLocOpBuilder &d, Value, ValueRange inner) {
                return selection.emitOne(d, batch, category, inner);
              });
            });
      });
  lowering.set(op.getSelectedIndices(), takeUsed(lowering, state[1], resultDims[0], resultDims, state[2]));
  return success();
}

void lathe::addSelectionLowerings(LoweringTable &table) {
  table.add<onnx::CompressOp, lowerCompress>();
  table.add<onnx::NonZeroOp, lowerNonZero>();
  table.add<onnx::UniqueOp, lowerUnique>();
  table.add<onnx::NonMaxSuppressionOp, lowerNonMaxSuppression>();
}
