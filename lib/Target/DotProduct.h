//===- DotProduct.h - Products of bytes and of bf16 -----------------------===//
#ifndef LIB_TARGET_DOTPRODUCT_H
#define LIB_TARGET_DOTPRODUCT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// Emits the instructions that add products of bytes to i32: four bytes of the left operand, which all columns share,
/// against four signed ones for each column of the right operand. A vector has `lanes` columns, as many as i32 fit a
/// register. Products of bf16 are added to f32, of two elements at once; all else is the same, and so it is where bytes
/// of the left operand lie in 16 bits. The `prepare` functions run once for each loaded operand, `accumulate` for each
/// pair.
class DotProduct {
public:
  using Values = mlir::SmallVector<mlir::Value>;

  virtual ~DotProduct();

  /// Whether the left operand is signed. Activations, which are unsigned otherwise, are then stored less 128.
  virtual bool isLhsSigned() const { return false; }

  /// Bits that each byte of the left operand is stored in: 8, or 16 where instructions multiply no less. A word then
  /// holds two of them, and a column of the right operand two bytes, or two numbers of 16 bits.
  virtual unsigned getLhsBits() const { return 8; }

  /// Accumulators, vectors of `lanes` i32 or f32, that a vector of columns has.
  virtual int64_t getAccumulatorsPerVector() const { return 1; }

  /// Registers for operands and constants that a tile of accumulators must leave free, beside the four that each tile
  /// leaves.
  virtual int64_t getExtraRegisters() const { return 0; }

  /// Whether the instruction takes its left operand from a lane of a vector, where the family's multiply-adds do.
  virtual bool takesLanes() const { return false; }

  /// The elements in an i32, ready to meet all vectors.
  virtual Values prepareLhs(mlir::ImplicitLocOpBuilder &b, mlir::Value word, int64_t lanes) const = 0;

  /// The 32 / getLhsBits() x `lanes` bytes, or 2 x `lanes` bf16, of a vector of columns.
  virtual Values prepareRhs(mlir::ImplicitLocOpBuilder &b, mlir::Value columns, int64_t lanes) const = 0;

  /// Adds the products to `accumulators`, getAccumulatorsPerVector() of them.
  virtual void accumulate(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange lhs, mlir::ValueRange rhs,
                          mlir::MutableArrayRef<mlir::Value> accumulators) const = 0;

  /// One vector of columns from its accumulators.
  virtual mlir::Value finish(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange accumulators) const {
    return accumulators[0];
  }
};

/// Emits an instruction that multiplies two rows by two columns at once and adds the products to i32 or f32. Of each
/// row and of each column it takes 64 bits: eight signed bytes, or four bf16.
class PairProduct {
public:
  virtual ~PairProduct();

  /// Adds the products to `accumulator`, a 2x2 block, row by row. `rows` and `columns` are vectors of two of each, one
  /// after the other.
  virtual mlir::Value accumulate(mlir::ImplicitLocOpBuilder &b, mlir::Value rows, mlir::Value columns,
                                 mlir::Value accumulator) const = 0;
};

/// Bits of a row or a column that a PairProduct takes.
inline constexpr int64_t kPairBits = 64;

/// Widens bytes to i32 and multiplies those: for machines without an instruction of the kind.
const DotProduct &getPortableDotProduct();

/// Building blocks: the same bits as a vector of `element`, an i32 in each of `lanes` as such a vector, the bytes of an
/// i32 as a vector of four, and an intrinsic of LLVM.
mlir::Value emitBitcast(mlir::ImplicitLocOpBuilder &b, mlir::Value vector, mlir::Type element);
mlir::Value emitRepeated(mlir::ImplicitLocOpBuilder &b, mlir::Value word, int64_t lanes, mlir::Type element);
mlir::Value emitBytesOf(mlir::ImplicitLocOpBuilder &b, mlir::Value word);
mlir::Value emitIntrinsic(mlir::ImplicitLocOpBuilder &b, mlir::StringRef name, mlir::Type type,
                          mlir::ValueRange operands);

} // namespace lathe

#endif // LIB_TARGET_DOTPRODUCT_H
