//===- Patterns.h - Decompositions by family ------------------------------===//
#ifndef PASSES_IMPORT_DECOMPOSE_PATTERNS_H
#define PASSES_IMPORT_DECOMPOSE_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace lathe {

/// All of `import-decompose` but for BatchNormalization.
void populateDecomposePatterns(mlir::RewritePatternSet &patterns);
/// ConvTranspose as a convolution.
void populateConvolutionPatterns(mlir::RewritePatternSet &patterns);
/// Einsum as transposes, reductions and matrix products.
void populateEinsumPatterns(mlir::RewritePatternSet &patterns);
/// Products of quantized tensors as integer products between Cast and QuantizeLinear.
void populateQuantizedPatterns(mlir::RewritePatternSet &patterns);
/// DFT, STFT, windows and MelWeightMatrix of known sizes.
void populateSignalPatterns(mlir::RewritePatternSet &patterns);
/// Recurrent layers and Softmax of half precision, Hardmax, GlobalLpPool, AffineGrid, CenterCropPad and batch normalization in training.
void populateNNPatterns(mlir::RewritePatternSet &patterns);
/// Resize with antialias as products with constant matrices.
void populateResizePatterns(mlir::RewritePatternSet &patterns);

} // namespace lathe

#endif // PASSES_IMPORT_DECOMPOSE_PATTERNS_H
