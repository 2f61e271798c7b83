//===- RemarkCollector.cpp - What the passes of a compilation said --------===//
#include "lib/Report/RemarkCollector.h"

using namespace lathe;

llvm::StringRef CollectedRemark::get(llvm::StringRef key) const {
  for (const auto &[name, value] : arguments)
    if (name == key)
      return value;
  return "";
}

void RemarkCollector::streamOptimizationRemark(const mlir::remark::detail::Remark &remark) {
  llvm::remarks::Type type = remark.getRemarkType();
  if (type != llvm::remarks::Type::Passed && type != llvm::remarks::Type::Missed)
    return;
  CollectedRemark collected;
  collected.passed = type == llvm::remarks::Type::Passed;
  collected.category = remark.getCategoryName().str();
  collected.name = remark.getRemarkName().str();
  if (auto name = remark.getLocation()->findInstanceOf<mlir::NameLoc>())
    collected.node = name.getName().str();
  for (const auto &argument : remark.getArgs())
    collected.arguments.push_back({argument.key, argument.val});
  std::lock_guard<std::mutex> lock(mutex);
  remarks.push_back(std::move(collected));
}
