//===- AArch64.h - What the files of this folder share --------------------===//
#ifndef LIB_TARGET_AARCH64_AARCH64_H
#define LIB_TARGET_AARCH64_AARCH64_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"

namespace lathe::aarch64 {

/// The widest product of bytes that `target` has an instruction for.
const DotProduct &getDotProduct(nn::TargetAttr target);

/// BFDOT where `target` has it, else null.
const DotProduct *getBf16DotProduct(nn::TargetAttr target);

/// SMMLA for bytes and BFMMLA for bf16 where `target` has them, else null.
const PairProduct *getPairProduct(nn::TargetAttr target, mlir::Type element);

} // namespace lathe::aarch64

#endif // LIB_TARGET_AARCH64_AARCH64_H
