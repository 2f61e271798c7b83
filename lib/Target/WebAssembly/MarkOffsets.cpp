//===- MarkOffsets.cpp - Constant offsets of loads and stores -------------===//
//
// A load has a constant that is added to its address without wrapping. Loop strength reduction makes use of it, but drops the
// flag by which instruction selection knows that an addition does not wrap, and each load gets an addition of its own.
//
// What is accessed lies at kLowestAddress or above. So an address `base + c` that is accessed did not wrap if c is smaller:
// it would be below c.
//
//===----------------------------------------------------------------------===//
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Pass.h"

using namespace llvm;

namespace {
class MarkOffsets final : public FunctionPass {
public:
  static char ID;
  MarkOffsets() : FunctionPass(ID) {}

  bool runOnFunction(Function &function) override {
    bool changed = false;
    for (Instruction &instruction : instructions(function)) {
      auto *gep = dyn_cast<GetElementPtrInst>(&instruction);
      if (!gep || gep->hasNoUnsignedWrap() || !isOffset(*gep) || !all_of(gep->users(), [&](User *user) {
            return getLoadStorePointerOperand(user) == gep;
          }))
        continue;
      gep->setNoWrapFlags(gep->getNoWrapFlags() | GEPNoWrapFlags::noUnsignedWrap());
      changed = true;
    }
    return changed;
  }

private:
  static bool isOffset(GetElementPtrInst &gep) {
    const DataLayout &layout = gep.getModule()->getDataLayout();
    APInt offset(layout.getIndexTypeSizeInBits(gep.getType()), 0);
    return !gep.getType()->isVectorTy() && gep.accumulateConstantOffset(layout, offset) &&
           offset.ult(lathe::wasm::kLowestAddress);
  }
};

char MarkOffsets::ID;
} // namespace

FunctionPass *lathe::wasm::createMarkOffsetsPass() { return new MarkOffsets; }
