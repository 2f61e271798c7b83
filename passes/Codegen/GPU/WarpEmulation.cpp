//===- WarpEmulation.cpp - What threads of a warp do together, on the host -===//
#include "passes/Codegen/GPU/WarpEmulation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using codegen::LoopBuilder;

bool simt::isWarpOp(Operation *op) { return isa<NVVM::MmaOp, nvgpu::LdMatrixOp, gpu::ShuffleOp>(op); }

namespace {
/// The format of a matrix operand: a register holds `perWord` neighbours along the reduction.
struct Format {
  NVVM::MMATypes type;
  int64_t perWord;
};
} // namespace

static std::optional<Format> getFormat(std::optional<NVVM::MMATypes> type) {
  if (!type)
    return std::nullopt;
  switch (*type) {
  case NVVM::MMATypes::tf32:
    return Format{*type, 1};
  case NVVM::MMATypes::f16:
  case NVVM::MMATypes::bf16:
    return Format{*type, 2};
  case NVVM::MMATypes::s8:
  case NVVM::MMATypes::u8:
    return Format{*type, 4};
  default:
    return std::nullopt;
  }
}

LogicalResult simt::checkWarpOp(Operation *op) {
  if (auto mma = dyn_cast<NVVM::MmaOp>(op)) {
    std::optional<Format> a = getFormat(mma.getMultiplicandAPtxType()), b = getFormat(mma.getMultiplicandBPtxType());
    // Eight words of each row: the one shape of a format that the kernels use.
    if (!a || !b || a->perWord != b->perWord || mma.getShape().getM() != 16 || mma.getShape().getN() != 8 ||
        mma.getShape().getK() != 8 * a->perWord)
      return op->emitError("a product of this shape is not emulated");
    if (llvm::any_of(mma->getUsers(), [](Operation *user) { return !isa<LLVM::ExtractValueOp>(user); }))
      return op->emitError("expected only elements of the result to be used");
  }
  if (auto load = dyn_cast<nvgpu::LdMatrixOp>(op); load && load.getIndices().size() != 1)
    return op->emitError("expected memory of one dimension");
  if (auto shuffle = dyn_cast<gpu::ShuffleOp>(op)) {
    if (shuffle.getMode() != gpu::ShuffleMode::XOR || codegen::constantOr(shuffle.getWidth()) != kWarpThreads)
      return op->emitError("a shuffle other than xor of a whole warp is not emulated");
    if (!shuffle.getValid().use_empty())
      return op->emitError("expected the validity of a shuffle to be unused");
  }
  return success();
}

Value simt::toWord(LoopBuilder &k, Value value) {
  Type i32 = k.builder.getI32Type();
  if (value.getType() == i32)
    return value;
  if (isa<VectorType>(value.getType()))
    return vector::ExtractOp::create(k.builder, k.loc,
                                     vector::BitCastOp::create(k.builder, k.loc, VectorType::get(1, i32), value), 0);
  return arith::BitcastOp::create(k.builder, k.loc, i32, value);
}

/// Number `place` of those in a word, as what products are added up in.
static Value decode(LoopBuilder &k, NVVM::MMATypes type, Value word, Value place) {
  OpBuilder &b = k.builder;
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value which = arith::IndexCastOp::create(b, k.loc, i32, place);
  auto constant = [&](int64_t value) { return arith::ConstantIntOp::create(b, k.loc, i32, value).getResult(); };
  auto shifted = [&](int64_t bits) -> Value {
    return arith::ShRUIOp::create(b, k.loc, word, arith::MulIOp::create(b, k.loc, which, constant(bits)));
  };
  switch (type) {
  case NVVM::MMATypes::tf32: // the last bits are not read
    return arith::BitcastOp::create(b, k.loc, f32, arith::AndIOp::create(b, k.loc, word, constant(-8192)));
  case NVVM::MMATypes::bf16:
    return arith::BitcastOp::create(b, k.loc, f32, arith::ShLIOp::create(b, k.loc, shifted(16), constant(16)));
  case NVVM::MMATypes::f16: {
    Value half = arith::TruncIOp::create(b, k.loc, b.getI16Type(), shifted(16));
    Value number = arith::BitcastOp::create(b, k.loc, b.getF16Type(), half);
    return arith::ExtFOp::create(b, k.loc, f32, number);
  }
  case NVVM::MMATypes::u8:
    return arith::AndIOp::create(b, k.loc, shifted(8), constant(255));
  default:
    return arith::ShRSIOp::create(b, k.loc, arith::ShLIOp::create(b, k.loc, shifted(8), constant(24)), constant(24));
  }
}

/// `@name(a, b, c)`: see emulateMma.
static func::FuncOp makeMmaFunction(ModuleOp module, StringRef name, NVVM::MmaOp op, TypeRange types) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, op.getLoc(), name, builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  LoopBuilder k(func::ReturnOp::create(builder, op.getLoc()));
  OpBuilder &b = k.builder;
  auto cType = cast<MemRefType>(types[2]);
  Type sumType = cType.getElementType();
  Format left = *getFormat(op.getMultiplicandAPtxType()), right = *getFormat(op.getMultiplicandBPtxType());
  int64_t steps = op.getShape().getK(), perWord = left.perWord;
  auto allocate = [&](int64_t rows, int64_t columns) {
    return memref::AllocaOp::create(b, k.loc, MemRefType::get({rows, columns}, sumType), b.getI64IntegerAttr(64))
        .getResult();
  };
  Value a = allocate(16, steps), bt = allocate(8, steps);
  auto word = [&](Value step) { return k.div(k.rem(step, k.index(4 * perWord)), k.index(perWord)); };
  auto high = [&](Value step) { return k.div(step, k.index(4 * perWord)); };
  k.loop(k.index(0), k.index(cType.getDimSize(0)), kWarpThreads, [&](Value warp) {
    // Thread 4 * row + word, register (row / 8) + 2 * (upper half of the steps).
    auto read = [&](Value source, Value target, int64_t rows, Format format) {
      k.loop(k.index(0), k.index(rows), 1, [&](Value row) {
        k.loop(k.index(0), k.index(steps), 1, [&](Value step) {
          Value thread = k.add(warp, k.add(k.mul(k.rem(row, k.index(8)), 4), word(step)));
          Value part = rows == 8 ? high(step) : k.add(k.div(row, k.index(8)), k.mul(high(step), 2));
          Value value = decode(k, format.type, k.loadScalar(source, {thread, part}), k.rem(step, k.index(perWord)));
          memref::StoreOp::create(b, k.loc, value, target, ValueRange{row, step});
        });
      });
    };
    read(body->getArgument(0), a, 16, left);
    read(body->getArgument(1), bt, 8, right);
    k.loop(k.index(0), k.index(16), 1, [&](Value row) {
      k.loop(k.index(0), k.index(8), 1, [&](Value column) {
        // Thread 4 * row + column / 2, register 2 * (row / 8) + column % 2.
        Value thread = k.add(warp, k.add(k.mul(k.rem(row, k.index(8)), 4), k.div(column, k.index(2))));
        Value part = k.add(k.mul(k.div(row, k.index(8)), 2), k.rem(column, k.index(2)));
        Value sum = k.loadScalar(body->getArgument(2), {thread, part});
        LoopBuilder::Carried total = k.loop(k.index(0), k.index(steps), 1, sum, [&](Value step, ValueRange carried) {
          Value x = k.loadScalar(a, {row, step}), y = k.loadScalar(bt, {column, step});
          if (isa<FloatType>(sumType))
            return LoopBuilder::Carried{math::FmaOp::create(b, k.loc, x, y, carried[0])};
          return LoopBuilder::Carried{
              arith::AddIOp::create(b, k.loc, carried[0], arith::MulIOp::create(b, k.loc, x, y))};
        });
        memref::StoreOp::create(b, k.loc, total[0], body->getArgument(2), ValueRange{thread, part});
      });
    });
  });
  return function;
}

void simt::emulateMma(LoopBuilder &k, ModuleOp module, NVVM::MmaOp op, Value a, Value b, Value c) {
  std::string name = ("emulated_mma_" + NVVM::stringifyMMATypes(*op.getMultiplicandAPtxType()) + "_" +
                      NVVM::stringifyMMATypes(*op.getMultiplicandBPtxType()) + "_" +
                      Twine(cast<MemRefType>(c.getType()).getDimSize(0)))
                         .str();
  auto function = module.lookupSymbol<func::FuncOp>(name);
  Value operands[] = {a, b, c};
  if (!function)
    function = makeMmaFunction(module, name, op, ValueRange(operands).getTypes());
  func::CallOp::create(k.builder, k.loc, function, operands);
}

Value simt::emulateLdMatrix(LoopBuilder &k, nvgpu::LdMatrixOp op, Value memory, Value addresses, Value thread) {
  auto type = cast<VectorType>(op.getRes().getType());
  int64_t perWord = type.getDimSize(1);
  Value warp = k.mul(k.div(thread, k.index(kWarpThreads)), kWarpThreads), lane = k.rem(thread, k.index(kWarpThreads));
  Value outer = k.div(lane, k.index(4)), inner = k.mul(k.rem(lane, k.index(4)), perWord);
  Value result = arith::ConstantOp::create(k.builder, k.loc, k.builder.getZeroAttr(type));
  for (int64_t tile = 0; tile < op.getNumTiles(); ++tile)
    for (int64_t i = 0; i < perWord; ++i) {
      // Thread 4 * row + word has a word of its row, or of a transposed matrix' column.
      Value row = op.getTranspose() ? k.add(inner, i) : outer;
      Value column = op.getTranspose() ? outer : k.add(inner, i);
      Value begin = k.loadScalar(addresses, k.add(warp, k.add(row, tile * 8)));
      Value element = k.loadScalar(memory, k.add(begin, column));
      result = vector::InsertOp::create(k.builder, k.loc, element, result, ArrayRef<int64_t>{tile, i});
    }
  return result;
}

Value simt::emulateTF32(LoopBuilder &k, Value x) {
  OpBuilder &b = k.builder;
  Type i32 = b.getI32Type();
  auto constant = [&](int64_t value) { return arith::ConstantIntOp::create(b, k.loc, i32, value).getResult(); };
  Value bits = arith::BitcastOp::create(b, k.loc, i32, x);
  // Half away from zero, in the bits of the magnitude.
  Value rounded =
      arith::AndIOp::create(b, k.loc, arith::AddIOp::create(b, k.loc, bits, constant(4096)), constant(-8192));
  Value isNan = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::UNO, x, x);
  return arith::SelectOp::create(b, k.loc, isNan, constant(0x7FFFE000), rounded);
}
