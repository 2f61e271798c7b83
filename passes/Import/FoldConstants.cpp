//===- FoldConstants.cpp - Folds what depends on constants only -----------===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Import/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTFOLDCONSTANTS
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Bytes of a tensor of static shape.
static int64_t getBytes(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrIndexOrFloat())
    return 0;
  unsigned bits = type.getElementType().isIndex() ? 64 : type.getElementType().getIntOrFloatBitWidth();
  return type.getNumElements() * int64_t((bits + 7) / 8);
}

/// Results that are large and much larger than what they are made from stay computed.
static bool grows(Operation *op) {
  constexpr int64_t kSmall = 64 * 1024, kFactor = 4;
  int64_t in = 0;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<tensor::EmptyOp>())
      in += getBytes(operand);
  return llvm::any_of(op->getResults(),
                      [&](Value result) { return getBytes(result) > kSmall && getBytes(result) > kFactor * in; });
}

/// Ops that may run at compile time if their operands are known.
static bool mayRun(Operation *op) {
  if (op->hasTrait<OpTrait::IsTerminator>() || !isMemoryEffectFree(op))
    return false;
  if (isa<onnx::RandomNormalOp, onnx::RandomNormalLikeOp, onnx::RandomUniformOp, onnx::RandomUniformLikeOp,
          onnx::BernoulliOp, onnx::MultinomialOp, onnx::DropoutOp, onnx::DequantizeLinearOp>(op))
    return false;
  return llvm::all_of(op->getResultTypes(), [](Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return ranked ? ranked.hasStaticShape() && ranked.getElementType().isIntOrIndexOrFloat()
                  : type.isIntOrIndexOrFloat();
  });
}

/// The constant with another shape of as many elements; null if its storage is of another kind.
static ElementsAttr withShape(ElementsAttr value, RankedTensorType type) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    return dense.reshape(type);
  return nullptr;
}

/// Whether a fill makes a buffer that an op outside writes to. A constant would be copied there whole, where of a fill
/// only the borders of what is inserted remain.
static bool fillsDestination(Operation *op, function_ref<bool(Operation *)> isInside) {
  if (!isa<linalg::FillOp>(op))
    return false;
  return llvm::any_of(op->getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isInside(user))
      return false;
    if (auto insertion = dyn_cast<tensor::InsertSliceOp>(user))
      return insertion.getDest() == use.get();
    auto destination = dyn_cast<DestinationStyleOpInterface>(user);
    return destination && destination.isDpsInit(&use);
  });
}

namespace {

struct ImportFoldConstantsPass : lathe::impl::ImportFoldConstantsBase<ImportFoldConstantsPass> {
  using ImportFoldConstantsBase::ImportFoldConstantsBase;
  ImportFoldConstantsPass(ConstantEvaluator evaluator, bool releaseUnused) : evaluator(std::move(evaluator)) {
    release = releaseUnused;
  }

  void runOnOperation() override {
    llvm::SmallPtrSet<Resource *, 16> before;
    if (release)
      before = findResources();
    foldAll();
    if (before.empty())
      return;
    llvm::SmallPtrSet<Resource *, 16> after = findResources();
    for (Resource *resource : before)
      if (!after.contains(resource))
        resource->setBlob(AsmResourceBlob());
  }

private:
  using Resource = DialectResourceBlobManager::BlobEntry;

  void foldAll() {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions) {
      if (function.isExternal())
        continue;
      Block &body = function.getBody().front();
      foldEmpty(body);
      reshapeConstants(body);
      if (failed(foldSubgraphs(body)))
        return signalPassFailure();
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
        if (isOpTriviallyDead(&op))
          op.erase();
    }
  }

  /// What the module's constants refer to. The context keeps resources until it ends, used or not.
  llvm::SmallPtrSet<Resource *, 16> findResources() {
    llvm::SmallPtrSet<Resource *, 16> found;
    getOperation().walk([&](Operation *op) {
      op->getAttrDictionary().walk(
          [&](DenseResourceElementsAttr value) { found.insert(value.getRawHandle().getResource()); });
    });
    return found;
  }

  /// What has no elements is known, whatever it is computed from. Later passes need not think of it.
  void foldEmpty(Block &body) {
    auto isEmpty = [](Type type) {
      auto ranked = dyn_cast<RankedTensorType>(type);
      return ranked && ranked.hasStaticShape() && ranked.getNumElements() == 0;
    };
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (!isa_and_nonnull<onnx::ONNXDialect>(op.getDialect()) || op.hasTrait<OpTrait::ConstantLike>() ||
          !mayRun(&op) || op.getNumResults() == 0 || !llvm::all_of(op.getResultTypes(), isEmpty))
        continue;
      OpBuilder builder(&op);
      for (Value result : op.getResults()) {
        auto value = DenseElementsAttr::get(cast<ShapedType>(result.getType()), ArrayRef<Attribute>());
        result.replaceAllUsesWith(onnx::ConstantOp::create(builder, op.getLoc(), value));
      }
      op.erase();
    }
  }

  /// Reshape, Flatten, Squeeze, Unsqueeze and Identity of a constant share its data.
  void reshapeConstants(Block &body) {
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (!isa<onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::IdentityOp>(op))
        continue;
      auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
      ElementsAttr value;
      if (!type || !type.hasStaticShape() || !matchPattern(op.getOperand(0), m_Constant(&value)))
        continue;
      auto from = dyn_cast<RankedTensorType>(op.getOperand(0).getType());
      if (!from || !from.hasStaticShape() || from.getNumElements() != type.getNumElements() ||
          from.getElementType() != type.getElementType())
        continue;
      ElementsAttr reshaped = withShape(value, type);
      if (!reshaped)
        continue;
      OpBuilder builder(&op);
      op.getResult(0).replaceAllUsesWith(onnx::ConstantOp::create(builder, op.getLoc(), reshaped));
      op.erase();
    }
  }

  /// The ops of the block that depend on constants only, in order, without those that grow.
  static llvm::SetVector<Operation *> findConstantOps(Block &body) {
    llvm::SetVector<Operation *> found;
    auto isKnown = [&](Value value) { return value.getDefiningOp() && found.contains(value.getDefiningOp()); };
    auto readsKnown = [&](Operation *op) {
      llvm::SetVector<Value> captured;
      getUsedValuesDefinedAbove(op->getRegions(), captured);
      return llvm::all_of(op->getOperands(), isKnown) && llvm::all_of(captured, isKnown);
    };
    for (Operation &op : body)
      if (mayRun(&op) && readsKnown(&op))
        found.insert(&op);
    // What a growing op is made into may be small again, so only those that others use are taken out, and what reads
    // them. An empty tensor is no result: each side has one. Nor is one that is filled in part.
    for (bool changed = true; changed;) {
      changed = false;
      for (Operation *op : llvm::to_vector(llvm::reverse(found))) {
        auto isInside = [&](Operation *user) { return found.contains(body.findAncestorOpInBlock(*user)); };
        bool leaves = !op->hasTrait<OpTrait::ConstantLike>() && !isa<tensor::EmptyOp>(op) &&
                      (((grows(op) || isUnfinished(op)) && hasOutsideUse(op, found)) || fillsDestination(op, isInside));
        if (leaves || !readsKnown(op)) {
          found.remove(op);
          changed = true;
        }
      }
    }
    return found;
  }

  /// Whether the op inserts into what was an empty tensor, and others go on with it: the rest has no value yet.
  static bool isUnfinished(Operation *op) {
    auto insertion = dyn_cast<tensor::InsertSliceOp>(op);
    if (!insertion)
      return false;
    auto goesOn = [&](Operation *user) {
      auto next = dyn_cast<tensor::InsertSliceOp>(user);
      return next && next.getDest() == insertion.getResult();
    };
    Value filled = insertion.getDest();
    while (auto before = filled.getDefiningOp<tensor::InsertSliceOp>())
      filled = before.getDest();
    return filled.getDefiningOp<tensor::EmptyOp>() && llvm::any_of(op->getUsers(), goesOn);
  }

  static bool hasOutsideUse(Operation *op, const llvm::SetVector<Operation *> &inside) {
    return llvm::any_of(op->getUsers(), [&](Operation *user) {
      return !inside.contains(op->getBlock()->findAncestorOpInBlock(*user));
    });
  }

  LogicalResult foldSubgraphs(Block &body) {
    llvm::SetVector<Operation *> inside = findConstantOps(body);
    SmallVector<Value> results;
    for (Operation *op : inside) {
      if (op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp>(op))
        continue;
      for (Value result : op->getResults())
        if (isa<RankedTensorType>(result.getType()) && llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !inside.contains(body.findAncestorOpInBlock(*user));
            }))
          results.push_back(result);
    }
    if (results.empty())
      return success();
    if (!evaluator) {
      for (Value result : results)
        remark::missed(result.getLoc(), remark::RemarkOpts::name("ConstantNotFolded").category("import"))
            << remark::reason("no evaluator to run it");
      return success();
    }
    OwningOpRef<ModuleOp> module = outline(inside, results);
    SmallVector<ElementsAttr> values;
    if (failed(evaluator(*module, values)))
      return failure();
    if (values.size() != results.size())
      return getOperation().emitError("expected ")
             << results.size() << " values of constants, but got " << values.size();
    for (auto [result, value] : llvm::zip_equal(results, values)) {
      if (value.getType() != result.getType())
        return emitError(result.getLoc(), "expected a constant of ")
               << result.getType() << ", but got " << value.getType();
      replace(result, asSmallInteger(value));
    }
    return success();
  }

  /// A module whose @main computes `results` by copies of the ops they need.
  OwningOpRef<ModuleOp> outline(const llvm::SetVector<Operation *> &inside, ArrayRef<Value> results) {
    Location loc = getOperation().getLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(module->getBody());
    auto main = func::FuncOp::create(builder, loc, "main",
                                     builder.getFunctionType({}, TypeRange(ValueRange(results).getTypes())));
    for (size_t i = 0; i < results.size(); ++i)
      main.setResultAttr(i, kNameAttr, builder.getStringAttr("constant" + std::to_string(i)));
    builder.setInsertionPointToStart(main.addEntryBlock());
    llvm::SetVector<Operation *> needed;
    SmallVector<Operation *> worklist;
    for (Value result : results)
      worklist.push_back(result.getDefiningOp());
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (!needed.insert(op))
        continue;
      op->walk([&](Operation *nested) {
        for (Value operand : nested->getOperands())
          if (Operation *definition = operand.getDefiningOp(); definition && inside.contains(definition))
            worklist.push_back(definition);
      });
    }
    IRMapping mapping;
    for (Operation *op : inside)
      if (needed.contains(op))
        builder.clone(*op, mapping);
    func::ReturnOp::create(builder, loc, llvm::map_to_vector(results, [&](Value v) { return mapping.lookup(v); }));
    return module;
  }

  /// Shape arithmetic reads small integer tensors, which are `dense`.
  static ElementsAttr asSmallInteger(ElementsAttr value) {
    constexpr int64_t kSmall = 64;
    auto resource = dyn_cast<DenseResourceElementsAttr>(value);
    auto type = cast<ShapedType>(value.getType());
    Type element = type.getElementType();
    if (!resource || !element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 || type.getNumElements() > kSmall)
      return value;
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    bool isSplat = false;
    if (!blob || !DenseElementsAttr::isValidRawBuffer(type, blob->getData(), isSplat) || isSplat)
      return value;
    return DenseElementsAttr::getFromRawBuffer(type, blob->getData());
  }

  void replace(Value result, ElementsAttr value) {
    OpBuilder builder(result.getDefiningOp());
    Location loc = result.getLoc();
    bool isOnnx = isa<onnx::ONNXDialect>(result.getDefiningOp()->getDialect());
    Value constant = isOnnx ? onnx::ConstantOp::create(builder, loc, value).getResult()
                            : arith::ConstantOp::create(builder, loc, cast<TypedAttr>(value)).getResult();
    remark::passed(loc, remark::RemarkOpts::name("ConstantFolded").category("import"))
        << result.getDefiningOp()->getName().getStringRef();
    result.replaceAllUsesWith(constant);
  }

  ConstantEvaluator evaluator;
};

} // namespace

std::unique_ptr<Pass> lathe::createFoldConstantsPass(ConstantEvaluator evaluator, bool release) {
  return std::make_unique<ImportFoldConstantsPass>(std::move(evaluator), release);
}
