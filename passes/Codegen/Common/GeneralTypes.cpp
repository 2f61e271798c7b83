//===- GeneralTypes.cpp - Types that kernels of several sizes share -------===//
#include "passes/Codegen/Common/GeneralTypes.h"
#include "dialects/NN/IR/NNDialect.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;

/// Dimensions of each memref that may be dynamic.
using RowDims = llvm::SmallMapVector<Value, llvm::SmallBitVector, 4>;

static void addRows(RowDims &rows, Value value, unsigned begin, unsigned end) {
  unsigned rank = cast<MemRefType>(value.getType()).getRank();
  llvm::SmallBitVector &dims = rows.try_emplace(value, rank).first->second;
  if (begin < end)
    dims.set(begin, end);
}

/// All dimensions but the last.
static void addLeading(RowDims &rows, Value value) {
  addRows(rows, value, 0, cast<MemRefType>(value.getType()).getRank() - 1);
}

static RowDims findRows(Operation *op) {
  RowDims rows;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](nn::LinearOp linear) {
        addLeading(rows, linear.getInput());
        addLeading(rows, linear.getInit());
        for (Value extra : linear.getExtras())
          addLeading(rows, extra);
      })
      .Case([&](nn::NormOp norm) {
        addLeading(rows, norm.getInput());
        addLeading(rows, norm.getInit());
      })
      .Case([&](nn::AttentionOp attention) {
        unsigned queries = attention.getHeadsFirst() ? 2 : 1, keys = attention.getKvHeadsFirst() ? 2 : 1;
        addRows(rows, attention.getQuery(), queries, queries + 1);
        addRows(rows, attention.getInit(), queries, queries + 1);
        addRows(rows, attention.getKey(), keys, keys + 1);
        addRows(rows, attention.getValue(), keys, keys + 1);
        if (Value mask = attention.getMask()) {
          unsigned rank = cast<MemRefType>(mask.getType()).getRank();
          addRows(rows, mask, rank >= 2 ? rank - 2 : 0, rank);
        }
      });
  return rows;
}

/// A size of one stays: it broadcasts. Null for layouts without strides.
static MemRefType generalize(MemRefType type, const llvm::SmallBitVector &dims) {
  SmallVector<int64_t> shape(type.getShape()), strides;
  int64_t offset, last = -1;
  for (unsigned dim : dims.set_bits())
    if (shape[dim] != 1) {
      shape[dim] = ShapedType::kDynamic;
      last = dim;
    }
  if (last < 0)
    return type;
  if (type.getLayout().isIdentity())
    return MemRefType::get(shape, type.getElementType(), MemRefLayoutAttrInterface(), type.getMemorySpace());
  if (failed(type.getStridesAndOffset(strides, offset)))
    return {};
  std::fill(strides.begin(), strides.begin() + last, ShapedType::kDynamic);
  return MemRefType::get(shape, type.getElementType(), StridedLayoutAttr::get(type.getContext(), offset, strides),
                         type.getMemorySpace());
}

std::optional<SmallVector<Type>> codegen::getGeneralTypes(Operation *op, ArrayRef<Value> operands) {
  RowDims rows = findRows(op);
  if (rows.empty())
    return std::nullopt;
  SmallVector<Type> types;
  for (Value operand : operands) {
    auto found = rows.find(operand);
    Type type = operand.getType();
    if (found != rows.end())
      type = generalize(cast<MemRefType>(type), found->second);
    if (!type)
      return std::nullopt;
    types.push_back(type);
  }
  return types;
}

std::optional<int64_t> codegen::roundRows(Operation *op) {
  auto linear = dyn_cast<nn::LinearOp>(op);
  if (!linear)
    return std::nullopt;
  auto type = cast<MemRefType>(linear.getInit().getType());
  if (!type.hasStaticShape())
    return std::nullopt;
  // Tiles have 16, 64 or 128 rows: of up to 32, one kind of the first.
  int64_t rows = ShapedType::getNumElements(type.getShape().drop_back());
  return rows <= 32 ? 32 : llvm::alignTo(rows, 64);
}
