//===- PackedBits.h - Elements of fewer bits than a byte ------------------===//
#ifndef LIB_SUPPORT_PACKEDBITS_H
#define LIB_SUPPORT_PACKEDBITS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace lathe {

/// Bytes that `count` elements of `bits` bits (2 or 4) take where ONNX packs them.
inline uint64_t getPackedSize(uint64_t count, unsigned bits) {
  uint64_t perByte = 8 / bits;
  return count / perByte + (count % perByte != 0);
}

/// Spreads elements of `bits` bits (2 or 4), of which ONNX keeps the first in the lowest bits of a byte, over a byte each.
/// The bits above them are copies of the sign if `isSigned`, otherwise 0. `packed` has `getPackedSize(out.size(), bits)` bytes.
void unpackBits(llvm::ArrayRef<char> packed, unsigned bits, bool isSigned, llvm::MutableArrayRef<char> out);

} // namespace lathe

#endif // LIB_SUPPORT_PACKEDBITS_H
