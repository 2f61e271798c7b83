//===- ApplyTuning.cpp - Measured choices become attributes ---------------===//
#include "mlir/IR/Remarks.h"
#include "passes/Lower/Passes.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERAPPLYTUNING
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

struct LowerApplyTuning : lathe::impl::LowerApplyTuningBase<LowerApplyTuning> {
  using LowerApplyTuningBase::LowerApplyTuningBase;
  explicit LowerApplyTuning(TuningRequest request) : request(std::move(request)) {}

  LogicalResult initialize(MLIRContext *context) override {
    if (file.empty())
      return success();
    llvm::Expected<TuningFile> read = readTuning(file);
    if (!read)
      return emitError(UnknownLoc::get(context)) << llvm::toString(read.takeError());
    request.file = std::make_shared<TuningFile>(std::move(*read));
    return success();
  }

  void runOnOperation() override {
    llvm::SmallPtrSet<const TuningRecord *, 16> used;
    bool hasKernels = false;
    getOperation().walk([&](nn::KernelOpInterface op) {
      std::optional<TuningKey> key = getTuningKey(op);
      if (!key)
        return;
      hasKernels = true;
      if (request.file)
        apply(op, *key, used);
      if (request.observe)
        request.observe(op, *key);
    });
    const TunedMachine *machine = request.file ? request.file->find(nn::getTarget(getOperation())) : nullptr;
    if (!machine || !hasKernels)
      return;
    for (const TuningRecord &record : machine->records)
      if (!used.contains(&record))
        remark::missed(getOperation().getLoc(), remarkOptions())
            << remark::reason("the model has no {0} {1}{2}", record.kernel.op, record.kernel.types,
                              record.kernel.attributes.empty() ? "" : " " + record.kernel.attributes);
  }

private:
  remark::RemarkOpts remarkOptions() {
    return remark::RemarkOpts::name("Tuning").category("tuning").function(getOperation().getName());
  }

  void apply(Operation *op, const TuningKey &key, llvm::SmallPtrSetImpl<const TuningRecord *> &used) {
    nn::TargetAttr target = nn::getTarget(op);
    for (const TunedMachine &machine : request.file->machines) {
      const TuningRecord *record = machine.find(key);
      if (!record)
        continue;
      if (!machine.isFor(target)) {
        remark::missed(op->getLoc(), remarkOptions()) << remark::reason(
            "it was measured on {0}, {1}, with other instructions than the target has", machine.triple, machine.cpu);
        continue;
      }
      used.insert(record);
      auto emitError = [&] { return op->emitOpError(); };
      nn::TuningAttr tuning = record->choice.toAttr(getContext(), emitError);
      if (!tuning)
        return signalPassFailure();
      op->setAttr(nn::kTuningAttr, tuning);
      remark::passed(op->getLoc(), remarkOptions())
          << remark::metric("Choice", toString(record->choice)) << remark::metric("MeasuredBy", machine.version);
    }
  }

  TuningRequest request;
};

} // namespace

std::unique_ptr<Pass> lathe::createApplyTuningPass(TuningRequest request) {
  return std::make_unique<LowerApplyTuning>(std::move(request));
}
