//===- FloatBuilder.h - Arithmetic that functions are made of -------------===//
#ifndef PASSES_CODEGEN_COMMON_FUNCTIONS_FLOATBUILDER_H
#define PASSES_CODEGEN_COMMON_FUNCTIONS_FLOATBUILDER_H

#include "lib/Target/FloatInstructions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace lathe::codegen {

/// A value, or a constant in every lane of the value beside it.
class Operand {
public:
  Operand(mlir::Value value) : value(value) {}
  Operand(double constant) : constant(constant) {}

private:
  friend class FloatBuilder;
  mlir::Value value;
  double constant = 0;
};

/// What functions ask of a target.
struct FloatTarget {
  bool hasFma = false;                             ///< a multiply-add is one instruction, which rounds once
  const FloatInstructions *instructions = nullptr; ///< null for none
};

/// Emits arithmetic on scalars and on vectors of any shape alike; the types of results follow from those of operands.
/// Operations are rounded as written: none has a fast-math flag.
class FloatBuilder {
public:
  FloatBuilder(mlir::OpBuilder &builder, mlir::Location loc, const FloatTarget &target)
      : builder(builder), loc(loc), hasFma(target.hasFma), instructions(target.instructions) {}

  using Value = mlir::Value;
  using FloatPredicate = mlir::arith::CmpFPredicate;
  using IntPredicate = mlir::arith::CmpIPredicate;

  /// Of floats or integers, by their type; one operand at least is a value.
  Value add(Operand a, Operand b);
  Value sub(Operand a, Operand b);
  Value mul(Operand a, Operand b);
  /// Of floats.
  Value div(Operand a, Operand b);
  /// a * b + c, rounded once where the target has such an instruction and twice elsewhere.
  Value fma(Operand a, Operand b, Operand c);
  /// c0 + x * (c1 + x * (c2 + ...)), by Horner's rule.
  Value polynomial(Value x, mlir::ArrayRef<double> coefficients);
  Value abs(Value x);
  /// The absolute value of `x` with the sign of `sign`.
  Value copySign(Value x, Value sign);
  /// The larger and the smaller of `x` and a constant, by one instruction where the target has such. NaN stays.
  Value atLeast(Value x, double limit);
  Value atMost(Value x, double limit);

  /// Whether the target has `scale`, `fraction`, `quotient` and `lookUp` for values like `x`.
  bool hasInstructions(Value x) { return instructions && instructions->take(x.getType()); }
  /// x * 2^floor(n), infinite or 0 where that is too large or small, even if x is NaN.
  Value scale(Value x, Value n);
  /// x - floor(x), exactly, and 0 for infinities.
  Value fraction(Value x);
  /// x / y within 1.5 ulp for y of at least 1 or NaN, and 0 for an infinite y.
  Value quotient(Value x, Value y);
  /// Element `index` mod FloatInstructions::kTableSize of the table.
  Value lookUp(mlir::ArrayRef<float> table, Value index);

  Value compare(FloatPredicate predicate, Value a, Operand b);
  Value compare(IntPredicate predicate, Value a, Operand b);
  Value select(Value condition, Operand a, Operand b);

  /// Of integers; `shiftRight` copies the sign.
  Value bitAnd(Value a, int64_t b);
  Value shiftLeft(Value a, int64_t count);
  Value shiftRight(Value a, int64_t count);

  /// Conversions of the elements: by value, as signed numbers, and of the bits.
  Value convert(Value x, mlir::Type element);
  Value bitcast(Value x, mlir::Type element);

  mlir::Type i16() { return builder.getI16Type(); }
  mlir::Type i32() { return builder.getI32Type(); }
  mlir::Type i64() { return builder.getI64Type(); }
  mlir::Type f16() { return builder.getF16Type(); }
  mlir::Type f32() { return builder.getF32Type(); }
  mlir::Type f64() { return builder.getF64Type(); }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const bool hasFma;

private:
  const FloatInstructions *instructions;

  Value get(Operand operand, mlir::Type type);
};

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_FUNCTIONS_FLOATBUILDER_H
