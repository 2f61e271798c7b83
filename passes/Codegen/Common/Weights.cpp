//===- Weights.cpp - Constants become one section -------------------------===//
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "passes/Codegen/Common/LLVMLowering.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// The bytes that an elements attribute refers to; empty where it keeps none that are laid out as
/// in memory.
static ArrayRef<char> getBytes(ElementsAttr attr) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return resource.getData();
  if (auto dense = dyn_cast<DenseElementsAttr>(attr); dense && !dense.isSplat())
    return dense.getRawData();
  return {};
}

/// Booleans are bits in a dense attribute and bytes in memory.
static ElementsAttr widenBooleans(ElementsAttr attr) {
  auto dense = dyn_cast_or_null<DenseIntElementsAttr>(attr);
  if (!dense || !dense.getElementType().isInteger(1))
    return attr;
  SmallVector<int8_t> bytes(dense.getValues<bool>());
  return DenseElementsAttr::get(dense.getType().clone(IntegerType::get(attr.getContext(), 8)), ArrayRef(bytes));
}

FailureOr<WeightLayout> codegen::layOutWeights(ModuleOp module) {
  WeightLayout layout;
  SmallVector<Attribute> blobs;
  SmallVector<int64_t> offsets;
  DenseMap<Attribute, int64_t> byAttribute;
  DenseMap<std::pair<uint64_t, size_t>, SmallVector<unsigned>> byHash; // to indices of blobs
  llvm::StringMap<Attribute> used; // to the target of the functions that do
  module.walk([&](memref::GetGlobalOp op) {
    used[op.getName()] = op->getParentOfType<FunctionOpInterface>()->getAttr(nn::kTargetAttr);
  });
  DenseSet<std::pair<Attribute, int64_t>> counted;
  for (auto global : module.getOps<memref::GlobalOp>()) {
    auto user = used.find(global.getSymName());
    if (user == used.end())
      continue;
    ElementsAttr attr =
        widenBooleans(dyn_cast_or_null<ElementsAttr>(global.getInitialValue().value_or(Attribute())));
    if (!attr)
      return global.emitError("expected a constant with a value");
    ArrayRef<char> bytes = getBytes(attr);
    int64_t size = llvm::alignTo(
        global.getType().getNumElements() * getElementBytes(global.getType().getElementType()), 64);
    std::optional<int64_t> offset;
    if (auto it = byAttribute.find(attr); it != byAttribute.end())
      offset = it->second;
    SmallVector<unsigned> *equalHash = nullptr;
    if (!offset && !bytes.empty()) {
      llvm::StringRef text(bytes.data(), bytes.size());
      equalHash = &byHash[{llvm::xxh3_64bits(text), bytes.size()}];
      for (unsigned index : *equalHash)
        if (getBytes(cast<ElementsAttr>(blobs[index])) == bytes)
          offset = offsets[index];
    }
    if (!offset) {
      offset = layout.bytes;
      if (equalHash)
        equalHash->push_back(blobs.size());
      blobs.push_back(attr);
      offsets.push_back(*offset);
      layout.bytes += size;
    }
    if (counted.insert({user->second, *offset}).second)
      layout.bytesOf[user->second] += size;
    byAttribute[attr] = *offset;
    layout.offsets[global.getSymName()] = *offset;
  }
  for (auto global : llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
    global.erase();
  Builder builder(module.getContext());
  module->setAttr("lathe.weights", builder.getArrayAttr(blobs));
  module->setAttr("lathe.weight_offsets", builder.getDenseI64ArrayAttr(offsets));
  module->setAttr("lathe.weight_bytes", builder.getI64IntegerAttr(layout.bytes));
  return layout;
}

namespace {

struct GetGlobalToWeights : ConvertOpToLLVMPattern<memref::GetGlobalOp> {
  GetGlobalToWeights(const LLVMTypeConverter &converter, const WeightLayout &layout,
                     StringRef symbol)
      : ConvertOpToLLVMPattern(converter, /*benefit=*/10), layout(layout), symbol(symbol) {}

  LogicalResult matchAndRewrite(memref::GetGlobalOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto it = layout.offsets.find(op.getName());
    if (it == layout.offsets.end())
      return rewriter.notifyMatchFailure(op, "unknown global");
    auto pointer = LLVM::LLVMPointerType::get(op.getContext());
    Value base = LLVM::AddressOfOp::create(rewriter, op.getLoc(), pointer, symbol);
    Value address = base;
    if (it->second != 0) {
      Value offset =
          LLVM::ConstantOp::create(rewriter, op.getLoc(), rewriter.getI64Type(), it->second);
      address = LLVM::GEPOp::create(rewriter, op.getLoc(), pointer, rewriter.getI8Type(), base,
                                    ValueRange{offset});
    }
    rewriter.replaceOp(op, {MemRefDescriptor::fromStaticShape(
                               rewriter, op.getLoc(), *getTypeConverter(), op.getType(), address)});
    return success();
  }

  const WeightLayout &layout;
  StringRef symbol;
};

} // namespace

void codegen::populateWeightPatterns(const LLVMTypeConverter &converter, const WeightLayout &layout,
                                     StringRef symbol, RewritePatternSet &patterns) {
  patterns.add<GetGlobalToWeights>(converter, layout, symbol);
}
