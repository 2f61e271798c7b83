//===- Instrument.cpp - Timers around the kernels of @main ----------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_INSTRUMENTPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// Bytes of the constants that a call of a kernel reads.
static int64_t countWeightBytes(func::CallOp call) {
  int64_t bytes = 0;
  for (Value operand : call.getOperands()) {
    while (auto view = operand.getDefiningOp<ViewLikeOpInterface>())
      operand = view.getViewSource();
    if (auto global = operand.getDefiningOp<memref::GetGlobalOp>())
      bytes += global.getType().getNumElements() * getElementBytes(global.getType().getElementType());
  }
  return bytes;
}

/// The size of what a call hands over, which a kernel for several sizes sees cast to an unknown one.
static MemRefType getPassedType(Value operand) {
  if (auto cast = operand.getDefiningOp<memref::CastOp>())
    operand = cast.getSource();
  return dyn_cast<MemRefType>(operand.getType());
}

/// Bytes of everything that a call reads and writes, each once; -1 where a size is known at run time only. A table that
/// the kernel looks up element by element counts as much as the iterations of `op` can read of it.
static int64_t countBytes(Operation *op, func::FuncOp kernel, func::CallOp call) {
  int64_t iterations = std::numeric_limits<int64_t>::max();
  if (auto linalgOp = dyn_cast_if_present<linalg::LinalgOp>(op))
    if (SmallVector<int64_t> ranges = linalgOp.getStaticLoopRanges(); !ShapedType::isDynamicShape(ranges))
      iterations = ShapedType::getNumElements(ranges);
  int64_t bytes = 0;
  for (auto [argument, operand] : llvm::zip(kernel.getArguments(), call.getOperands())) {
    MemRefType type = getPassedType(operand);
    if (!type || argument.use_empty())
      continue;
    if (!type.hasStaticShape())
      return -1;
    bool isTable = llvm::all_of(argument.getUsers(), llvm::IsaPred<memref::LoadOp>);
    int64_t elements = isTable ? std::min(type.getNumElements(), iterations) : type.getNumElements();
    bytes += elements * getElementBytes(type.getElementType());
  }
  return bytes;
}

namespace {

struct InstrumentPass : lathe::impl::InstrumentPassBase<InstrumentPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return signalPassFailure();
    unsigned count = main.getNumArguments();
    auto arena = count < 2 ? MemRefType() : dyn_cast<MemRefType>(main.getArgumentTypes()[count - 2]);
    if (!arena || !arena.hasStaticShape() || !arena.getElementType().isInteger(8) ||
        !isa<LLVM::LLVMPointerType>(main.getArgumentTypes()[count - 1])) {
      main.emitError("expected an arena and an executor as the last arguments, but got ") << main.getFunctionType();
      return signalPassFailure();
    }
    SmallVector<func::CallOp> calls;
    main.walk([&](func::CallOp call) {
      if (call.getCallee().starts_with(kKernelPrefix))
        calls.push_back(call);
    });
    int64_t words = 2 + 3 * int64_t(calls.size());
    int64_t offset = llvm::alignTo(arena.getNumElements(), 64);
    instrument(calls, growArena(main, offset, words));
    describe(calls, offset);
    getOperation()->setAttr(kWorkspaceAttr, Builder(&getContext()).getI64IntegerAttr(offset + 8 * words));
    remark::passed(main.getLoc(), remark::RemarkOpts::name("Instrumented").category("codegen").function(main.getName()))
        << remark::metric("Calls", calls.size()) << remark::metric("Bytes", 8 * words);
  }

private:
  /// Makes room behind the buffers; returns the profile, all zeros.
  Value growArena(func::FuncOp main, int64_t offset, int64_t words) {
    auto builder = ImplicitLocOpBuilder::atBlockBegin(main.getLoc(), &main.getBody().front());
    Value arena = main.getArgument(main.getNumArguments() - 2);
    arena.setType(MemRefType::get({offset + 8 * words}, builder.getI8Type()));
    main.setType(builder.getFunctionType(main.getBody().getArgumentTypes(), {}));
    Value place = arith::ConstantIndexOp::create(builder, offset);
    auto type = MemRefType::get({words}, builder.getI64Type());
    Value profile = memref::ViewOp::create(builder, type, arena, place, ValueRange());
    Value zero = arith::ConstantIndexOp::create(builder, 0);
    Value one = arith::ConstantIndexOp::create(builder, 1);
    Value end = arith::ConstantIndexOp::create(builder, words);
    Value nothing = arith::ConstantIntOp::create(builder, 0, 64);
    scf::ForOp::create(builder, zero, end, one, ValueRange(),
                       [&](OpBuilder &body, Location loc, Value index, ValueRange) {
                         memref::StoreOp::create(body, loc, nothing, profile, index);
                         scf::YieldOp::create(body, loc);
                       });
    store(builder, readCounter(builder), profile, 0);
    builder.setInsertionPoint(main.getBody().front().getTerminator());
    store(builder, readCounter(builder), profile, 1);
    return profile;
  }

  void instrument(MutableArrayRef<func::CallOp> calls, Value profile) {
    for (auto [index, call] : llvm::enumerate(calls)) {
      ImplicitLocOpBuilder builder(call.getLoc(), call);
      Value before = readCounter(builder);
      builder.setInsertionPointAfter(call);
      Value after = readCounter(builder);
      Value spent = arith::SubIOp::create(builder, after, before);
      int64_t word = 2 + 3 * index;
      store(builder, arith::AddIOp::create(builder, load(builder, profile, word), spent), profile, word);
      Value first = load(builder, profile, word + 1);
      Value nothing = arith::ConstantIntOp::create(builder, 0, 64);
      Value isFirst = arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, first, nothing);
      store(builder, arith::SelectOp::create(builder, isFirst, before, first), profile, word + 1);
      Value one = arith::ConstantIntOp::create(builder, 1, 64);
      store(builder, arith::AddIOp::create(builder, load(builder, profile, word + 2), one), profile, word + 2);
    }
  }

  static Value readCounter(ImplicitLocOpBuilder &builder) {
    return LLVM::CallIntrinsicOp::create(builder, builder.getI64Type(), builder.getStringAttr("llvm.readcyclecounter"),
                                         ValueRange())
        .getResult(0);
  }

  static Value load(ImplicitLocOpBuilder &builder, Value profile, int64_t word) {
    Value index = arith::ConstantIndexOp::create(builder, word);
    return memref::LoadOp::create(builder, profile, index);
  }

  static void store(ImplicitLocOpBuilder &builder, Value value, Value profile, int64_t word) {
    Value index = arith::ConstantIndexOp::create(builder, word);
    memref::StoreOp::create(builder, value, profile, index);
  }

  /// Multiply-adds of one call: that of a kernel for several sizes casts its operands.
  static int64_t countMacs(nn::KernelOpInterface op, func::FuncOp kernel, func::CallOp call) {
    SmallVector<Type> types(kernel.getArgumentTypes());
    for (auto [argument, operand] : llvm::zip(kernel.getArguments(), call.getOperands()))
      if (MemRefType type = getPassedType(operand))
        argument.setType(type);
    int64_t macs = op.getMacs();
    for (auto [argument, type] : llvm::zip(kernel.getArguments(), types))
      argument.setType(type);
    return macs;
  }

  /// Names the calls on the module.
  void describe(ArrayRef<func::CallOp> calls, int64_t offset) {
    Builder builder(&getContext());
    SymbolTable symbols(getOperation());
    SmallVector<Attribute> rows;
    for (func::CallOp call : calls) {
      StringRef name = findNodeName(call.getLoc()), op = call.getCallee();
      int64_t macs = -1, bytes = -1;
      if (auto kernel = symbols.lookup<func::FuncOp>(call.getCallee())) {
        Operation *work = nullptr;
        kernel.walk<WalkOrder::PreOrder>([&](Operation *inner) {
          if (!isa<nn::KernelOpInterface, linalg::LinalgOp>(inner))
            return WalkResult::advance();
          work = inner;
          return WalkResult::interrupt();
        });
        if (work)
          op = work->getName().getStringRef();
        if (auto nnOp = dyn_cast_if_present<nn::KernelOpInterface>(work))
          macs = countMacs(nnOp, kernel, call);
        bytes = countBytes(work, kernel, call);
      }
      rows.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("name", builder.getStringAttr(name.empty() ? call.getCallee() : name)),
           builder.getNamedAttr("op", builder.getStringAttr(op)),
           builder.getNamedAttr("bytes", builder.getI64IntegerAttr(bytes)),
           builder.getNamedAttr("weight_bytes", builder.getI64IntegerAttr(countWeightBytes(call))),
           builder.getNamedAttr("macs", builder.getI64IntegerAttr(macs))}));
    }
    getOperation()->setAttr(kProfileAttr, builder.getArrayAttr(rows));
    getOperation()->setAttr(kProfileOffsetAttr, builder.getI64IntegerAttr(offset));
  }
};

} // namespace
