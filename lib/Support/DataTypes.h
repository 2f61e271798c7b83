//===- DataTypes.h - What the ABI's element types are ---------------------===//
#ifndef LIB_SUPPORT_DATATYPES_H
#define LIB_SUPPORT_DATATYPES_H

#include "lathe/rt_abi.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringRef.h"

namespace lathe {

/// NumPy's V1: bytes of a type that a file does not name, such as ml_dtypes' floats of 8 bits.
inline constexpr lathe_dtype kUnnamedByte = lathe_dtype(0);

/// Bytes of an element in memory; 0 for a number that is not one of the ABI's.
size_t sizeOf(lathe_dtype type);

/// The name that ONNX's users know: "float32", "uint8", "bool", "float8e4m3fn".
llvm::StringRef nameOf(lathe_dtype type);

/// The bits of an element that count: fewer than 8 for those in the low bits of a byte.
unsigned getBits(lathe_dtype type);

/// The format of a floating-point type; null for others.
const llvm::fltSemantics *getSemantics(lathe_dtype type);

/// Whether it is an integer with a sign.
bool isSigned(lathe_dtype type);

/// Whether NumPy has no such type: integers of 2 and 4 bits and floats of at most 8. Their elements are bytes in memory.
bool isNarrow(lathe_dtype type);

} // namespace lathe

#endif // LIB_SUPPORT_DATATYPES_H
