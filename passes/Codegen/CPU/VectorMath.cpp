//===- VectorMath.cpp - Vector functions that kernels need in their loops -===//
#include "passes/Codegen/CPU/KernelBuilder.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

void KernelBuilder::transpose(MutableArrayRef<Value> rows) {
  int64_t size = rows.size(), lanes = cast<VectorType>(rows.front().getType()).getNumElements();
  // Blocks of `width` off the diagonal change places, from single elements up to halves.
  for (int64_t width = 1; width < size; width *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      low.push_back(lane & width ? lanes + lane - width : lane);
      high.push_back(lane & width ? lanes + lane : lane + width);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & width)
        continue;
      Value a = rows[i], b = rows[i + width];
      rows[i] = vector::ShuffleOp::create(builder, loc, a, b, ArrayRef<int64_t>(low));
      rows[i + width] = vector::ShuffleOp::create(builder, loc, a, b, ArrayRef<int64_t>(high));
    }
  }
}
