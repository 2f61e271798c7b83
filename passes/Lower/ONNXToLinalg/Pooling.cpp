//===- Pooling.cpp - Pools that have no nn kernel, and their inverses -----===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/SlidingWindows.h"

using namespace mlir;
using namespace lathe;

namespace {
/// One element that a window covers, in the body of a pool: its value, place and what was gathered so far.
struct PoolStep {
  Value value;
  const WindowPlace &place;
  ValueRange state;
};
} // namespace

/// Steps through each window of the input, gathering `inits`; the body returns their next values.
static SmallVector<Value>
emitPool(Lowering &lowering, Value onnxInput, const SlidingWindows &windows, ArrayRef<AffineExpr> resultDims,
         ValueRange initScalars,
         function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ArrayRef<Value>, const PoolStep &)> body) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(onnxInput);
  unsigned rank = resultDims.size(), spatial = windows.rank(), loops = rank + spatial;
  SmallVector<Value> sizes = llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  SmallVector<AffineExpr> kept, places;
  for (unsigned dim = 0; dim < loops; ++dim)
    (dim < rank ? kept : places).push_back(lowering.dim(dim));
  // A tensor that is never read gives the loops over the window their sizes.
  Value shape = tensor::EmptyOp::create(builder, windows.kernel, builder.getI1Type());
  SmallVector<AffineMap> maps = {AffineMap::get(loops, 0, places, builder.getContext())};
  SmallVector<Value> inits;
  for (Value scalar : initScalars) {
    inits.push_back(lowering.filled(resultDims, scalar));
    maps.push_back(AffineMap::get(loops, 0, kept, builder.getContext()));
  }
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(spatial, utils::IteratorType::reduction);
  Value input = lowering.get(onnxInput);
  auto generic = linalg::GenericOp::create(
      builder, TypeRange(ValueRange(inits)), shape, inits, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        WindowPlace place = emitWindowPlace(b, windows, 2, rank, ArrayRef(sizes).drop_front(2));
        SmallVector<Value> position = {linalg::IndexOp::create(b, 0), linalg::IndexOp::create(b, 1)};
        position.append(place.indices);
        Value value = tensor::ExtractOp::create(b, input, position);
        linalg::YieldOp::create(b, body(b, position, {value, place, x.drop_front()}));
      });
  return SmallVector<Value>(generic.getResults());
}

/// The place of an element among all of the tensor's, in row-major order, or with the last two dimensions or more in
/// column-major order.
static Value emitFlatIndex(ImplicitLocOpBuilder &b, ArrayRef<Value> position, ArrayRef<Value> sizes, bool columnMajor) {
  ScalarBuilder s{b, b.getLoc()};
  Value flat = s.add(s.mul(position[0], sizes[1]), position[1]);
  unsigned rank = position.size();
  for (unsigned i = 2; i < rank; ++i)
    flat = s.mul(flat, sizes[i]);
  Value inner;
  for (unsigned i = 2; i < rank; ++i) {
    unsigned dim = columnMajor ? rank + 1 - i : i;
    inner = inner ? s.add(s.mul(inner, sizes[dim]), position[dim]) : position[dim];
  }
  return arith::IndexCastOp::create(b, b.getI64Type(), s.add(flat, inner));
}

static LogicalResult lowerMaxPool(Lowering &lowering, onnx::MaxPoolOp op) {
  FailureOr<SlidingWindows> windows = getSlidingWindows(lowering, op, op.getX(), op.getKernelShape());
  if (failed(windows))
    return failure();
  ImplicitLocOpBuilder &builder = lowering.builder;
  Type element = lowering.elementType(op.getX());
  bool isUnsigned = lowering.isUnsigned(op.getX()), columnMajor = op.getStorageOrder();
  TypedAttr lowest;
  if (auto floating = dyn_cast<FloatType>(element))
    lowest = FloatAttr::get(floating, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/true));
  else
    lowest = IntegerAttr::get(element, isUnsigned ? APInt::getZero(element.getIntOrFloatBitWidth())
                                                  : APInt::getSignedMinValue(element.getIntOrFloatBitWidth()));
  SmallVector<Value> inits = {arith::ConstantOp::create(builder, lowest)};
  bool needsIndex = op.getIndices() != nullptr;
  if (needsIndex)
    inits.push_back(arith::ConstantOp::create(builder, builder.getI64IntegerAttr(-1)));
  SmallVector<Value> sizes = llvm::map_to_vector(lowering.shapes.getDims(op.getX()),
                                                 [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  SmallVector<Value> results =
      emitPool(lowering, op.getX(), *windows, lowering.shapes.getDims(op.getY()), inits,
               [&](ImplicitLocOpBuilder &b, ArrayRef<Value> position, const PoolStep &step) {
                 ScalarBuilder s{b, b.getLoc(), isUnsigned}, i{b, b.getLoc()};
                 if (!needsIndex)
                   return SmallVector<Value>{
                       s.select(step.place.inside, s.max(step.value, step.state[0]), step.state[0])};
                 Value isFirst = i.less(step.state[1], i.constant(b.getI64Type(), 0));
                 Value isBetter = i.make<arith::OrIOp>({isFirst, s.less(step.state[0], step.value)});
                 Value take = i.make<arith::AndIOp>({step.place.inside, isBetter});
                 Value index = emitFlatIndex(b, position, sizes, columnMajor);
                 return SmallVector<Value>{s.select(take, step.value, step.state[0]),
                                           i.select(take, index, step.state[1])};
               });
  lowering.set(op.getY(), results[0]);
  if (needsIndex)
    lowering.set(op.getIndices(), results[1]);
  return success();
}

static LogicalResult lowerAveragePool(Lowering &lowering, onnx::AveragePoolOp op) {
  FailureOr<SlidingWindows> windows = getSlidingWindows(lowering, op, op.getX(), op.getKernelShape());
  if (failed(windows))
    return failure();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  Type element = lowering.elementType(op.getX()), wide = getProductType(element);
  Value zero = arith::ConstantOp::create(lowering.builder, cast<TypedAttr>(lowering.builder.getZeroAttr(wide)));
  bool countPad = op.getCountIncludePad();
  SmallVector<Value> sums =
      emitPool(lowering, op.getX(), *windows, dims, {zero, zero},
               [&](ImplicitLocOpBuilder &b, ArrayRef<Value>, const PoolStep &step) {
                 ScalarBuilder s{b, b.getLoc()};
                 Value none = s.constant(wide, 0), one = s.constant(wide, 1);
                 Value value = createScalarCast(b, b.getLoc(), step.value, false, wide, false);
                 Value counted = countPad ? step.place.counted : step.place.inside;
                 return SmallVector<Value>{s.add(step.state[0], s.select(step.place.inside, value, none)),
                                           s.add(step.state[1], s.select(counted, one, none))};
               });
  lowering.set(op.getY(), lowering.map(dims, element, sums, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    return createScalarCast(b, b.getLoc(), ScalarBuilder{b, b.getLoc()}.div(x[0], x[1]), false, element, false);
  }));
  return success();
}

/// (sum |x|^p)^(1/p)
static LogicalResult lowerLpPool(Lowering &lowering, onnx::LpPoolOp op) {
  FailureOr<SlidingWindows> windows = getSlidingWindows(lowering, op, op.getX(), op.getKernelShape());
  if (failed(windows))
    return failure();
  int64_t p = op.getP();
  if (p < 1)
    return op.emitOpError("expected a positive p, but got ") << p;
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  Type element = lowering.elementType(op.getX()), wide = getProductType(element);
  Value zero = arith::ConstantOp::create(lowering.builder, cast<TypedAttr>(lowering.builder.getZeroAttr(wide)));
  Value sum = emitPool(lowering, op.getX(), *windows, dims, zero,
                       [&](ImplicitLocOpBuilder &b, ArrayRef<Value>, const PoolStep &step) {
                         ScalarBuilder s{b, b.getLoc()};
                         Value value = createScalarCast(b, b.getLoc(), step.value, false, wide, false);
                         Value power = p == 2 ? s.mul(value, value) : s.make<math::AbsFOp>({value});
                         if (p > 2)
                           power = s.make<math::PowFOp>({power, s.constant(wide, double(p))});
                         power = s.select(step.place.inside, power, s.constant(wide, 0));
                         return SmallVector<Value>{s.add(step.state[0], power)};
                       })
                  .front();
  lowering.set(op.getY(), lowering.map(dims, element, sum, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Value root = p == 1   ? x[0]
                 : p == 2 ? s.make<math::SqrtOp>(x[0])
                          : s.make<math::PowFOp>({x[0], s.constant(wide, 1.0 / double(p))});
    return createScalarCast(b, b.getLoc(), root, false, element, false);
  }));
  return success();
}

/// Writes each element where a MaxPool says it had found it.
static LogicalResult lowerMaxUnpool(Lowering &lowering, onnx::MaxUnpoolOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  ImplicitLocOpBuilder &builder = lowering.builder;
  // Indices count the elements of what was pooled, whose size is only told by the windows.
  size_t spatial = dims.size() - 2;
  auto read = [&](std::optional<ArrayRef<int64_t>> given, size_t count, int64_t otherwise) {
    return given && given->size() == count ? SmallVector<int64_t>(*given) : SmallVector<int64_t>(count, otherwise);
  };
  SmallVector<int64_t> strides = read(op.getStrides(), spatial, 1), pads = read(op.getPads(), 2 * spatial, 0);
  SmallVector<Value> sizes, resultSizes, lower, upper, step;
  for (size_t dim = 0; dim < dims.size(); ++dim) {
    AffineExpr size = dims[dim];
    if (dim >= 2)
      size = (size - 1) * strides[dim - 2] + (op.getKernelShape()[dim - 2] - pads[dim - 2] - pads[dim - 2 + spatial]);
    sizes.push_back(lowering.sizeValue(lowering.shapes.simplify(size)));
    resultSizes.push_back(lowering.sizeValue(resultDims[dim]));
    lower.push_back(lowering.index(0));
    upper.push_back(lowering.sizeValue(dims[dim]));
    step.push_back(lowering.index(1));
  }
  Type element = lowering.elementType(op.getOutput());
  Value zero = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)));
  Value input = lowering.get(op.getX()), indices = lowering.get(op.getI());
  scf::LoopNest nest = scf::buildLoopNest(
      builder, builder.getLoc(), lower, upper, step, lowering.filled(resultDims, zero),
      [&](OpBuilder &nested, Location loc, ValueRange loops, ValueRange tensors) -> scf::ValueVector {
        ImplicitLocOpBuilder b(loc, nested);
        ScalarBuilder s{b, loc};
        Value rest = arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, indices, loops));
        SmallVector<Value> position(dims.size());
        for (size_t dim = dims.size(); dim-- > 0;) {
          Value place = s.make<arith::RemSIOp>({rest, sizes[dim]});
          position[dim] = createBoundedIndex(b, place, resultSizes[dim]);
          rest = s.make<arith::DivSIOp>({rest, sizes[dim]});
        }
        return {tensor::InsertOp::create(b, tensor::ExtractOp::create(b, input, loops), tensors[0], position)};
      });
  lowering.set(op.getOutput(), nest.results[0]);
  return success();
}

/// Sums blocks [N, C * k1 * ..., blocks] up where they lie in the image: for each place of the image, over all places in
/// a block, those of the block that has the place there. The sizes of a block may be known only at run time.
static LogicalResult lowerCol2Im(Lowering &lowering, onnx::Col2ImOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY()), blockDims = lowering.shapes.getDims(op.getInput());
  ImplicitLocOpBuilder &builder = lowering.builder;
  size_t spatial = dims.size() - 2;
  auto read = [&](std::optional<ArrayRef<int64_t>> given, size_t count, int64_t otherwise) {
    return given && given->size() == count ? SmallVector<int64_t>(*given) : SmallVector<int64_t>(count, otherwise);
  };
  SmallVector<int64_t> strides = read(op.getStrides(), spatial, 1), dilations = read(op.getDilations(), spatial, 1),
                       pads = read(op.getPads(), 2 * spatial, 0);
  ScalarBuilder outer{builder, builder.getLoc()};
  Value block = lowering.get(op.getBlockShape()), one = lowering.index(1), zero = lowering.index(0);
  SmallVector<Value> kernel, counts; // of blocks along each dimension
  for (size_t i = 0; i < spatial; ++i) {
    Value size = arith::IndexCastOp::create(builder, builder.getIndexType(),
                                            tensor::ExtractOp::create(builder, block, lowering.index(i)));
    kernel.push_back(outer.max(size, one));
    Value room = outer.add(lowering.sizeValue(dims[i + 2]), lowering.index(pads[i] + pads[i + spatial] - 1));
    Value last = outer.sub(room, outer.mul(lowering.index(dilations[i]), outer.sub(kernel[i], one)));
    counts.push_back(outer.add(outer.make<arith::DivSIOp>({last, lowering.index(strides[i])}), one));
  }
  // Held within what there is, whatever the block's shape.
  Value columns = lowering.sizeValue(blockDims[2]), rows = lowering.sizeValue(blockDims[1]);
  AffineExpr area = lowering.shapes.simplify(blockDims[1].floorDiv(dims[1]));
  Value areaSize = lowering.sizeValue(area), input = lowering.get(op.getInput());
  Type element = lowering.elementType(op.getY());
  unsigned rank = dims.size();
  SmallVector<AffineExpr> kept;
  for (unsigned dim = 0; dim < rank; ++dim)
    kept.push_back(lowering.dim(dim));
  // A tensor that is never read gives the loop over the block its size.
  Value shape = lowering.empty(area, builder.getI1Type());
  Value none = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)));
  Value init = lowering.filled(dims, none);
  SmallVector<AffineMap> maps = {AffineMap::get(rank + 1, 0, lowering.dim(rank)),
                                 AffineMap::get(rank + 1, 0, kept, builder.getContext())};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      builder, init.getType(), shape, init, maps, iterators, [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        ScalarBuilder s{b, loc};
        auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
        Value inBlock = linalg::IndexOp::create(b, rank), rest = inBlock, inside, column;
        SmallVector<Value> places(spatial);
        for (size_t i = spatial; i-- > 0;) {
          places[i] = s.make<arith::RemSIOp>({rest, kernel[i]});
          rest = s.make<arith::DivSIOp>({rest, kernel[i]});
        }
        for (size_t i = 0; i < spatial; ++i) {
          Value offset = s.sub(s.add(linalg::IndexOp::create(b, 2 + i), constant(pads[i])),
                               s.mul(places[i], constant(dilations[i])));
          Value index = s.make<arith::DivSIOp>({offset, constant(strides[i])});
          Value good = s.equal(s.make<arith::RemSIOp>({offset, constant(strides[i])}), zero);
          good = s.make<arith::AndIOp>({good, s.lessOrEqual(zero, offset)});
          good = s.make<arith::AndIOp>({good, s.less(index, counts[i])});
          inside = inside ? s.make<arith::AndIOp>({inside, good}) : good;
          column = column ? s.add(s.mul(column, counts[i]), index) : index;
        }
        Value row = s.add(s.mul(linalg::IndexOp::create(b, 1), areaSize), inBlock);
        Value position[] = {linalg::IndexOp::create(b, 0), s.max(s.min(row, s.sub(rows, one)), zero),
                            s.max(s.min(column, s.sub(columns, one)), zero)};
        Value value = s.select(inside, tensor::ExtractOp::create(b, input, position), s.constant(element, 0));
        linalg::YieldOp::create(b, s.add(x[1], value));
      });
  lowering.set(op.getY(), generic.getResult(0));
  return success();
}

void lathe::addPoolingLowerings(LoweringTable &table) {
  table.add<onnx::MaxPoolOp, lowerMaxPool>();
  table.add<onnx::AveragePoolOp, lowerAveragePool>();
  table.add<onnx::LpPoolOp, lowerLpPool>();
  table.add<onnx::MaxUnpoolOp, lowerMaxUnpool>();
  table.add<onnx::Col2ImOp, lowerCol2Im>();
}
