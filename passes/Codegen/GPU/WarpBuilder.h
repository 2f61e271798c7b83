//===- WarpBuilder.h - Builds code for tensor cores -----------------------===//
#ifndef PASSES_CODEGEN_GPU_WARPBUILDER_H
#define PASSES_CODEGEN_GPU_WARPBUILDER_H

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "passes/Codegen/GPU/ThreadBuilder.h"

namespace lathe::simt {

/// What a tensor core multiplies. A register of 32 bits holds `perWord()` neighbours along the reduction, and one
/// instruction takes eight words of 16 rows and 8 columns: mma.sync.m16n8k8 of tf32, m16n8k16 of bf16 and f16, m16n8k32
/// of bytes.
struct TensorFormat {
  mlir::NVVM::MMATypes lhs, rhs;

  int64_t elementBytes() const;
  int64_t perWord() const { return 4 / elementBytes(); }
  bool isInteger() const { return lhs == mlir::NVVM::MMATypes::u8; }
  bool isTF32() const { return lhs == mlir::NVVM::MMATypes::tf32; }
  /// Whether the right operand lies in memory as words of `perWord()` steps, not as rows of elements.
  bool hasWords() const { return elementBytes() != 2; }

  /// Of elements in memory, where the device has an instruction for both; f32 only if it may be rounded to tf32.
  static std::optional<TensorFormat> find(mlir::Type lhs, mlir::Type rhs, bool allowTF32);
};

/// How many elements of `memref`, 16 bytes at most, can be copied at once where each line of the last dimension is
/// split in equal parts: 1 if not even 4 bytes, and of single bits.
int64_t chooseCopyWidth(ThreadBuilder &k, mlir::Value memref);

/// A ThreadBuilder with what a warp does together. All arrays are memory of the block, of one dimension.
class WarpBuilder : public ThreadBuilder {
public:
  using ThreadBuilder::ThreadBuilder;

  /// The bytes of `shared`, memref<bytes x i8>, as elements.
  mlir::Value view(mlir::Value shared, mlir::Type element);

  /// A fragment of two times two matrices of 8 rows x 16 bytes: `offset` is where this thread's row begins (see
  /// `ldmatrix` in the PTX ISA), a row of matrix 0 for the first eight threads, of matrix 1 for the next.
  mlir::SmallVector<mlir::Value> loadMatrices(mlir::Value array, mlir::Value offset, bool transpose);
  /// The four bytes at an element, as a register.
  mlir::Value loadWord(mlir::Value array, mlir::Value offset);
  /// lhs * rhs + sums of one instruction: four, two and four registers.
  mlir::SmallVector<mlir::Value> multiply(TensorFormat format, mlir::ValueRange lhs, mlir::ValueRange rhs,
                                          mlir::ValueRange sums);
  /// A register of f32 rounded to tf32.
  mlir::Value roundToTF32(mlir::Value word);

  /// 2^x as the device has it, within two units in the last place; what is denormal is zero.
  mlir::Value exp2(mlir::Value x);

  /// Begins to copy `count` neighbours to `target`, of which the first `read` are read (all if null) and the others are
  /// zero. Their bytes are 4, 8 or 16, and the address in memory is a multiple of them.
  void copyAsync(mlir::Value source, mlir::ValueRange from, mlir::Value target, mlir::Value to, int64_t count,
                 mlir::Value read);
  /// What was copied since the last group is one group. Waiting leaves so many of the last groups in flight.
  void closeGroup();
  void waitForGroups(int64_t groupsInFlight);

  /// `count` neighbours from an index on whose last is a multiple of `count`: at once where their place is a multiple
  /// of their bytes.
  mlir::SmallVector<mlir::Value> loadNeighbours(mlir::Value memref, mlir::ValueRange indices, int64_t count);
  /// The same where the memref broadcasts to what the indices are of.
  mlir::SmallVector<mlir::Value> loadBroadcasts(mlir::Value memref, mlir::ValueRange indices, int64_t count);
  /// f32 are rounded to the element type of a memref of bf16 or f16.
  void storeNeighbours(mlir::ValueRange values, mlir::Value memref, mlir::ValueRange indices);
  /// As storeEpilogue, for such neighbours.
  void storeEpilogues(mlir::Region &epilogue, mlir::ValueRange extras, mlir::ValueRange sums, mlir::Value out,
                      mlir::ValueRange indices);

  mlir::Value isBelow(mlir::Value index, mlir::Value size);
  mlir::Value exclusiveOr(mlir::Value a, mlir::Value b);
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_WARPBUILDER_H
