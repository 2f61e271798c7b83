//===- SymbolicShapes.cpp - Shapes as expressions over a model's dims -----===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;

#include "dialects/Interfaces/ShapeInference.cpp.inc"

std::string lathe::getDimName(func::FuncOp function, unsigned argument, unsigned dim) {
  auto names = function.getArgAttrOfType<ArrayAttr>(argument, kDimsAttr);
  StringRef name = names && dim < names.size() ? cast<StringAttr>(names[dim]).getValue() : StringRef();
  return name.empty() ? "arg" + std::to_string(argument) + "_dim" + std::to_string(dim) : name.str();
}

SymbolicShapes::SymbolicShapes(func::FuncOp function) : function(function), context(function.getContext()) {
  auto bounds = function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr);
  llvm::StringMap<unsigned> byName;
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    unsigned index = argument.getArgNumber();
    SmallVector<AffineExpr> shape;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim)) {
        shape.push_back(constant(type.getDimSize(dim)));
        continue;
      }
      std::string name = getDimName(function, index, dim);
      auto [entry, isNew] = byName.try_emplace(name, symbols.size());
      if (isNew) {
        SymbolicDim symbol;
        symbol.name = name, symbol.argument = index, symbol.dim = dim;
        if (bounds)
          if (auto range = dyn_cast_or_null<DenseI64ArrayAttr>(bounds.get(name)); range && range.size() == 2)
            symbol.lower = range[0], symbol.upper = range[1];
        symbols.push_back(symbol);
      }
      shape.push_back(getAffineSymbolExpr(entry->second, context));
    }
    setDims(argument, shape);
  }
}

/// Elements of a small constant as whole numbers; nullopt if there are too many, or fractions among them.
static std::optional<SmallVector<int64_t>> wholeNumbers(ElementsAttr attribute) {
  constexpr int64_t kMaxElements = 64, kMaxExact = 1 << 24;
  auto type = cast<ShapedType>(attribute.getType());
  if (!type.hasStaticShape() || type.getRank() > 1 || type.getNumElements() > kMaxElements)
    return std::nullopt;
  Type element = type.getElementType();
  SmallVector<int64_t> numbers;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    // The same bytes as a dense attribute; bits of smaller types are laid out in another way.
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || !element.isIntOrFloat() || element.getIntOrFloatBitWidth() < 8 ||
        blob->getData().size() * 8 != size_t(type.getNumElements()) * element.getIntOrFloatBitWidth())
      return std::nullopt;
    attribute = DenseElementsAttr::getFromRawBuffer(type, blob->getData());
  }
  if (auto integers = dyn_cast<DenseIntElementsAttr>(attribute)) {
    bool isUnsigned = element.isInteger(1) || element.isUnsignedInteger();
    for (const APInt &number : integers.getValues<APInt>())
      numbers.push_back(isUnsigned ? int64_t(number.getZExtValue()) : number.getSExtValue());
    return numbers;
  }
  auto floats = dyn_cast<DenseFPElementsAttr>(attribute);
  if (!floats)
    return std::nullopt;
  for (const APFloat &number : floats.getValues<APFloat>()) {
    if (!number.isInteger() || std::abs(number.convertToDouble()) > kMaxExact)
      return std::nullopt;
    numbers.push_back(int64_t(number.convertToDouble()));
  }
  return numbers;
}

/// "opset 17; operands [n, 4], [3, 5]": what a reader of an error about the op's shapes wants to know.
static std::string describeOperands(const SymbolicShapes &shapes, Operation &op) {
  std::string text;
  if (auto module = op.getParentOfType<ModuleOp>())
    if (auto opset = module->getAttrOfType<IntegerAttr>("onnx.opset"))
      text = "opset " + std::to_string(opset.getInt());
  for (Value operand : op.getOperands()) {
    if (!isa<TensorType>(operand.getType()) || !shapes.hasDims(operand))
      continue;
    text += StringRef(text).ends_with("]") ? ", " : text.empty() ? "operands " : "; operands ";
    auto sizes = llvm::map_range(shapes.getDims(operand), [&](AffineExpr dim) { return shapes.describe(dim); });
    text += "[" + llvm::join(sizes, ", ") + "]";
  }
  return text;
}

/// Whatever an op's attributes and operands say, sizes are not negative, and tensors stay small enough for offsets in
/// bytes to be computed without overflow.
static LogicalResult checkSize(const SymbolicShapes &shapes, Value value, Location loc) {
  constexpr int64_t kMaxElements = int64_t(1) << 48;
  ArrayRef<AffineExpr> dims = shapes.getDims(value);
  auto describe = [&] {
    auto sizes = llvm::map_range(dims, [&](AffineExpr dim) { return shapes.describe(dim); });
    return "[" + llvm::join(sizes, ", ") + "]";
  };
  auto upper = llvm::map_to_vector(dims, [&](AffineExpr dim) { return shapes.getBounds(dim).second; });
  if (llvm::any_of(upper, [](int64_t size) { return size < 0; }))
    return emitError(loc) << "expected sizes of 0 or more, but got " << describe();
  for (AffineExpr dim : dims)
    (void)shapes.assumeAtMost(shapes.constant(0), dim);
  int64_t count = llvm::is_contained(upper, 0) ? 0 : 1;
  for (int64_t size : upper)
    if (llvm::MulOverflow(count, size, count) || count > kMaxElements)
      return emitError(loc) << "expected tensors of at most 2^48 elements, but got " << describe()
                            << "; bound symbolic dimensions with --dim";
  return success();
}

LogicalResult SymbolicShapes::compute() {
  bool good = true;
  if (function.isExternal())
    return success();
  llvm::erase_if(symbols, [](const SymbolicDim &symbol) { return symbol.dependsOnData(); });
  dataSymbols.clear();
  sizes.clear();
  conditions.clear();
  for (BlockArgument argument : function.getArguments())
    if (isa<TensorType>(argument.getType()) && hasDims(argument))
      good &= succeeded(checkSize(*this, argument, argument.getLoc()));
  return success(computeBlock(function.getBody().front()) && good);
}

bool SymbolicShapes::setStaticDims(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return false;
  setDims(value, llvm::map_to_vector(type.getShape(), [&](int64_t size) { return constant(size); }));
  return true;
}

/// Sets the dimensions of the ops that loops over parts of a tensor are made of; what such a loop carries keeps its
/// shape. False, and nothing is set, for other ops and where the op does not tell.
static bool setUpstreamDims(SymbolicShapes &shapes, Operation &op) {
  auto carry = [&](Value from, Value to) {
    if (isa<TensorType>(from.getType()))
      shapes.setDims(to, SmallVector<AffineExpr>(shapes.getDims(from)));
  };
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    carry(insert.getDest(), insert.getResult());
    return true;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [init, argument, result] :
         llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
      carry(init, argument);
      carry(init, result);
    }
    return true;
  }
  auto empty = dyn_cast<tensor::EmptyOp>(op);
  if (!empty)
    return false;
  SmallVector<AffineExpr> dims;
  for (OpFoldResult size : empty.getMixedSizes()) {
    auto value = dyn_cast<Value>(size);
    auto dim = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      dims.push_back(shapes.constant(*constant));
    else if (dim && shapes.hasDims(dim.getSource()) && dim.getConstantIndex())
      dims.push_back(shapes.getDims(dim.getSource())[*dim.getConstantIndex()]);
    else
      return false;
  }
  shapes.setDims(empty.getResult(), dims);
  return true;
}

/// Whether the op has bodies that compute tensors: not that of a kernel's epilogue.
static bool hasBodies(Operation &op) {
  return llvm::any_of(op.getRegions(), [](Region &body) {
    return !body.empty() && llvm::any_of(body.front().getTerminator()->getOperandTypes(), llvm::IsaPred<TensorType>);
  });
}

bool SymbolicShapes::computeBlock(Block &block) {
  bool good = true;
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    if (llvm::any_of(op.getOperands(), [&](Value v) { return isa<TensorType>(v.getType()) && !hasDims(v); }))
      continue; // what it depends on has been reported
    if (auto inference = dyn_cast<ShapeInferenceOpInterface>(op)) {
      auto ask = [&](auto question) {
        ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
          if (std::string text = describeOperands(*this, op); !text.empty())
            diagnostic << " (" << text << ")";
          return failure(); // the next handler prints it
        });
        return succeeded(question());
      };
      bool known = true;
      if (hasBodies(op)) {
        known = ask([&] { return inference.inferBodies(*this); });
        for (Region &body : op.getRegions())
          known = known && computeBlock(body.front());
      }
      good &= known && ask([&] { return inference.inferShapes(*this); });
      for (Value result : op.getResults())
        if (isa<TensorType>(result.getType()) && hasDims(result))
          good &= succeeded(checkSize(*this, result, op.getLoc()));
      continue;
    }
    if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp, quant::StorageCastOp>(op)) {
      if (hasDims(op.getOperand(0)))
        setDims(op.getResult(0), SmallVector<AffineExpr>(getDims(op.getOperand(0))),
                cast<ShapedType>(op.getResult(0).getType()).getElementType());
      continue;
    }
    bool isKnown = setUpstreamDims(*this, op);
    for (Value result : op.getResults()) {
      if (isKnown || !isa<TensorType>(result.getType()))
        continue;
      if (!setStaticDims(result)) {
        op.emitOpError("has a result of unknown shape");
        good = false;
        break;
      }
      ElementsAttr value;
      if (matchPattern(result, m_Constant(&value)))
        if (auto numbers = wholeNumbers(value))
          setElements(result, llvm::map_to_vector(*numbers, [&](int64_t number) { return constant(number); }));
    }
    if (auto loop = dyn_cast<scf::ForOp>(op))
      good &= computeBlock(*loop.getBody());
  }
  return good;
}

ArrayRef<AffineExpr> SymbolicShapes::getDims(Value value) const {
  auto it = dims.find(value);
  assert(it != dims.end() && "shape is not known");
  return it->second;
}

std::optional<ArrayRef<AffineExpr>> SymbolicShapes::getElements(Value value) const {
  auto it = elements.find(value);
  if (it == elements.end())
    return std::nullopt;
  return ArrayRef<AffineExpr>(it->second);
}

Type SymbolicShapes::getElementType(Value value) const {
  auto it = elementTypes.find(value);
  return it != elementTypes.end() ? it->second : cast<ShapedType>(value.getType()).getElementType();
}

void SymbolicShapes::setDims(Value value, ArrayRef<AffineExpr> shape, Type elementType) {
  SmallVector<AffineExpr, 4> simplified;
  for (AffineExpr dim : shape)
    simplified.push_back(simplifyAffineExpr(dim, /*numDims=*/0, symbols.size()));
  dims[value] = std::move(simplified);
  if (elementType)
    elementTypes[value] = elementType;
}

void SymbolicShapes::setElements(Value value, ArrayRef<AffineExpr> values) {
  SmallVector<AffineExpr, 4> simplified;
  for (AffineExpr element : values)
    simplified.push_back(simplifyAffineExpr(element, /*numDims=*/0, symbols.size()));
  elements[value] = std::move(simplified);
}

AffineExpr SymbolicShapes::constant(int64_t value) const { return getAffineConstantExpr(value, context); }

/// A name for a size that data decides: see `getDataSize`.
static std::string nameDataSize(func::FuncOp function, OpResult result, unsigned dim, ArrayRef<SymbolicDim> taken) {
  std::string name;
  for (OpOperand &use : result.getUses())
    if (use.getOwner()->getParentOp() == function && use.getOwner()->hasTrait<OpTrait::IsTerminator>())
      if (auto names = function.getResultAttrOfType<ArrayAttr>(use.getOperandNumber(), kDimsAttr);
          names && dim < names.size())
        name = cast<StringAttr>(names[dim]).str();
  if (llvm::is_contained(llvm::map_range(taken, [](const SymbolicDim &s) { return s.name; }), name))
    name.clear();
  auto loc = result.getLoc()->findInstanceOf<NameLoc>();
  if (name.empty() && loc)
    name = loc.getName().str();
  if (name.empty())
    name = result.getOwner()->getName().stripDialect().str();
  std::string unique = name;
  for (unsigned number = 2;
       llvm::is_contained(llvm::map_range(taken, [](const SymbolicDim &s) { return s.name; }), unique); ++number)
    unique = name + "#" + std::to_string(number);
  return unique;
}

AffineExpr SymbolicShapes::getDataSize(Value result, unsigned dim, AffineExpr bound, ArrayRef<Value> reasons,
                                       bool isChecked) {
  isChecked |= !bound;
  bound = bound ? simplify(bound) : constant(SymbolicDim().upper);
  int64_t upper = std::max<int64_t>(getUpperBound(bound), 0);
  if (upper == 0 && !isChecked)
    return constant(0);
  Operation *op = cast<OpResult>(result).getOwner();
  std::vector<const void *> key = {op->getName().getAsOpaquePointer(), op->getBlock(), bound.getAsOpaquePointer(),
                                   reinterpret_cast<const void *>(uintptr_t(dim))};
  for (Value reason : reasons) {
    auto known = getElements(reason); // constants of one value are one reason
    if (!known)
      key.push_back(reason.getAsOpaquePointer());
    for (AffineExpr element : known.value_or(ArrayRef<AffineExpr>()))
      key.push_back(element.getAsOpaquePointer());
  }
  auto [entry, isNew] = dataSymbols.try_emplace(std::move(key), symbols.size());
  if (isNew) {
    SymbolicDim symbol;
    symbol.name = nameDataSize(function, cast<OpResult>(result), dim, symbols);
    symbol.lower = 0, symbol.upper = upper;
    symbol.result = result, symbol.dim = dim, symbol.bound = bound, symbol.isChecked = isChecked;
    auto bounds = function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr);
    auto range = bounds ? dyn_cast_or_null<DenseI64ArrayAttr>(bounds.get(symbol.name)) : nullptr;
    if (range && range.size() == 2 && (isChecked || range[1] < upper)) {
      symbol.upper = range[1], symbol.bound = constant(range[1]);
      symbol.isChecked = true;
    }
    symbols.push_back(symbol);
  }
  return getAffineSymbolExpr(entry->second, context);
}

bool SymbolicShapes::dependsOnData(AffineExpr expr) const {
  bool found = false;
  expr.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      found |= symbols[symbol.getPosition()].dependsOnData();
  });
  return found;
}

const SymbolicDim *SymbolicShapes::getDataSymbol(AffineExpr expr) const {
  auto symbol = dyn_cast<AffineSymbolExpr>(expr);
  return symbol && symbols[symbol.getPosition()].dependsOnData() ? &symbols[symbol.getPosition()] : nullptr;
}

void SymbolicShapes::setSize(AffineExpr symbol, Value size) {
  assert(getDataSymbol(symbol) && "not a size that depends on data");
  sizes[cast<AffineSymbolExpr>(symbol).getPosition()] = size;
}

bool SymbolicShapes::mayBeEqual(AffineExpr a, AffineExpr b) const {
  if (a == b)
    return true;
  return !(isa<AffineConstantExpr>(a) && isa<AffineConstantExpr>(b)) && !dependsOnData(a) && !dependsOnData(b);
}

bool SymbolicShapes::assumeAtMost(AffineExpr a, AffineExpr b) const {
  if (!mayBeEqual(a, b))
    return false;
  AffineExpr room = simplify(b - a);
  if (getBounds(room).first < 0 && !llvm::is_contained(conditions, room))
    conditions.push_back(room);
  return true;
}

bool SymbolicShapes::assumeEqual(AffineExpr a, AffineExpr b) const { return assumeAtMost(a, b) && assumeAtMost(b, a); }

RankedTensorType SymbolicShapes::getType(Value value) const {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : getDims(value)) {
    auto size = dyn_cast<AffineConstantExpr>(dim);
    shape.push_back(size ? size.getValue() : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, getElementType(value));
}

AffineExpr SymbolicShapes::broadcast(AffineExpr a, AffineExpr b) const {
  auto ca = dyn_cast<AffineConstantExpr>(a), cb = dyn_cast<AffineConstantExpr>(b);
  if (a == b || (cb && cb.getValue() == 1))
    return a;
  if (ca && ca.getValue() == 1)
    return b;
  if (!assumeEqual(a, b))
    return nullptr;
  return ca ? a : cb ? b : a;
}

OpFoldResult SymbolicShapes::materialize(OpBuilder &builder, Location loc, AffineExpr size) const {
  if (auto constantSize = dyn_cast<AffineConstantExpr>(size))
    return builder.getIndexAttr(constantSize.getValue());
  SmallVector<Value> operands;
  func::FuncOp owner = function;
  for (auto [position, symbol] : llvm::enumerate(symbols)) {
    Value known = sizes.lookup(position);
    // What data decides is made by ops, some of them behind this place: only what the size needs is named.
    if (symbol.dependsOnData() && !known && !size.isFunctionOfSymbol(position)) {
      operands.push_back(operands.empty() ? builder.createOrFold<arith::ConstantIndexOp>(loc, 0) : operands.front());
      continue;
    }
    Value source = symbol.dependsOnData() ? symbol.result : Value(owner.getArgument(symbol.argument));
    operands.push_back(known ? known : builder.createOrFold<tensor::DimOp>(loc, source, int64_t(symbol.dim)));
  }
  return affine::makeComposedFoldedAffineApply(
      builder, loc, AffineMap::get(/*dimCount=*/0, symbols.size(), size),
      llvm::map_to_vector(operands, [](Value value) { return OpFoldResult(value); }));
}

SmallVector<OpFoldResult> SymbolicShapes::materializeDims(OpBuilder &builder, Location loc, Value value) const {
  return llvm::map_to_vector(getDims(value), [&](AffineExpr dim) { return materialize(builder, loc, dim); });
}

/// a + b and a * b; the nearest there is where they do not fit.
static int64_t addSaturated(int64_t a, int64_t b) {
  int64_t sum;
  if (!llvm::AddOverflow(a, b, sum))
    return sum;
  return a < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}
static int64_t multiplySaturated(int64_t a, int64_t b) {
  int64_t product;
  if (!llvm::MulOverflow(a, b, product))
    return product;
  return (a < 0) != (b < 0) ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

/// Interval [low, high] of an expression, by interval arithmetic.
static std::pair<int64_t, int64_t> interval(AffineExpr expr, ArrayRef<SymbolicDim> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), constant.getValue()};
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return {symbols[symbol.getPosition()].lower, symbols[symbol.getPosition()].upper};
  auto binary = cast<AffineBinaryOpExpr>(expr);
  auto [a, b] = interval(binary.getLHS(), symbols);
  auto [c, d] = interval(binary.getRHS(), symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {addSaturated(a, c), addSaturated(b, d)};
  case AffineExprKind::Mul: {
    int64_t corners[] = {multiplySaturated(a, c), multiplySaturated(a, d), multiplySaturated(b, c),
                         multiplySaturated(b, d)};
    return {*llvm::min_element(corners), *llvm::max_element(corners)};
  }
  case AffineExprKind::FloorDiv:
    return c > 0 ? std::pair(llvm::divideFloorSigned(a, a < 0 ? c : d), llvm::divideFloorSigned(b, b < 0 ? d : c))
                 : std::pair(a, b);
  case AffineExprKind::CeilDiv:
    return c > 0 ? std::pair(llvm::divideCeilSigned(a, a < 0 ? c : d), llvm::divideCeilSigned(b, b < 0 ? d : c))
                 : std::pair(a, b);
  default: // Mod
    return {0, std::max<int64_t>(d - 1, 0)};
  }
}

std::pair<int64_t, int64_t> SymbolicShapes::getBounds(AffineExpr expr) const {
  return interval(simplify(expr), symbols);
}

AffineExpr SymbolicShapes::simplify(AffineExpr expr) const {
  return simplifyAffineExpr(expr, /*numDims=*/0, symbols.size());
}

static std::string describeIn(AffineExpr expr, ArrayRef<SymbolicDim> symbols, bool nested) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return std::to_string(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()].name;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return "?";
  StringRef sign = " mod ";
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    sign = " + ";
    break;
  case AffineExprKind::Mul:
    sign = " * ";
    break;
  case AffineExprKind::FloorDiv:
    sign = " floordiv ";
    break;
  case AffineExprKind::CeilDiv:
    sign = " ceildiv ";
    break;
  default:
    break;
  }
  std::string text = describeIn(binary.getLHS(), symbols, expr.getKind() != AffineExprKind::Add);
  auto subtrahend = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() == AffineExprKind::Add && subtrahend && subtrahend.getValue() < 0)
    text += " - " + std::to_string(-subtrahend.getValue());
  else
    text += sign.str() + describeIn(binary.getRHS(), symbols, expr.getKind() != AffineExprKind::Add);
  return nested ? "(" + text + ")" : text;
}

std::string SymbolicShapes::describe(AffineExpr expr) const { return describeIn(simplify(expr), symbols, false); }
