//===- ContractionShapes.cpp - Shape inference of matrix products ---------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Sizes of dimensions that are contracted with each other that cannot be taken to be equal are an error.
static LogicalResult checkContracted(Operation *op, const SymbolicShapes &shapes, AffineExpr a, AffineExpr b) {
  if (!shapes.assumeEqual(a, b))
    return op->emitOpError("expected equal sizes to contract, but got ")
           << shapes.describe(a) << " and " << shapes.describe(b);
  return success();
}

/// NumPy's matmul of the two operands, which may be vectors.
static LogicalResult inferMatMul(Operation *op, SymbolicShapes &shapes, Value lhs, Value rhs, Type elementType) {
  ArrayRef<AffineExpr> a = shapes.getDims(lhs), b = shapes.getDims(rhs);
  if (a.empty() || b.empty())
    return op->emitOpError("expected operands of rank 1 or more, but got a scalar");
  AffineExpr innerA = a.back(), innerB = b.size() == 1 ? b[0] : b[b.size() - 2];
  if (failed(checkContracted(op, shapes, innerA, innerB)))
    return failure();
  FailureOr<Dims> dims = broadcastDims(
      op, shapes,
      {a.size() > 2 ? a.drop_back(2) : ArrayRef<AffineExpr>(), b.size() > 2 ? b.drop_back(2) : ArrayRef<AffineExpr>()});
  if (failed(dims))
    return failure();
  if (a.size() > 1)
    dims->push_back(a[a.size() - 2]);
  if (b.size() > 1)
    dims->push_back(b.back());
  shapes.setDims(op->getResult(0), *dims, elementType);
  return success();
}

static LogicalResult inferPlainMatMul(MatMulOp op, SymbolicShapes &shapes) {
  return inferMatMul(op, shapes, op.getA(), op.getB(), shapes.getElementType(op.getA()));
}

static LogicalResult inferMatMulInteger(MatMulIntegerOp op, SymbolicShapes &shapes) {
  return inferMatMul(op, shapes, op.getA(), op.getB(), IntegerType::get(op.getContext(), 32));
}

static LogicalResult inferQLinearMatMul(QLinearMatMulOp op, SymbolicShapes &shapes) {
  return inferMatMul(op, shapes, op.getA(), op.getB(), shapes.getElementType(op.getYZeroPoint()));
}

static LogicalResult inferGemm(GemmOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> a = shapes.getDims(op.getA()), b = shapes.getDims(op.getB());
  if (a.size() != 2 || b.size() != 2)
    return op.emitOpError("expected matrices, but got ranks ") << a.size() << " and " << b.size();
  bool flipA = op.getTransA(), flipB = op.getTransB();
  if (failed(checkContracted(op, shapes, a[!flipA], b[flipB])))
    return failure();
  Dims dims = {a[flipA], b[!flipB]};
  if (op.getC()) {
    FailureOr<Dims> withC = broadcastDims(op, shapes, {dims, shapes.getDims(op.getC())});
    if (failed(withC))
      return failure();
    if (withC->size() != 2 || (getConstant(dims[0]) && (*withC)[0] != dims[0]) ||
        (getConstant(dims[1]) && (*withC)[1] != dims[1]))
      return op.emitOpError("expected C to broadcast to [")
             << shapes.describe(dims[0]) << ", " << shapes.describe(dims[1]) << "], but got another shape";
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getA()));
  return success();
}

static LogicalResult inferEinsum(EinsumOp op, SymbolicShapes &shapes) {
  std::string equation;
  for (char c : op.getEquation())
    if (c != ' ')
      equation += c;
  auto [left, right] = StringRef(equation).split("->");
  bool explicitOutput = StringRef(equation).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != op.getInputs().size())
    return op.emitOpError("expected ") << terms.size() << " operands as the equation says, but got "
                                       << op.getInputs().size();
  llvm::MapVector<char, AffineExpr> sizes;
  std::map<char, unsigned> uses;
  Dims ellipsis;
  for (auto [term, input] : llvm::zip_equal(terms, op.getInputs())) {
    ArrayRef<AffineExpr> dims = shapes.getDims(input);
    size_t dots = term.find("..."), letters = term.size() - (dots == StringRef::npos ? 0 : 3);
    if (dots == StringRef::npos ? letters != dims.size() : letters > dims.size())
      return op.emitOpError("expected an operand for `") << term << "`, but got one of rank " << dims.size();
    size_t place = 0;
    for (size_t i = 0; i < term.size(); ++i) {
      if (i == dots) {
        size_t count = dims.size() - letters;
        FailureOr<Dims> both = broadcastDims(op, shapes, {ellipsis, dims.slice(place, count)});
        if (failed(both))
          return failure();
        ellipsis = *both;
        place += count, i += 2;
        continue;
      }
      if (!llvm::isAlpha(term[i]))
        return op.emitOpError("expected letters for dimensions, but got `") << term << "`";
      auto [entry, isNew] = sizes.insert({term[i], dims[place]});
      ++uses[term[i]];
      if (!isNew) {
        AffineExpr both = shapes.broadcast(entry->second, dims[place]);
        if (!both)
          return op.emitOpError("expected one size for `") << term.substr(i, 1) << "`, but got two";
        entry->second = both;
      }
      ++place;
    }
  }
  std::string implied;
  if (!explicitOutput) {
    implied = "...";
    for (auto [letter, count] : uses) // in alphabetic order
      if (count == 1)
        implied += letter;
    right = implied;
  }
  Dims result;
  for (size_t i = 0; i < right.size(); ++i) {
    if (right.substr(i).starts_with("...")) {
      result.append(ellipsis);
      i += 2;
      continue;
    }
    auto *entry = sizes.find(right[i]);
    if (entry == sizes.end() || right.count(right[i]) > 1)
      return op.emitOpError("expected output indices that an operand has, each once, but got `") << right << "`";
    result.push_back(entry->second);
  }
  shapes.setDims(op.getResult(), result, shapes.getElementType(op.getInputs()[0]));
  return success();
}

void onnx::attachContractionShapes(MLIRContext *context) {
  attachShapes<inferPlainMatMul, MatMulOp>(context);
  attachShapes<inferMatMulInteger, MatMulIntegerOp>(context);
  attachShapes<inferGemm, GemmOp>(context);
  attachShapes<inferEinsum, EinsumOp>(context);
}

void onnx::attachQuantMatMulShapes(MLIRContext *context) { attachShapes<inferQLinearMatMul, QLinearMatMulOp>(context); }
