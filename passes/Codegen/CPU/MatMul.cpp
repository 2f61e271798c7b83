//===- MatMul.cpp - nn.matmul as register tiles ---------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Indices of an operand's leading dimensions, which broadcast to `batch`.
static SmallVector<Value> broadcastIndices(KernelBuilder &k, Value operand, int64_t leading, ValueRange batch) {
  auto type = cast<MemRefType>(operand.getType());
  SmallVector<Value> indices;
  for (int64_t i = 0; i < leading; ++i)
    indices.push_back(type.getDimSize(i) == 1 ? k.index(0) : batch[batch.size() - leading + i]);
  return indices;
}

LogicalResult cpu::emitMatMul(nn::MatMulOp op) {
  KernelBuilder k(op);
  Value lhs = op.getLhs(), rhs = op.getRhs(), out = op.getInit();
  auto lhsType = cast<MemRefType>(lhs.getType()), rhsType = cast<MemRefType>(rhs.getType());
  auto outType = cast<MemRefType>(out.getType());
  if (!lhsType.getElementType().isF32() || !rhsType.getElementType().isF32())
    return op.emitOpError("expected operands of f32, but got ")
           << lhsType.getElementType() << " and " << rhsType.getElementType();
  if (!hasUnitInnermostStride(rhs) || !hasUnitInnermostStride(out))
    return op.emitOpError("expected a right operand and a destination with contiguous rows");
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), out);

  // One right matrix for all: the left ones are one long matrix.
  int64_t rank = lhsType.getRank(), matrix = op.getPacked() ? 3 : 2;
  if (rhsType.getRank() == matrix) {
    if (rank > 2)
      if (Value rows = k.collapse(lhs, 0, rank - 2))
        if (epilogue.collapse(0, rank - 2))
          lhs = rows;
    return emitMatrixProduct(k, op, lhs, rhs, epilogue);
  }

  int64_t outRank = outType.getRank(), lhsLeading = rank - 2, rhsLeading = rhsType.getRank() - matrix;
  Value columns = k.dim(out, outRank - 1), steps = k.dim(lhs, rank - 1);
  int64_t fixedColumns = constantOr(columns);
  int64_t width = chooseTileColumns(op, fixedColumns, k);
  if (op.getPacked())
    width = rhsType.getShape().back();
  if (width <= 0 || width % k.lanes() != 0)
    return op.emitOpError("expected panels of whole vectors of ") << k.lanes() << " columns, but got " << width;
  bool masked = !op.getPacked() && (fixedColumns < 0 || fixedColumns % width != 0);

  ContractionSpace space;
  space.op = op;
  SmallVector<Value> batchSizes;
  space.outer = k.index(1);
  for (int64_t i = 0; i + 2 < outRank; ++i) {
    batchSizes.push_back(k.dim(out, i));
    space.outer = k.mul(space.outer, batchSizes.back());
  }
  space.vectors = width / k.lanes();
  space.rows = k.dim(out, outRank - 2);
  space.panels = k.ceilDiv(columns, width);
  space.reduction = constantOr(steps, 64);
  emitContraction(k, space, [&](const TilePlace &place) {
    Value unit = place.unit, row = place.row, panel = place.panel;
    int64_t rows = place.rows;
    SmallVector<Value> batch = k.delinearize(unit, batchSizes);
    SmallVector<Value> left = broadcastIndices(k, lhs, lhsLeading, batch);
    SmallVector<Value> right = broadcastIndices(k, rhs, rhsLeading, batch);
    Value column = k.mul(panel, width);
    SmallVector<Value> masks(space.vectors);
    if (masked)
      for (int64_t v = 0; v < space.vectors; ++v)
        masks[v] = k.maskBelow(k.sub(columns, k.add(column, v * k.lanes())));
    RegisterTile tile{rows, space.vectors, Product::F32, {steps}, {}, {}};
    readLhs(k, tile, lhs, [&](int64_t i, ValueRange ivs) {
      SmallVector<Value> indices(left);
      indices.append({k.add(row, i), ivs[0]});
      return indices;
    });
    tile.rhs = [&](int64_t v, ValueRange ivs) {
      SmallVector<Value> indices(right);
      if (op.getPacked())
        indices.append({panel, ivs[0], k.index(v * k.lanes())});
      else
        indices.append({ivs[0], k.add(column, v * k.lanes())});
      return k.load(rhs, indices, masks[v]);
    };
    SmallVector<Value> accumulators = emitRegisterTile(k, tile);
    storeTile(k, epilogue, accumulators, rows, space.vectors, column, columns, [&](int64_t i) {
      SmallVector<Value> indices(batch);
      indices.push_back(k.add(row, i));
      return indices;
    });
  });
  return success();
}
