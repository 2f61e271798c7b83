//===- DataMovement.cpp - What a model moves without computing ------------===//
#include "passes/Codegen/Common/DataMovement.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/Codegen/Common/SizeBounds.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

static constexpr llvm::StringLiteral kMovementAttr = "lathe.movement";

/// Largest size of a memref of @main; 0 where it depends on data.
static int64_t countBytes(SizeBounds &bounds, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t bytes = getElementBytes(type.getElementType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim)) {
      bytes *= type.getDimSize(dim);
      continue;
    }
    std::optional<SizeBounds::Bounds> range = bounds.getDim(memref, dim);
    bytes *= range ? std::max<int64_t>(range->upper, 0) : 0;
  }
  return bytes;
}

DataMovement codegen::recordMovement(func::FuncOp main) {
  auto module = main->getParentOfType<ModuleOp>();
  Signature signature = readSignature(module);
  SizeBounds bounds(main, signature);
  DataMovement movement;
  main.walk([&](Operation *op) {
    if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
      ++movement.transposes;
      movement.transposedBytes += countBytes(bounds, transpose.getInit());
    } else if (isa<memref::CopyOp, linalg::CopyOp>(op) && op->getOperand(0) != op->getOperand(1)) {
      ++movement.copies;
      movement.copiedBytes += countBytes(bounds, op->getOperand(1));
    }
  });
  Builder builder(main.getContext());
  auto entry = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  module->setAttr(kMovementAttr,
                  builder.getDictionaryAttr(
                      {entry("transposes", movement.transposes), entry("transposed_bytes", movement.transposedBytes),
                       entry("copies", movement.copies), entry("copied_bytes", movement.copiedBytes)}));
  return movement;
}

std::optional<DataMovement> codegen::readMovement(ModuleOp module) {
  auto entries = module->getAttrOfType<DictionaryAttr>(kMovementAttr);
  if (!entries)
    return std::nullopt;
  auto read = [&](StringRef name) {
    auto value = entries.getAs<IntegerAttr>(name);
    return value ? value.getInt() : 0;
  };
  return DataMovement{read("transposes"), read("transposed_bytes"), read("copies"), read("copied_bytes")};
}
