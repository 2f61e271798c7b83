//===- ParallelCalls.cpp - Calls of tasks through the executor ------------===//
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/Common/LLVMLowering.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// A count as the ABI passes it, or back as an index: where both are i64 it is the same.
static Value resize(ImplicitLocOpBuilder &builder, Value count, Type type) {
  unsigned from = count.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  if (from == to)
    return count;
  return from < to ? LLVM::SExtOp::create(builder, type, count).getResult()
                   : LLVM::TruncOp::create(builder, type, count).getResult();
}

/// `void thunk(const void *context, int64_t begin, int64_t end)`: unpacks the context and calls the
/// task.
static LLVM::LLVMFuncOp makeThunk(LLVM::LLVMFuncOp task, LLVM::LLVMStructType contextType) {
  ImplicitLocOpBuilder builder(task.getLoc(), task.getContext());
  builder.setInsertionPointAfter(task);
  auto pointer = LLVM::LLVMPointerType::get(task.getContext());
  Type i64 = builder.getI64Type();
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(task.getContext()), {pointer, i64, i64});
  auto thunk = LLVM::LLVMFuncOp::create(builder, (task.getName() + "_thunk").str(), type,
                                        LLVM::Linkage::Internal);
  if (Attribute target = task->getAttr(nn::kTargetAttr))
    thunk->setAttr(nn::kTargetAttr, target);
  Block *body = thunk.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  SmallVector<Value> operands;
  for (auto [index, field] : llvm::enumerate(contextType.getBody())) {
    Value address = LLVM::GEPOp::create(builder, pointer, contextType, body->getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{0, int32_t(index)});
    operands.push_back(LLVM::LoadOp::create(builder, field, address));
  }
  Type index = task.getArgumentTypes().back();
  for (unsigned argument : {1, 2})
    operands.push_back(resize(builder, body->getArgument(argument), index));
  LLVM::CallOp::create(builder, task, operands);
  LLVM::ReturnOp::create(builder, ValueRange());
  return thunk;
}

/// Replaces one call by
///   if (count >= min_count && executor && executor->parallel_for) executor->parallel_for(executor,
///   thunk, &context, count); else task(captures..., 0, count);
static void lowerCall(LLVM::CallOp call, LLVM::LLVMFuncOp thunk, LLVM::LLVMStructType contextType) {
  auto caller = call->getParentOfType<LLVM::LLVMFuncOp>();
  Value executor = caller.getArguments().back();
  ImplicitLocOpBuilder builder(call.getLoc(), call.getContext());
  auto pointer = LLVM::LLVMPointerType::get(call.getContext());
  Type i64 = builder.getI64Type();

  builder.setInsertionPointToStart(&caller.getBody().front());
  Value one = LLVM::ConstantOp::create(builder, i64, 1);
  Value context = LLVM::AllocaOp::create(builder, pointer, contextType, one);

  Block *before = call->getBlock();
  Block *after = before->splitBlock(call->getNextNode());
  Block *direct = builder.createBlock(after);
  Block *hasExecutor = builder.createBlock(direct);
  Block *parallel = builder.createBlock(direct);
  call->moveBefore(direct, direct->end());
  SmallVector<Value> operands(call.getArgOperands());
  Value count = operands.pop_back_val();
  operands.pop_back();

  builder.setInsertionPointToEnd(before);
  Value null = LLVM::ZeroOp::create(builder, pointer);
  Value hasPointer = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, executor, null);
  auto minCount = call->getAttrOfType<IntegerAttr>(kMinCountAttr);
  Value least = LLVM::ConstantOp::create(builder, count.getType(),
                                         std::max<int64_t>(minCount ? minCount.getInt() : 2, 2));
  Value many = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::sge, count, least);
  Value both = LLVM::AndOp::create(builder, hasPointer, many);
  LLVM::CondBrOp::create(builder, both, hasExecutor, direct);

  builder.setInsertionPointToEnd(hasExecutor);
  Value function = LLVM::LoadOp::create(builder, pointer, executor);
  Value hasFunction = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, function, null);
  LLVM::CondBrOp::create(builder, hasFunction, parallel, direct);

  builder.setInsertionPointToEnd(parallel);
  for (auto [index, operand] : llvm::enumerate(operands)) {
    Value address = LLVM::GEPOp::create(builder, pointer, contextType, context,
                                        ArrayRef<LLVM::GEPArg>{0, int32_t(index)});
    LLVM::StoreOp::create(builder, operand, address);
  }
  Value thunkAddress = LLVM::AddressOfOp::create(builder, thunk);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(call.getContext()),
                                          {pointer, pointer, pointer, i64});
  LLVM::CallOp::create(builder, type, ValueRange{function, executor, thunkAddress, context, resize(builder, count, i64)});
  LLVM::BrOp::create(builder, after);

  builder.setInsertionPointToEnd(direct);
  LLVM::BrOp::create(builder, after);
  call->removeAttr(kParallelAttr);
  call->removeAttr(kMinCountAttr);
}

void codegen::lowerParallelCalls(ModuleOp module) {
  SmallVector<LLVM::CallOp> calls;
  module.walk([&](LLVM::CallOp call) {
    if (call->hasAttr(kParallelAttr))
      calls.push_back(call);
  });
  SymbolTable symbols(module);
  for (LLVM::CallOp call : calls) {
    auto task = symbols.lookup<LLVM::LLVMFuncOp>(*call.getCallee());
    SmallVector<Type> fields(call.getArgOperands().drop_back(2).getTypes());
    auto contextType = LLVM::LLVMStructType::getLiteral(call.getContext(), fields);
    lowerCall(call, makeThunk(task, contextType), contextType);
  }
}
