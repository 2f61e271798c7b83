//===- Windows.cpp - Sliding windows as nn ops want them ------------------===//
#include "passes/Fuse/Windows.h"

using namespace mlir;
using namespace lathe;

StringRef lathe::resolveWindows(Windows &windows, Operation *op, Value input, Value output, ArrayRef<int64_t> kernel,
                                std::optional<ArrayRef<int64_t>> strides, std::optional<ArrayRef<int64_t>> dilations,
                                std::optional<ArrayRef<int64_t>> pads, StringRef autoPad, bool ceil) {
  size_t spatial = kernel.size();
  SmallVector<int64_t> ones(spatial, 1), zeros(2 * spatial, 0);
  ArrayRef<int64_t> stride = strides.value_or(ones), dilation = dilations.value_or(ones), pad = pads.value_or(zeros);
  if (spatial == 0 || spatial > 3 || fuse::getRank(input) != int64_t(spatial) + 2 || stride.size() != spatial ||
      dilation.size() != spatial || pad.size() != 2 * spatial)
    return "attributes do not match the rank";
  windows = {};
  SmallVector<int64_t, 3> before, after;
  if (spatial == 1) {
    windows.kernel = windows.strides = windows.dilations = {1};
    before = after = {0};
  }
  for (size_t i = 0; i < spatial; ++i) {
    int64_t in = fuse::getType(input).getDimSize(i + 2), out = fuse::getType(output).getDimSize(i + 2);
    int64_t extent = dilation[i] * (kernel[i] - 1) + 1, step = stride[i];
    if (step < 1 || dilation[i] < 1 || kernel[i] < 1)
      return "strides, dilations and kernel must be positive";
    int64_t first = pad[i], last = pad[i + spatial];
    if (autoPad == "VALID") {
      first = last = 0;
    } else if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
      if (ShapedType::isDynamic(in) && step != 1)
        return "auto_pad depends on a size that is not known";
      int64_t total = extent - 1;
      if (step != 1)
        total = std::max<int64_t>((llvm::divideCeil(in, step) - 1) * step + extent - in, 0);
      first = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
      last = total - first;
    }
    if (first < 0 || last < 0)
      return "negative padding";
    if (ceil && step != 1) {
      if (ShapedType::isDynamic(in) || ShapedType::isDynamic(out))
        return "ceil_mode depends on a size that is not known";
      int64_t needed = (out - 1) * step + extent - in - first;
      if (needed > last) {
        last = needed;
        windows.extended = true;
      }
    }
    windows.kernel.push_back(kernel[i]);
    windows.strides.push_back(step);
    windows.dilations.push_back(dilation[i]);
    before.push_back(first);
    after.push_back(last);
  }
  windows.pads.assign(before.begin(), before.end());
  windows.pads.append(after);
  return {};
}
