//===- Signless.cpp - Unsigned types and constants as signless ones -------===//
#include "passes/Lower/ONNXToLinalg/Signless.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

Type lathe::getSignless(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() ? type : IntegerType::get(type.getContext(), integer.getWidth());
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(getSignless(shaped.getElementType()));
  return type;
}

ElementsAttr lathe::getSignless(ElementsAttr attribute) {
  auto type = cast<ShapedType>(getSignless(Type(attribute.getType())));
  if (type == attribute.getType())
    return attribute;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return dense.bitcast(type.getElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return attribute;
}
