//===- TileUnit.h - Products of bf16 in tile registers --------------------===//
#ifndef LIB_TARGET_TILEUNIT_H
#define LIB_TARGET_TILEUNIT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// Emits the instructions of a unit with eight registers of up to 16 rows of 64 bytes: 2x2 accumulators of f32, two
/// left operands, and two right ones of pairs of bf16 for each column. Each is named in the instructions that use it,
/// by its number here, so that nothing is left to allocate. Addresses are pointers, strides i64 of bytes.
class TileUnit {
public:
  static constexpr int64_t kRegisters = 8, kRowBytes = 64;
  static int64_t accumulator(int64_t row, int64_t column) { return 2 * row + column; }
  static int64_t lhs(int64_t row) { return 4 + row; }
  static int64_t rhs(int64_t column) { return 6 + column; }

  virtual ~TileUnit();

  /// What `configure` reads, where left operands have `chunk` bf16 in each of `rows` rows. If that is 0, the number is
  /// stored to the bytes of getRowPositions() before.
  virtual mlir::SmallVector<int8_t> getConfiguration(int64_t rows, int64_t chunk) const = 0;
  virtual mlir::SmallVector<int64_t> getRowPositions() const = 0;

  /// Before the first use of a register, and after the last.
  virtual void configure(mlir::ImplicitLocOpBuilder &b, mlir::Value address) const = 0;
  virtual void release(mlir::ImplicitLocOpBuilder &b) const = 0;

  virtual void zero(mlir::ImplicitLocOpBuilder &b, int64_t number) const = 0;
  virtual void load(mlir::ImplicitLocOpBuilder &b, int64_t number, mlir::Value address, mlir::Value stride) const = 0;
  virtual void store(mlir::ImplicitLocOpBuilder &b, int64_t number, mlir::Value address, mlir::Value stride) const = 0;
  /// Adds the products of left operand `row` and right operand `column` to their accumulator.
  virtual void multiply(mlir::ImplicitLocOpBuilder &b, int64_t row, int64_t column) const = 0;

  /// Asks the system whether this process may use the unit, if `module`, of the LLVM dialect, does: true, as an i1,
  /// where it refuses. Null where nothing is to be asked.
  virtual mlir::Value askPermission(mlir::ImplicitLocOpBuilder &b, mlir::ModuleOp module) const = 0;
};

} // namespace lathe

#endif // LIB_TARGET_TILEUNIT_H
