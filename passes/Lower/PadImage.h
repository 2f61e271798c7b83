//===- PadImage.h - Padding as part of an image ---------------------------===//
#ifndef PASSES_LOWER_PADIMAGE_H
#define PASSES_LOWER_PADIMAGE_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe {

/// Lets a convolution of static shape read an image that holds its padding, which the image's producer can write
/// around.
void padImage(nn::ConvOp conv);

} // namespace lathe

#endif // PASSES_LOWER_PADIMAGE_H
