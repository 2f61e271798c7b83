//===- SinCos.h - Sine and cosine of f32 as polynomials -------------------===//
#ifndef PASSES_CODEGEN_COMMON_SINCOS_H
#define PASSES_CODEGEN_COMMON_SINCOS_H

#include "mlir/IR/PatternMatch.h"

namespace lathe::codegen {

/// Replaces math.sin and math.cos on f32 and vectors of it. The argument is reduced in f64, so that
/// the error is within 1e-7 for |x| < 2^20; NaN for infinities and NaN.
void populateSinCosPatterns(mlir::RewritePatternSet &patterns);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_SINCOS_H
