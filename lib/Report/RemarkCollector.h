//===- RemarkCollector.h - What the passes of a compilation said ----------===//
#ifndef LIB_REPORT_REMARKCOLLECTOR_H
#define LIB_REPORT_REMARKCOLLECTOR_H

#include "mlir/IR/Remarks.h"
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// A remark that outlives its context.
struct CollectedRemark {
  bool passed = false; ///< applied; else missed, with the reason
  std::string category, name;
  std::string node; ///< the first node name of the location; empty if it has none
  std::vector<std::pair<std::string, std::string>> arguments;

  /// The value of an argument; "" where there is none.
  llvm::StringRef get(llvm::StringRef key) const;
};

/// Appends passed and missed remarks to a list, from any thread: those of functions that passes work on at once come in
/// any order. Give it to `mlir::remark::enableOptimizationRemarks`.
class RemarkCollector : public mlir::remark::detail::MLIRRemarkStreamerBase {
public:
  explicit RemarkCollector(std::vector<CollectedRemark> &remarks) : remarks(remarks) {}
  void streamOptimizationRemark(const mlir::remark::detail::Remark &remark) override;

private:
  std::mutex mutex;
  std::vector<CollectedRemark> &remarks;
};

} // namespace lathe

#endif // LIB_REPORT_REMARKCOLLECTOR_H
