//===- NGrams.cpp - TfIdfVectorizer ---------------------------------------===//
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

namespace {

/// The n-grams of one length that the pool has: [count, length] numbers.
struct Pool {
  int64_t length;
  SmallVector<int64_t> numbers;

  int64_t size() const { return numbers.size() / length; }
};

/// Counts how often each n-gram of the pool occurs in each row, with up to `max_skip_count` numbers
/// left out between its own, and weighs the counts.
class NGramCounter {
public:
  NGramCounter(Lowering &lowering, onnx::TfIdfVectorizerOp op)
      : lowering(lowering), builder(lowering.builder), op(op) {}

  LogicalResult emit();

private:
  FailureOr<SmallVector<Pool>> readPools();
  Value count(const Pool &pool, Value rows, ArrayRef<AffineExpr> dims);
  Value makeTable(Type element, ArrayRef<Attribute> values) {
    auto type = RankedTensorType::get(int64_t(values.size()), element);
    return arith::ConstantOp::create(
        builder, cast<TypedAttr>(Attribute(DenseElementsAttr::get(type, values))));
  }

  Lowering &lowering;
  ImplicitLocOpBuilder &builder;
  onnx::TfIdfVectorizerOp op;
};

} // namespace

/// `ngram_counts` says where the n-grams of each length begin; those of lengths that are not
/// counted are left empty.
FailureOr<SmallVector<Pool>> NGramCounter::readPools() {
  ArrayRef<int64_t> numbers = op.getPoolInt64s().value_or(ArrayRef<int64_t>()),
                    starts = op.getNgramCounts();
  int64_t shortest = op.getMinGramLength(), longest = op.getMaxGramLength(), grams = 0;
  if (op.getPoolStrings() && !op.getPoolStrings()->empty())
    return op.emitOpError("on strings is not supported");
  if (shortest < 1 || longest < shortest || int64_t(starts.size()) < longest ||
      int64_t(op.getMaxSkipCount()) < 0)
    return op.emitOpError("expected n-grams of 1 <= min_gram_length <= max_gram_length <= ")
           << starts.size() << ", but got " << shortest << " to " << longest;
  SmallVector<Pool> pools;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t length = i + 1, end = i + 1 < starts.size() ? starts[i + 1] : int64_t(numbers.size());
    if (starts[i] < 0 || end < starts[i] || end > int64_t(numbers.size()) ||
        (end - starts[i]) % length)
      return op.emitOpError(
          "expected ngram_counts that divide the pool into n-grams, but got others");
    pools.push_back({length, SmallVector<int64_t>(numbers.slice(starts[i], end - starts[i]))});
    grams += pools.back().size();
  }
  if (grams != int64_t(op.getNgramIndexes().size()) ||
      (op.getWeights() && grams != int64_t(op.getWeights()->size())))
    return op.emitOpError("expected an index and a weight for each of ")
           << grams << " n-grams, but got another number";
  return pools;
}

/// [rows, n-grams of the pool] as f32.
Value NGramCounter::count(const Pool &pool, Value rows, ArrayRef<AffineExpr> dims) {
  int64_t shortest = op.getMinGramLength(), longest = op.getMaxGramLength();
  SmallVector<AffineExpr> resultDims = {dims[0], lowering.constantExpr(pool.size())};
  Type f32 = builder.getF32Type(), i64 = builder.getI64Type();
  Value zero =
      lowering.filled(resultDims, ScalarBuilder{builder, builder.getLoc()}.constant(f32, 0));
  if (pool.length < shortest || pool.length > longest || pool.numbers.empty())
    return zero;
  Value table = makeTable(i64, llvm::map_to_vector(pool.numbers, [&](int64_t number) -> Attribute {
                            return builder.getI64IntegerAttr(number);
                          }));
  Value width = lowering.sizeValue(dims[1]);
  int64_t skips = pool.length == 1 ? 0 : int64_t(op.getMaxSkipCount());
  SmallVector<AffineMap> maps = {
      AffineMap::get(3, 0, {lowering.dim(0), lowering.dim(2)}, builder.getContext()),
      AffineMap::get(3, 0, {lowering.dim(0), lowering.dim(1)}, builder.getContext())};
  SmallVector<utils::IteratorType> iterators = {
      utils::IteratorType::parallel, utils::IteratorType::parallel, utils::IteratorType::reduction};
  return linalg::GenericOp::create(
             builder, zero.getType(), rows, zero, maps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange x) {
               ImplicitLocOpBuilder b(loc, nested);
               ScalarBuilder s{b, loc};
               auto constant = [&](int64_t value) -> Value {
                 return arith::ConstantIndexOp::create(b, value);
               };
               Value row = linalg::IndexOp::create(b, 0), start = linalg::IndexOp::create(b, 2),
                     sum = x[1];
               Value first = s.mul(linalg::IndexOp::create(b, 1), constant(pool.length));
               for (int64_t step = 1; step <= skips + 1; ++step) {
                 Value fits = s.less(s.add(start, constant((pool.length - 1) * step)), width);
                 for (int64_t i = 0; i < pool.length; ++i) {
                   // Held within the row; whether it was is in `fits`.
                   Value place = s.min(s.add(start, constant(i * step)), s.sub(width, constant(1)));
                   Value number = tensor::ExtractOp::create(b, rows, ValueRange{row, place});
                   Value wanted = tensor::ExtractOp::create(b, table, s.add(first, constant(i)));
                   number = createScalarCast(b, loc, number, false, i64, false);
                   fits = s.make<arith::AndIOp>({fits, s.equal(number, wanted)});
                 }
                 sum = s.add(sum, createScalarCast(b, loc, fits, true, f32, false));
               }
               linalg::YieldOp::create(b, sum);
             })
      .getResult(0);
}

LogicalResult NGramCounter::emit() {
  StringRef mode = op.getMode();
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return op.emitOpError("expected mode TF, IDF or TFIDF, but got ") << mode;
  FailureOr<SmallVector<Pool>> pools = readPools();
  if (failed(pools))
    return failure();
  ArrayRef<AffineExpr> in = lowering.shapes.getDims(op.getX()),
                       out = lowering.shapes.getDims(op.getY());
  SmallVector<AffineExpr> dims(in), countDims;
  if (dims.size() == 1)
    dims.insert(dims.begin(), lowering.constantExpr(1));
  Value rows = lowering.reshape(lowering.get(op.getX()), in, dims);
  int64_t grams = op.getNgramIndexes().size();
  countDims = {dims[0], lowering.constantExpr(grams)};
  Type f32 = builder.getF32Type(), i64 = builder.getI64Type();
  Value counts = lowering.empty(countDims, f32);
  int64_t place = 0;
  for (const Pool &pool : *pools) {
    SmallVector<AffineExpr> part = {dims[0], lowering.constantExpr(pool.size())};
    counts = lowering.insert(count(pool, rows, dims), counts,
                             {builder.getIndexAttr(0), builder.getIndexAttr(place)}, part);
    place += pool.size();
  }
  // Which n-gram each element of the result counts: -1 for none.
  SmallVector<Attribute> sources(cast<AffineConstantExpr>(out.back()).getValue(),
                                 builder.getI64IntegerAttr(-1));
  SmallVector<Attribute> weights(sources.size(), builder.getF32FloatAttr(1));
  for (auto [gram, index] : llvm::enumerate(op.getNgramIndexes())) {
    if (cast<IntegerAttr>(sources[index]).getInt() >= 0)
      return op.emitOpError("expected a place of its own for each n-gram, but got two at ")
             << index;
    sources[index] = builder.getI64IntegerAttr(gram);
    if (op.getWeights())
      weights[index] = builder.getF32FloatAttr((*op.getWeights())[gram]);
  }
  Value sourceTable = makeTable(i64, sources), weightTable = makeTable(f32, weights);
  SmallVector<AffineExpr> resultDims = {dims[0], out.back()};
  AffineMap column = AffineMap::get(2, 0, lowering.dim(1));
  Value result = lowering.generic(
      resultDims, f32, {sourceTable, weightTable}, {column, column},
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        ScalarBuilder s{b, b.getLoc()};
        Value none = s.constant(i64, 0), zero = s.constant(f32, 0);
        Value source = arith::IndexCastOp::create(b, b.getIndexType(), s.max(x[0], none));
        Value value =
            tensor::ExtractOp::create(b, counts, ValueRange{linalg::IndexOp::create(b, 0), source});
        if (mode == "IDF")
          value = s.select(s.less(zero, value), x[1], zero);
        else if (mode == "TFIDF")
          value = s.mul(value, x[1]);
        return s.select(s.less(x[0], none), zero, value);
      });
  lowering.set(op.getY(), lowering.reshape(result, resultDims, out));
  return success();
}

static LogicalResult lowerTfIdfVectorizer(Lowering &lowering, onnx::TfIdfVectorizerOp op) {
  return NGramCounter(lowering, op).emit();
}

void lathe::addNGramLowerings(LoweringTable &table) {
  table.add<onnx::TfIdfVectorizerOp, lowerTfIdfVectorizer>();
}
