//===- PruneChannels.cpp - Removes channels, neurons and heads ------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Channels/ChannelCosts.h"
#include "passes/Compress/Channels/ChannelOrder.h"
#include "passes/Compress/Channels/Contractions.h"
#include "passes/Compress/Channels/Reconstruction.h"
#include "passes/Compress/Channels/RemoveChannels.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Prune/PruneSpec.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace lathe {
#define GEN_PASS_DEF_COMPRESSPRUNECHANNELS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("PruneChannels").category("compress"); }

namespace {
/// A group that may lose units, from the front of its order.
struct Candidate {
  const ChannelGroup *group;
  ChannelOrder order;
  size_t step = 1;  ///< units that stay are a multiple of this
  size_t taken = 0; ///< units that go

  /// How many units go after the next cut; nullopt if no more can.
  std::optional<size_t> getNextCut() const {
    size_t all = group->units.size(), left = all - taken;
    size_t next = (left - 1) / step * step;
    return next == 0 ? std::nullopt : std::optional(all - next);
  }
};

struct CompressPruneChannels : lathe::impl::CompressPruneChannelsBase<CompressPruneChannels> {
  using CompressPruneChannelsBase::CompressPruneChannelsBase;
  CompressPruneChannels(const CompressPruneChannelsOptions &options, std::shared_ptr<const CalibrationStatistics> given)
      : CompressPruneChannelsBase(options), given(std::move(given)) {}

  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(prune()))
      signalPassFailure();
  }

private:
  LogicalResult prune();
  LogicalResult readSettings();
  LogicalResult chooseMethod();
  std::string findObstacle(const ChannelGroups &groups, const ChannelGroup &group);
  size_t getStep(const ChannelGroups &groups, const ChannelGroup &group);
  LogicalResult choose(MutableArrayRef<Candidate> candidates, ChannelCosts &costs);
  double takeWholeModelsCost(double now);
  void compensateReaders(const ChannelGroups &groups, ArrayRef<const ChannelUnit *> units);

  std::shared_ptr<const CalibrationStatistics> given;
  ChannelPruning pruning;
  ChannelScore score;
  ChannelCompensation compensation;
  std::shared_ptr<const CalibrationStatistics> observed; ///< null without any
  ActivationStatistics statistics;
};
} // namespace

LogicalResult CompressPruneChannels::readSettings() {
  func::FuncOp function = getOperation();
  llvm::Expected<PruneSpec> parsed = PruneSpec::parse(spec);
  if (!parsed)
    return function.emitError() << llvm::toString(parsed.takeError());
  pruning = parsed->channels.value_or(ChannelPruning());
  if (pruning.fraction == 0)
    return success();
  if (round < 1 || round > rounds)
    return function.emitError("expected a round from 1 to ") << rounds.getValue() << ", but got " << round.getValue();
  observed.reset();
  statistics.clear();
  if (given || !file.empty() || pruning.needsStatistics()) {
    auto taken = takeStatistics(function.getLoc(), given, file);
    if (failed(taken))
      return failure();
    observed = *taken;
    statistics = matchStatistics(function, *observed);
  }
  return success();
}

/// By what is asked for and what is known.
LogicalResult CompressPruneChannels::chooseMethod() {
  bool hasGram = observed && !statistics.empty();
  for (const auto &[value, entry] : statistics)
    hasGram &= entry->channels.getRows() == 0 || entry->channels.hasGram();
  score = pruning.score.value_or(hasGram    ? ChannelScore::Reconstruction
                                 : observed ? ChannelScore::Activation
                                            : ChannelScore::Magnitude);
  compensation = pruning.compensation.value_or(hasGram    ? ChannelCompensation::LeastSquares
                                               : observed ? ChannelCompensation::Mean
                                                          : ChannelCompensation::None);
  if (!observed)
    remark::missed(getOperation().getLoc(), remarkOptions())
        << remark::reason("without samples or statistics (--calibrate) nothing makes up for what is removed");
  bool wantsGram = score == ChannelScore::Reconstruction || compensation == ChannelCompensation::LeastSquares;
  if (wantsGram && !hasGram)
    return getOperation().emitError("expected statistics with products of channels to reconstruct them, but got none: "
                                    "calibrate with samples");
  return success();
}

/// Why all channels of a group stay; empty if they need not.
std::string CompressPruneChannels::findObstacle(const ChannelGroups &groups, const ChannelGroup &group) {
  bool read = false;
  for (const ChannelSlice &slice : group.units.front().slices) {
    const ChannelAxis &axis = groups.getAxes()[slice.axis];
    if (axis.role == ChannelAxis::Role::Output)
      if (std::optional<StringRef> own = getSetting(axis.reader, "prune")) {
        llvm::Expected<PruneSpec> parsed = PruneSpec::parse(*own);
        bool keeps = !parsed || !parsed->channels;
        if (!parsed)
          llvm::consumeError(parsed.takeError());
        if (keeps)
          return "skipped by recipe";
      }
    if (axis.role != ChannelAxis::Role::Input)
      continue;
    read = true;
    const ValueStatistics *known = statistics.lookup(Contraction::match(axis.reader)->getInput());
    if (observed && (!known || known->channels.getChannels() != axis.size || known->channels.getRows() == 0))
      return "no statistics of what reads it";
  }
  return read ? "" : "no contraction reads it";
}

/// Channels are removed by whole vectors where there are at least two, by halves of what is there otherwise.
size_t CompressPruneChannels::getStep(const ChannelGroups &groups, const ChannelGroup &group) {
  size_t elements = std::numeric_limits<size_t>::max();
  for (const ChannelSlice &slice : group.units.front().slices)
    if (groups.getAxes()[slice.axis].role == ChannelAxis::Role::Output)
      elements = std::min<size_t>(elements, slice.indices.size());
  size_t step = elements > 1 ? 1 : nn::getTarget(getOperation()).getVectorBits() / 32;
  while (step > 1 && group.units.size() < 2 * step)
    step /= 2;
  return std::max<size_t>(step, 1);
}

/// The multiply-adds before the first round, which a discardable attribute hands on to the last.
double CompressPruneChannels::takeWholeModelsCost(double now) {
  constexpr StringLiteral attribute = "lathe.multiply_adds";
  func::FuncOp function = getOperation();
  auto known = function->getAttrOfType<FloatAttr>(attribute);
  double all = known && round > 1 ? known.getValueAsDouble() : now;
  if (round < rounds)
    function->setAttr(attribute, Builder(&getContext()).getF64FloatAttr(all));
  else
    function->removeAttr(attribute);
  return all;
}

/// Cuts the candidates, each time the one that loses least for the work it saves (or whose units have the least
/// scores), until enough of the multiply-adds are gone.
LogicalResult CompressPruneChannels::choose(MutableArrayRef<Candidate> candidates, ChannelCosts &costs) {
  const double all = takeWholeModelsCost(costs.getTotal());
  const double wanted = std::pow(1 - pruning.fraction, double(round) / rounds) * all;
  for (double now = costs.getTotal(); now > wanted; now = costs.getTotal()) {
    Candidate *best = nullptr;
    double least = 0;
    for (Candidate &candidate : candidates) {
      std::optional<size_t> cut = candidate.getNextCut();
      if (!cut)
        continue;
      int64_t count = *cut - candidate.taken;
      double loss = 0;
      for (double one : ArrayRef(candidate.order.losses).slice(candidate.taken, count))
        loss += one;
      costs.remove(candidate.group->units.front(), count);
      double saved = now - costs.getTotal();
      costs.remove(candidate.group->units.front(), -count);
      double price = score == ChannelScore::Reconstruction ? loss / std::max(saved, 1.0) : loss / double(count);
      if (!best || price < least)
        best = &candidate, least = price;
    }
    if (!best)
      return getOperation().emitError("expected to remove ")
             << llvm::formatv("{0:P1}", pruning.fraction).str() << " of the multiply-adds, but channels that can go make up "
             << llvm::formatv("{0:P1}", 1 - now / all).str();
    costs.remove(best->group->units.front(), int64_t(*best->getNextCut() - best->taken));
    best->taken = *best->getNextCut();
  }
  return success();
}

void CompressPruneChannels::compensateReaders(const ChannelGroups &groups, ArrayRef<const ChannelUnit *> units) {
  llvm::MapVector<Operation *, SmallVector<int64_t>> removed;
  for (const ChannelUnit *unit : units)
    for (const ChannelSlice &slice : unit->slices)
      if (const ChannelAxis &axis = groups.getAxes()[slice.axis]; axis.role == ChannelAxis::Role::Input)
        llvm::append_range(removed[axis.reader], slice.indices);
  for (auto &[op, rows] : removed) {
    Contraction reader = *Contraction::match(op);
    ChannelMoments moments(statistics.lookup(reader.getInput())->channels, !reader.isPadded());
    compensate(reader, rows, moments, compensation);
  }
}

LogicalResult CompressPruneChannels::prune() {
  func::FuncOp function = getOperation();
  if (failed(readSettings()))
    return failure();
  if (pruning.fraction == 0)
    return success();
  if (failed(chooseMethod()))
    return failure();
  ChannelGroups groups(function);
  std::vector<Candidate> candidates;
  for (const ChannelGroup &group : groups.getGroups()) {
    if (std::string obstacle = findObstacle(groups, group); !obstacle.empty()) {
      remark::missed(groups.getProducer(group)->getLoc(), remarkOptions()) << remark::reason("{0}", obstacle);
      continue;
    }
    candidates.push_back({&group, orderUnits(groups, group, score, statistics), getStep(groups, group)});
  }
  if (candidates.empty() && round == 1)
    return function.emitError("expected channels that can be removed, but got none");
  ChannelCosts costs(function, groups);
  double before = costs.getTotal();
  if (failed(choose(candidates, costs)))
    return failure();

  SmallVector<const ChannelUnit *> removed;
  for (const Candidate &candidate : candidates) {
    llvm::append_range(removed, ArrayRef(candidate.order.units).take_front(candidate.taken));
    if (!candidate.taken)
      continue;
    double loss = 0;
    for (double one : ArrayRef(candidate.order.losses).take_front(candidate.taken))
      loss += one;
    remark::passed(groups.getProducer(*candidate.group)->getLoc(), remarkOptions())
        << remark::metric("Units", int64_t(candidate.group->units.size()))
        << remark::metric("Removed", int64_t(candidate.taken)) << remark::metric("Loss", loss);
  }
  if (compensation != ChannelCompensation::None)
    compensateReaders(groups, removed);
  for (const auto &change : costs.getChanges())
    remark::passed(change.op->getLoc(), remarkOptions()) << remark::metric("MultiplyAddsBefore", change.before)
                                                         << remark::metric("MultiplyAddsAfter", change.after);
  remark::passed(function.getLoc(), remarkOptions())
      << remark::metric("ModelMultiplyAddsBefore", before) << remark::metric("ModelMultiplyAddsAfter", costs.getTotal());
  return removeChannels(function, groups, removed);
}

std::unique_ptr<Pass> lathe::createCompressPruneChannels(const CompressPruneChannelsOptions &options,
                                                         std::shared_ptr<const CalibrationStatistics> statistics) {
  return std::make_unique<CompressPruneChannels>(options, std::move(statistics));
}
