//===- WidenedPanel.cpp - Panels of bytes that many tiles meet ------------===//
#include "passes/Codegen/CPU/Contraction.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

bool WidenedPanel::pays(Product product, Value panels, nn::TargetAttr target) {
  auto type = cast<MemRefType>(panels.getType());
  if (product != Product::Int16 || !type.getElementType().isInteger(8) || !type.hasStaticShape() ||
      type.getRank() < 2 || !type.getLayout().isIdentity())
    return false;
  int64_t bytes = 2 * type.getNumElements() / type.getDimSize(0);
  return bytes <= target.getL2Bytes() / 4 && bytes % (2 * target.getVectorBits() / 8) == 0;
}

void WidenedPanel::stage(KernelBuilder &k, Value panels, Value panel) {
  auto type = cast<MemRefType>(panels.getType());
  Value source = k.collapse(panels, 1, type.getRank() - 1);
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = 1;
  words = k.scratch(shape, k.builder.getI16Type());
  Value target = k.collapse(words, 1, shape.size() - 1);
  int64_t size = type.getNumElements() / type.getDimSize(0);
  constexpr int64_t vectors = 2; // of numbers of 16 bits, two of which a lane of an i32 holds
  k.withRegisters(2, [&] {
    k.loop(k.index(0), k.index(size), vectors * k.lanes(), [&](Value begin) {
      for (int64_t v = 0; v < vectors; ++v) {
        Value at = k.add(begin, v * k.lanes());
        Value bytes = k.load(source, {panel, at});
        Value wide = arith::ExtSIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI16Type()), bytes);
        k.store(wide, target, {k.index(0), at});
      }
    });
  });
}
