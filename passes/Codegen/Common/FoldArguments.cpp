//===- FoldArguments.cpp - Kernels without needless arguments -------------===//
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_FOLDARGUMENTSPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// The calls of a function; nullopt if it is used in another way, or if not all of them are known.
static std::optional<SmallVector<LLVM::CallOp>> findCalls(LLVM::LLVMFuncOp function, SymbolUserMap &users) {
  if (function.isExternal() || function.isVarArg() || function.getLinkage() != LLVM::Linkage::Internal)
    return std::nullopt;
  SmallVector<LLVM::CallOp> calls;
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<LLVM::CallOp>(user);
    if (!call || call.getCallee() != function.getName())
      return std::nullopt;
    calls.push_back(call);
  }
  return calls;
}

/// What a call passes, seen through the descriptor that it was a field of.
static Value getPassed(LLVM::CallOp call, unsigned index) {
  Value value = call.getArgOperands()[index];
  SmallVector<OpFoldResult> folded;
  if (auto extract = value.getDefiningOp<LLVM::ExtractValueOp>(); extract && succeeded(extract->fold(folded)))
    if (auto field = dyn_cast_if_present<Value>(folded.empty() ? OpFoldResult() : folded.front()))
      return field;
  return value;
}

/// The address that a constant offset is added to; null for other values.
static Value getBase(Value value) {
  auto offset = value.getDefiningOp<LLVM::GEPOp>();
  return offset && offset.getDynamicIndices().empty() ? offset.getBase() : Value();
}

static bool isConstant(Value value) {
  if (Value base = getBase(value))
    return isConstant(base);
  return value.getDefiningOp() && value.getDefiningOp()->hasTrait<OpTrait::ConstantLike>();
}

static bool areEqual(Value a, Value b) {
  if (a == b)
    return true;
  Value baseOfA = getBase(a), baseOfB = getBase(b);
  if (bool(baseOfA) != bool(baseOfB) || (baseOfA && !areEqual(baseOfA, baseOfB)))
    return false;
  return OperationEquivalence::isEquivalentTo(a.getDefiningOp(), b.getDefiningOp(),
                                              OperationEquivalence::ignoreValueEquivalence,
                                              /*markEquivalent=*/nullptr, OperationEquivalence::IgnoreLocations);
}

/// The constant that all calls pass at `index`; null if there is none.
static Value findConstant(ArrayRef<LLVM::CallOp> calls, unsigned index) {
  Value constant;
  for (LLVM::CallOp call : calls) {
    Value passed = getPassed(call, index);
    if (!isConstant(passed) || (constant && !areEqual(constant, passed)))
      return nullptr;
    constant = passed;
  }
  return constant;
}

static Value cloneConstant(OpBuilder &builder, Value constant) {
  IRMapping mapping;
  if (Value base = getBase(constant))
    mapping.map(base, cloneConstant(builder, base));
  return builder.clone(*constant.getDefiningOp(), mapping)->getResult(0);
}

static void fold(LLVM::LLVMFuncOp function, ArrayRef<LLVM::CallOp> calls) {
  llvm::BitVector needless(function.getNumArguments());
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    if (Value constant = argument.use_empty() ? Value() : findConstant(calls, index))
      argument.replaceAllUsesWith(cloneConstant(builder, constant));
    if (argument.use_empty())
      needless.set(index);
  }
  if (needless.none())
    return;
  SmallVector<Type> kept;
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    if (!needless[index])
      kept.push_back(type);
  LLVM::LLVMFunctionType type = function.getFunctionType();
  function_interface_impl::eraseFunctionArguments(function, needless,
                                                  LLVM::LLVMFunctionType::get(type.getReturnType(), kept));
  for (LLVM::CallOp call : calls) {
    SmallVector<Operation *> passed;
    for (int index = needless.find_last(); index >= 0; index = needless.find_prev(index)) {
      passed.push_back(call.getArgOperands()[index].getDefiningOp());
      call.getCalleeOperandsMutable().erase(index);
    }
    for (Operation *op : passed)
      if (op && isOpTriviallyDead(op))
        op->erase();
  }
}

namespace {
struct FoldArgumentsPass : lathe::impl::FoldArgumentsPassBase<FoldArgumentsPass> {
  using FoldArgumentsPassBase::FoldArgumentsPassBase;

  void runOnOperation() override {
    SymbolTableCollection symbols;
    SymbolUserMap users(symbols, getOperation());
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (function.getNoInline())
        if (auto calls = findCalls(function, users))
          fold(function, *calls);
  }
};
} // namespace
