//===- ReshapeShapes.cpp - Shape inference of ops that move no data -------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// "[batch, 65, 96]".
static std::string describe(const SymbolicShapes &shapes, ArrayRef<AffineExpr> dims) {
  return "[" + llvm::join(llvm::map_range(dims, [&](AffineExpr dim) { return shapes.describe(dim); }), ", ") + "]";
}

static LogicalResult inferReshape(ReshapeOp op, SymbolicShapes &shapes) {
  auto target = shapes.getElements(op.getShape());
  if (!target && takeDeclared(op, shapes))
    return success();
  ArrayRef<AffineExpr> in = shapes.getDims(op.getData());
  if (!target) {
    FailureOr<size_t> rank = getRankFrom(op, shapes, op.getShape());
    if (failed(rank))
      return failure();
    // No size is more than all elements; that of an only dimension is.
    AffineExpr all = multiply(shapes, in);
    Dims sizes;
    while (sizes.size() < *rank)
      sizes.push_back(*rank == 1 ? all
                                 : shapes.getDataSize(op.getResult(), sizes.size(), all, {op.getShape(), op.getData()},
                                                      /*isChecked=*/true));
    shapes.setDims(op.getResult(), sizes, shapes.getElementType(op.getData()));
    return success();
  }
  Dims dims, known;
  std::optional<size_t> open;
  for (auto [index, size] : llvm::enumerate(*target)) {
    std::optional<int64_t> value = getConstant(size);
    if (value && *value == -1) {
      if (open)
        return op.emitOpError("expected at most one size of -1, but got two");
      open = index;
      dims.push_back(nullptr);
      continue;
    }
    if (value && *value < -1)
      return op.emitOpError("expected sizes of -1 or more, but got ") << *value;
    AffineExpr dim = size;
    if (value && *value == 0 && !op.getAllowzero()) {
      if (index >= in.size())
        return op.emitOpError("expected an input dimension for a size of 0, but got an input of rank ") << in.size();
      dim = in[index];
    }
    dims.push_back(dim);
    known.push_back(dim);
  }
  AffineExpr rest = divideExactly(shapes, in, known);
  std::optional<int64_t> restValue = rest ? getConstant(rest) : std::nullopt;
  // A quotient is exact if multiplying gives the dividend back.
  bool exact = rest && shapes.simplify(rest * multiply(shapes, known)) == multiply(shapes, in);
  auto mismatch = [&]() {
    return op.emitOpError("expected as many elements as in ")
           << describe(shapes, in) << ", but got " << describe(shapes, *target);
  };
  if (open) {
    bool allConstant = llvm::all_of(in, getConstant) && llvm::all_of(known, getConstant);
    if (!rest || (!exact && (allConstant || shapes.dependsOnData(rest)))) {
      if (!allConstant && llvm::is_contained(known, shapes.constant(0)))
        return op.emitOpError("expected a size for -1, but got a reshape of an empty tensor");
      return mismatch();
    }
    dims[*open] = rest;
    if (!exact)
      (void)shapes.assumeEqual(shapes.simplify(rest * multiply(shapes, known)), multiply(shapes, in));
  } else {
    AffineExpr inCount = multiply(shapes, in), outCount = multiply(shapes, known);
    bool same = inCount == outCount || (exact && restValue && *restValue == 1);
    auto [low, high] = shapes.getBounds(inCount - outCount);
    if (!same && (low > 0 || high < 0 || !shapes.mayBeEqual(inCount, outCount)))
      return mismatch();
    // Sizes with symbols on one side only hold for one value of them, which is not what the model says.
    if (!same && (getConstant(inCount) || getConstant(outCount)))
      return mismatch();
    if (!same)
      (void)shapes.assumeEqual(inCount, outCount);
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  copyElements(shapes, op.getResult(), op.getData());
  return success();
}

static LogicalResult inferFlatten(FlattenOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getInput());
  int64_t rank = in.size(), axis = op.getAxis();
  if (axis < -rank || axis > rank)
    return op.emitOpError("expected an axis in [") << -rank << ", " << rank << "], but got " << axis;
  axis = axis < 0 ? axis + rank : axis;
  shapes.setDims(op.getResult(), {multiply(shapes, in.take_front(axis)), multiply(shapes, in.drop_front(axis))},
                 shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferSqueeze(SqueezeOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getData());
  SmallVector<bool> dropped(in.size(), false);
  if (op.getAxes()) {
    auto axes = getConstantElements(shapes, op.getAxes());
    if (!axes)
      return inferDeclared(op, shapes, "axes");
    FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, *axes, in.size());
    if (failed(normalized))
      return failure();
    for (unsigned axis : *normalized) {
      auto [low, high] = shapes.getBounds(in[axis]);
      if (low != 1 || high != 1) {
        InFlightDiagnostic error = op.emitOpError("expected size 1 in dimension ")
                                   << axis << ", but got " << shapes.describe(in[axis]);
        if (low <= 1 && high >= 1 && !shapes.dependsOnData(in[axis]))
          error << ", which may be more: fix it by --dim, so that it is 1";
        return error;
      }
      dropped[axis] = true;
    }
  } else {
    for (auto [axis, dim] : llvm::enumerate(in))
      dropped[axis] = getConstant(dim) == 1;
  }
  Dims dims;
  for (auto [axis, dim] : llvm::enumerate(in))
    if (!dropped[axis])
      dims.push_back(dim);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  copyElements(shapes, op.getResult(), op.getData());
  return success();
}

static LogicalResult inferUnsqueeze(UnsqueezeOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getData());
  auto axes = getConstantElements(shapes, op.getAxes());
  if (!axes)
    return inferDeclared(op, shapes, "axes");
  size_t rank = in.size() + axes->size();
  FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, *axes, rank);
  if (failed(normalized))
    return failure();
  Dims dims;
  for (size_t i = 0, next = 0; i < rank; ++i)
    dims.push_back(llvm::is_contained(*normalized, unsigned(i)) ? shapes.constant(1) : in[next++]);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  copyElements(shapes, op.getResult(), op.getData());
  return success();
}

static LogicalResult inferIdentity(IdentityOp op, SymbolicShapes &shapes) {
  if (!isa<TensorType>(op.getInput().getType()))
    return op.emitOpError("expected a tensor, but got ") << op.getInput().getType();
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  copyElements(shapes, op.getResult(), op.getInput());
  return success();
}

static LogicalResult inferTranspose(TransposeOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getData());
  SmallVector<unsigned> axes = llvm::to_vector(llvm::reverse(llvm::seq<unsigned>(in.size())));
  if (std::optional<ArrayRef<int64_t>> perm = op.getPerm()) {
    FailureOr<SmallVector<unsigned>> given = normalizeAxes(op, *perm, in.size());
    if (failed(given))
      return failure();
    if (given->size() != in.size())
      return op.emitOpError("expected a permutation of ") << in.size() << " axes, but got " << given->size();
    axes = *given;
  }
  Dims dims = llvm::map_to_vector(axes, [&](unsigned axis) { return in[axis]; });
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  moveElements(shapes, op.getResult(), op.getData(), [&](ArrayRef<int64_t> place) {
    SmallVector<int64_t> source(place.size());
    for (auto [index, axis] : llvm::enumerate(axes))
      source[axis] = place[index];
    return source;
  });
  return success();
}

/// Checks a DepthToSpace or SpaceToDepth for its input's rank and block size.
static LogicalResult checkBlocks(Operation *op, ArrayRef<AffineExpr> in) {
  if (in.size() != 4)
    return op->emitOpError("expected an input of rank 4, but got rank ") << in.size();
  int64_t block = getInt(op, "blocksize", 0);
  if (block < 1 || !llvm::isInt<32>(block)) // whose square fits
    return op->emitOpError("expected a block size from 1 to 2^31 - 1, but got ") << block;
  return success();
}

static LogicalResult inferDepthToSpace(DepthToSpaceOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getInput());
  if (failed(checkBlocks(op, in)))
    return failure();
  int64_t block = op.getBlocksize();
  if (getConstant(in[1]) && *getConstant(in[1]) % (block * block))
    return op.emitOpError("expected a multiple of ")
           << block * block << " channels, but got " << shapes.describe(in[1]);
  shapes.setDims(op.getResult(), {in[0], in[1].floorDiv(block * block), in[2] * block, in[3] * block},
                 shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferSpaceToDepth(SpaceToDepthOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getInput());
  if (failed(checkBlocks(op, in)))
    return failure();
  int64_t block = op.getBlocksize();
  for (AffineExpr size : in.drop_front(2))
    if (getConstant(size) && *getConstant(size) % block)
      return op.emitOpError("expected a multiple of ") << block << ", but got size " << shapes.describe(size);
  shapes.setDims(op.getResult(), {in[0], in[1] * (block * block), in[2].floorDiv(block), in[3].floorDiv(block)},
                 shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferShape(ShapeOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getData());
  int64_t rank = in.size();
  auto clamp = [&](int64_t place) { return std::clamp<int64_t>(place < 0 ? place + rank : place, 0, rank); };
  int64_t begin = clamp(op.getStart()), end = op.getEnd() ? clamp(*op.getEnd()) : rank;
  Dims elements(in.slice(begin, std::max<int64_t>(end - begin, 0)));
  shapes.setDims(op.getResult(), {shapes.constant(elements.size())}, IntegerType::get(op.getContext(), 64));
  shapes.setElements(op.getResult(), elements);
  return success();
}

static LogicalResult inferSize(SizeOp op, SymbolicShapes &shapes) {
  AffineExpr count = multiply(shapes, shapes.getDims(op.getData()));
  shapes.setDims(op.getResult(), {}, IntegerType::get(op.getContext(), 64));
  shapes.setElements(op.getResult(), {count});
  return success();
}

void onnx::attachReshapeShapes(MLIRContext *context) {
  attachShapes<inferReshape, ReshapeOp>(context);
  attachShapes<inferFlatten, FlattenOp>(context);
  attachShapes<inferSqueeze, SqueezeOp>(context);
  attachShapes<inferUnsqueeze, UnsqueezeOp>(context);
  attachShapes<inferIdentity, IdentityOp>(context);
  attachShapes<inferTranspose, TransposeOp>(context);
  attachShapes<inferDepthToSpace, DepthToSpaceOp>(context);
  attachShapes<inferSpaceToDepth, SpaceToDepthOp>(context);
  attachShapes<inferShape, ShapeOp>(context);
  attachShapes<inferSize, SizeOp>(context);
}
