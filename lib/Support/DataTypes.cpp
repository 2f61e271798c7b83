//===- DataTypes.cpp - What the ABI's element types are -------------------===//
#include "lib/Support/DataTypes.h"
#include <iterator>

using namespace llvm;
using namespace lathe;

namespace {
struct TypeInfo {
  const char *name = nullptr;
  unsigned bits = 0;
  bool isSigned = false;
  const fltSemantics &(*semantics)() = nullptr;
};
} // namespace

/// By number. What is missing are strings and complex numbers.
static const TypeInfo kTypes[] = {{"unnamed bytes", 8},
                                  {"float32", 32, true, APFloat::IEEEsingle},
                                  {"uint8", 8},
                                  {"int8", 8, true},
                                  {"uint16", 16},
                                  {"int16", 16, true},
                                  {"int32", 32, true},
                                  {"int64", 64, true},
                                  {},
                                  {"bool", 8},
                                  {"float16", 16, true, APFloat::IEEEhalf},
                                  {"float64", 64, true, APFloat::IEEEdouble},
                                  {"uint32", 32},
                                  {"uint64", 64},
                                  {},
                                  {},
                                  {"bfloat16", 16, true, APFloat::BFloat},
                                  {"float8e4m3fn", 8, true, APFloat::Float8E4M3FN},
                                  {"float8e4m3fnuz", 8, true, APFloat::Float8E4M3FNUZ},
                                  {"float8e5m2", 8, true, APFloat::Float8E5M2},
                                  {"float8e5m2fnuz", 8, true, APFloat::Float8E5M2FNUZ},
                                  {"uint4", 4},
                                  {"int4", 4, true},
                                  {"float4e2m1", 4, true, APFloat::Float4E2M1FN},
                                  {"float8e8m0", 8, false, APFloat::Float8E8M0FNU},
                                  {"uint2", 2},
                                  {"int2", 2, true}};

static_assert(std::size(kTypes) == LATHE_INT2 + 1, "every number has its row");

static const TypeInfo &infoOf(lathe_dtype type) {
  static const TypeInfo none;
  return size_t(type) < std::size(kTypes) ? kTypes[type] : none;
}

size_t lathe::sizeOf(lathe_dtype type) { return (getBits(type) + 7) / 8; }

StringRef lathe::nameOf(lathe_dtype type) {
  const TypeInfo &info = infoOf(type);
  return info.name ? info.name : "unknown";
}

unsigned lathe::getBits(lathe_dtype type) { return infoOf(type).bits; }

const fltSemantics *lathe::getSemantics(lathe_dtype type) {
  const TypeInfo &info = infoOf(type);
  return info.semantics ? &info.semantics() : nullptr;
}

bool lathe::isSigned(lathe_dtype type) { return infoOf(type).isSigned; }

bool lathe::isNarrow(lathe_dtype type) {
  unsigned bits = getBits(type);
  return bits && (bits < 8 || (bits == 8 && getSemantics(type)));
}
