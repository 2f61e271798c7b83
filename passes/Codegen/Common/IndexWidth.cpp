//===- IndexWidth.cpp - Indices of fewer bits than i64 --------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Codegen/Common/LLVMLowering.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace lathe;

unsigned codegen::getIndexBits(nn::TargetAttr target) {
  return llvm::Triple(target.getTriple()).isArch32Bit() ? 32 : 64;
}

void codegen::saturateIndices(ModuleOp module, unsigned indexBits) {
  if (indexBits == 64)
    return;
  int64_t least = llvm::minIntN(indexBits), most = llvm::maxIntN(indexBits);
  module.walk([&](Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && constant.getType().isIndex()) {
      int64_t value = cast<IntegerAttr>(constant.getValue()).getInt();
      constant.setValueAttr(IntegerAttr::get(constant.getType(), std::clamp(value, least, most)));
      return;
    }
    auto cast = dyn_cast<arith::IndexCastOp>(op);
    if (!cast || !cast.getType().isIndex() || !cast.getIn().getType().isInteger(64))
      return;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    auto bound = [&](int64_t value) { return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value)); };
    Value value = arith::MaxSIOp::create(builder, loc, cast.getIn(), bound(least));
    cast.getInMutable().assign(arith::MinSIOp::create(builder, loc, value, bound(most)));
  });
}
