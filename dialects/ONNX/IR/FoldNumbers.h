//===- FoldNumbers.h - Arithmetic on floats that decides sizes --*- C++ -*-===//
#ifndef DIALECTS_ONNX_IR_FOLDNUMBERS_H
#define DIALECTS_ONNX_IR_FOLDNUMBERS_H

#include "dialects/Interfaces/SymbolicShapes.h"

namespace lathe::onnx {

/// Elements of a small tensor in row-major order if they follow from constants, fractions among them or not: what a run
/// computes, bit by bit. Nullopt otherwise.
std::optional<llvm::SmallVector<double>> getNumbers(const SymbolicShapes &shapes, mlir::Value value);

/// Sets the elements of the result of a Cast to integers or a comparison, whose dimensions are set, if they are not known
/// but follow from floats that are.
void foldToIntegers(mlir::Operation *op, SymbolicShapes &shapes);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_FOLDNUMBERS_H
