//===- AArch64.h - What the files of this folder share --------------------===//
#ifndef LIB_TARGET_AARCH64_AARCH64_H
#define LIB_TARGET_AARCH64_AARCH64_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"

namespace lathe::aarch64 {

/// The widest product of bytes that `target` has an instruction for.
const DotProduct &getDotProduct(nn::TargetAttr target);

} // namespace lathe::aarch64

#endif // LIB_TARGET_AARCH64_AARCH64_H
