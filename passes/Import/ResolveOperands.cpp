//===- ResolveOperands.cpp - Static shapes from operands known late -------===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTRESOLVEOPERANDS
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static ArrayRef<int64_t> getShape(Value value) { return NodeBuilder::getType(value).getShape(); }

/// Axes, counted from the front, as i64; `rank` is that of what they are axes of. All of the first `count` without a
/// value.
static Value normalizeAxes(NodeBuilder &nodes, Value axes, int64_t rank, int64_t count) {
  if (!axes)
    return nodes.range(count);
  axes = nodes.cast(axes, nodes.builder.getI64Type());
  return nodes.mod(axes, nodes.scalarLike(axes, double(rank)));
}

/// Of `values`, one for each of `axes`, the one for `axis` as a scalar, or `otherwise`.
static Value pickForAxis(NodeBuilder &nodes, Value values, Value axes, int64_t axis, int64_t otherwise) {
  values = nodes.cast(values, nodes.builder.getI64Type());
  Value isAxis = nodes.equal(axes, nodes.scalarLike(axes, double(axis)));
  Value shifted = nodes.sub(values, nodes.scalarLike(values, double(otherwise)));
  Value chosen = nodes.sum(nodes.select(isAxis, shifted, nodes.scalarLike(values, 0)), 0);
  return nodes.add(chosen, nodes.scalarLike(chosen, double(otherwise)));
}

/// A slice becomes a gather along each dimension, at places that are computed. Null for elements of an empty tensor.
static Value resolveSlice(NodeBuilder &nodes, onnx::SliceOp op) {
  Value data = op.getData();
  int64_t rank = getShape(data).size(), count = getShape(op.getStarts())[0];
  Value axes = normalizeAxes(nodes, op.getAxes(), rank, count);
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t size = getShape(data)[dim], length = getShape(op.getOutput())[dim];
    if (size == 0 && length > 0)
      return nullptr;
    Value start = pickForAxis(nodes, op.getStarts(), axes, dim, 0), zero = nodes.scalarLike(start, 0);
    Value step = op.getSteps() ? pickForAxis(nodes, op.getSteps(), axes, dim, 1) : nodes.scalarLike(start, 1);
    Value whole = nodes.scalarLike(start, double(size));
    start = nodes.select(nodes.less(start, zero), nodes.add(start, whole), start);
    Value last = nodes.select(nodes.less(step, zero), nodes.scalarLike(start, double(size - 1)), whole);
    start = nodes.max(nodes.min(start, last), zero);
    data = nodes.gather(data, nodes.add(start, nodes.mul(step, nodes.range(length))), dim);
  }
  return data;
}

/// Padding becomes a gather along each dimension, and a choice between its elements and the constant.
static Value resolvePad(NodeBuilder &nodes, onnx::PadOp op) {
  Value data = op.getData(), inside;
  int64_t rank = getShape(data).size(), count = getShape(op.getPads())[0] / 2;
  Value axes = normalizeAxes(nodes, op.getAxes(), rank, count);
  Value lows = nodes.gather(op.getPads(), nodes.range(count), 0);
  StringRef mode = op.getMode();
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t size = getShape(data)[dim], length = getShape(op.getOutput())[dim];
    if (size == 0 && length > 0)
      return nullptr;
    Value place = nodes.sub(nodes.range(length), pickForAxis(nodes, lows, axes, dim, 0));
    Value zero = nodes.scalarLike(place, 0), whole = nodes.scalarLike(place, double(size));
    if (mode == "constant") {
      Value below = nodes.less(place, whole), above = nodes.less(nodes.scalarLike(place, -1), place);
      SmallVector<int64_t> column(rank - dim, 1);
      column[0] = length;
      Value isInside = nodes.reshape(nodes.logicalAnd(below, above), column);
      inside = inside ? nodes.logicalAnd(inside, isInside) : isInside;
    } else if (mode == "wrap") {
      place = nodes.mod(place, whole);
    } else if (mode == "reflect") {
      Value period = nodes.scalarLike(place, double(std::max<int64_t>(2 * (size - 1), 1)));
      place = nodes.mod(place, period);
      place = nodes.min(place, nodes.sub(period, place));
    }
    place = nodes.max(nodes.min(place, nodes.scalarLike(place, double(size - 1))), zero);
    data = nodes.gather(data, place, dim);
  }
  if (!inside)
    return data;
  Value fill = op.getConstantValue() ? nodes.reshape(op.getConstantValue(), {}) : nodes.scalarLike(data, 0);
  return nodes.select(inside, data, fill);
}

/// A running sum or product for each axis there is; the one asked for is taken.
template <typename OpT>
static Value resolveCumulative(NodeBuilder &nodes, OpT op) {
  Value result, axis = nodes.reshape(op.getAxis(), {});
  int64_t rank = getShape(op.getX()).size();
  axis = nodes.mod(axis, nodes.scalarLike(axis, double(rank)));
  for (int64_t dim = 0; dim < rank; ++dim) {
    Value sum = OpT::create(nodes.builder, nodes.loc, op.getType(), op.getX(),
                            nodes.scalar(nodes.builder.getI64Type(), double(dim)),
                            op.getExclusive(), op.getReverse());
    result = result ? nodes.select(nodes.equal(axis, nodes.scalarLike(axis, double(dim))), sum, result) : sum;
  }
  return result;
}

/// A transform along each axis that the shapes allow; the one asked for is taken. Null if there is
/// none.
static Value resolveDFT(NodeBuilder &nodes, onnx::DFTOp op) {
  ArrayRef<int64_t> in = getShape(op.getInput()), out = getShape(op.getOutput());
  int64_t rank = in.size();
  Value result, axis = nodes.reshape(op.getAxis(), {});
  axis = nodes.mod(axis, nodes.scalarLike(axis, double(rank)));
  for (int64_t dim = 0; dim < rank - 1; ++dim) {
    SmallVector<int64_t> others(out);
    others[dim] = in[dim];
    bool fits = ArrayRef<int64_t>(others).drop_back() == in.drop_back();
    bool keeps = !op.getDftLength() && !op.getOnesided();
    if (!fits || (keeps && out[dim] != in[dim]))
      continue;
    Value chosen = nodes.scalar(nodes.builder.getI64Type(), double(dim));
    Operation *clone = nodes.builder.clone(*op);
    cast<onnx::DFTOp>(clone).getAxisMutable().assign(chosen);
    Value along = clone->getResult(0);
    result =
        result ? nodes.select(nodes.equal(axis, nodes.scalarLike(axis, double(dim))), along, result)
               : along;
  }
  return result;
}

/// All sets of as many axes as `count` whose removal from `in` leaves `out`.
static SmallVector<SmallVector<int64_t>> findAxes(ArrayRef<int64_t> in, ArrayRef<int64_t> out) {
  constexpr size_t kMaxRank = 8;
  SmallVector<SmallVector<int64_t>> found;
  for (unsigned set = 0; in.size() <= kMaxRank && set < 1u << in.size(); ++set) {
    SmallVector<int64_t> axes, kept;
    for (size_t dim = 0; dim < in.size(); ++dim)
      set >> dim & 1 ? axes.push_back(dim) : kept.push_back(in[dim]);
    if (ArrayRef<int64_t>(kept) == out)
      found.push_back(axes);
  }
  return found;
}

/// A reduction over axes that the shapes tell; where they tell several, over each of them, and the one asked for is
/// taken. Null if the shapes fit no axes.
static Value resolveReduce(NodeBuilder &nodes, Operation *op) {
  Value data = op->getOperand(0), axes = op->getOperand(1), result = op->getResult(0);
  ArrayRef<int64_t> in = getShape(data), out = getShape(result);
  bool keep = cast<IntegerAttr>(op->getAttr("keepdims")).getInt();
  SmallVector<SmallVector<int64_t>> candidates;
  if (!keep) {
    candidates = findAxes(in, out);
  } else if (in.size() == out.size()) {
    candidates.emplace_back();
    for (auto [dim, sizes] : llvm::enumerate(llvm::zip(in, out)))
      if (std::get<1>(sizes) == 1)
        candidates.back().push_back(dim);
      else if (std::get<0>(sizes) != std::get<1>(sizes))
        return nullptr;
  }
  // The set of axes as the sum of a power of two for each.
  SmallVector<int64_t> powers;
  for (size_t dim = 0; dim < in.size(); ++dim)
    powers.push_back(int64_t(1) << dim);
  Value key, reduced;
  for (ArrayRef<int64_t> candidate : candidates) {
    Value chosen = nodes.ints(candidate);
    Operation *clone = nodes.builder.clone(*op);
    clone->setOperand(1, chosen);
    clone->setAttr("noop_with_empty_axes", nodes.builder.getI64IntegerAttr(1));
    if (!reduced) {
      reduced = clone->getResult(0);
      continue;
    }
    if (!key)
      key = nodes.sum(nodes.gather(nodes.ints(powers), normalizeAxes(nodes, axes, in.size(), 0), 0), 0);
    int64_t mask = 0;
    for (int64_t axis : candidate)
      mask |= int64_t(1) << axis;
    reduced = nodes.select(nodes.equal(key, nodes.scalarLike(key, double(mask))), clone->getResult(0), reduced);
  }
  return reduced;
}

/// One scale for all axes that keeps the aspect ratio of sizes known at run time.
static Value resolveAspect(NodeBuilder &nodes, onnx::ResizeOp op) {
  ArrayRef<int64_t> in = getShape(op.getX());
  SmallVector<double> sizes;
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(in.size()));
  if (auto given = op.getAxes())
    axes.assign(given->begin(), given->end());
  for (int64_t axis : axes)
    sizes.push_back(double(in[axis < 0 ? axis + in.size() : axis]));
  Type f32 = nodes.builder.getF32Type();
  int64_t count = sizes.size();
  Value ratios = nodes.div(nodes.cast(op.getSizes(), f32), nodes.floats(f32, {count}, sizes));
  Value scale = op.getKeepAspectRatioPolicy() == "not_larger" ? nodes.reduce<onnx::ReduceMinOp>(ratios, 0, true)
                                                              : nodes.reduce<onnx::ReduceMaxOp>(ratios, 0, true);
  Value ones = nodes.floats(f32, {count}, SmallVector<double>(count, 1));
  return nodes.mul(scale, ones);
}

/// Puts a constant in the place of operand `index`.
static void setInts(NodeBuilder &nodes, Operation *op, unsigned index, ArrayRef<int64_t> values) {
  Value constant = nodes.ints(values), operand = op->getOperand(index);
  SmallVector<int64_t> shape(getShape(operand));
  op->setOperand(index, nodes.cast(nodes.reshape(constant, shape), NodeBuilder::getElement(operand)));
}

/// Whether the results that the model declares have the ranks that the operands demand, and lists of as many numbers as
/// there are axes. Shape inference has not seen to it, as it took what was declared.
static bool fits(Operation *op) {
  auto rank = [](Value value) { return int64_t(getShape(value).size()); };
  auto isList = [&](Value value, int64_t size) { return !value || (rank(value) == 1 && getShape(value)[0] == size); };
  int64_t in = op->getNumOperands() ? rank(op->getOperand(0)) : 0, out = rank(op->getResult(0));
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::ExpandOp,
            onnx::ConstantOfShapeOp>([](auto) { return true; })
      .Case<onnx::OneHotOp>([&](auto) { return out == in + 1; })
      .Case<onnx::TileOp>([&](auto op) {
        return in == out && llvm::all_of(llvm::zip(getShape(op.getInput()), getShape(op.getOutput())), [](auto sizes) {
                 auto [from, to] = sizes;
                 return from ? to % from == 0 : to == 0;
               });
      })
      .Case<onnx::SliceOp>([&](onnx::SliceOp op) {
        int64_t count = rank(op.getStarts()) == 1 ? getShape(op.getStarts())[0] : -1;
        return in == out && count >= 0 && isList(op.getAxes(), count) && isList(op.getSteps(), count);
      })
      .Case<onnx::PadOp>([&](onnx::PadOp op) {
        int64_t count = rank(op.getPads()) == 1 ? getShape(op.getPads())[0] / 2 : -1;
        return in == out && count >= 0 && (op.getAxes() || count == in) && isList(op.getPads(), 2 * count) &&
               isList(op.getAxes(), count);
      })
      .Case<onnx::ResizeOp>([&](onnx::ResizeOp op) {
        return in == out && isList(op.getSizes(), op.getAxes() ? int64_t(op.getAxes()->size()) : in);
      })
      .Case<onnx::SplitOp>([&](onnx::SplitOp op) {
        return llvm::all_of(op.getOutputs(), [&](Value part) { return rank(part) == in; }) &&
               isList(op.getSplit(), op.getNumResults());
      })
      .Case<onnx::CumSumOp, onnx::CumProdOp, onnx::DFTOp, onnx::TopKOp, onnx::CenterCropPadOp>(
          [&](auto) { return in == out; })
      .Default([&](Operation *op) { return rank(op->getOperand(1)) == 1; });
}

/// Whether the value tells a shape that is not known.
static bool isOpen(const SymbolicShapes &shapes, Value value) { return value && !shapes.getElements(value); }

namespace {

struct ImportResolveOperandsPass : lathe::impl::ImportResolveOperandsBase<ImportResolveOperandsPass> {
  using ImportResolveOperandsBase::ImportResolveOperandsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SymbolicShapes shapes(function);
    if (failed(shapes.compute()))
      return signalPassFailure();
    SmallVector<Operation *> open;
    for (Operation &op : function.getBody().front())
      if (llvm::all_of(op.getOpResults(), isStatic) && llvm::all_of(op.getOperands(), isStatic) &&
          hasOpenOperand(shapes, &op))
        open.push_back(&op);
    bool good = true;
    for (Operation *op : open) {
      if (fits(op)) {
        resolve(op);
        continue;
      }
      op->emitOpError("expected a declared result that fits the operands, but got ") << op->getResultTypes();
      good = false;
    }
    if (!good)
      signalPassFailure();
  }

private:
  static bool isStatic(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape();
  }

  static bool hasOpenOperand(const SymbolicShapes &shapes, Operation *op) {
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case<onnx::ReshapeOp, onnx::ExpandOp>(
            [&](auto op) { return isOpen(shapes, op.getShape()); })
        .Case<onnx::SqueezeOp, onnx::UnsqueezeOp>(
            [&](auto op) { return isOpen(shapes, op.getAxes()); })
        .Case<onnx::TileOp>([&](auto op) { return isOpen(shapes, op.getRepeats()); })
        .Case<onnx::ConstantOfShapeOp>([&](auto op) { return isOpen(shapes, op.getInput()); })
        .Case<onnx::OneHotOp>([&](auto op) { return isOpen(shapes, op.getDepth()); })
        .Case<onnx::TopKOp>([&](auto op) { return isOpen(shapes, op.getK()); })
        .Case<onnx::SplitOp>([&](auto op) { return isOpen(shapes, op.getSplit()); })
        .Case<onnx::CenterCropPadOp>([&](auto op) { return isOpen(shapes, op.getShape()); })
        .Case<onnx::ResizeOp>([&](auto op) { return isOpen(shapes, op.getSizes()); })
        .Case<onnx::CumSumOp, onnx::CumProdOp>(
            [&](auto op) { return isOpen(shapes, op.getAxis()); })
        .Case<onnx::DFTOp>([&](auto op) { return isOpen(shapes, op.getAxis()); })
        .Case<onnx::PadOp>(
            [&](auto op) { return isOpen(shapes, op.getPads()) || isOpen(shapes, op.getAxes()); })
        .Case<onnx::SliceOp>([&](auto op) {
          return isOpen(shapes, op.getStarts()) || isOpen(shapes, op.getEnds()) || isOpen(shapes, op.getAxes()) ||
                 isOpen(shapes, op.getSteps());
        })
        .Default([&](Operation *op) {
          return isReduction(op) && op->getNumOperands() == 2 && isOpen(shapes, op->getOperand(1));
        });
  }

  static bool isReduction(Operation *op) {
    return isa<onnx::ReduceSumOp, onnx::ReduceMeanOp, onnx::ReduceMaxOp, onnx::ReduceMinOp, onnx::ReduceProdOp,
               onnx::ReduceL1Op, onnx::ReduceL2Op, onnx::ReduceSumSquareOp, onnx::ReduceLogSumOp,
               onnx::ReduceLogSumExpOp>(op);
  }

  void resolve(Operation *op) {
    OpBuilder builder(op);
    NodeBuilder nodes(builder, op->getLoc());
    auto replace = [&](Value value) {
      if (!value)
        return;
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    };
    ArrayRef<int64_t> out = getShape(op->getResult(0));
    llvm::TypeSwitch<Operation *>(op)
        .Case<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(
            [&](auto op) { replace(nodes.reshape(op->getOperand(0), out)); })
        .Case<onnx::ExpandOp>([&](auto op) { op->setOperand(1, nodes.ints(out)); })
        .Case<onnx::ConstantOfShapeOp>([&](auto op) { op->setOperand(0, nodes.ints(out)); })
        .Case<onnx::TileOp>([&](onnx::TileOp op) {
          SmallVector<int64_t> repeats;
          for (auto [from, to] : llvm::zip(getShape(op.getInput()), out))
            repeats.push_back(from ? to / from : 0);
          op->setOperand(1, nodes.ints(repeats));
        })
        .Case<onnx::OneHotOp>([&](onnx::OneHotOp op) {
          int64_t axis = op.getAxis();
          axis += axis < 0 ? out.size() : 0;
          setInts(nodes, op, 1, out.slice(axis, 1));
        })
        .Case<onnx::TopKOp>([&](onnx::TopKOp op) {
          int64_t axis = op.getAxis();
          axis += axis < 0 ? out.size() : 0;
          setInts(nodes, op, 1, out.slice(axis, 1));
        })
        .Case<onnx::SplitOp>([&](onnx::SplitOp op) {
          int64_t axis = op.getAxis();
          axis += axis < 0 ? out.size() : 0;
          SmallVector<int64_t> sizes;
          for (Value part : op.getOutputs())
            sizes.push_back(getShape(part)[axis]);
          setInts(nodes, op, 1, sizes);
        })
        .Case<onnx::CenterCropPadOp, onnx::ResizeOp>([&](auto op) {
          SmallVector<int64_t> sizes;
          if (std::optional<ArrayRef<int64_t>> axes = op.getAxes())
            for (int64_t axis : *axes)
              sizes.push_back(out[axis < 0 ? axis + out.size() : axis]);
          else
            sizes.assign(out.begin(), out.end());
          if constexpr (std::is_same_v<decltype(op), onnx::ResizeOp>) {
            if (op.getKeepAspectRatioPolicy() != "stretch") {
              op.getScalesMutable().assign(resolveAspect(nodes, op));
              op.getSizesMutable().clear();
              op.setKeepAspectRatioPolicy("stretch");
              return;
            }
            op.getSizesMutable().assign(nodes.ints(sizes));
          } else {
            setInts(nodes, op, 1, sizes);
          }
        })
        .Case<onnx::CumSumOp, onnx::CumProdOp>(
            [&](auto op) { replace(resolveCumulative(nodes, op)); })
        .Case<onnx::DFTOp>([&](onnx::DFTOp op) { replace(resolveDFT(nodes, op)); })
        .Case<onnx::PadOp>([&](onnx::PadOp op) { replace(resolvePad(nodes, op)); })
        .Case<onnx::SliceOp>([&](onnx::SliceOp op) { replace(resolveSlice(nodes, op)); })
        .Default([&](Operation *op) { replace(resolveReduce(nodes, op)); });
  }
};

} // namespace
