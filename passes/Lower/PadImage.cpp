//===- PadImage.cpp - Padding as part of an image -------------------------===//
#include "passes/Lower/PadImage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

void lathe::padImage(nn::ConvOp conv) {
  ArrayRef<int64_t> pads = conv.getPads();
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return;
  OpBuilder builder(conv);
  Location loc = conv.getLoc();
  auto type = cast<RankedTensorType>(conv.getInput().getType());
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<OpFoldResult> offsets(4, builder.getIndexAttr(0)), strides(4, builder.getIndexAttr(1));
  for (unsigned i = 0; i < 2; ++i) {
    shape[1 + i] += pads[i] + pads[2 + i];
    offsets[1 + i] = builder.getIndexAttr(pads[i]);
  }
  Value fill = arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type.getElementType(), conv.getPadValue()));
  Value empty = tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  Value border = linalg::FillOp::create(builder, loc, ValueRange{fill}, ValueRange{empty}).getResult(0);
  Value image = tensor::InsertSliceOp::create(builder, loc, conv.getInput(), border, offsets,
                                              getAsIndexOpFoldResult(builder.getContext(), type.getShape()), strides);
  conv.setPads({0, 0, 0, 0});
  conv.setPadValue(0);
  conv.getInputMutable().assign(image);
}
