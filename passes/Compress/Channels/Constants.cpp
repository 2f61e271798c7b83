//===- Constants.cpp - Slices of constants --------------------------------===//
#include "passes/Compress/Channels/Constants.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

static unsigned getBytes(Type element) { return element.getIntOrFloatBitWidth() / 8; }

bool lathe::canSlice(Value value) {
  ElementsAttr constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return false;
  Type element = constant.getElementType();
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8)
    return false;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob && int64_t(blob->getData().size()) == constant.getNumElements() * getBytes(element);
  }
  return isa<DenseElementsAttr>(constant);
}

ElementsAttr lathe::sliceConstant(ElementsAttr constant, const DenseMap<unsigned, llvm::BitVector> &removed) {
  auto from = cast<ShapedType>(constant.getType());
  ArrayRef<int64_t> shape = from.getShape();
  SmallVector<int64_t> kept(shape);
  for (const auto &[dim, indices] : removed)
    kept[dim] -= indices.count();
  auto type = RankedTensorType::get(kept, from.getElementType());
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  if (dense && dense.isSplat())
    return dense.resizeSplat(type);

  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  ArrayRef<char> bytes = resource ? resource.getRawHandle().getBlob()->getData() : dense.getRawData();
  unsigned width = getBytes(from.getElementType());
  std::vector<char> result;
  result.reserve(type.getNumElements() * width);
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t element = 0; element < from.getNumElements(); ++element) {
    bool gone = llvm::any_of(removed, [&](const auto &entry) { return entry.second.test(index[entry.first]); });
    if (!gone)
      result.insert(result.end(), bytes.begin() + element * width, bytes.begin() + (element + 1) * width);
    for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0 && ++index[dim] == shape[dim]; --dim)
      index[dim] = 0;
  }
  if (!resource)
    return DenseElementsAttr::getFromRawBuffer(type, result);
  return DenseResourceElementsAttr::get(type, "sliced",
                                        HeapAsmResourceBlob::allocateAndCopyWithAlign(result, /*align=*/64));
}

ElementsAttr lathe::createFloats(ElementsAttr like, ArrayRef<float> values) {
  auto type = cast<ShapedType>(like.getType());
  if (isa<DenseResourceElementsAttr>(like))
    return DenseResourceElementsAttr::get(type, "weight", HeapAsmResourceBlob::allocateAndCopyInferAlign(values));
  return DenseElementsAttr::get(type, values);
}
