//===- OutlineKernels.cpp - Compute ops of @main become functions ---------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Codegen/Common/DataMovement.h"
#include "passes/Codegen/Common/GeneralTypes.h"
#include "passes/Codegen/Common/LoopValues.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace lathe {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

namespace {

/// What a memref of @main points into: an argument or constant as a whole, or a range of bytes of
/// the arena.
struct Place {
  Value root; // null: unknown
  Attribute global;
  int64_t begin = 0, end = INT64_MAX;

  bool mayOverlap(const Place &other) const {
    if (global || other.global)
      return global == other.global;
    if (!root || !other.root)
      return true;
    return root == other.root && begin < other.end && other.begin < end;
  }
};

} // namespace

static Place findPlace(Value value) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<func::FuncOp>(parent))
        return {argument, {}};
      value = getInitial(argument);
      if (!value)
        return {};
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (auto view = dyn_cast<memref::ViewOp>(op)) {
      Place place = findPlace(view.getSource());
      APInt offset;
      if (!matchPattern(view.getByteShift(), m_ConstantInt(&offset)))
        return place;
      place.begin = offset.getSExtValue();
      if (auto bytes = view->getAttrOfType<IntegerAttr>(kBytesAttr))
        place.end = place.begin + bytes.getInt();
      else if (view.getType().hasStaticShape())
        place.end = place.begin + view.getType().getNumElements() *
                                      getElementBytes(view.getType().getElementType());
      return place;
    }
    if (auto global = dyn_cast<memref::GetGlobalOp>(op))
      return {{}, global.getNameAttr()};
    if (Value initial = getInitial(value)) {
      value = initial;
      continue;
    }
    if (!isa<memref::SubViewOp, memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp,
             memref::ReinterpretCastOp, memref::TransposeOp, memref::MemorySpaceCastOp>(op))
      return {};
    value = op->getOperand(0);
  }
}

/// Memrefs that the op writes; nullopt if it does not tell.
static std::optional<SmallPtrSet<Value, 4>> getWritten(Operation *op) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects)
    return std::nullopt;
  SmallVector<MemoryEffects::EffectInstance> instances;
  effects.getEffects(instances);
  SmallPtrSet<Value, 4> written;
  for (MemoryEffects::EffectInstance &instance : instances) {
    if (isa<MemoryEffects::Read>(instance.getEffect()))
      continue;
    if (!instance.getValue())
      return std::nullopt;
    written.insert(instance.getValue());
  }
  return written;
}

/// Which operands may be called noalias: what one of them writes, no other touches.
static BitVector findNoAlias(Operation *op, ArrayRef<Value> operands) {
  BitVector result(operands.size());
  auto written = getWritten(op);
  if (!written)
    return result;
  SmallVector<Place> places;
  for (Value operand : operands)
    places.push_back(isa<MemRefType>(operand.getType()) ? findPlace(operand) : Place());
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!isa<MemRefType>(operands[i].getType()))
      continue;
    bool alone = true;
    for (size_t j = 0; j < operands.size() && alone; ++j)
      if (i != j && isa<MemRefType>(operands[j].getType()) &&
          (written->contains(operands[i]) || written->contains(operands[j])))
        alone = !places[i].mayOverlap(places[j]);
    result[i] = alone;
  }
  return result;
}

namespace {

/// A function, not in the module yet, and its text: equal ones are one kernel.
struct Kernel {
  func::FuncOp function;
  std::string text;
};

/// A compute op of @main that becomes a call.
struct Call {
  Operation *op;
  SmallVector<Value> operands;
  Kernel exact, general; ///< `general` has dynamic rows; null where there is none
};

/// So many kernels that differ in their rows only become one. Fewer are worth their speed. On a GPU they differ in what
/// is chosen by rows, too: only those within a tile's height are equal.
constexpr unsigned kManySizes = 4;

struct OutlineKernelsPass : lathe::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return signalPassFailure();
    OpBuilder builder(&getContext());
    unsigned position = main.getNumArguments();
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    if (failed(
            main.insertArgument(position, pointer, builder.getDictionaryAttr({}), main.getLoc())))
      return signalPassFailure();
    Value executor = main.getArgument(position);
    DataMovement movement = recordMovement(main);

    SmallVector<Operation *> ops;
    main.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<linalg::LinalgOp, nn::KernelOpInterface, memref::CopyOp>(op))
        return WalkResult::advance();
      ops.push_back(op);
      return WalkResult::skip();
    });
    kernels.clear();
    counters.clear();
    SmallVector<Call> calls;
    llvm::StringMap<llvm::StringSet<>> sizes; // kernels by their general form
    for (Operation *op : ops)
      if (std::optional<Call> call = prepare(op)) {
        if (call->general.function)
          sizes[call->general.text].insert(call->exact.text);
        calls.push_back(std::move(*call));
      }
    for (Call &call : calls)
      outline(call, sizes[call.general.text].size() >= kManySizes, executor);
    remark::passed(main.getLoc(),
                   remark::RemarkOpts::name("Kernels").category("codegen").function(main.getName()))
        << remark::metric("Kernels", kernels.size()) << remark::metric("Calls", calls.size());
    remark::passed(main.getLoc(),
                   remark::RemarkOpts::name("DataMovement").category("codegen").function(main.getName()))
        << remark::metric("Transposes", movement.transposes)
        << remark::metric("TransposedBytes", movement.transposedBytes)
        << remark::metric("Copies", movement.copies) << remark::metric("CopiedBytes", movement.copiedBytes);
  }

  /// Nullopt where there is nothing to compute.
  std::optional<Call> prepare(Operation *op) {
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      if (copy.getSource() == copy.getTarget()) {
        copy.erase();
        return std::nullopt;
      }
      // A linalg copy becomes a loop, in parallel where it is long; upstream's copy of strided
      // memrefs calls a library.
      OpBuilder builder(op);
      op = linalg::CopyOp::create(builder, op->getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    Call call{op, {}, {}, {}};
    SmallVector<Value> constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : call.operands).push_back(value);
    SmallVector<Type> types = llvm::map_to_vector(call.operands, [](Value value) { return value.getType(); });
    BitVector noAlias = findNoAlias(op, call.operands);
    call.exact = makeKernel(op, call.operands, types, constants, noAlias);
    if (std::optional<SmallVector<Type>> general = getGeneralTypes(op, call.operands)) {
      call.general = makeKernel(op, call.operands, std::move(*general), constants, noAlias,
                                isGpu(nn::getTarget(op)) ? roundRows(op) : std::nullopt);
    }
    return call;
  }

  /// Replaces the op by a call of its kernel.
  void outline(Call &call, bool isGeneral, Value executor) {
    if (isGeneral)
      std::swap(call.exact, call.general);
    if (call.general.function)
      call.general.function.erase();
    func::FuncOp kernel = call.exact.function;
    auto [entry, isNew] = kernels.try_emplace(call.exact.text, kernel);
    if (isNew) {
      StringRef stem = call.op->getName().stripDialect();
      kernel.setName((kKernelPrefix + stem + "_" + Twine(counters[stem]++)).str());
      getOperation().push_back(kernel);
    } else {
      kernel.erase();
      kernel = entry->second;
    }
    OpBuilder builder(call.op);
    for (auto [operand, type] : llvm::zip(call.operands, kernel.getArgumentTypes()))
      if (operand.getType() != type)
        operand = memref::CastOp::create(builder, call.op->getLoc(), type, operand);
    call.operands.push_back(executor);
    func::CallOp::create(builder, call.op->getLoc(), kernel, call.operands);
    call.op->erase();
  }

  Kernel makeKernel(Operation *op, ArrayRef<Value> operands, SmallVector<Type> types, ArrayRef<Value> constants,
                    const BitVector &noAlias, std::optional<int64_t> rows = std::nullopt) {
    OpBuilder builder(&getContext());
    types.push_back(LLVM::LLVMPointerType::get(&getContext())); // the executor
    auto kernel = func::FuncOp::create(op->getLoc(), "kernel", builder.getFunctionType(types, {}));
    kernel.setPrivate();
    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), mapping);
    for (auto [operand, argument] : llvm::zip(operands, body->getArguments()))
      mapping.map(operand, argument);
    Operation *inner = builder.clone(*op, mapping);
    if (rows)
      inner->setAttr(kRowsAttr, builder.getI64IntegerAttr(*rows));
    func::ReturnOp::create(builder, op->getLoc());
    for (unsigned index : noAlias.set_bits())
      kernel.setArgAttr(index, kNoAliasAttr, UnitAttr::get(&getContext()));
    Kernel result{kernel, {}};
    llvm::raw_string_ostream stream(result.text);
    kernel->print(stream, OpPrintingFlags().useLocalScope());
    return result;
  }

  llvm::StringMap<func::FuncOp> kernels; ///< by their text
  llvm::StringMap<unsigned> counters;    ///< by the stem of their names
};

} // namespace
