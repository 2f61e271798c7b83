//===- PackedBits.cpp - Elements of fewer bits than a byte ----------------===//
#include "lib/Support/PackedBits.h"
#include "llvm/Support/MathExtras.h"

void lathe::unpackBits(llvm::ArrayRef<char> packed, unsigned bits, bool isSigned, llvm::MutableArrayRef<char> out) {
  unsigned perByte = 8 / bits;
  uint8_t mask = llvm::maskTrailingOnes<uint8_t>(bits);
  for (size_t i = 0; i < out.size(); ++i) {
    uint8_t element = (uint8_t(packed[i / perByte]) >> (i % perByte * bits)) & mask;
    out[i] = char(isSigned ? llvm::SignExtend32(element, bits) : element);
  }
}
