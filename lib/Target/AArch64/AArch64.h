//===- AArch64.h - What the files of this folder share --------------------===//
#ifndef LIB_TARGET_AARCH64_AARCH64_H
#define LIB_TARGET_AARCH64_AARCH64_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/HalfProduct.h"

namespace lathe::aarch64 {

/// The widest product of bytes that `target` has an instruction for.
const DotProduct &getDotProduct(nn::TargetAttr target);

/// BFDOT where `target` has it, else null.
const DotProduct *getBf16DotProduct(nn::TargetAttr target);

/// FMLA of f16, whose sums FMLAL adds to f32 where that is there, too.
const HalfProduct &getHalfProduct(bool hasWideningProduct);

/// SMMLA for bytes and BFMMLA for bf16 where `target` has them, else null.
const PairProduct *getPairProduct(nn::TargetAttr target, mlir::Type element);

} // namespace lathe::aarch64

#endif // LIB_TARGET_AARCH64_AARCH64_H
