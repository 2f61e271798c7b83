//===- NNDialect.h - The nn dialect ---------------------------------------===//
#ifndef DIALECTS_NN_IR_NNDIALECT_H
#define DIALECTS_NN_IR_NNDIALECT_H

#include "dialects/Interfaces/DimFlow.h"
#include "dialects/Interfaces/SymbolicShapes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/NN/IR/NNDialect.h.inc"
#include "dialects/NN/IR/NNEnums.h.inc"
#include "dialects/NN/IR/NNInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/NN/IR/NNAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/NN/IR/NNOps.h.inc"

namespace lathe::nn {

/// Name of the module's attribute that describes the machine to compile for.
inline constexpr llvm::StringLiteral kTargetAttr = "nn.target";

/// The target of the module that holds `op`; x86-64-v4 (AVX-512) where the module names none.
TargetAttr getTarget(mlir::Operation *op);

/// Name of the attribute that says what cost models are to choose for an op.
inline constexpr llvm::StringLiteral kTuningAttr = "nn.tuning";

/// The tuning of an op; null where cost models choose all.
TuningAttr getTuning(mlir::Operation *op);

} // namespace lathe::nn

#endif // DIALECTS_NN_IR_NNDIALECT_H
