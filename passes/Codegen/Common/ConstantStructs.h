//===- ConstantStructs.h - Constants of C structs in the LLVM dialect -----===//
#ifndef PASSES_CODEGEN_COMMON_CONSTANTSTRUCTS_H
#define PASSES_CODEGEN_COMMON_CONSTANTSTRUCTS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <variant>

namespace lathe::codegen {

/// Makes constant globals at the end of a module: structs, and the strings and arrays that they point to.
class ConstantStructs {
public:
  /// Strings and shapes are named after `prefix`.
  ConstantStructs(mlir::ModuleOp module, llvm::StringRef prefix);

  /// A field of a struct: an integer, the address of a global or a function, or a null pointer.
  using Field =
      std::variant<std::pair<mlir::Type, int64_t>, mlir::LLVM::GlobalOp, mlir::LLVM::LLVMFuncOp, std::monostate>;

  /// A global with an attribute as its value; null where an initialiser follows.
  mlir::LLVM::GlobalOp makeGlobal(mlir::Type type, mlir::Attribute value, const llvm::Twine &symbol,
                                  mlir::LLVM::Linkage linkage);
  /// A global that is a struct.
  mlir::LLVM::GlobalOp makeStruct(mlir::LLVM::LLVMStructType type, llvm::ArrayRef<Field> fields,
                                  const llvm::Twine &symbol, mlir::LLVM::Linkage linkage);
  /// A global that is an array of structs; null if there are none.
  Field makeArray(mlir::LLVM::LLVMStructType type, llvm::ArrayRef<llvm::SmallVector<Field>> rows,
                  const llvm::Twine &symbol);
  /// A string that ends with a zero.
  mlir::LLVM::GlobalOp makeString(llvm::StringRef text);
  /// An array of i64, of at least one element.
  mlir::LLVM::GlobalOp makeShape(llvm::ArrayRef<int64_t> shape);

private:
  /// The value of a struct, in the initialiser of a global.
  mlir::Value createStruct(mlir::LLVM::LLVMStructType type, llvm::ArrayRef<Field> fields);

  mlir::ModuleOp module;
  mlir::ImplicitLocOpBuilder builder;
  llvm::StringRef prefix;
  unsigned counter = 0;
};

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_CONSTANTSTRUCTS_H
