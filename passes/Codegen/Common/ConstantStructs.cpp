//===- ConstantStructs.cpp - Constants of C structs in the LLVM dialect ---===//
#include "passes/Codegen/Common/ConstantStructs.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace lathe::codegen;

ConstantStructs::ConstantStructs(ModuleOp module, StringRef prefix)
    : module(module), builder(module.getLoc(), module.getContext()), prefix(prefix) {}

LLVM::GlobalOp ConstantStructs::makeGlobal(Type type, Attribute value, const Twine &symbol, LLVM::Linkage linkage) {
  builder.setInsertionPointToEnd(module.getBody());
  return LLVM::GlobalOp::create(builder, type, /*isConstant=*/true, linkage, symbol.str(), value);
}

LLVM::GlobalOp ConstantStructs::makeString(StringRef text) {
  std::string bytes = text.str();
  bytes.push_back('\0');
  return makeGlobal(LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size()), builder.getStringAttr(bytes),
                    prefix + "_string_" + Twine(counter++), LLVM::Linkage::Internal);
}

LLVM::GlobalOp ConstantStructs::makeShape(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> sizes(shape);
  if (sizes.empty())
    sizes.push_back(0); // never read: the rank is 0
  Type i64 = builder.getI64Type();
  auto tensor = RankedTensorType::get({int64_t(sizes.size())}, i64);
  return makeGlobal(LLVM::LLVMArrayType::get(i64, sizes.size()), DenseElementsAttr::get(tensor, ArrayRef(sizes)),
                    prefix + "_shape_" + Twine(counter++), LLVM::Linkage::Internal);
}

Value ConstantStructs::createStruct(LLVM::LLVMStructType type, ArrayRef<Field> fields) {
  Value value = LLVM::UndefOp::create(builder, type);
  for (auto [index, field] : llvm::enumerate(fields)) {
    Value element;
    if (auto *number = std::get_if<0>(&field))
      element = LLVM::ConstantOp::create(builder, number->first, number->second);
    else if (auto *global = std::get_if<1>(&field))
      element = LLVM::AddressOfOp::create(builder, *global);
    else if (auto *function = std::get_if<2>(&field))
      element = LLVM::AddressOfOp::create(builder, *function);
    else
      element = LLVM::ZeroOp::create(builder, LLVM::LLVMPointerType::get(module.getContext()));
    value = LLVM::InsertValueOp::create(builder, value, element, int64_t(index));
  }
  return value;
}

LLVM::GlobalOp ConstantStructs::makeStruct(LLVM::LLVMStructType type, ArrayRef<Field> fields, const Twine &symbol,
                                           LLVM::Linkage linkage) {
  LLVM::GlobalOp global = makeGlobal(type, Attribute(), symbol, linkage);
  builder.createBlock(&global.getInitializerRegion());
  LLVM::ReturnOp::create(builder, createStruct(type, fields));
  return global;
}

ConstantStructs::Field ConstantStructs::makeArray(LLVM::LLVMStructType type, ArrayRef<SmallVector<Field>> rows,
                                                  const Twine &symbol) {
  if (rows.empty())
    return std::monostate();
  auto arrayType = LLVM::LLVMArrayType::get(type, rows.size());
  LLVM::GlobalOp global = makeGlobal(arrayType, Attribute(), symbol, LLVM::Linkage::Internal);
  builder.createBlock(&global.getInitializerRegion());
  Value array = LLVM::UndefOp::create(builder, arrayType);
  for (auto [index, row] : llvm::enumerate(rows))
    array = LLVM::InsertValueOp::create(builder, array, createStruct(type, row), int64_t(index));
  LLVM::ReturnOp::create(builder, array);
  return global;
}
