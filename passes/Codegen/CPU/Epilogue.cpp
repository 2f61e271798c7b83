//===- Epilogue.cpp - Applies an op's epilogue to vectors -----------------===//
#include "passes/Codegen/CPU/Epilogue.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

static Value concatenate(KernelBuilder &k, Value low, Value high) {
  int64_t lanes = cast<VectorType>(low.getType()).getNumElements();
  return vector::ShuffleOp::create(k.builder, k.loc, low, high, llvm::to_vector(llvm::seq<int64_t>(0, 2 * lanes)));
}

/// Whether an operand has one element of 32 bits for each column, the same for all rows.
static bool variesByColumnOnly(Value extra) {
  auto type = cast<MemRefType>(extra.getType());
  auto isOne = [](int64_t size) { return size == 1; };
  return type.getElementTypeBitWidth() == 32 && type.getRank() > 0 && llvm::all_of(type.getShape().drop_back(), isOne);
}

Epilogue::Epilogue(KernelBuilder &k, Region &region, ValueRange extras, Value out)
    : k(k), region(region), extras(extras.begin(), extras.end()), out(out), inPlace(llvm::is_contained(extras, out)) {
  if (region.empty() || !region.front().getArgument(0).hasOneUse())
    return;
  BlockArgument accumulator = region.front().getArgument(0);
  Operation *add = *accumulator.user_begin();
  if (!isa<arith::AddFOp, arith::AddIOp>(add) || add->getResult(0).getType().getIntOrFloatBitWidth() != 32)
    return;
  auto other = dyn_cast<BlockArgument>(add->getOperand(add->getOperand(0) == accumulator ? 1 : 0));
  if (!other || other.getOwner() != accumulator.getOwner() || other == accumulator)
    return;
  unsigned extra = other.getArgNumber() - 1;
  if (variesByColumnOnly(extras[extra])) {
    bias = add;
    biasExtra = extra;
  }
}

LogicalResult Epilogue::check(Operation *op, Region &region) {
  if (region.empty())
    return success();
  for (Operation &inner : region.front().without_terminator()) {
    if (inner.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (inner.getNumResults() != 1 || !OpTrait::hasElementwiseMappableTraits(&inner))
      return op->emitOpError("has '") << inner.getName() << "' in its epilogue, expected elementwise ops";
  }
  return success();
}

bool Epilogue::collapse(unsigned first, unsigned last) {
  auto type = cast<MemRefType>(out.getType());
  SmallVector<Value> views;
  Value outView = k.collapse(out, first, last);
  if (!outView)
    return false;
  for (Value extra : extras) {
    auto extraType = cast<MemRefType>(extra.getType());
    int64_t missing = type.getRank() - extraType.getRank();
    // The merged dimensions are all there, or none of them is.
    if (missing > int64_t(last)) {
      views.push_back(extra);
      continue;
    }
    bool whole = missing <= int64_t(first), unit = true;
    for (int64_t i = std::max<int64_t>(first, missing); i <= int64_t(last); ++i) {
      int64_t size = extraType.getDimSize(i - missing);
      whole &= size == type.getDimSize(i);
      unit &= size == 1;
    }
    if (!whole && !unit)
      return false;
    Value view = k.collapse(extra, std::max<int64_t>(first - missing, 0), last - missing);
    if (!view)
      return false;
    views.push_back(view);
  }
  out = outView;
  extras = std::move(views);
  return true;
}

SmallVector<Value> Epilogue::getPlace(Value extra, ValueRange outer, Value column) {
  auto type = cast<MemRefType>(extra.getType());
  int64_t missing = outer.size() + 1 - type.getRank();
  SmallVector<Value> indices;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    Value position = size_t(missing + i) == outer.size() ? column : outer[missing + i];
    indices.push_back(type.getDimSize(i) == 1 ? k.index(0) : position);
  }
  return indices;
}

void Epilogue::prefetch(int64_t vectors, ValueRange outer, Value column) {
  constexpr int64_t lineBytes = 64;
  for (Value extra : extras) {
    auto type = cast<MemRefType>(extra.getType());
    int64_t elementBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    if (!type.hasStaticShape() || type.getRank() < 2 || type.getShape().back() == 1 || variesByColumnOnly(extra) ||
        type.getNumElements() * elementBytes < k.target.getL2Bytes() / 2)
      continue;
    for (int64_t at = 0; at < vectors * k.lanes(); at += lineBytes / elementBytes)
      memref::PrefetchOp::create(k.builder, k.loc, extra, getPlace(extra, outer, k.add(column, at)), /*isWrite=*/false,
                                 /*localityHint=*/3, /*isDataCache=*/true);
  }
}

Value Epilogue::loadExtra(Value extra, ValueRange outer, Value column, Value mask) {
  auto type = cast<MemRefType>(extra.getType());
  SmallVector<Value> indices = getPlace(extra, outer, column);
  if (type.getRank() == 0 || type.getShape().back() == 1)
    return k.broadcast(k.loadScalar(extra, indices));
  if (!repeatsExtras)
    return k.loadAny(extra, indices, mask);
  Value loaded;
  k.withRegisters(1, [&] { loaded = k.loadAny(extra, indices); });
  return concatenate(k, loaded, loaded);
}

Value Epilogue::startFromBias(Value column, Value mask) {
  startsFromBias = true;
  Value extra = extras[biasExtra];
  SmallVector<Value> outer(cast<MemRefType>(extra.getType()).getRank() - 1, k.index(0));
  return loadExtra(extra, outer, column, mask);
}

Value Epilogue::apply(Value accumulator, ValueRange outer, Value column, Value mask) {
  if (region.empty())
    return accumulator;
  Block &body = region.front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), accumulator);
  auto isUsed = [&](BlockArgument argument) {
    return !llvm::all_of(argument.getUsers(), [&](Operation *user) { return startsFromBias && user == bias; });
  };
  for (auto [argument, extra] : llvm::zip(body.getArguments().drop_front(), extras))
    if (isUsed(argument))
      mapping.map(argument, loadExtra(extra, outer, column, mask));
  // Values from outside the region are uniform.
  auto lookup = [&](Value value) {
    if (!mapping.contains(value))
      mapping.map(value, k.broadcast(value));
    return mapping.lookup(value);
  };
  for (Operation &op : body.without_terminator()) {
    if (startsFromBias && &op == bias) {
      mapping.map(op.getResult(0), accumulator);
      continue;
    }
    if (op.hasTrait<OpTrait::ConstantLike>()) {
      Attribute constant;
      matchPattern(&op, m_Constant(&constant));
      VectorType type = k.vectorOf(op.getResult(0).getType());
      mapping.map(op.getResult(0),
                  arith::ConstantOp::create(k.builder, k.loc, DenseElementsAttr::get(type, constant)).getResult());
      continue;
    }
    SmallVector<Value> operands = llvm::map_to_vector(op.getOperands(), lookup);
    OperationState state(op.getLoc(), op.getName());
    state.addOperands(operands);
    state.addTypes(k.vectorOf(op.getResult(0).getType()));
    state.addAttributes(llvm::to_vector(op.getDiscardableAttrs()));
    state.propertiesAttr = op.getPropertiesAsAttribute();
    mapping.map(op.getResult(0), k.builder.create(state)->getResult(0));
  }
  return lookup(cast<nn::YieldOp>(body.getTerminator()).getValue());
}

void Epilogue::store(Value accumulator, ValueRange outer, Value column, Value mask) {
  Value result = apply(accumulator, outer, column, mask);
  SmallVector<Value> indices(outer.begin(), outer.end());
  indices.push_back(column);
  k.store(result, out, indices, mask);
}

bool Epilogue::storesPairs() const { return cast<MemRefType>(out.getType()).getElementType().isInteger(16); }

void Epilogue::storePair(Value low, Value high, ValueRange outer, Value column) {
  Value both = concatenate(k, low, high);
  k.withRegisters(2, [&] {
    Value result = apply(both, outer, column, /*mask=*/Value());
    SmallVector<Value> indices(outer);
    indices.push_back(column);
    k.store(result, out, indices);
  });
}

bool Epilogue::storesRowPairs() const {
  return storesPairs() && llvm::all_of(extras, [](Value extra) {
           auto type = cast<MemRefType>(extra.getType());
           return type.hasStaticShape() && (type.getNumElements() == 1 || variesByColumnOnly(extra));
         });
}

void Epilogue::storeRowPair(Value first, Value second, ValueRange firstOuter, ValueRange secondOuter, Value column) {
  Value both = concatenate(k, first, second), results;
  repeatsExtras = true;
  k.withRegisters(2, [&] { results = apply(both, firstOuter, column, /*mask=*/Value()); });
  repeatsExtras = false;
  for (auto [row, outer] : {std::pair(int64_t(0), firstOuter), std::pair(int64_t(1), secondOuter)}) {
    Value result = vector::ExtractStridedSliceOp::create(k.builder, k.loc, results, ArrayRef<int64_t>{row * k.lanes()},
                                                         ArrayRef<int64_t>{k.lanes()}, ArrayRef<int64_t>{1});
    SmallVector<Value> indices(outer);
    indices.push_back(column);
    k.store(result, out, indices);
  }
}
