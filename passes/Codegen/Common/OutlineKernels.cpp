//===- OutlineKernels.cpp - Compute ops of @main become functions ---------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"

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
      auto loop = dyn_cast<scf::ForOp>(parent);
      if (!loop || argument.getArgNumber() == 0)
        return {};
      value = loop.getInitArgs()[argument.getArgNumber() - 1];
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
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      value = loop.getInitArgs()[cast<OpResult>(value).getResultNumber()];
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

    SmallVector<Operation *> ops;
    main.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<linalg::LinalgOp, nn::KernelOpInterface, memref::CopyOp>(op))
        return WalkResult::advance();
      ops.push_back(op);
      return WalkResult::skip();
    });
    kernels.clear();
    counters.clear();
    for (Operation *op : ops)
      outline(op, executor);
    remark::passed(main.getLoc(),
                   remark::RemarkOpts::name("Kernels").category("codegen").function(main.getName()))
        << remark::metric("Kernels", kernels.size()) << remark::metric("Calls", ops.size());
  }

  void outline(Operation *op, Value executor) {
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      if (copy.getSource() == copy.getTarget())
        return copy.erase();
      // A linalg copy becomes a loop, in parallel where it is long; upstream's copy of strided
      // memrefs calls a library.
      OpBuilder builder(op);
      op = linalg::CopyOp::create(builder, op->getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> operands, constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : operands).push_back(value);

    func::FuncOp kernel = makeKernel(op, operands, constants, executor.getType());
    BitVector noAlias = findNoAlias(op, operands);
    for (unsigned index : noAlias.set_bits())
      kernel.setArgAttr(index, kNoAliasAttr, UnitAttr::get(&getContext()));
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel->print(stream, OpPrintingFlags().useLocalScope());
    auto [entry, isNew] = kernels.try_emplace(text, kernel);
    if (isNew) {
      StringRef stem = op->getName().stripDialect();
      kernel.setName((kKernelPrefix + stem + "_" + Twine(counters[stem]++)).str());
      getOperation().push_back(kernel);
    } else {
      kernel.erase();
    }
    OpBuilder builder(op);
    operands.push_back(executor);
    func::CallOp::create(builder, op->getLoc(), entry->second, operands);
    op->erase();
  }

  func::FuncOp makeKernel(Operation *op, ArrayRef<Value> operands, ArrayRef<Value> constants,
                          Type executorType) {
    OpBuilder builder(&getContext());
    SmallVector<Type> types =
        llvm::map_to_vector(operands, [](Value value) { return value.getType(); });
    types.push_back(executorType);
    auto kernel = func::FuncOp::create(op->getLoc(), "kernel", builder.getFunctionType(types, {}));
    kernel.setPrivate();
    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), mapping);
    for (auto [operand, argument] : llvm::zip(operands, body->getArguments()))
      mapping.map(operand, argument);
    builder.clone(*op, mapping);
    func::ReturnOp::create(builder, op->getLoc());
    return kernel;
  }

  llvm::StringMap<func::FuncOp> kernels; ///< by their text
  llvm::StringMap<unsigned> counters;    ///< by the stem of their names
};

} // namespace
