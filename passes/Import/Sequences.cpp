//===- Sequences.cpp - Sequences and optionals known at compile time ------===//
#include "passes/Import/Sequences.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;

bool lathe::isContainer(Type type) { return isa<onnx::SequenceType, onnx::OptionalType>(type); }

std::optional<SmallVector<Value>> lathe::getSequence(Value sequence) {
  if (auto construct = sequence.getDefiningOp<onnx::SequenceConstructOp>())
    return SmallVector<Value>(construct.getInputs());
  if (sequence.getDefiningOp<onnx::SequenceEmptyOp>())
    return SmallVector<Value>();
  return std::nullopt;
}

namespace {

/// Rewrites one op at a time; a result is null if not enough is known.
class SequenceResolver {
public:
  SequenceResolver(Operation *op, const SymbolicShapes &shapes)
      : op(op), shapes(shapes), builder(op) {}

  /// What takes the place of the op's only result.
  Value resolve() {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case<onnx::IdentityOp>([](auto identity) {
          return isContainer(identity.getInput().getType()) ? identity.getInput() : Value();
        })
        .Case<onnx::SequenceAtOp>([&](auto at) { return resolveAt(at); })
        .Case<onnx::SequenceInsertOp>([&](auto insert) { return resolveInsert(insert); })
        .Case<onnx::SequenceEraseOp>([&](auto erase) { return resolveErase(erase); })
        .Case<onnx::SequenceLengthOp>([&](auto length) {
          auto list = getSequence(length.getInputSequence());
          return list ? makeScalar(builder.getI64IntegerAttr(list->size())) : Value();
        })
        .Case<onnx::SplitToSequenceOp>([&](auto split) { return resolveSplit(split); })
        .Case<onnx::ConcatFromSequenceOp>([&](auto concat) { return resolveConcat(concat); })
        .Case<onnx::OptionalHasElementOp>([&](auto has) { return resolveHas(has.getInput()); })
        .Case<onnx::OptionalGetElementOp>([&](auto get) {
          Value input = get.getInput();
          auto optional = input.getDefiningOp<onnx::OptionalOp>();
          if (!isa<onnx::OptionalType>(input.getType()))
            return input;
          return optional ? optional.getInput() : Value();
        })
        .Default([](Operation *) { return Value(); });
  }

private:
  Location loc() const { return op->getLoc(); }
  static Type unranked(Value value) {
    return UnrankedTensorType::get(getElementTypeOrSelf(value.getType()));
  }

  Value makeScalar(IntegerAttr value) {
    auto type = RankedTensorType::get({}, value.getType());
    return onnx::ConstantOp::create(builder, loc(), DenseElementsAttr::get(type, Attribute(value)));
  }
  Value makeInts(ArrayRef<int64_t> values) {
    return onnx::ConstantOp::create(builder, loc(), builder.getI64TensorAttr(values));
  }
  Value makeSequence(ValueRange elements) {
    return onnx::SequenceConstructOp::create(builder, loc(), op->getResult(0).getType(), elements);
  }

  /// Elements that are all constants.
  std::optional<SmallVector<int64_t>> getConstants(Value value) {
    auto elements = shapes.hasDims(value) ? shapes.getElements(value) : std::nullopt;
    if (!elements)
      return std::nullopt;
    SmallVector<int64_t> numbers;
    for (AffineExpr element : *elements) {
      auto constant = dyn_cast<AffineConstantExpr>(element);
      if (!constant)
        return std::nullopt;
      numbers.push_back(constant.getValue());
    }
    return numbers;
  }

  /// A position among `count`, counted from the front; nullopt if it is not known or not there.
  std::optional<int64_t> getPlace(Value position, int64_t count) {
    auto numbers = getConstants(position);
    if (!numbers || numbers->size() != 1)
      return std::nullopt;
    int64_t place = numbers->front() < 0 ? numbers->front() + count : numbers->front();
    return place >= 0 && place < count ? std::optional(place) : std::nullopt;
  }

  /// Whether one of the tensors may take another's place.
  bool haveOneShape(ArrayRef<Value> list) {
    return llvm::all_of(list, [&](Value value) {
      return shapes.hasDims(value) && shapes.getDims(value) == shapes.getDims(list.front());
    });
  }

  /// A position that is known at run time, as a scalar of i64; counted from the front by adding
  /// `count` where it is negative.
  Value normalize(Value position, int64_t count) {
    Type i64 = builder.getI64Type();
    auto type = RankedTensorType::get({}, i64);
    position = onnx::SqueezeOp::create(builder, loc(), unranked(position), position, Value());
    constexpr int64_t kInt64 = 7; // TensorProto.INT64
    position = onnx::CastOp::create(builder, loc(), type, position, kInt64, /*saturate=*/1);
    Value isNegative = less(position, makeScalar(builder.getI64IntegerAttr(0)));
    Value shifted = onnx::AddOp::create(builder, loc(), type, position,
                                        makeScalar(builder.getI64IntegerAttr(count)));
    return onnx::WhereOp::create(builder, loc(), type, isNegative, shifted, position);
  }
  Value less(Value a, Value b) {
    return onnx::LessOp::create(builder, loc(), RankedTensorType::get({}, builder.getI1Type()), a,
                                b);
  }
  Value less(int64_t a, Value b) { return less(makeScalar(builder.getI64IntegerAttr(a)), b); }
  Value less(Value a, int64_t b) { return less(a, makeScalar(builder.getI64IntegerAttr(b))); }
  Value choose(Value condition, Value a, Value b) {
    return onnx::WhereOp::create(builder, loc(), unranked(a), condition, a, b);
  }

  Value resolveAt(onnx::SequenceAtOp at) {
    auto list = getSequence(at.getInputSequence());
    if (!list || list->empty())
      return nullptr;
    if (std::optional<int64_t> place = getPlace(at.getPosition(), list->size()))
      return (*list)[*place];
    if (getConstants(at.getPosition()) || !haveOneShape(*list))
      return nullptr;
    Value place = normalize(at.getPosition(), list->size());
    for (Value &element : *list)
      element = onnx::UnsqueezeOp::create(builder, loc(), unranked(element), element, makeInts(0));
    Value all = onnx::ConcatOp::create(builder, loc(), unranked(list->front()), *list, /*axis=*/0);
    return onnx::GatherOp::create(builder, loc(), unranked(all), all, place, /*axis=*/0);
  }

  /// The list with the tensor at a position that is known at run time.
  Value insertLate(ArrayRef<Value> list, Value tensor, Value position) {
    SmallVector<Value> longer(list);
    longer.push_back(tensor);
    if (!haveOneShape(longer))
      return nullptr;
    Value place = normalize(position, list.size());
    for (int64_t i = 0, count = list.size(); i <= count; ++i) {
      longer[i] = i > 0 ? choose(less(place, i), list[i - 1], tensor) : tensor;
      if (i < count)
        longer[i] = choose(less(i, place), list[i], longer[i]);
    }
    return makeSequence(longer);
  }

  /// The list without the element at a position that is known at run time.
  Value eraseLate(ArrayRef<Value> list, Value position) {
    if (!haveOneShape(list))
      return nullptr;
    Value place = normalize(position, list.size());
    SmallVector<Value> shorter;
    for (int64_t i = 0, count = list.size(); i + 1 < count; ++i)
      shorter.push_back(choose(less(i, place), list[i], list[i + 1]));
    return makeSequence(shorter);
  }

  Value resolveInsert(onnx::SequenceInsertOp insert) {
    auto list = getSequence(insert.getInputSequence());
    if (!list)
      return nullptr;
    int64_t place = list->size();
    if (insert.getPosition()) {
      auto numbers = getConstants(insert.getPosition());
      if (!numbers)
        return insertLate(*list, insert.getTensor(), insert.getPosition());
      if (numbers->size() != 1)
        return nullptr;
      place = numbers->front() < 0 ? numbers->front() + int64_t(list->size()) : numbers->front();
      if (place < 0 || place > int64_t(list->size()))
        return nullptr;
    }
    list->insert(list->begin() + place, insert.getTensor());
    return makeSequence(*list);
  }

  Value resolveErase(onnx::SequenceEraseOp erase) {
    auto list = getSequence(erase.getInputSequence());
    if (!list || list->empty())
      return nullptr;
    std::optional<int64_t> place = list->size() - 1;
    if (erase.getPosition() && !getConstants(erase.getPosition()))
      return eraseLate(*list, erase.getPosition());
    if (erase.getPosition())
      place = getPlace(erase.getPosition(), list->size());
    if (!place)
      return nullptr;
    list->erase(list->begin() + *place);
    return makeSequence(*list);
  }

  /// Parts of given sizes, or of one size but for the last, or slices.
  Value resolveSplit(onnx::SplitToSequenceOp split) {
    Value input = split.getInput();
    if (!shapes.hasDims(input))
      return nullptr;
    ArrayRef<AffineExpr> dims = shapes.getDims(input);
    int64_t rank = dims.size(), axis = split.getAxis();
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank)
      return nullptr;
    auto size = dyn_cast<AffineConstantExpr>(dims[axis]);
    SmallVector<int64_t> sizes;
    if (split.getSplit()) {
      auto given = getConstants(split.getSplit());
      if (!given)
        return splitLate(split, axis);
      sizes = *given;
    }
    if (!split.getSplit() || shapes.getDims(split.getSplit()).empty()) {
      int64_t part = split.getSplit() ? sizes.front() : 1;
      if (!size || part < 1)
        return nullptr;
      sizes.clear();
      for (int64_t rest = size.getValue(); rest > 0; rest -= part)
        sizes.push_back(std::min(rest, part));
    }
    if (sizes.empty())
      return makeSequence({});
    SmallVector<Type> types(sizes.size(), unranked(input));
    auto parts =
        onnx::SplitOp::create(builder, loc(), types, input, makeInts(sizes), axis, IntegerAttr());
    SmallVector<Value> elements(parts.getResults());
    if (!split.getSplit() && !split.getKeepdims())
      for (Value &element : elements)
        element =
            onnx::SqueezeOp::create(builder, loc(), unranked(element), element, makeInts(axis));
    return makeSequence(elements);
  }

  /// Parts of as many sizes as there are, which are known at run time.
  Value splitLate(onnx::SplitToSequenceOp split, int64_t axis) {
    Value sizes = split.getSplit();
    if (!shapes.hasDims(sizes) || shapes.getDims(sizes).size() != 1 ||
        !getElementTypeOrSelf(sizes.getType()).isInteger(64))
      return nullptr;
    auto count = dyn_cast<AffineConstantExpr>(shapes.getDims(sizes)[0]);
    if (!count || count.getValue() < 1)
      return nullptr;
    SmallVector<Type> types(count.getValue(), unranked(split.getInput()));
    return makeSequence(
        onnx::SplitOp::create(builder, loc(), types, split.getInput(), sizes, axis, IntegerAttr())
            .getResults());
  }

  Value resolveConcat(onnx::ConcatFromSequenceOp concat) {
    auto list = getSequence(concat.getInputSequence());
    if (!list || list->empty())
      return nullptr;
    if (concat.getNewAxis())
      for (Value &element : *list)
        element = onnx::UnsqueezeOp::create(builder, loc(), unranked(element), element,
                                            makeInts(concat.getAxis()));
    return onnx::ConcatOp::create(builder, loc(), unranked(list->front()), *list, concat.getAxis());
  }

  Value resolveHas(Value input) {
    bool has = false;
    if (input) {
      auto optional = input.getDefiningOp<onnx::OptionalOp>();
      if (!optional && isa<onnx::OptionalType>(input.getType()))
        return nullptr;
      has = !optional || optional.getInput();
    }
    return makeScalar(builder.getIntegerAttr(builder.getI1Type(), has));
  }

  Operation *op;
  const SymbolicShapes &shapes;
  OpBuilder builder;
};

} // namespace

bool lathe::resolveSequences(Block &block, const SymbolicShapes &shapes) {
  SmallVector<Operation *>
      obsolete; // erased late: new values must not take the places of those in `shapes`
  for (Operation &op : block) {
    Value value = op.getNumResults() == 1 ? SequenceResolver(&op, shapes).resolve() : Value();
    if (!value)
      continue;
    op.getResult(0).replaceAllUsesWith(value);
    obsolete.push_back(&op);
  }
  for (Operation *op : obsolete)
    op->erase();
  return !obsolete.empty();
}

static bool makesContainer(Operation *op) {
  return isa<onnx::SequenceConstructOp, onnx::SequenceEmptyOp, onnx::OptionalOp>(op);
}

/// The results in the place of one: the elements of a sequence, or what an optional holds.
static std::optional<SmallVector<Value>> flatten(Value value) {
  if (auto optional = value.getDefiningOp<onnx::OptionalOp>())
    return optional.getInput() ? flatten(optional.getInput()) : std::nullopt;
  if (isa<onnx::SequenceType>(value.getType()))
    return getSequence(value);
  return isContainer(value.getType()) ? std::nullopt : std::optional(SmallVector<Value>{value});
}

static LogicalResult flattenResults(func::FuncOp function) {
  Operation *terminator = function.getBody().front().getTerminator();
  if (llvm::none_of(terminator->getOperandTypes(), isContainer))
    return success();
  Builder builder(function.getContext());
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    auto name = function.getResultAttrOfType<StringAttr>(index, kNameAttr);
    std::optional<SmallVector<Value>> parts = flatten(value);
    if (!parts)
      return function.emitError("output '")
             << (name ? name.getValue() : "")
             << "' is a sequence or optional that is only known at run time, or absent";
    bool isSequence = parts->size() != 1 || parts->front() != value;
    for (auto [position, part] : llvm::enumerate(*parts)) {
      NamedAttrList list(function.getResultAttrDict(index));
      if (name && isSequence && !isa<onnx::OptionalType>(value.getType()))
        list.set(kNameAttr, builder.getStringAttr(name.getValue() + "_" + Twine(position)));
      results.push_back(part);
      attributes.push_back(list.getDictionary(function.getContext()));
    }
  }
  terminator->setOperands(results);
  function.setType(
      builder.getFunctionType(function.getArgumentTypes(), ValueRange(results).getTypes()));
  function.setAllResultAttrs(attributes);
  return success();
}

LogicalResult lathe::removeSequences(func::FuncOp function) {
  bool good = true;
  auto check = [&](Operation &op) {
    if (op.hasTrait<OpTrait::IsTerminator>() || makesContainer(&op) ||
        (llvm::none_of(op.getOperandTypes(), isContainer) && llvm::none_of(op.getResultTypes(), isContainer)))
      return;
    good = false;
    // What depends on an op that is reported is not.
    bool isReported = llvm::any_of(op.getOperands(), [](Value operand) {
      Operation *source = operand.getDefiningOp();
      return isContainer(operand.getType()) && source && !makesContainer(source);
    });
    if (!isReported)
      op.emitOpError("expected a sequence or optional, and positions in it, known at compile time "
                     "(--constant gives an input its value), but got what is known only at run time");
  };
  // Those in loops and branches, too; what is in others is part of them.
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == function)
      return WalkResult::advance();
    check(*op);
    return isa<onnx::LoopOp, onnx::IfOp>(op) ? WalkResult::advance() : WalkResult::skip();
  });
  if (!good || failed(flattenResults(function)))
    return failure();
  function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (op != function && isOpTriviallyDead(op))
      op->erase();
  });
  return success();
}
