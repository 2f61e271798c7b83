//===- SlidingWindows.cpp - Windows of convolutions and pools -------------===//
#include "passes/Lower/ONNXToLinalg/SlidingWindows.h"

using namespace mlir;
using namespace lathe;

FailureOr<SlidingWindows> lathe::getSlidingWindows(Lowering &lowering, Operation *op, Value input,
                                                   ArrayRef<int64_t> kernel) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(input);
  size_t rank = kernel.size();
  auto read = [&](StringRef name, size_t count, int64_t otherwise) {
    auto given = op->getAttrOfType<DenseI64ArrayAttr>(name);
    return given && given.size() == int64_t(count) ? SmallVector<int64_t>(given.asArrayRef())
                                                   : SmallVector<int64_t>(count, otherwise);
  };
  SlidingWindows windows;
  windows.kernel.assign(kernel.begin(), kernel.end());
  windows.strides = read("strides", rank, 1);
  windows.dilations = read("dilations", rank, 1);
  SmallVector<int64_t> pads = read("pads", 2 * rank, 0);
  auto autoPad = op->getAttrOfType<StringAttr>("auto_pad");
  StringRef mode = autoPad ? autoPad.getValue() : "NOTSET";
  for (size_t i = 0; i < rank; ++i) {
    int64_t before = pads[i], after = pads[i + rank];
    if (mode == "VALID") {
      before = after = 0;
    } else if (mode.starts_with("SAME")) {
      auto size = dyn_cast<AffineConstantExpr>(dims[i + 2]);
      int64_t stride = windows.strides[i];
      if (!size && stride != 1)
        return op->emitOpError("expected a size that is known at compile time for auto_pad ") << mode;
      int64_t in = size ? size.getValue() : 1;
      int64_t total = std::max<int64_t>((llvm::divideCeil(in, stride) - 1) * stride + windows.extent(i) - in, 0);
      before = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      after = total - before;
    }
    windows.before.push_back(before);
    windows.after.push_back(after);
  }
  return windows;
}

Value lathe::emitSpread(Lowering &lowering, Value input, ArrayRef<AffineExpr> dims, ArrayRef<AffineExpr> resultDims,
                        ArrayRef<int64_t> before, ArrayRef<int64_t> spacing, TypedAttr fill) {
  bool isSame = dims == resultDims && llvm::all_of(before, [](int64_t pad) { return pad == 0; }) &&
                llvm::all_of(spacing, [](int64_t step) { return step == 1; });
  if (isSame)
    return input;
  SmallVector<Value> sizes = llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  return lowering.generic(
      resultDims, getElementTypeOrSelf(input), {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        SmallVector<Value> position;
        Value inside, zero = arith::ConstantIndexOp::create(b, 0);
        auto require = [&](Value condition) {
          inside = inside ? s.make<arith::AndIOp>({inside, condition}) : condition;
        };
        for (unsigned dim = 0; dim < dims.size(); ++dim) {
          Value index = linalg::IndexOp::create(b, dim);
          if (dim < 2) {
            position.push_back(index);
            continue;
          }
          index = s.sub(index, arith::ConstantIndexOp::create(b, before[dim - 2]));
          require(s.lessOrEqual(zero, index));
          if (spacing[dim - 2] != 1) {
            Value step = arith::ConstantIndexOp::create(b, spacing[dim - 2]);
            require(s.equal(s.make<arith::RemSIOp>({index, step}), zero));
            index = s.make<arith::DivSIOp>({index, step});
          }
          require(s.less(index, sizes[dim]));
          Value last = s.sub(sizes[dim], arith::ConstantIndexOp::create(b, 1));
          position.push_back(s.max(s.min(index, last), zero));
        }
        Value element = tensor::ExtractOp::create(b, input, position);
        return inside ? s.select(inside, element, arith::ConstantOp::create(b, fill)) : element;
      });
}

WindowPlace lathe::emitWindowPlace(ImplicitLocOpBuilder &b, const SlidingWindows &windows, unsigned first,
                                   unsigned second, ArrayRef<Value> sizes) {
  ScalarBuilder s{b, b.getLoc()};
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
  WindowPlace place;
  Value zero = constant(0);
  auto both = [&](Value a, Value c) { return a ? s.make<arith::AndIOp>({a, c}) : c; };
  for (unsigned i = 0; i < windows.rank(); ++i) {
    Value start = s.mul(linalg::IndexOp::create(b, first + i), constant(windows.strides[i]));
    Value offset = s.mul(linalg::IndexOp::create(b, second + i), constant(windows.dilations[i]));
    Value index = s.sub(s.add(start, offset), constant(windows.before[i]));
    place.inside = both(place.inside, s.make<arith::AndIOp>({s.lessOrEqual(zero, index), s.less(index, sizes[i])}));
    place.counted = both(place.counted, s.less(index, s.add(sizes[i], constant(windows.after[i]))));
    place.indices.push_back(s.max(s.min(index, s.sub(sizes[i], constant(1))), zero));
  }
  return place;
}
