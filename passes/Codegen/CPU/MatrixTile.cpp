//===- MatrixTile.cpp - Products of bf16 in tile registers ----------------===//
#include "passes/Codegen/CPU/MatrixTile.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "passes/Codegen/Common/Instructions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

static const TileUnit &unitOf(KernelBuilder &k) { return *codegen::getTileUnit(k.target); }

/// Where the unit's instructions go now.
static ImplicitLocOpBuilder here(KernelBuilder &k) { return ImplicitLocOpBuilder(k.loc, k.builder); }

static Value toI64(KernelBuilder &k, Value index) {
  return arith::IndexCastOp::create(k.builder, k.loc, k.builder.getI64Type(), index);
}

static Value toPointer(KernelBuilder &k, Value address) {
  auto type = LLVM::LLVMPointerType::get(k.builder.getContext());
  return LLVM::IntToPtrOp::create(k.builder, k.loc, type, toI64(k, address));
}

static int64_t elementBytes(Value memref) {
  return llvm::divideCeil(cast<MemRefType>(memref.getType()).getElementTypeBitWidth(), 8);
}

/// The offset and the strides of a memref, in elements: constants where they are static.
static std::pair<Value, SmallVector<Value>> getLayout(KernelBuilder &k, Value memref) {
  auto metadata = memref::ExtractStridedMetadataOp::create(k.builder, k.loc, memref);
  auto toValue = [&](OpFoldResult size) { return getValueOrCreateConstantIndexOp(k.builder, k.loc, size); };
  return {toValue(metadata.getConstifiedMixedOffset()),
          llvm::map_to_vector(metadata.getConstifiedMixedStrides(), toValue)};
}

Value cpu::addressOf(KernelBuilder &k, Value memref, ValueRange indices) {
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(k.builder, k.loc, memref);
  auto [offset, strides] = getLayout(k, memref);
  for (auto [index, stride] : llvm::zip(indices, strides))
    offset = k.add(offset, k.mul(index, stride));
  return k.add(address, k.mul(offset, elementBytes(memref)));
}

Value cpu::strideBytesOf(KernelBuilder &k, Value memref, unsigned dimension) {
  return k.mul(getLayout(k, memref).second[dimension], elementBytes(memref));
}

void TileRegisters::begin(KernelBuilder &k) {
  const TileUnit &unit = unitOf(k);
  bool isStatic = constantOr(height) > 0;
  SmallVector<int8_t> bytes = unit.getConfiguration(isStatic ? constantOr(height) : 0, chunk);
  int64_t size = bytes.size();
  Type i8 = k.builder.getI8Type();
  Value configuration = k.scratch({size}, i8);
  sums = k.scratch({blocks * 2 * kTileRows, 2 * kTileColumns}, k.builder.getF32Type());
  auto type = VectorType::get({size}, i8);
  Value constant = arith::ConstantOp::create(k.builder, k.loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  vector::StoreOp::create(k.builder, k.loc, constant, configuration, ValueRange{k.index(0)});
  if (!isStatic) {
    Value rows = arith::IndexCastOp::create(k.builder, k.loc, i8, height);
    for (int64_t position : unit.getRowPositions())
      memref::StoreOp::create(k.builder, k.loc, rows, configuration, ValueRange{k.index(position)});
  }
  Value address = toPointer(k, addressOf(k, configuration, {k.index(0)}));
  ImplicitLocOpBuilder b = here(k);
  unit.configure(b, address);
}

void TileRegisters::end(KernelBuilder &k) {
  ImplicitLocOpBuilder b = here(k);
  unitOf(k).release(b);
}

void cpu::emitMatrixTile(KernelBuilder &k, const TileRegisters &registers, const MatrixTile &tile) {
  const TileUnit &unit = unitOf(k);
  auto forEach = [&](auto body) {
    for (int64_t row = 0; row < tile.rowTiles; ++row)
      for (int64_t column = 0; column < tile.columnTiles; ++column)
        body(row, column);
  };
  const codegen::ChunkedReduction &reduction = tile.reduction;
  int64_t chunk = reduction.chunk, pairBytes = tile.columnTiles * TileUnit::kRowBytes;
  Value rowStride = toI64(k, tile.rowStride), pairStride = toI64(k, k.index(pairBytes));
  auto load = [&](int64_t number, Value address, Value stride) {
    Value pointer = toPointer(k, address);
    ImplicitLocOpBuilder b = here(k);
    unit.load(b, number, pointer, stride);
  };
  Value sumsStride = toI64(k, strideBytesOf(k, registers.sums, 0));
  auto sumsAddress = [&](int64_t row, int64_t column) {
    return addressOf(k, registers.sums, {k.add(tile.sumsRow, row * kTileRows), k.index(column * kTileColumns)});
  };
  Value part = tile.part;
  auto isPart = [&](arith::CmpIPredicate predicate, int64_t number) {
    return k.builder.createOrFold<arith::CmpIOp>(k.loc, predicate, part, k.index(number));
  };
  k.branch(isPart(arith::CmpIPredicate::eq, 0), [&] {
    forEach([&](int64_t row, int64_t column) {
      ImplicitLocOpBuilder b = here(k);
      unit.zero(b, TileUnit::accumulator(row, column));
    });
  });
  k.branch(isPart(arith::CmpIPredicate::sgt, 0), [&] {
    forEach([&](int64_t row, int64_t column) {
      load(TileUnit::accumulator(row, column), sumsAddress(row, column), sumsStride);
    });
  });
  // Of one iteration of the outer loops.
  auto reduce = [&](ValueRange outer) {
    SmallVector<Value> left;
    for (int64_t row = 0; row < tile.rowTiles; ++row)
      left.push_back(tile.lhs(row, outer));
    Value right = tile.rhs(outer);
    auto step = [&](Value number, Value start) {
      if (tile.prefetch) {
        SmallVector<Value> ivs(outer);
        ivs.push_back(k.sub(number, k.mul(part, tile.partChunks)));
        tile.prefetch(ivs, 1);
      }
      Value columns = k.add(right, k.mul(number, chunk / 2 * pairBytes));
      for (int64_t i = 0; i < std::max(tile.rowTiles, tile.columnTiles); ++i) {
        if (i < tile.columnTiles)
          load(TileUnit::rhs(i), k.add(columns, i * TileUnit::kRowBytes), pairStride);
        if (i < tile.rowTiles)
          load(TileUnit::lhs(i), k.add(left[i], k.mul(start, 2)), rowStride);
      }
      forEach([&](int64_t row, int64_t column) {
        ImplicitLocOpBuilder b = here(k);
        unit.multiply(b, row, column);
      });
    };
    Value first = k.mul(part, tile.partChunks), whole = k.index(reduction.wholeChunks()), end = whole;
    if (tile.partChunks)
      end = k.min(k.add(first, tile.partChunks), whole);
    k.loop(first, end, 1, [&](Value number) { step(number, k.mul(number, chunk)); });
    if (!reduction.rest())
      return;
    auto stepRest = [&] { step(whole, k.index(reduction.size - chunk)); };
    if (tile.partChunks)
      k.branch(isPart(arith::CmpIPredicate::eq, tile.parts - 1), stepRest);
    else
      stepRest();
  };
  std::function<void(ArrayRef<Value>)> nest = [&](ArrayRef<Value> outer) {
    if (outer.size() == tile.bounds.size())
      return reduce(outer);
    k.loop(k.index(0), tile.bounds[outer.size()], 1, [&](Value iv) {
      SmallVector<Value> ivs(outer);
      ivs.push_back(iv);
      nest(ivs);
    });
  };
  nest({});

  forEach([&](int64_t row, int64_t column) {
    Value pointer = toPointer(k, sumsAddress(row, column));
    ImplicitLocOpBuilder b = here(k);
    unit.store(b, TileUnit::accumulator(row, column), pointer, sumsStride);
  });
}

void cpu::storeTileRows(KernelBuilder &k, Epilogue &epilogue, const TileRegisters &registers, const TileRows &rows,
                        int64_t vectors, Value column, Value columns,
                        function_ref<SmallVector<Value>(Value row)> outer) {
  k.loop(k.index(0), rows.count, 1, [&](Value i) {
    SmallVector<Value> sums;
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(k.load(registers.sums, {k.add(rows.sumsRow, i), k.index(v * k.lanes())}));
    storeTile(k, epilogue, sums, /*rows=*/1, vectors, column, columns,
              [&](int64_t) { return outer(k.add(rows.row, i)); });
  });
}
