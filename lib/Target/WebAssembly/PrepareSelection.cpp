//===- PrepareSelection.cpp - What instruction selection is to know -------===//
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsWebAssembly.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Pass.h"

using namespace llvm;

/// A load has a constant that is added to its address without wrapping. Loop strength reduction makes use of it, but
/// drops the flag by which instruction selection knows that an addition does not wrap, and each load gets an addition
/// of its own.
///
/// What is accessed lies at kLowestAddress or above. So an address `base + c` that is accessed did not wrap if c is
/// smaller: it would be below c.
static bool markOffset(GetElementPtrInst &gep) {
  const DataLayout &layout = gep.getModule()->getDataLayout();
  APInt offset(layout.getIndexTypeSizeInBits(gep.getType()), 0);
  if (gep.hasNoUnsignedWrap() || gep.getType()->isVectorTy() || !gep.accumulateConstantOffset(layout, offset) ||
      !offset.ult(lathe::wasm::kLowestAddress) ||
      !all_of(gep.users(), [&](User *user) { return getLoadStorePointerOperand(user) == &gep; }))
    return false;
  gep.setNoWrapFlags(gep.getNoWrapFlags() | GEPNoWrapFlags::noUnsignedWrap());
  return true;
}

/// `x < limit ? limit : x`, or with the comparison turned round, on f32: what one instruction computes of a register.
static Value *createPseudo(IRBuilder<> &builder, Intrinsic::ID instruction, Value *x, Value *limit) {
  auto *type = dyn_cast<FixedVectorType>(x->getType());
  constexpr unsigned lanes = 4;
  if (!type || type->getNumElements() % lanes != 0)
    return nullptr;
  auto *reg = FixedVectorType::get(type->getElementType(), lanes);
  auto part = [&](Value *whole, int begin) {
    return builder.CreateShuffleVector(whole, {begin, begin + 1, begin + 2, begin + 3});
  };
  SmallVector<Value *> parts;
  for (unsigned begin = 0; begin < type->getNumElements(); begin += lanes)
    parts.push_back(builder.CreateIntrinsic(instruction, {reg}, {part(x, begin), part(limit, begin)}));
  return concatenateVectors(builder, parts);
}

/// Engines need seven instructions or so for a maximum that treats zeros of both signs and NaN as IEEE 754-2019 says,
/// but one for `a < b ? b : a`. These are the same where b is a number that is not zero, or the sign of a zero is of no
/// concern; otherwise the comparison can be another.
static bool compareWithBound(IntrinsicInst &bounded) {
  bool isMaximum = bounded.getIntrinsicID() == Intrinsic::maximum;
  const APFloat *bound;
  if ((!isMaximum && bounded.getIntrinsicID() != Intrinsic::minimum) ||
      !PatternMatch::match(bounded.getArgOperand(1), PatternMatch::m_APFloat(bound)) || bound->isNaN())
    return false;
  Value *x = bounded.getArgOperand(0), *limit = bounded.getArgOperand(1), *result = nullptr;
  IRBuilder<> builder(&bounded);
  // LLVM would make two instructions of a comparison that selects zeros.
  if (bound->isZero() && bounded.hasNoSignedZeros() && x->getType()->getScalarType()->isFloatTy())
    result = createPseudo(builder, isMaximum ? Intrinsic::wasm_pmax : Intrinsic::wasm_pmin, x, limit);
  if (!result) {
    // Of two zeros the positive one is larger.
    bool takesEqual = bound->isZero() && bound->isNegative() != isMaximum;
    CmpInst::Predicate beyond = isMaximum ? (takesEqual ? CmpInst::FCMP_OLE : CmpInst::FCMP_OLT)
                                          : (takesEqual ? CmpInst::FCMP_OGE : CmpInst::FCMP_OGT);
    result = builder.CreateSelect(builder.CreateFCmp(beyond, x, limit), limit, x);
  }
  bounded.replaceAllUsesWith(result);
  bounded.eraseFromParent();
  return true;
}

/// `x > 0 ? x : 0`, also for vectors of several registers, of which LLVM would make a comparison and a mask: the 0 that
/// is selected makes it forget that the two are one instruction.
static bool selectAboveZero(SelectInst &select) {
  Value *x = nullptr;
  CmpPredicate predicate;
  using namespace PatternMatch;
  if (!match(&select, m_Select(m_Cmp(predicate, m_Value(x), m_AnyZeroFP()), m_Deferred(x), m_PosZeroFP())) ||
      predicate != CmpInst::FCMP_OGT || !x->getType()->getScalarType()->isFloatTy())
    return false;
  IRBuilder<> builder(&select);
  Value *result = createPseudo(builder, Intrinsic::wasm_pmax, select.getFalseValue(), x);
  if (!result)
    return false;
  select.replaceAllUsesWith(result);
  select.eraseFromParent();
  return true;
}

/// What is truncated, and what it is bounded by: `x` if that is [0, limit], where limit fits 16 bits.
struct Narrowed {
  Value *x;
  Intrinsic::ID instruction; ///< saturates x, which is no more than that where the type of the result says so
  uint64_t limit;
};

static std::optional<Narrowed> matchNarrowed(TruncInst &trunc) {
  using namespace PatternMatch;
  constexpr uint64_t most = 0xffff;
  Value *x = nullptr, *bounded = trunc.getOperand(0);
  const APInt *limit = nullptr;
  // The two bounds in either order, of which a compiler may turn the outer one into an unsigned one.
  auto isLimit = [&] { return limit->isNonNegative() && limit->ule(most); };
  if ((match(bounded, m_SMin(m_SMax(m_Value(x), m_Zero()), m_APInt(limit))) ||
       match(bounded, m_UMin(m_SMax(m_Value(x), m_Zero()), m_APInt(limit))) ||
       match(bounded, m_SMax(m_SMin(m_Value(x), m_APInt(limit)), m_Zero()))) &&
      isLimit())
    return Narrowed{x, Intrinsic::wasm_narrow_unsigned, limit->getZExtValue()};
  // A number that fits, and is above 0 then.
  bool isUnsigned = trunc.hasNoUnsignedWrap();
  if (isUnsigned &&
      (match(bounded, m_SMin(m_Value(x), m_APInt(limit))) || match(bounded, m_UMin(m_Value(x), m_APInt(limit)))) &&
      isLimit())
    return Narrowed{x, Intrinsic::wasm_narrow_unsigned, limit->getZExtValue()};
  if (isUnsigned || trunc.hasNoSignedWrap())
    return Narrowed{bounded, isUnsigned ? Intrinsic::wasm_narrow_unsigned : Intrinsic::wasm_narrow_signed, most};
  return std::nullopt;
}

/// Numbers of 32 bits as such of 16: one instruction for two registers, which saturates, so that bounds are one more
/// for both. Of a truncation engines make several that pick the halves.
static bool narrowBySaturation(TruncInst &trunc) {
  auto *type = dyn_cast<FixedVectorType>(trunc.getType());
  constexpr unsigned lanes = 8;
  if (!type || !type->getElementType()->isIntegerTy(16) || !trunc.getSrcTy()->getScalarType()->isIntegerTy(32) ||
      (type->getNumElements() % lanes != 0 && type->getNumElements() != lanes / 2))
    return false;
  std::optional<Narrowed> narrowed = matchNarrowed(trunc);
  if (!narrowed)
    return false;
  IRBuilder<> builder(&trunc);
  auto part = [&](unsigned begin) {
    int first = begin % type->getNumElements();
    return builder.CreateShuffleVector(narrowed->x, {first, first + 1, first + 2, first + 3});
  };
  SmallVector<Value *> parts;
  auto *half = FixedVectorType::get(builder.getInt32Ty(), lanes / 2);
  auto *reg = FixedVectorType::get(builder.getInt16Ty(), lanes);
  for (unsigned begin = 0; begin < type->getNumElements(); begin += lanes) {
    Value *both = builder.CreateIntrinsic(narrowed->instruction, {reg, half}, {part(begin), part(begin + lanes / 2)});
    if (narrowed->limit < 0xffff)
      both = builder.CreateBinaryIntrinsic(Intrinsic::umin, both, ConstantInt::get(reg, narrowed->limit));
    parts.push_back(both);
  }
  Value *result = concatenateVectors(builder, parts);
  if (type->getNumElements() < lanes)
    result = builder.CreateShuffleVector(result, {0, 1, 2, 3});
  trunc.replaceAllUsesWith(result);
  trunc.eraseFromParent();
  return true;
}

namespace {
class PrepareSelection final : public FunctionPass {
public:
  static char ID;
  PrepareSelection() : FunctionPass(ID) {}

  bool runOnFunction(Function &function) override {
    bool changed = false;
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
      if (auto *gep = dyn_cast<GetElementPtrInst>(&instruction))
        changed |= markOffset(*gep);
      else if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction))
        changed |= compareWithBound(*intrinsic);
      else if (auto *select = dyn_cast<SelectInst>(&instruction))
        changed |= selectAboveZero(*select);
      else if (auto *trunc = dyn_cast<TruncInst>(&instruction))
        changed |= narrowBySaturation(*trunc);
    }
    return changed;
  }
};

char PrepareSelection::ID;
} // namespace

FunctionPass *lathe::wasm::createPrepareSelectionPass() { return new PrepareSelection; }
