//===- SignalShapes.cpp - Shape inference of signal processing ops --------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The only element of an operand of one element; null if it is not known.
static AffineExpr getSize(const SymbolicShapes &shapes, Value operand) {
  auto elements = shapes.getElements(operand);
  return elements && elements->size() == 1 ? (*elements)[0] : AffineExpr();
}

/// Samples become frequencies, of which there is half with `onesided`; the last dimension is that
/// of complex numbers.
static LogicalResult inferDFT(DFTOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getInput()));
  AffineExpr place = op.getAxis() ? getSize(shapes, op.getAxis()) : shapes.constant(-2);
  std::optional<int64_t> given = place ? getConstant(place) : std::nullopt;
  if (!given)
    return inferDeclared(op, shapes, dims.size(), "an axis");
  FailureOr<unsigned> axis = normalizeAxis(op, *given, dims.size());
  if (failed(axis))
    return failure();
  if (*axis + 1 == dims.size())
    return op.emitOpError("expected an axis before that of complex numbers, but got ") << *given;
  bool toReal = op.getInverse() && op.getOnesided();
  AffineExpr length = toReal ? (dims[*axis] - 1) * 2 : dims[*axis];
  if (op.getDftLength())
    length = getSize(shapes, op.getDftLength());
  if (!length)
    return inferDeclared(op, shapes, dims.size(), "a length");
  dims[*axis] = shapes.simplify(op.getOnesided() && !op.getInverse() ? length.floorDiv(2) + 1 : length);
  dims.back() = shapes.constant(toReal ? 1 : 2);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInput()));
  return success();
}

/// Frames of the signal [batch, samples, 1 or 2] become frequencies [batch, frames, frequencies,
/// 2].
static LogicalResult inferSTFT(STFTOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getSignal());
  if (in.size() != 3)
    return op.emitOpError("expected a signal of rank 3, but got rank ") << in.size();
  if (in[2] != shapes.constant(1) && in[2] != shapes.constant(2))
    return op.emitOpError("expected samples of 1 or 2 numbers, but got ") << shapes.describe(in[2]);
  AffineExpr step = getSize(shapes, op.getFrameStep()), length;
  if (op.getWindow() && shapes.getDims(op.getWindow()).size() != 1)
    return op.emitOpError("expected a window of rank 1, but got rank ") << shapes.getDims(op.getWindow()).size();
  if (op.getWindow())
    length = shapes.getDims(op.getWindow())[0];
  else if (op.getFrameLength())
    length = getSize(shapes, op.getFrameLength());
  std::optional<int64_t> stepSize = step ? getConstant(step) : std::nullopt;
  if (!length || !stepSize)
    return inferDeclared(op, shapes, 4, "the length of frames and their step");
  if (*stepSize < 1)
    return op.emitOpError("expected a positive frame_step, but got ") << *stepSize;
  AffineExpr frames = shapes.simplify((in[1] - length).floorDiv(*stepSize) + 1);
  AffineExpr bins = shapes.simplify(op.getOnesided() ? length.floorDiv(2) + 1 : length);
  shapes.setDims(op.getResult(), {in[0], frames, bins, shapes.constant(2)}, shapes.getElementType(op.getSignal()));
  return success();
}

/// A row for each frequency of half of a spectrum, a column for each mel bin.
static LogicalResult inferMelWeightMatrix(MelWeightMatrixOp op, SymbolicShapes &shapes) {
  AffineExpr columns = getSize(shapes, op.getNumMelBins()), length = getSize(shapes, op.getDftLength());
  if (!columns || !length)
    return inferDeclared(op, shapes, 2, "the numbers of bins");
  Type type = getNumberType(op, op.getOutputDatatype());
  if (!type)
    return failure();
  shapes.setDims(op.getResult(), {shapes.simplify(length.floorDiv(2) + 1), columns}, type);
  return success();
}

void onnx::attachSignalShapes(MLIRContext *context) {
  attachShapes<inferDFT, DFTOp>(context);
  attachShapes<inferSTFT, STFTOp>(context);
  attachShapes<inferMelWeightMatrix, MelWeightMatrixOp>(context);
}
