//===- HalfProduct.cpp - Products of f16 that are added up in f16 ---------===//
#include "lib/Target/HalfProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;

HalfProduct::~HalfProduct() = default;

void HalfProduct::addTo(ImplicitLocOpBuilder &b, Value half, MutableArrayRef<Value> sums) const {
  int64_t first = 0;
  for (Value &sum : sums) {
    auto type = cast<VectorType>(sum.getType());
    Value part = vector::ExtractStridedSliceOp::create(b, half, ArrayRef<int64_t>{first},
                                                       ArrayRef<int64_t>{type.getNumElements()}, ArrayRef<int64_t>{1});
    sum = arith::AddFOp::create(b, sum, arith::ExtFOp::create(b, type, part));
    first += type.getNumElements();
  }
}
