//===- MatrixProduct.cpp - nn.linear and nn.matmul --------------------===//
#include "dialects/NN/IR/NNPrecision.h"
#include "passes/Codegen/Common/GeneralTypes.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/SplitSteps.h"
#include "passes/Codegen/GPU/TensorContraction.h"
#include "passes/Codegen/GPU/TensorProduct.h"
#include "passes/Codegen/GPU/TiledProduct.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

/// Row `row` of a stream of `bits`-bit numbers in a column of words (see nn.linear), as f32.
static Value loadBits(ThreadBuilder &k, nn::LinearOp op, Value row, Value column) {
  OpBuilder &b = k.builder;
  int64_t bits = op.getBits();
  Type i32 = b.getI32Type();
  auto load = [&](Value word) { return k.loadScalar(op.getWeight(), {word, column}); };
  auto toInteger = [&](Value value) { return arith::IndexCastOp::create(b, k.loc, i32, value).getResult(); };
  Value first = k.mul(row, bits), word = k.div(first, k.index(32));
  Value shift = toInteger(k.rem(first, k.index(32)));
  Value low = arith::ShRUIOp::create(b, k.loc, load(word), shift);
  if (32 % bits != 0) {
    // A number may lie in two words. Of the last word there is no next one, and no such number.
    Value next = k.min(k.add(word, 1), k.sub(k.dim(op.getWeight(), 0), k.index(1)));
    Value rest = arith::SubIOp::create(b, k.loc, k.scalar(i32, 32), shift);
    Value fits = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::uge, rest, k.scalar(i32, bits));
    Value safe = arith::SelectOp::create(b, k.loc, fits, k.scalar(i32, 0), rest);
    Value high = arith::ShLIOp::create(b, k.loc, load(next), safe);
    high = arith::SelectOp::create(b, k.loc, fits, k.scalar(i32, 0), high);
    low = arith::OrIOp::create(b, k.loc, low, high);
  }
  Value number = arith::AndIOp::create(b, k.loc, low, k.scalar(i32, (1 << bits) - 1));
  if (!op.getOffsets())
    number = arith::SubIOp::create(b, k.loc, number, k.scalar(i32, 1 << (bits - 1)));
  return arith::SIToFPOp::create(b, k.loc, b.getF32Type(), number);
}

/// Element (row, column) of a weight of bytes or words, in f32.
static Value loadScaled(ThreadBuilder &k, nn::LinearOp op, Value row, Value column, Value groupRows) {
  OpBuilder &b = k.builder;
  Value number;
  if (op.getBits())
    number = loadBits(k, op, row, column);
  else
    number =
        arith::SIToFPOp::create(b, k.loc, b.getF32Type(), k.loadWide(op.getWeight(), {row, column}, /*isSigned=*/true));
  Value group = k.div(row, groupRows);
  if (op.getScales())
    number = k.mulFloats(number, k.loadScalar(op.getScales(), {group, column}));
  if (op.getOffsets())
    number = k.addFloats(number, k.loadScalar(op.getOffsets(), {group, column}));
  return number;
}

/// As emitGrouped, for enough rows that an element is unpacked once for many of them: on its way to memory of the
/// block. On tensor cores if f32 may be rounded to tf32. False, with nothing emitted, for few rows.
static bool emitUnpacked(nn::LinearOp op) {
  WarpBuilder k(op);
  Value input = op.getInput(), out = op.getInit();
  MergedDims leading = k.mergeLeading(out, /*kept=*/1);
  Value rows = leading.size, columns = k.dim(out, leading.sizes.size()), steps = k.dim(input, leading.sizes.size());
  if (!fillsTiles(rows, columns))
    return false;
  Value groupRows = op.getScales() ? k.div(steps, k.dim(op.getScales(), 0)) : steps;
  auto at = [&](Value row, Value column) { return k.indicesOf(leading, row, column); };
  auto rhs = [&](Value, Value step, Value column) { return loadScaled(k, op, step, column, groupRows); };
  auto store = [&](ValueRange sums, Value, Value row, Value column) {
    k.storeEpilogues(op.getEpilogue(), op.getExtras(), sums, out, at(row, column));
  };
  if (nn::allowsTF32(op)) {
    auto lhs = [&](Value, Value row, Value step) { return at(row, step); };
    TensorFormat format = *TensorFormat::find(k.builder.getF32Type(), k.builder.getF32Type(), /*allowTF32=*/true);
    emitTensorProduct(k, {format,
                          k.index(1),
                          rows,
                          columns,
                          steps,
                          {input, chooseCopyWidth(k, input), lhs},
                          {op.getWeight(), /*width=*/1, nullptr, rhs},
                          store,
                          codegen::getLikelyRows(op)});
    return true;
  }
  auto lhs = [&](Value, Value row, Value step) { return k.loadScalar(input, at(row, step)); };
  auto storeOne = [&](Value sum, Value batch, Value row, Value column) { store(sum, batch, row, column); };
  emitTiledProduct(k, {k.index(1), rows, columns, steps, lhs, rhs, storeOne, codegen::getLikelyRows(op)});
  return true;
}

/// A weight of bytes or words times an f32 input: groups of neighbouring rows share a scale and an offset.
static void emitGrouped(ThreadBuilder &k, nn::LinearOp op) {
  OpBuilder &b = k.builder;
  Value input = op.getInput(), out = op.getInit();
  int64_t rank = cast<MemRefType>(out.getType()).getRank();
  Value steps = k.dim(input, rank - 1), zero = k.scalar(b.getF32Type(), 0);
  Value groups = op.getScales() ? k.dim(op.getScales(), 0) : k.index(1), groupRows = k.div(steps, groups);
  auto sumGroups = [&](ValueRange indices, Value first, Value end) {
    Value column = indices.back();
    SmallVector<Value> at(indices);
    // The sum of the products with stored elements, and that of the inputs alone, which the offset multiplies.
    auto sums = k.loop(first, end, 1, zero, [&](Value group, ValueRange carried) -> codegen::LoopBuilder::Carried {
      auto inner = k.loop(k.index(0), groupRows, 1, {zero, zero}, [&](Value i, ValueRange parts) {
        Value row = k.add(k.mul(group, groupRows), i);
        at.back() = row;
        Value x = k.loadScalar(input, at), w;
        if (op.getBits())
          w = loadBits(k, op, row, column);
        else
          w = arith::SIToFPOp::create(b, k.loc, b.getF32Type(),
                                      k.loadWide(op.getWeight(), {row, column}, /*isSigned=*/true));
        return codegen::LoopBuilder::Carried{k.multiplyAdd(x, w, parts[0]), k.addFloats(parts[1], x)};
      });
      Value total = carried[0];
      total = op.getScales() ? k.multiplyAdd(inner[0], k.loadScalar(op.getScales(), {group, column}), total)
                             : k.addFloats(total, inner[0]);
      if (op.getOffsets())
        total = k.multiplyAdd(inner[1], k.loadScalar(op.getOffsets(), {group, column}), total);
      return {total};
    });
    return sums[0];
  };
  emitSums(k, out, b.getF32Type(), groups, groupRows, sumGroups, [&](Value sum, ValueRange indices) {
    k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, indices);
  });
}

/// A shape from its first dimension on that is not one; what is before it makes no difference to where elements lie.
static ArrayRef<int64_t> dropLeadingOnes(ArrayRef<int64_t> shape) {
  return shape.drop_while([](int64_t size) { return size == 1; });
}

/// The same op on matrices: of a result of more dimensions a row is one line, so that no kernel divides its number.
/// Null where memory does not lie so, or an extra is neither one row for all nor one for each.
static nn::LinearOp collapseRows(nn::LinearOp op) {
  auto type = cast<MemRefType>(op.getInit().getType());
  if (type.getRank() < 3)
    return {};
  ThreadBuilder k(op);
  auto toLines = [&](Value memref) { return k.collapse(memref, 0, cast<MemRefType>(memref.getType()).getRank() - 2); };
  Value input = toLines(op.getInput()), out = toLines(op.getInit());
  SmallVector<Value> extras;
  for (Value extra : op.getExtras()) {
    auto extraType = cast<MemRefType>(extra.getType());
    ArrayRef<int64_t> shape = dropLeadingOnes(extraType.getShape());
    bool isRow = shape.size() <= 1, isSame = shape == dropLeadingOnes(type.getShape());
    extras.push_back(extraType.getRank() < 2 ? extra : isRow || isSame ? toLines(extra) : Value());
  }
  if (!input || !out || llvm::is_contained(extras, Value()))
    return {};
  auto lines = cast<nn::LinearOp>(k.builder.clone(*op));
  lines.getInputMutable().assign(input);
  lines.getInitMutable().assign(out);
  lines.getExtrasMutable().assign(extras);
  return lines;
}

LogicalResult simt::emitLinear(nn::LinearOp op) {
  if (nn::LinearOp lines = collapseRows(op)) {
    LogicalResult emitted = emitLinear(lines);
    lines.erase();
    return emitted;
  }
  if (emitOnTensorCores(op))
    return success();
  ThreadBuilder k(op);
  Value input = op.getInput(), weight = op.getWeight(), out = op.getInit();
  auto inputType = cast<MemRefType>(input.getType()), weightType = cast<MemRefType>(weight.getType());
  if (weightType.getRank() != 2)
    return op.emitOpError("expected a weight of rank 2, but got ") << weightType;
  if (inputType.getElementType().isF32() && weightType.getElementType().isInteger()) {
    if (!emitUnpacked(op))
      emitGrouped(k, op);
    return success();
  }
  Type type = k.accumulatorType(input, weight);
  if (!type)
    return op.emitOpError("has no kernel for ")
           << inputType.getElementType() << " and " << weightType.getElementType() << " on this target";
  MergedDims leading = k.mergeLeading(out, /*kept=*/1);
  Value steps = k.dim(weight, 0), columns = k.dim(weight, 1), rows = leading.size;
  if (isa<FloatType>(type) && fillsTiles(rows, columns)) {
    auto at = [&](Value row, Value column) { return k.indicesOf(leading, row, column); };
    auto lhs = [&](Value, Value row, Value step) { return k.loadWide(input, at(row, step), /*isSigned=*/false); };
    auto rhs = [&](Value, Value step, Value column) { return k.loadWide(weight, {step, column}, /*isSigned=*/true); };
    auto store = [&](Value sum, Value, Value row, Value column) {
      k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, at(row, column));
    };
    emitTiledProduct(k, {k.index(1), rows, columns, steps, lhs, rhs, store, codegen::getLikelyRows(op)});
    return success();
  }
  auto sumSteps = [&](ValueRange indices, Value first, Value end) {
    SmallVector<Value> at(indices);
    return k.loop(first, end, 1, k.scalar(type, 0), [&](Value row, ValueRange carried) {
      at.back() = row;
      Value x = k.loadWide(input, at, /*isSigned=*/false),
            w = k.loadWide(weight, {row, indices.back()}, /*isSigned=*/true);
      return codegen::LoopBuilder::Carried{k.multiplyAdd(x, w, carried[0])};
    })[0];
  };
  emitSums(k, out, type, steps, k.index(1), sumSteps, [&](Value sum, ValueRange indices) {
    k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, indices);
  });
  return success();
}

LogicalResult simt::emitMatMul(nn::MatMulOp op) {
  if (emitOnTensorCores(op))
    return success();
  ThreadBuilder k(op);
  Value lhs = op.getLhs(), rhs = op.getRhs(), out = op.getInit();
  auto lhsType = cast<MemRefType>(lhs.getType()), rhsType = cast<MemRefType>(rhs.getType());
  if (op.getPacked())
    return op.emitOpError("expected a right operand in rows");
  if (!lhsType.getElementType().isF32() || !rhsType.getElementType().isF32())
    return op.emitOpError("expected operands of f32, but got ")
           << lhsType.getElementType() << " and " << rhsType.getElementType();
  Value steps = k.dim(lhs, lhsType.getRank() - 1), zero = k.scalar(k.builder.getF32Type(), 0);
  int64_t rank = cast<MemRefType>(out.getType()).getRank();
  Value rows = k.dim(out, rank - 2), columns = k.dim(out, rank - 1);
  if (fillsTiles(rows, columns)) {
    MergedDims leading = k.mergeLeading(out, /*kept=*/2);
    auto at = [&](Value batch, Value row, Value column) { return k.indicesOf(leading, batch, {row, column}); };
    auto left = [&](Value batch, Value row, Value step) { return k.loadBroadcast(lhs, at(batch, row, step)); };
    auto right = [&](Value batch, Value step, Value column) { return k.loadBroadcast(rhs, at(batch, step, column)); };
    auto store = [&](Value sum, Value batch, Value row, Value column) {
      k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, at(batch, row, column));
    };
    emitTiledProduct(k, {leading.size, rows, columns, steps, left, right, store});
    return success();
  }
  auto sumSteps = [&](ValueRange indices, Value first, Value end) {
    // [..., M, K] and [..., K, N] have as many dimensions as the result, or fewer, or some of size one.
    SmallVector<Value> left(indices), right(indices);
    return k.loop(first, end, 1, zero, [&](Value step, ValueRange carried) {
      left.back() = step;
      right[right.size() - 2] = step;
      Value a = k.loadBroadcast(lhs, left), b = k.loadBroadcast(rhs, right);
      return codegen::LoopBuilder::Carried{k.multiplyAdd(a, b, carried[0])};
    })[0];
  };
  emitSums(k, out, k.builder.getF32Type(), steps, k.index(1), sumSteps, [&](Value sum, ValueRange indices) {
    k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, indices);
  });
  return success();
}
