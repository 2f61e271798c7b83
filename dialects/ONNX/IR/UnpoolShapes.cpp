//===- UnpoolShapes.cpp - Shape inference of what pools regions or unpools -===//
#include "dialects/ONNX/IR/DeclaredShapes.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// `count` numbers of an attribute, or the same one; fails after an error if there is another
/// number of them.
static FailureOr<SmallVector<int64_t>> readInts(Operation *op, StringRef name, size_t count,
                                                int64_t otherwise) {
  ArrayRef<int64_t> given = getInts(op, name);
  if (given.empty())
    return SmallVector<int64_t>(count, otherwise);
  if (given.size() == count)
    return SmallVector<int64_t>(given);
  op->emitOpError("expected ") << count << " values in " << name << ", but got " << given.size();
  return failure();
}

/// What was pooled, as the windows tell it, or as an operand does.
static LogicalResult inferMaxUnpool(MaxUnpoolOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  if (dims.size() < 3)
    return op.emitOpError("expected an input of rank 3 or more, but got rank ") << dims.size();
  if (shapes.getDims(op.getI()).size() != dims.size())
    return op.emitOpError("expected indices of rank ") << dims.size() << ", but got rank "
                                                       << shapes.getDims(op.getI()).size();
  for (auto [size, indices] : llvm::zip_equal(dims, shapes.getDims(op.getI())))
    if (!shapes.assumeEqual(size, indices))
      return op.emitOpError("expected an index for each element, but got another shape");
  size_t spatial = dims.size() - 2;
  FailureOr<SmallVector<int64_t>> kernel = readInts(op, "kernel_shape", spatial, 1),
                                  strides = readInts(op, "strides", spatial, 1),
                                  pads = readInts(op, "pads", 2 * spatial, 0);
  if (failed(kernel) || failed(strides) || failed(pads))
    return failure();
  Type type = shapes.getElementType(op.getX());
  if (op.getOutputShape()) {
    auto sizes = shapes.getElements(op.getOutputShape());
    if (!sizes)
      return inferDeclared(op, shapes, dims.size(), "a shape");
    if (sizes->size() != dims.size())
      return op.emitOpError("expected ") << dims.size() << " sizes, but got " << sizes->size();
    shapes.setDims(op.getResult(), Dims(*sizes), type);
    return success();
  }
  for (size_t i = 0; i < spatial; ++i)
    dims[i + 2] =
        (dims[i + 2] - 1) * (*strides)[i] + ((*kernel)[i] - (*pads)[i] - (*pads)[i + spatial]);
  shapes.setDims(op.getResult(), dims, type);
  return success();
}

/// An image [N, C, sizes...] of blocks [N, C * elements of a block, blocks].
static LogicalResult inferCol2Im(Col2ImOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getInput());
  if (in.size() != 3)
    return op.emitOpError("expected an input of rank 3, but got rank ") << in.size();
  auto sizes = shapes.getElements(op.getImageShape());
  auto block = getConstantElements(shapes, op.getBlockShape());
  if (!sizes || !block)
    return inferDeclared(op, shapes, "the shapes of the image and of blocks");
  if (sizes->size() != block->size())
    return op.emitOpError("expected a block of rank ")
           << sizes->size() << ", but got rank " << block->size();
  int64_t elements = 1;
  for (int64_t size : *block)
    if (size < 1 || llvm::MulOverflow(elements, size, elements))
      return op.emitOpError("expected positive sizes of blocks that fit the image, but got ") << size;
  std::optional<int64_t> rows = getConstant(in[1]);
  if (rows && *rows % elements)
    return op.emitOpError("expected blocks of a number of elements that divides ")
           << shapes.describe(in[1]) << ", but got " << elements;
  Dims dims = {in[0], shapes.simplify(in[1].floorDiv(elements))};
  dims.append(sizes->begin(), sizes->end());
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInput()));
  return success();
}

/// [regions, C, pooled sizes...]
static LogicalResult inferMaxRoiPool(MaxRoiPoolOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX()), rois = shapes.getDims(op.getRois());
  if (in.size() != 4 || rois.size() != 2 || op.getPooledShape().size() != 2)
    return op.emitOpError(
        "expected an input of rank 4, regions of rank 2 and two pooled sizes, but got others");
  Dims dims = {rois[0], in[1]};
  for (int64_t size : op.getPooledShape())
    dims.push_back(shapes.constant(size));
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getX()));
  return success();
}

void onnx::attachUnpoolShapes(MLIRContext *context) {
  attachShapes<inferMaxUnpool, MaxUnpoolOp>(context);
  attachShapes<inferCol2Im, Col2ImOp>(context);
  attachShapes<inferMaxRoiPool, MaxRoiPoolOp>(context);
}
