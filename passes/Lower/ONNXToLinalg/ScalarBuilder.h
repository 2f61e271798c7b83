//===- ScalarBuilder.h - Arithmetic on scalars of any number type ---------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SCALARBUILDER_H
#define PASSES_LOWER_ONNXTOLINALG_SCALARBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace lathe {

/// Emits arithmetic that follows the operands' type: float, signed or (where the builder was told
/// so) unsigned.
struct ScalarBuilder {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  bool isUnsigned = false;

  using Value = mlir::Value;

  static bool isFloat(Value a) { return mlir::isa<mlir::FloatType>(a.getType()); }

  template <typename OpT>
  Value make(mlir::ValueRange operands) {
    return OpT::create(builder, loc, operands);
  }

  Value constant(mlir::Type type, double value) {
    if (auto floating = mlir::dyn_cast<mlir::FloatType>(type))
      return mlir::arith::ConstantOp::create(builder, loc, mlir::FloatAttr::get(floating, value));
    return mlir::arith::ConstantOp::create(builder, loc,
                                           mlir::IntegerAttr::get(type, int64_t(value)));
  }

  Value add(Value a, Value b) {
    return isFloat(a) ? make<mlir::arith::AddFOp>({a, b}) : make<mlir::arith::AddIOp>({a, b});
  }
  Value sub(Value a, Value b) {
    return isFloat(a) ? make<mlir::arith::SubFOp>({a, b}) : make<mlir::arith::SubIOp>({a, b});
  }
  Value mul(Value a, Value b) {
    return isFloat(a) ? make<mlir::arith::MulFOp>({a, b}) : make<mlir::arith::MulIOp>({a, b});
  }
  /// Whole numbers wrap, and give 0 when divided by 0: a model's inputs must not trap.
  Value div(Value a, Value b) {
    if (isFloat(a))
      return make<mlir::arith::DivFOp>({a, b});
    Value zero = constant(a.getType(), 0), safe = safeDivisor(b);
    Value quotient = isUnsigned ? make<mlir::arith::DivUIOp>({a, safe})
                                : make<mlir::arith::DivSIOp>({a, safe});
    if (!isUnsigned)
      quotient = select(equal(b, constant(b.getType(), -1)), sub(zero, a), quotient);
    return select(equal(b, zero), zero, quotient);
  }
  /// The truncated remainder; 0 of whole numbers divided by 0.
  Value rem(Value a, Value b) {
    if (isFloat(a))
      return make<mlir::arith::RemFOp>({a, b});
    return isUnsigned ? make<mlir::arith::RemUIOp>({a, safeDivisor(b)})
                      : make<mlir::arith::RemSIOp>({a, safeDivisor(b)});
  }
  /// NaN wins.
  Value max(Value a, Value b) {
    return isFloat(a)         ? make<mlir::arith::MaximumFOp>({a, b})
           : orderUnsigned(a) ? make<mlir::arith::MaxUIOp>({a, b})
                              : make<mlir::arith::MaxSIOp>({a, b});
  }
  /// NaN wins.
  Value min(Value a, Value b) {
    return isFloat(a)         ? make<mlir::arith::MinimumFOp>({a, b})
           : orderUnsigned(a) ? make<mlir::arith::MinUIOp>({a, b})
                              : make<mlir::arith::MinSIOp>({a, b});
  }
  Value select(Value condition, Value a, Value b) {
    return make<mlir::arith::SelectOp>({condition, a, b});
  }

  Value equal(Value a, Value b) {
    return isFloat(a) ? compare(mlir::arith::CmpFPredicate::OEQ, a, b)
                      : compare(mlir::arith::CmpIPredicate::eq, a, b);
  }
  Value less(Value a, Value b) {
    return isFloat(a)         ? compare(mlir::arith::CmpFPredicate::OLT, a, b)
           : orderUnsigned(a) ? compare(mlir::arith::CmpIPredicate::ult, a, b)
                              : compare(mlir::arith::CmpIPredicate::slt, a, b);
  }
  Value lessOrEqual(Value a, Value b) {
    return isFloat(a)         ? compare(mlir::arith::CmpFPredicate::OLE, a, b)
           : orderUnsigned(a) ? compare(mlir::arith::CmpIPredicate::ule, a, b)
                              : compare(mlir::arith::CmpIPredicate::sle, a, b);
  }
  Value compare(mlir::arith::CmpFPredicate predicate, Value a, Value b) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b) {
    return mlir::arith::CmpIOp::create(builder, loc, predicate, a, b);
  }

private:
  /// 1 in place of the divisors that trap: 0 and, of the smallest signed number, -1.
  Value safeDivisor(Value b) {
    Value one = constant(b.getType(), 1);
    Value safe = select(equal(b, constant(b.getType(), 0)), one, b);
    return isUnsigned ? safe : select(equal(b, constant(b.getType(), -1)), one, safe);
  }

  /// As a signed number, true would be -1.
  bool orderUnsigned(Value a) const { return isUnsigned || a.getType().isInteger(1); }
};

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SCALARBUILDER_H
