//===- Gptq.h - Rounding that makes up for its errors ---------------------===//
#ifndef PASSES_COMPRESS_QUANTIZE_GPTQ_H
#define PASSES_COMPRESS_QUANTIZE_GPTQ_H

#include "passes/Compress/Quantize/Levels.h"
#include <optional>

namespace lathe {

/// Rounds a row-major weight W `[K, N]` to Q so that the squared error of X W on samples X, tr((W - Q)^T H (W - Q)) with
/// H = X^T X, is small (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
/// Transformers", ICLR 2023). Rows are rounded one after the other; the errors of earlier ones are fed back to the later
/// ones that can make up for them. Levels of a group are chosen when its first row is reached, after that feedback; with
/// `actOrder` before, because rows come in the order of the power of their inputs then.
///
/// Elements that are 0 stay 0, so that pruning is kept.
///
/// `gram` is H, `[K, K]`, symmetric. Its diagonal is damped by 1 % of its mean, and more until it is positive definite.
/// The group of the format divides K. Nullopt where H has an element that is not finite or is zero.
std::optional<RoundedMatrix> roundByGptq(llvm::ArrayRef<float> weight, int64_t columns, llvm::ArrayRef<float> gram,
                                         const WeightFormat &format);

/// tr((W - Q)^T H (W - Q)).
double productError(llvm::ArrayRef<float> weight, const RoundedMatrix &rounded, int64_t columns,
                    llvm::ArrayRef<float> gram);

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_GPTQ_H
