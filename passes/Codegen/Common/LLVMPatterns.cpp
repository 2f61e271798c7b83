//===- LLVMPatterns.cpp - One conversion to the LLVM dialect --------------===//
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Codegen/Common/LLVMLowering.h"

using namespace mlir;
using namespace lathe;

/// Functions that LLVM has no intrinsic for and that no polynomial replaced (those on f64) become
/// calls of libm.
static LogicalResult callLibm(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<math::ErfOp, math::ErfcOp, math::CbrtOp, math::Atan2Op, math::AtanOp, math::AcosOp, math::AsinOp,
            math::AtanhOp, math::AcoshOp, math::AsinhOp, math::Log1pOp, math::ExpM1Op>(op))
      ops.push_back(op);
  });
  if (ops.empty())
    return success();
  RewritePatternSet patterns(module.getContext());
  populateMathToLibmConversionPatterns(patterns);
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingOps);
  (void)applyOpPatternsGreedily(ops, FrozenRewritePatternSet(std::move(patterns)), config);
  return success();
}

/// An expansion of which a group has several sizes that are known at run time: MLIR's pattern, which computes the only
/// such size, does not take it. The sizes are those that the op says, and each stride is the next one's times its size.
static LogicalResult expandManySizes(memref::ExpandShapeOp op, PatternRewriter &rewriter) {
  MemRefType type = op.getResultType();
  SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
  auto isDynamic = [&](int64_t dim) { return type.isDynamicDim(dim); };
  if (llvm::none_of(groups, [&](ArrayRef<int64_t> group) { return llvm::count_if(group, isDynamic) > 1; }))
    return failure();
  SmallVector<int64_t> staticStrides;
  int64_t staticOffset;
  if (failed(type.getStridesAndOffset(staticStrides, staticOffset)))
    return failure();
  Location loc = op.getLoc();
  auto source = memref::ExtractStridedMetadataOp::create(rewriter, loc, op.getSrc());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(type.getRank());
  for (auto [group, outer] : llvm::zip(groups, source.getStrides())) {
    Value stride = outer;
    for (int64_t dim : llvm::reverse(group)) {
      bool isKnown = !ShapedType::isDynamic(staticStrides[dim]);
      strides[dim] = isKnown ? OpFoldResult(rewriter.getIndexAttr(staticStrides[dim])) : OpFoldResult(stride);
      Value size = getValueOrCreateConstantIndexOp(rewriter, loc, sizes[dim]);
      stride = arith::MulIOp::create(rewriter, loc, stride, size);
    }
  }
  OpFoldResult offset = source.getOffset();
  if (!ShapedType::isDynamic(staticOffset))
    offset = rewriter.getIndexAttr(staticOffset);
  rewriter.replaceOpWithNewOp<memref::ReinterpretCastOp>(op, type, source.getBaseBuffer(), offset, sizes, strides);
  return success();
}

LogicalResult codegen::prepareForLLVM(ModuleOp module, bool roundsToBF16) {
  RewritePatternSet patterns(module.getContext());
  // memref.subview and its like have no LLVM form: they become metadata and reinterpret_cast first.
  patterns.add(expandManySizes, /*benefit=*/2);
  memref::populateExpandStridedMetadataPatterns(patterns);
  memref::populateExpandOpsPatterns(patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  // By arithmetic on bits also where a CPU rounds by one instruction: vcvtneps2bf16 takes subnormal numbers for zero.
  if (!roundsToBF16)
    arith::populateExpandBFloat16Patterns(patterns);
  vector::populateVectorTransferLoweringPatterns(patterns, /*maxTransferRank=*/1);
  vector::populateVectorFromElementsUnrollPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/true);
  if (failed(applyPatternsGreedily(module, std::move(patterns))))
    return failure();
  return callLibm(module);
}

namespace {

/// A multiply-add of a polynomial is fused only where the machine can: `llvm.fma` would be a call
/// elsewhere.
struct FmaToMulAdd : ConvertOpToLLVMPattern<math::FmaOp> {
  explicit FmaToMulAdd(const LLVMTypeConverter &converter) : ConvertOpToLLVMPattern(converter, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(math::FmaOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (auto vector = dyn_cast<VectorType>(op.getType()); vector && vector.getRank() != 1)
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::FMulAddOp>(op, typeConverter->convertType(op.getType()), adaptor.getA(),
                                                 adaptor.getB(), adaptor.getC());
    return success();
  }
};

/// Elements of bf16 are loaded and stored as bits: LLVM takes vectors of bf16 apart where the machine has no such
/// arithmetic.
struct LoadBF16 : ConvertOpToLLVMPattern<memref::LoadOp> {
  explicit LoadBF16(const LLVMTypeConverter &converter) : ConvertOpToLLVMPattern(converter, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(memref::LoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isBF16())
      return failure();
    Value pointer =
        getStridedElementPtr(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getMemref(), adaptor.getIndices());
    Value bits = LLVM::LoadOp::create(rewriter, op.getLoc(), rewriter.getI16Type(), pointer);
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), bits);
    return success();
  }
};

struct StoreBF16 : ConvertOpToLLVMPattern<memref::StoreOp> {
  explicit StoreBF16(const LLVMTypeConverter &converter) : ConvertOpToLLVMPattern(converter, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(memref::StoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getMemRefType().getElementType().isBF16())
      return failure();
    Value pointer =
        getStridedElementPtr(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getMemref(), adaptor.getIndices());
    Value bits = LLVM::BitcastOp::create(rewriter, op.getLoc(), rewriter.getI16Type(), adaptor.getValue());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, bits, pointer);
    return success();
  }
};

} // namespace

void codegen::populateLLVMPatterns(LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  populateAffineToStdConversionPatterns(patterns);
  populateSCFToControlFlowConversionPatterns(patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  patterns.add<FmaToMulAdd, LoadBF16, StoreBF16>(converter);
  index::populateIndexToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  // n-d vector ops without a direct LLVM form are peeled to 1-d by the same conversion.
  vector::populateVectorRankReducingFMAPattern(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorTransposeLoweringPatterns(patterns, vector::VectorTransposeLowering::Shuffle1D);
}
