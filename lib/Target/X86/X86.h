//===- X86.h - What the files of this folder share ------------------------===//
#ifndef LIB_TARGET_X86_X86_H
#define LIB_TARGET_X86_X86_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/FloatInstructions.h"
#include "lib/Target/TileUnit.h"

namespace lathe::x86 {

/// The widest product of bytes that `target` has an instruction for.
const DotProduct &getDotProduct(nn::TargetAttr target);

/// vdpbf16ps where `target` multiplies bf16 by it, else null.
const DotProduct *getBf16DotProduct(nn::TargetAttr target);

/// scalef, reduce and rcp14 where `target` has vectors of 512 bits, else null.
const FloatInstructions *getFloatInstructions(nn::TargetAttr target);

/// AMX where `target` multiplies bf16 by it, else null.
const TileUnit *getTileUnit(nn::TargetAttr target);

} // namespace lathe::x86

#endif // LIB_TARGET_X86_X86_H
