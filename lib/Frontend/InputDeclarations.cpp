//===- InputDeclarations.cpp - What a caller says of a model's inputs -----===//
#include "lib/Frontend/InputDeclarations.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using llvm::createStringError, llvm::Error, llvm::Expected;
using namespace mlir;

namespace lathe {

/// "[2, n, ?]".
static std::string describe(const DeclaredType &type) {
  SmallVector<std::string> dims;
  for (auto [size, name] : llvm::zip_equal(type.shape, type.dimNames))
    dims.push_back(!ShapedType::isDynamic(size) ? std::to_string(size) : name.empty() ? "?" : name);
  return "[" + llvm::join(dims, ", ") + "]";
}

Error declareShape(DeclaredType &type, ArrayRef<std::string> shape) {
  DeclaredType declared;
  declared.elementType = type.elementType;
  declared.hasRank = true;
  for (const std::string &text : shape) {
    int64_t size;
    bool isName = StringRef(text).getAsInteger(10, size);
    declared.shape.push_back(isName ? ShapedType::kDynamic : size);
    declared.dimNames.push_back(isName ? text : "");
  }
  bool fits = !type.hasRank || type.shape.size() == shape.size();
  for (auto [size, given] : llvm::zip(type.shape, declared.shape))
    fits &= ShapedType::isDynamic(size) || size == given;
  if (!fits)
    return createStringError("expected elements of shape " + describe(type) + ", as the model declares, but got " +
                             describe(declared));
  type = declared;
  return Error::success();
}

/// One element; null if the type cannot hold it.
static Attribute convertNumber(Type type, StringRef text) {
  if (isa<FloatType>(type)) {
    double number;
    return text.getAsDouble(number) ? Attribute() : FloatAttr::get(type, number);
  }
  auto integer = cast<IntegerType>(type);
  unsigned width = integer.getWidth();
  if (width == 1 && (text == "true" || text == "false"))
    return IntegerAttr::get(type, text == "true");
  APInt number;
  // An integer of as many bits as the text needs, without a sign.
  bool isNegative = text.consume_front("-");
  if (text.getAsInteger(10, number))
    return nullptr;
  number = number.zext(std::max(number.getBitWidth(), width) + 1);
  if (isNegative)
    number.negate();
  bool isUnsigned = integer.isUnsigned() || width == 1;
  if (isUnsigned ? number.isNegative() || !number.isIntN(width) : !number.isSignedIntN(width))
    return nullptr;
  return IntegerAttr::get(type, number.trunc(width));
}

Expected<ElementsAttr> makeConstant(const DeclaredType &type, ArrayRef<std::string> elements) {
  if (!type.hasRank || type.shape.size() > 1)
    return createStringError("expected a constant of rank 0 or 1, but got " +
                             (type.hasRank ? describe(type) : std::string("no shape")));
  int64_t count = elements.size(), declared = type.shape.empty() ? 1 : type.shape.front();
  if (!ShapedType::isDynamic(declared) && declared != count)
    return createStringError("expected " + std::to_string(declared) + " numbers, but got " + std::to_string(count));
  SmallVector<Attribute> numbers;
  for (const std::string &text : elements) {
    numbers.push_back(convertNumber(type.elementType, text));
    if (!numbers.back()) {
      std::string name;
      llvm::raw_string_ostream(name) << type.elementType;
      return createStringError("expected numbers of type " + name + ", but got '" + text + "'");
    }
  }
  auto shape = type.shape.empty() ? SmallVector<int64_t>() : SmallVector<int64_t>{count};
  return DenseElementsAttr::get(RankedTensorType::get(shape, type.elementType), numbers);
}

} // namespace lathe
