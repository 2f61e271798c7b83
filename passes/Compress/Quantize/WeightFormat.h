//===- WeightFormat.h - What a weight is stored as ------------------------===//
#ifndef PASSES_COMPRESS_QUANTIZE_WEIGHTFORMAT_H
#define PASSES_COMPRESS_QUANTIZE_WEIGHTFORMAT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>

namespace lathe {

/// How the elements of a weight are chosen.
enum class Rounding {
  Default, ///< Gptq for fewer than 8 bits where there are statistics, Nearest elsewhere
  Nearest,
  Gptq, ///< needs statistics
};

/// A weight-only number format: signed integers with a scale for each column of each group of rows.
struct WeightFormat {
  unsigned bits = 8;     ///< 2, 3, 4 or 8
  int64_t group = 0;     ///< neighbouring rows that share a scale; 0: all of them (8 bits only)
  bool symmetric = true; ///< no zero points
  Rounding rounding = Rounding::Default;
  bool actOrder = false; ///< GPTQ takes the rows of the largest inputs first

  int64_t lowest() const { return symmetric && bits == 8 ? -highest() : -highest() - 1; }
  int64_t highest() const { return (int64_t(1) << (bits - 1)) - 1; }
  /// Whether statistics of the input would be used if there were any.
  bool wantsStatistics() const { return rounding == Rounding::Gptq || (rounding == Rounding::Default && bits < 8); }

  /// Reads `w8`, `w4`, `w3` or `w2`, with `:group=32|64|128`, `:asymmetric` and one of `:rtn`, `:gptq` and `:act-order`
  /// (that is GPTQ, too).
  static llvm::Expected<WeightFormat> parse(llvm::StringRef text);
};

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_WEIGHTFORMAT_H
