//===- RunTimeSizes.cpp - Sizes that operands tell at run time ------------===//
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

bool lathe::hasDataSize(Lowering &lowering, Value value) {
  return llvm::any_of(lowering.shapes.getDims(value), [&](AffineExpr dim) {
    const SymbolicDim *symbol = lowering.shapes.getDataSymbol(dim);
    return symbol && symbol->result.getDefiningOp()->getName() == value.getDefiningOp()->getName();
  });
}

/// Says what a size is if data decides it; a size that is known has to be that one.
static void setOrRequire(Lowering &lowering, AffineExpr dim, Value size) {
  if (lowering.shapes.getDataSymbol(dim) && !lowering.shapes.hasSize(dim))
    return lowering.setSize(dim, size);
  lowering.require(arith::CmpIOp::create(lowering.builder, arith::CmpIPredicate::eq, size, lowering.sizeValue(dim)));
}

//===----------------------------------------------------------------------===//
// Sizes alone
//===----------------------------------------------------------------------===//

/// How often `delta` fits between start and limit, of floats: computed in f64, held within what an index can be.
static Value countFloats(ImplicitLocOpBuilder &b, Value start, Value limit, Value delta) {
  ScalarBuilder s{b, b.getLoc()};
  Type f64 = b.getF64Type();
  Value span = s.sub(limit, start);
  auto widen = [&](Value value) -> Value {
    return value.getType() == f64 ? value : arith::ExtFOp::create(b, f64, value).getResult();
  };
  Value count = s.div(widen(span), widen(delta)), zero = s.constant(f64, 0), most = s.constant(f64, INT32_MAX);
  // NaN is not above 0.
  count = s.select(s.less(zero, count), count, zero);
  count = s.select(s.less(count, most), count, most);
  Value whole = arith::FPToSIOp::create(b, b.getI64Type(), count);
  Value part = s.less(arith::SIToFPOp::create(b, f64, whole), count);
  return arith::IndexCastOp::create(b, b.getIndexType(), s.add(whole, arith::ExtUIOp::create(b, b.getI64Type(), part)));
}

/// The same of places.
static Value countSteps(ImplicitLocOpBuilder &b, Value start, Value limit, Value step) {
  ScalarBuilder s{b, b.getLoc()};
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value isBackwards = s.less(step, zero);
  Value length = s.select(isBackwards, s.sub(zero, step), step);
  Value span = s.select(isBackwards, s.sub(start, limit), s.sub(limit, start));
  span = s.max(span, zero);
  return arith::CeilDivSIOp::create(b, span, s.max(length, one));
}

void lathe::readRangeSize(Lowering &lowering, onnx::RangeOp op) {
  if (!hasDataSize(lowering, op.getOutput()))
    return;
  ImplicitLocOpBuilder &b = lowering.builder;
  ScalarBuilder s{b, b.getLoc()};
  AffineExpr size = lowering.shapes.getDims(op.getOutput())[0];
  if (!isa<FloatType>(lowering.elementType(op.getStart()))) {
    Value start = lowering.readIndex(op.getStart(), 0), limit = lowering.readIndex(op.getLimit(), 0),
          step = lowering.readIndex(op.getDelta(), 0);
    lowering.require(s.compare(arith::CmpIPredicate::ne, step, lowering.index(0)));
    return lowering.setSize(size, countSteps(b, start, limit, step));
  }
  auto read = [&](Value operand) -> Value {
    SmallVector<Value> zeros(lowering.rank(operand), lowering.index(0));
    return tensor::ExtractOp::create(b, lowering.get(operand), zeros);
  };
  Value delta = read(op.getDelta());
  lowering.require(s.compare(arith::CmpFPredicate::ONE, delta, s.constant(delta.getType(), 0)));
  lowering.setSize(size, countFloats(b, read(op.getStart()), read(op.getLimit()), delta));
}

void lathe::readConstantOfShapeSizes(Lowering &lowering, onnx::ConstantOfShapeOp op) {
  if (!hasDataSize(lowering, op.getOutput()))
    return;
  for (auto [position, dim] : llvm::enumerate(lowering.shapes.getDims(op.getOutput())))
    setOrRequire(lowering, dim, lowering.readIndex(op.getInput(), position));
}

void lathe::readExpandSizes(Lowering &lowering, onnx::ExpandOp op) {
  if (lowering.shapes.getElements(op.getShape()))
    return;
  auto length = dyn_cast<AffineConstantExpr>(lowering.shapes.getDims(op.getShape())[0]);
  if (!length)
    return;
  ImplicitLocOpBuilder &b = lowering.builder;
  ScalarBuilder s{b, b.getLoc()};
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput()), in = lowering.shapes.getDims(op.getInput());
  size_t skipped = dims.size() - length.getValue();
  for (int64_t position = 0; position < length.getValue(); ++position) {
    size_t place = position + skipped;
    Value size = lowering.readIndex(op.getShape(), position);
    bool repeats = place + in.size() < dims.size() || in[place + in.size() - dims.size()] == lowering.constantExpr(1);
    if (repeats) {
      setOrRequire(lowering, dims[place], size);
      continue;
    }
    Value fits = s.equal(size, lowering.sizeValue(dims[place]));
    lowering.require(s.make<arith::OrIOp>({fits, s.equal(size, lowering.index(1))}));
  }
}

void lathe::readSplitSizes(Lowering &lowering, onnx::SplitOp op) {
  if (!op.getSplit() || lowering.shapes.getElements(op.getSplit()))
    return;
  ScalarBuilder s{lowering.builder, lowering.builder.getLoc()};
  int64_t axis = normalizeAxis(op.getAxis(), lowering.rank(op.getInput()));
  Value left = lowering.sizeValue(lowering.shapes.getDims(op.getInput())[axis]);
  for (auto [position, part] : llvm::enumerate(op.getOutputs())) {
    Value size = lowering.readIndex(op.getSplit(), position);
    lowering.require(s.lessOrEqual(size, left));
    size = s.min(size, left);
    setOrRequire(lowering, lowering.shapes.getDims(part)[axis], size);
    left = s.sub(left, s.max(size, lowering.index(0)));
  }
  lowering.require(s.equal(left, lowering.index(0)));
}

void lathe::readTopKSize(Lowering &lowering, onnx::TopKOp op) {
  if (!hasDataSize(lowering, op.getValues()))
    return;
  ScalarBuilder s{lowering.builder, lowering.builder.getLoc()};
  int64_t axis = normalizeAxis(op.getAxis(), lowering.rank(op.getX()));
  Value all = lowering.sizeValue(lowering.shapes.getDims(op.getX())[axis]), count = lowering.readIndex(op.getK(), 0);
  lowering.require(s.lessOrEqual(count, all));
  setOrRequire(lowering, lowering.shapes.getDims(op.getValues())[axis], s.min(count, all));
}

void lathe::readOneHotSize(Lowering &lowering, onnx::OneHotOp op) {
  if (!hasDataSize(lowering, op.getOutput()))
    return;
  int64_t axis = normalizeAxis(op.getAxis(), lowering.rank(op.getOutput()));
  setOrRequire(lowering, lowering.shapes.getDims(op.getOutput())[axis], lowering.readIndex(op.getDepth(), 0));
}

/// floor(size * scale) in f32, as of a scale that is known; 0 for one that is not positive.
static Value scaleSize(ImplicitLocOpBuilder &b, Value size, Value scale) {
  ScalarBuilder s{b, b.getLoc()};
  Type f32 = b.getF32Type();
  Value number = arith::SIToFPOp::create(b, f32, arith::IndexCastOp::create(b, b.getI64Type(), size));
  Value zero = s.constant(f32, 0), most = s.constant(f32, INT32_MAX), result = s.mul(number, scale);
  result = s.select(s.less(zero, result), result, zero);
  result = s.select(s.less(result, most), result, most);
  return arith::IndexCastOp::create(b, b.getIndexType(), arith::FPToSIOp::create(b, b.getI64Type(), result));
}

void lathe::readResizeSizes(Lowering &lowering, onnx::ResizeOp op) {
  if (!hasDataSize(lowering, op.getY()))
    return;
  ImplicitLocOpBuilder &b = lowering.builder;
  ScalarBuilder s{b, b.getLoc()};
  ArrayRef<AffineExpr> in = lowering.shapes.getDims(op.getX()), out = lowering.shapes.getDims(op.getY());
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(in.size()));
  if (auto given = op.getAxes())
    axes.assign(given->begin(), given->end());
  bool givesSizes = op.getSizes() &&
                    lowering.shapes.getDims(op.getSizes()) == ArrayRef<AffineExpr>(lowering.constantExpr(axes.size()));
  for (auto [position, given] : llvm::enumerate(axes)) {
    int64_t axis = normalizeAxis(given, in.size());
    if (!lowering.shapes.getDataSymbol(out[axis]))
      continue;
    Value before = lowering.sizeValue(in[axis]), after;
    if (givesSizes)
      after = lowering.readIndex(op.getSizes(), position);
    else
      after = scaleSize(b, before,
                        tensor::ExtractOp::create(b, lowering.get(op.getScales()), Value(lowering.index(position))));
    // Nothing can be read of nothing.
    lowering.require(s.make<arith::OrIOp>({s.less(lowering.index(0), before), s.equal(after, lowering.index(0))}));
    setOrRequire(lowering, out[axis], after);
  }
}

//===----------------------------------------------------------------------===//
// Whole ops
//===----------------------------------------------------------------------===//

/// A result of which each dimension is read at a place of its own: `place` gets the dimension and the index in it.
static Value readPlaces(Lowering &lowering, Value data, ArrayRef<AffineExpr> dims,
                        function_ref<Value(ImplicitLocOpBuilder &, unsigned, Value)> place) {
  return lowering.generic(dims, getElementTypeOrSelf(data), {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
    SmallVector<Value> position;
    for (unsigned dim = 0; dim < dims.size(); ++dim)
      position.push_back(place(b, dim, linalg::IndexOp::create(b, dim)));
    return tensor::ExtractOp::create(b, data, position);
  });
}

LogicalResult lathe::lowerOpenSlice(Lowering &lowering, onnx::SliceOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData()),
                       resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size(), count = cast<AffineConstantExpr>(lowering.shapes.getDims(op.getStarts())[0]).getValue();
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(count)), steps;
  if (op.getAxes())
    axes = lowering.getConstants(op.getAxes());
  steps = op.getSteps() ? lowering.getConstants(op.getSteps()) : SmallVector<int64_t>(count, 1);
  if (!axes)
    return op.emitOpError("expected axes that are known at compile time");
  ImplicitLocOpBuilder &b = lowering.builder;
  ScalarBuilder s{b, b.getLoc()};
  Value zero = lowering.index(0), one = lowering.index(1);
  SmallVector<Value> starts(rank, zero), strides(rank, one);
  for (size_t position = 0; position < axes->size(); ++position) {
    int64_t axis = normalizeAxis((*axes)[position], rank);
    Value size = lowering.sizeValue(dims[axis]);
    int64_t limit = std::max<int64_t>(lowering.shapes.getUpperBound(dims[axis]), INT32_MAX);
    Value step = steps ? lowering.index((*steps)[position]) : lowering.readIndex(op.getSteps(), position);
    if (!steps)
      lowering.require(s.compare(arith::CmpIPredicate::ne, step, zero));
    // Forwards, places are held within [0, size]; backwards, a start within [0, size - 1], an end within [-1, size -
    // 1].
    Value isBackwards = s.less(step, zero), last = s.select(isBackwards, s.sub(size, one), size);
    auto hold = [&](Value list, Value lowest) {
      Value place = lowering.readIndex(list, position, limit);
      place = s.select(s.less(place, zero), s.add(place, size), place);
      return s.max(s.min(place, last), lowest);
    };
    Value start = hold(op.getStarts(), zero);
    Value end = hold(op.getEnds(), s.select(isBackwards, lowering.index(-1), zero));
    // A start is 0 in an empty dimension.
    setOrRequire(lowering, resultDims[axis], s.select(s.equal(size, zero), zero, countSteps(b, start, end, step)));
    starts[axis] = start, strides[axis] = step;
  }
  Value data = lowering.get(op.getData());
  if (steps && llvm::all_of(*steps, [](int64_t step) { return step == 1; })) {
    SmallVector<OpFoldResult> offsets = getAsOpFoldResult(starts);
    lowering.set(op.getOutput(), lowering.slice(data, offsets, resultDims));
    return success();
  }
  lowering.set(op.getOutput(),
               readPlaces(lowering, data, resultDims, [&](ImplicitLocOpBuilder &c, unsigned dim, Value index) {
                 ScalarBuilder t{c, c.getLoc()};
                 return t.add(starts[dim], t.mul(index, strides[dim]));
               }));
  return success();
}

LogicalResult lathe::lowerOpenReshape(Lowering &lowering, onnx::ReshapeOp op) {
  ImplicitLocOpBuilder &b = lowering.builder;
  ScalarBuilder s{b, b.getLoc()};
  ArrayRef<AffineExpr> in = lowering.shapes.getDims(op.getData()), dims = lowering.shapes.getDims(op.getReshaped());
  AffineExpr count = lowering.constantExpr(1);
  for (AffineExpr dim : in)
    count = count * dim;
  count = lowering.shapes.simplify(count);
  Value all = lowering.sizeValue(count), zero = lowering.index(0), one = lowering.index(1);
  // The product of the sizes but -1; one more than all elements where it is larger.
  SmallVector<Value> sizes;
  Value product = one, opens = zero;
  for (size_t position = 0; position < dims.size(); ++position) {
    Value size = lowering.readIndex(op.getShape(), position), given = size;
    if (!op.getAllowzero() && position < in.size())
      size = s.select(s.equal(given, zero), lowering.sizeValue(in[position]), size);
    Value isOpen = s.equal(given, lowering.index(-1));
    opens = s.add(opens, s.select(isOpen, one, zero));
    sizes.push_back(size);
    Value factor = s.select(isOpen, one, s.max(size, zero)), most = arith::DivSIOp::create(b, all, s.max(product, one));
    Value tooMany = s.make<arith::AndIOp>({s.less(zero, product), s.less(most, factor)});
    product = s.select(tooMany, s.add(all, one), s.mul(product, factor));
  }
  Value rest = arith::DivSIOp::create(b, all, s.max(product, one));
  Value hasOpen = s.equal(opens, one);
  Value whole = s.select(hasOpen, s.mul(rest, product), product);
  Value fits = s.make<arith::AndIOp>({s.equal(whole, all), s.compare(arith::CmpIPredicate::sle, opens, one)});
  lowering.require(fits);
  for (auto [dim, size] : llvm::zip(dims, sizes)) {
    size = s.select(s.equal(size, lowering.index(-1)), rest, size);
    // With other sizes elements would be read that are not there.
    setOrRequire(lowering, dim, s.select(fits, size, zero));
  }
  Value flat = lowering.reshape(lowering.get(op.getData()), in, count);
  Type element = getElementTypeOrSelf(flat);
  auto open = RankedTensorType::get(ShapedType::kDynamic, element);
  if (flat.getType() != open)
    flat = tensor::CastOp::create(b, open, flat);
  SmallVector<ReassociationIndices> groups = {llvm::to_vector<2>(llvm::seq<int64_t>(0, dims.size()))};
  lowering.set(op.getReshaped(),
               tensor::ExpandShapeOp::create(b, lowering.type(dims, element), flat, groups, lowering.sizes(dims)));
  return success();
}

LogicalResult lathe::lowerOpenTile(Lowering &lowering, onnx::TileOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput()),
                       resultDims = lowering.shapes.getDims(op.getOutput());
  ScalarBuilder s{lowering.builder, lowering.builder.getLoc()};
  SmallVector<Value> sizes;
  for (auto [position, dim] : llvm::enumerate(dims)) {
    sizes.push_back(lowering.sizeValue(dim));
    Value most = lowering.index(lowering.shapes.getUpperBound(resultDims[position]) + 1);
    // Held before it is multiplied: the product is of 32 bits on some machines.
    Value repeats = s.min(lowering.readIndex(op.getRepeats(), position), most);
    Value empty = s.equal(sizes.back(), lowering.index(0));
    Value fitting = arith::DivSIOp::create(lowering.builder, most, s.max(sizes.back(), lowering.index(1)));
    Value tooMany = s.less(fitting, repeats);
    lowering.require(s.make<arith::OrIOp>({empty, s.compare(arith::CmpIPredicate::sle, repeats, fitting)}));
    Value size = s.select(tooMany, lowering.index(0), s.mul(sizes.back(), repeats));
    setOrRequire(lowering, resultDims[position], s.select(empty, lowering.index(0), size));
  }
  lowering.set(op.getOutput(), readPlaces(lowering, lowering.get(op.getInput()), resultDims,
                                          [&](ImplicitLocOpBuilder &b, unsigned dim, Value index) -> Value {
                                            return arith::RemUIOp::create(b, index, sizes[dim]);
                                          }));
  return success();
}

/// Where an element of a padded dimension comes from: `index` is its distance from the first of `size` elements.
static Value emitPaddedPlace(ImplicitLocOpBuilder &b, StringRef mode, Value index, Value size) {
  ScalarBuilder s{b, b.getLoc()};
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1),
        last = s.sub(size, one);
  auto wrap = [&](Value period) {
    Value rest = arith::RemSIOp::create(b, index, s.max(period, one));
    return s.select(s.less(rest, zero), s.add(rest, period), rest);
  };
  if (mode == "wrap") {
    index = wrap(size);
  } else if (mode == "reflect") {
    Value period = s.max(s.add(last, last), one), rest = wrap(period);
    index = s.min(rest, s.sub(period, rest));
  }
  return s.max(s.min(index, last), zero);
}

LogicalResult lathe::lowerOpenPad(Lowering &lowering, onnx::PadOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData()),
                       resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size();
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (op.getAxes())
    axes = lowering.getConstants(op.getAxes());
  if (!axes)
    return op.emitOpError("expected axes that are known at compile time");
  ImplicitLocOpBuilder &builder = lowering.builder;
  ScalarBuilder s{builder, builder.getLoc()};
  // Pads are held far enough inside 32 bits for sums of them.
  constexpr int64_t kMostPad = 1 << 29;
  StringRef mode = op.getMode();
  SmallVector<Value> sizes, lows(rank, lowering.index(0));
  for (AffineExpr dim : dims)
    sizes.push_back(lowering.sizeValue(dim));
  for (auto [position, given] : llvm::enumerate(*axes)) {
    int64_t axis = normalizeAxis(given, rank);
    lows[axis] = lowering.readIndex(op.getPads(), position, kMostPad);
    Value high = lowering.readIndex(op.getPads(), axes->size() + position, kMostPad);
    Value size = s.add(s.add(sizes[axis], lows[axis]), high);
    if (mode != "constant") // nothing can be repeated of nothing
      lowering.require(
          s.make<arith::OrIOp>({s.less(lowering.index(0), sizes[axis]), s.equal(size, lowering.index(0))}));
    setOrRequire(lowering, resultDims[axis], size);
  }
  Value data = lowering.get(op.getData()), fill;
  Type element = lowering.elementType(op.getOutput());
  if (Value given = op.getConstantValue()) {
    SmallVector<Value> zeros(lowering.rank(given), lowering.index(0));
    fill = tensor::ExtractOp::create(builder, lowering.get(given), zeros);
  } else {
    fill = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)));
  }
  lowering.set(op.getOutput(),
               lowering.generic(resultDims, element, {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                 ScalarBuilder t{b, b.getLoc()};
                 SmallVector<Value> position;
                 Value isInside = arith::ConstantIntOp::create(b, 1, 1), zero = arith::ConstantIndexOp::create(b, 0);
                 for (int64_t dim = 0; dim < rank; ++dim) {
                   Value index = t.sub(linalg::IndexOp::create(b, dim), lows[dim]);
                   Value here = t.make<arith::AndIOp>({t.lessOrEqual(zero, index), t.less(index, sizes[dim])});
                   isInside = t.make<arith::AndIOp>({isInside, here});
                   position.push_back(emitPaddedPlace(b, mode, index, sizes[dim]));
                 }
                 Value read = tensor::ExtractOp::create(b, data, position);
                 return mode == "constant" ? t.select(isInside, read, fill) : read;
               }));
  return success();
}
