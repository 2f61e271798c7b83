//===- LLVMLowering.h - The parts of codegen-to-llvm ----------------------===//
#ifndef PASSES_CODEGEN_COMMON_LLVMLOWERING_H
#define PASSES_CODEGEN_COMMON_LLVMLOWERING_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Common/Variants.h"
#include "llvm/ADT/StringMap.h"

namespace lathe::codegen {

/// What @main calls and is not inlined; as in lib/Target/Target.h.
inline constexpr llvm::StringLiteral kKernelAttr = "lathe.kernel";

/// Where the constants of a module lie in its one section of weights.
struct WeightLayout {
  llvm::StringMap<int64_t> offsets; ///< by the name of the memref.global
  int64_t bytes = 0;
  llvm::DenseMap<mlir::Attribute, int64_t> bytesOf; ///< what functions of one `nn.target` use
};

/// Lays out the memref.globals that are used, equal bytes once, and writes them on the module (see
/// codegen-to-llvm).
mlir::FailureOr<WeightLayout> layOutWeights(mlir::ModuleOp module);

/// Makes each memref.get_global a pointer into the external `symbol`.
void populateWeightPatterns(const mlir::LLVMTypeConverter &converter, const WeightLayout &layout,
                            llvm::StringRef symbol, mlir::RewritePatternSet &patterns);

/// Bits of an index: those of a pointer.
unsigned getIndexBits(nn::TargetAttr target);

/// Where an index has fewer bits than i64, casts and constants of larger values stop at the largest index, as at any
/// other end that is beyond a tensor's.
void saturateIndices(mlir::ModuleOp module, unsigned indexBits);

/// Expands ops that have no LLVM form of their own, on any function. Conversions of bf16 are LLVM's matter where the
/// machine rounds all numbers as IEEE 754 has it.
mlir::LogicalResult prepareForLLVM(mlir::ModuleOp module, bool roundsToBF16 = false);

/// Everything but memref.get_global to the LLVM dialect.
void populateLLVMPatterns(mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

/// Turns the calls marked `lathe.parallel` into calls of the executor, or of the task where there
/// is none. The executor is the last argument of the calling function.
void lowerParallelCalls(mlir::ModuleOp module);

/// Adds `<name>_run`, `<name>_output_shapes` and `<name>_model`. `types` are the argument types of
/// each variant's main function before conversion, `index` is what index became.
void addEntryPoint(mlir::ModuleOp module, llvm::StringRef name, llvm::ArrayRef<Variant> variants,
                   llvm::ArrayRef<llvm::SmallVector<mlir::Type>> types, mlir::Type index, const WeightLayout &weights);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_LLVMLOWERING_H
