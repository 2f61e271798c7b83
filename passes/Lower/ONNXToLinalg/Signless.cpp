//===- Signless.cpp - Types and constants as kernels have them ------------===//
#include "passes/Lower/ONNXToLinalg/Signless.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

Type lathe::getSignless(Type type) {
  if (onnx::isNarrow(type))
    return IntegerType::get(type.getContext(), 8);
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() ? type : IntegerType::get(type.getContext(), integer.getWidth());
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(getSignless(shaped.getElementType()));
  return type;
}

/// Elements of 2 or 4 bits, of which both kinds of attributes keep one in the low bits of a byte, as bytes of their value.
static SmallVector<char> extendToBytes(ArrayRef<char> elements, IntegerType type) {
  unsigned width = type.getWidth();
  return llvm::map_to_vector(elements, [&](char element) {
    unsigned low = uint8_t(element) & llvm::maskTrailingOnes<unsigned>(width);
    return char(type.isSignless() ? llvm::SignExtend32(low, width) : low);
  });
}

ElementsAttr lathe::getSignless(ElementsAttr attribute) {
  auto type = cast<ShapedType>(getSignless(Type(attribute.getType())));
  if (type == attribute.getType())
    return attribute;
  auto narrow = dyn_cast<IntegerType>(attribute.getElementType());
  if (narrow && !onnx::isNarrow(narrow))
    narrow = nullptr;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    if (narrow)
      return DenseElementsAttr::getFromRawBuffer(type, extendToBytes(dense.getRawData(), narrow));
    // 4 bits of a float are in a byte, too, with zeros above them.
    return dense.getElementType().getIntOrFloatBitWidth() < 8
               ? DenseElementsAttr::getFromRawBuffer(type, dense.getRawData())
               : dense.bitcast(type.getElementType());
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    DenseResourceElementsHandle handle = resource.getRawHandle();
    if (AsmResourceBlob *blob = handle.getBlob(); blob && narrow)
      return DenseResourceElementsAttr::get(
          type, handle.getKey(), HeapAsmResourceBlob::allocateAndCopyInferAlign(
                                     ArrayRef<char>(extendToBytes(blob->getData(), narrow))));
    return DenseResourceElementsAttr::get(type, handle);
  }
  return attribute;
}
