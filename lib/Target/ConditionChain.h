//===- ConditionChain.h - The body of a test of the machine ---------------===//
#ifndef LIB_TARGET_CONDITIONCHAIN_H
#define LIB_TARGET_CONDITIONCHAIN_H

#include "llvm/IR/IRBuilder.h"

namespace lathe {

/// Fills a function without a body, which returns i1, with conditions one after the other: the first that fails returns
/// false.
class ConditionChain {
public:
  explicit ConditionChain(llvm::Function &test)
      : test(test), builder(llvm::BasicBlock::Create(test.getContext(), "", &test)), fail(makeBlock()) {
    llvm::IRBuilder<>(fail).CreateRet(builder.getFalse());
  }

protected:
  llvm::BasicBlock *makeBlock() { return llvm::BasicBlock::Create(test.getContext(), "", &test); }

  void require(llvm::Value *condition) {
    llvm::BasicBlock *next = makeBlock();
    builder.CreateCondBr(condition, next, fail);
    builder.SetInsertPoint(next);
  }

  void succeed() { builder.CreateRet(builder.getTrue()); }

  llvm::Function &test;
  llvm::IRBuilder<> builder; ///< where the next condition goes
  llvm::BasicBlock *fail;
};

} // namespace lathe

#endif // LIB_TARGET_CONDITIONCHAIN_H
