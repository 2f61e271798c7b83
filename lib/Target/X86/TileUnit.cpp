//===- TileUnit.cpp - Advanced Matrix Extensions --------------------------===//
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
//
//===----------------------------------------------------------------------===//
#include "lib/Target/TileUnit.h"
#include "lib/Target/X86/X86.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace lathe;

namespace {

class MatrixExtensions final : public TileUnit {
public:
  /// As LDTILECFG reads it: palette 1, then bytes of a row and numbers of rows for each register.
  SmallVector<int8_t> getConfiguration(int64_t rows, int64_t chunk) const override {
    SmallVector<int8_t> bytes(kBytes, 0);
    bytes[0] = 1;
    for (int64_t number = 0; number < kRegisters; ++number) {
      bool isLhs = number == lhs(0) || number == lhs(1), isRhs = number >= rhs(0);
      bytes[kRowBytesAt + 2 * number] = isLhs ? chunk * 2 : kRowBytes;
      bytes[kRowsAt + number] = isRhs ? chunk / 2 : rows;
    }
    return bytes;
  }

  SmallVector<int64_t> getRowPositions() const override {
    return llvm::to_vector(llvm::seq(kRowsAt, kRowsAt + rhs(0)));
  }

  void configure(ImplicitLocOpBuilder &b, Value address) const override { call(b, kConfigure, address); }
  void release(ImplicitLocOpBuilder &b) const override { call(b, "llvm.x86.tilerelease", {}); }
  void zero(ImplicitLocOpBuilder &b, int64_t number) const override { call(b, "llvm.x86.tilezero", name(b, number)); }

  void load(ImplicitLocOpBuilder &b, int64_t number, Value address, Value stride) const override {
    call(b, "llvm.x86.tileloadd64", {name(b, number), address, stride});
  }

  void store(ImplicitLocOpBuilder &b, int64_t number, Value address, Value stride) const override {
    call(b, "llvm.x86.tilestored64", {name(b, number), address, stride});
  }

  void multiply(ImplicitLocOpBuilder &b, int64_t row, int64_t column) const override {
    call(b, "llvm.x86.tdpbf16ps", {name(b, accumulator(row, column)), name(b, lhs(row)), name(b, rhs(column))});
  }

  /// Linux gives a process the state of tile registers once it has asked for it, for all of its threads
  /// (arch_prctl(2)). Asking again changes nothing and takes a tenth of a microsecond; compiled code has nowhere to
  /// remember that it did.
  Value askPermission(ImplicitLocOpBuilder &b, ModuleOp module) const override {
    WalkResult used = module.walk([](LLVM::CallIntrinsicOp op) {
      return op.getIntrin() == kConfigure ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (!used.wasInterrupted())
      return {};
    // The numbers of arch_prctl, ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA.
    constexpr int64_t systemCall = 158, requestPermission = 0x1023, tileData = 18;
    Type i64 = b.getI64Type();
    SmallVector<Value> operands;
    for (int64_t operand : {systemCall, requestPermission, tileData})
      operands.push_back(LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(operand)));
    Value status = LLVM::InlineAsmOp::create(b, i64, operands, "syscall",
                                             "={rax},0,{rdi},{rsi},~{rcx},~{r11},~{memory},~{dirflag},~{fpsr},~{flags}",
                                             /*has_side_effects=*/true, /*is_align_stack=*/false,
                                             LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
                       .getResult(0);
    Value zero = LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(0));
    return LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, status, zero);
  }

private:
  static constexpr int64_t kBytes = 64, kRowBytesAt = 16, kRowsAt = 48;
  static constexpr llvm::StringLiteral kConfigure = "llvm.x86.ldtilecfg";

  static void call(ImplicitLocOpBuilder &b, StringRef intrinsic, ValueRange operands) {
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr(intrinsic), operands);
  }

  static Value name(ImplicitLocOpBuilder &b, int64_t number) {
    return LLVM::ConstantOp::create(b, b.getI8IntegerAttr(number));
  }
};

} // namespace

const TileUnit *x86::getTileUnit(nn::TargetAttr target) {
  static const MatrixExtensions extensions;
  return target.getBf16Product() == "amx" ? &extensions : nullptr;
}
