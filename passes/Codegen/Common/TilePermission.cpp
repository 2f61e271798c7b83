//===- TilePermission.cpp - Asks Linux for tile registers -----------------===//
#include "passes/Codegen/Common/LLVMLowering.h"

using namespace mlir;
using namespace lathe;

/// Linux gives a process the state of tile registers once it has asked for it, for all of its threads (arch_prctl(2)).
/// Asking again changes nothing and takes a tenth of a microsecond; compiled code has nowhere to remember that it did.
Value codegen::askForTileRegisters(OpBuilder &builder, Location loc, ModuleOp module) {
  WalkResult used = module.walk([](LLVM::CallIntrinsicOp op) {
    return op.getIntrin() == "llvm.x86.ldtilecfg" ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (!used.wasInterrupted())
    return {};
  // The numbers of arch_prctl, ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA.
  constexpr int64_t systemCall = 158, requestPermission = 0x1023, tileData = 18;
  Type i64 = builder.getI64Type();
  SmallVector<Value> operands;
  for (int64_t operand : {systemCall, requestPermission, tileData})
    operands.push_back(LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(operand)));
  Value status = LLVM::InlineAsmOp::create(builder, loc, i64, operands, "syscall",
                                           "={rax},0,{rdi},{rsi},~{rcx},~{r11},~{memory},~{dirflag},~{fpsr},~{flags}",
                                           /*has_side_effects=*/true, /*is_align_stack=*/false,
                                           LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
                     .getResult(0);
  Value zero = LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(0));
  return LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, status, zero);
}
