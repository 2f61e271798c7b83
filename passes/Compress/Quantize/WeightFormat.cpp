//===- WeightFormat.cpp - The grammar of weight-only formats --------------===//
#include "passes/Compress/Quantize/WeightFormat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace lathe;

llvm::Expected<WeightFormat> WeightFormat::parse(llvm::StringRef text) {
  auto malformed = [&] {
    return llvm::createStringError("expected int8, or w8, w4, w3 or w2 with :group=32, 64 or 128, :asymmetric, and :rtn, "
                                   ":gptq or :act-order, but got '" +
                                   text + "'");
  };
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ':');
  WeightFormat format;
  if (!parts[0].consume_front("w") || parts[0].getAsInteger(10, format.bits) ||
      !llvm::is_contained({8u, 4u, 3u, 2u}, format.bits))
    return malformed();
  for (llvm::StringRef part : llvm::drop_begin(parts)) {
    if (llvm::count_if(parts, [&](llvm::StringRef other) { return other.split('=').first == part.split('=').first; }) >
        1)
      return malformed();
    bool asksRounding = part == "rtn" || part == "gptq" || part == "act-order";
    if (asksRounding && format.rounding != Rounding::Default)
      return malformed();
    if (asksRounding) {
      format.rounding = part == "rtn" ? Rounding::Nearest : Rounding::Gptq;
      format.actOrder = part == "act-order";
    } else if (part == "asymmetric") {
      format.symmetric = false;
    } else if (!part.consume_front("group=") || part.getAsInteger(10, format.group) ||
               !llvm::is_contained({32, 64, 128}, format.group)) {
      return malformed();
    }
  }
  if (format.bits < 8 && format.group == 0)
    format.group = 32;
  return format;
}
