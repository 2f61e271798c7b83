//===- SparseCost.cpp - What a product costs with dense and sparse weights ===//
#include "passes/Lower/SparseCost.h"
#include "llvm/Support/MathExtras.h"

using namespace lathe;

ProductCycles lathe::estimateCycles(const SparseProduct &product, nn::TargetAttr target) {
  return {double(product.rows) * product.channels * product.columns, double(product.rows) * product.nonzeros * 2};
}

int64_t lathe::maxSparseChannels(nn::TargetAttr target) { return (256 << 10) / (target.getVectorBits() / 8); }
