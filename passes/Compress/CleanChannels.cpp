//===- CleanChannels.cpp - Removes channels that compute nothing new ------===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Channels/ConstantChannels.h"
#include "passes/Compress/Channels/Contractions.h"
#include "passes/Compress/Channels/RemoveChannels.h"
#include "passes/Compress/Passes.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <map>

namespace lathe {
#define GEN_PASS_DEF_COMPRESSCLEANCHANNELS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
/// Why a unit can go.
struct Finding {
  enum Reason { Unread, Constant, Duplicate } reason;
  const ChannelUnit *same = nullptr; ///< what a duplicate equals
};

/// One round: what can be removed from the function as it is.
class Cleaner {
public:
  explicit Cleaner(func::FuncOp function) : function(function), groups(function), constants(function) {}

  /// Removes what it finds. Returns whether there was anything.
  FailureOr<bool> run();

private:
  const ChannelAxis &getAxis(const ChannelSlice &slice) const { return groups.getAxes()[slice.axis]; }
  ArrayRef<float> getWeight(Operation *op);

  bool isRowZero(const Contraction &op, int64_t row);
  /// What the channels that a slice of a weight's rows reads hold; nullopt where they vary, or meet padding.
  std::optional<float> getConstant(const Contraction &op, int64_t row);
  /// Whether whoever reads a unit reads constants or multiplies by zero.
  std::optional<Finding> findUseless(const ChannelUnit &unit);
  void findDuplicates(const ChannelGroup &group);
  llvm::hash_code hashUnit(const ChannelUnit &unit);
  bool computeTheSame(const ChannelUnit &a, const ChannelUnit &b);
  void foldIntoReaders(const ChannelUnit &unit);
  void addRows(const ChannelUnit &from, const ChannelUnit &to);

  func::FuncOp function;
  ChannelGroups groups;
  ConstantChannels constants;
  /// Views of weights and, where these are not resources, what they view.
  std::map<Operation *, std::pair<ArrayRef<float>, std::vector<float>>> weights;
  llvm::MapVector<Operation *, std::vector<float>> newWeights;
  llvm::DenseMap<const ChannelUnit *, Finding> findings;
};

struct CompressCleanChannels : lathe::impl::CompressCleanChannelsBase<CompressCleanChannels> {
  using CompressCleanChannelsBase::CompressCleanChannelsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    // A channel that is gone may have been all that read another one.
    for (FailureOr<bool> changed = true; succeeded(changed) && *changed;) {
      changed = Cleaner(function).run();
      if (failed(changed))
        return signalPassFailure();
    }
  }
};
} // namespace

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("CleanChannels").category("compress"); }

//===----------------------------------------------------------------------===//
// Units that nobody needs
//===----------------------------------------------------------------------===//

ArrayRef<float> Cleaner::getWeight(Operation *op) {
  auto [it, isNew] = weights.try_emplace(op);
  if (isNew)
    it->second.first = Contraction::match(op)->getWeight(it->second.second);
  return it->second.first;
}

bool Cleaner::isRowZero(const Contraction &op, int64_t row) {
  ArrayRef<float> weight = getWeight(op.getOperation());
  int64_t inputs = op.getInputs(), outputs = op.getOutputs();
  for (int64_t tap = 0, taps = op.getTaps(); tap < taps; ++tap)
    for (float element : weight.slice((tap * inputs + row) * outputs, outputs))
      if (element != 0)
        return false;
  return true;
}

std::optional<float> Cleaner::getConstant(const Contraction &op, int64_t row) {
  unsigned last = cast<ShapedType>(op.getInput().getType()).getRank() - 1;
  std::optional<float> number = constants.get(op.getInput(), last, row);
  return number && *number != 0 && op.isPadded() ? std::nullopt : number;
}

std::optional<Finding> Cleaner::findUseless(const ChannelUnit &unit) {
  Finding finding{Finding::Unread};
  for (const ChannelSlice &slice : unit.slices) {
    const ChannelAxis &axis = getAxis(slice);
    if (axis.role != ChannelAxis::Role::Input)
      continue;
    Contraction reader = *Contraction::match(axis.reader);
    for (int64_t row : slice.indices) {
      if (isRowZero(reader, row))
        continue;
      finding.reason = Finding::Constant;
      if (!getConstant(reader, row))
        return std::nullopt;
    }
  }
  return finding;
}

/// What constants other than 0 give the accumulators of those who read them.
void Cleaner::foldIntoReaders(const ChannelUnit &unit) {
  for (const ChannelSlice &slice : unit.slices) {
    const ChannelAxis &axis = getAxis(slice);
    if (axis.role != ChannelAxis::Role::Input)
      continue;
    Contraction reader = *Contraction::match(axis.reader);
    ArrayRef<float> weight = getWeight(axis.reader);
    int64_t inputs = reader.getInputs(), outputs = reader.getOutputs();
    std::vector<float> sums(outputs, 0);
    bool any = false;
    for (int64_t row : slice.indices) {
      float number = getConstant(reader, row).value_or(0);
      any |= number != 0;
      for (int64_t i = 0; number != 0 && i < reader.getTaps() * outputs; ++i)
        sums[i % outputs] += number * weight[((i / outputs) * inputs + row) * outputs + i % outputs];
    }
    if (any)
      reader.addToAccumulator(sums);
  }
}

//===----------------------------------------------------------------------===//
// Units that compute what others do
//===----------------------------------------------------------------------===//

/// Calls back with the bytes of each element of a slice of a constant, in order.
static void forEachElement(const ChannelAxis &axis, ArrayRef<int64_t> indices,
                           llvm::function_ref<bool(ArrayRef<char>)> callback) {
  ElementsAttr constant;
  matchPattern(axis.value, m_Constant(&constant));
  ArrayRef<int64_t> shape = cast<ShapedType>(constant.getType()).getShape();
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  if (dense && dense.isSplat())
    return; // all slices are equal
  ArrayRef<char> bytes = resource ? resource.getRawHandle().getBlob()->getData() : dense.getRawData();
  int64_t width = constant.getElementType().getIntOrFloatBitWidth() / 8, inner = 1, outer = 1;
  for (auto [dim, size] : llvm::enumerate(shape))
    (dim < axis.dim ? outer : inner) *= dim == axis.dim ? 1 : size;
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : indices)
      if (!callback(bytes.slice(((i * axis.size + index) * inner) * width, inner * width)))
        return;
}

/// Of the first weights that compute the unit: units that differ later are rare and compared in full.
llvm::hash_code Cleaner::hashUnit(const ChannelUnit &unit) {
  constexpr unsigned kMost = 64;
  llvm::hash_code hash = 0;
  for (const ChannelSlice &slice : unit.slices)
    if (unsigned count = 0; getAxis(slice).role == ChannelAxis::Role::Output)
      forEachElement(getAxis(slice), slice.indices, [&](ArrayRef<char> bytes) {
        hash = llvm::hash_combine(hash, llvm::hash_combine_range(bytes));
        return ++count < kMost;
      });
  return hash;
}

bool Cleaner::computeTheSame(const ChannelUnit &a, const ChannelUnit &b) {
  for (auto [x, y] : llvm::zip_equal(a.slices, b.slices)) {
    const ChannelAxis &axis = getAxis(x);
    if (!axis.isConstant() || axis.role == ChannelAxis::Role::Input)
      continue;
    SmallVector<ArrayRef<char>> elements;
    forEachElement(axis, x.indices, [&](ArrayRef<char> bytes) {
      elements.push_back(bytes);
      return true;
    });
    size_t next = 0;
    bool equal = true;
    forEachElement(axis, y.indices, [&](ArrayRef<char> bytes) { return equal = elements[next++] == bytes; });
    if (!equal)
      return false;
  }
  return true;
}

void Cleaner::findDuplicates(const ChannelGroup &group) {
  std::map<size_t, SmallVector<const ChannelUnit *, 1>> byHash;
  for (const ChannelUnit &unit : group.units) {
    if (findings.count(&unit))
      continue;
    SmallVector<const ChannelUnit *, 1> &alike = byHash[hashUnit(unit)];
    auto *same = llvm::find_if(alike, [&](const ChannelUnit *other) { return computeTheSame(*other, unit); });
    if (same == alike.end())
      alike.push_back(&unit);
    else
      findings[&unit] = {Finding::Duplicate, *same};
  }
}

/// Readers of `from` read `to` instead.
void Cleaner::addRows(const ChannelUnit &from, const ChannelUnit &to) {
  for (auto [x, y] : llvm::zip_equal(from.slices, to.slices)) {
    const ChannelAxis &axis = getAxis(x);
    if (axis.role != ChannelAxis::Role::Input)
      continue;
    Contraction reader = *Contraction::match(axis.reader);
    std::vector<float> &weight = newWeights[axis.reader];
    if (weight.empty())
      weight = getWeight(axis.reader).vec();
    int64_t inputs = reader.getInputs(), outputs = reader.getOutputs();
    for (auto [source, target] : llvm::zip_equal(x.indices, y.indices))
      for (int64_t tap = 0, taps = reader.getTaps(); tap < taps; ++tap)
        for (int64_t output = 0; output < outputs; ++output)
          weight[(tap * inputs + target) * outputs + output] += weight[(tap * inputs + source) * outputs + output];
  }
}

//===----------------------------------------------------------------------===//
// One round
//===----------------------------------------------------------------------===//

FailureOr<bool> Cleaner::run() {
  SmallVector<const ChannelUnit *> removed;
  for (const ChannelGroup &group : groups.getGroups()) {
    for (const ChannelUnit &unit : group.units)
      if (std::optional<Finding> finding = findUseless(unit))
        findings[&unit] = *finding;
    findDuplicates(group);
    for (const ChannelUnit &unit : group.units)
      if (findings.count(&unit))
        removed.push_back(&unit);
  }
  removed = keepOneOfEach(groups, removed);
  if (removed.empty())
    return false;

  for (const ChannelUnit *unit : removed) {
    Finding finding = findings[unit];
    finding.same ? addRows(*unit, *finding.same) : foldIntoReaders(*unit);
  }
  for (auto &[op, weight] : newWeights)
    Contraction::match(op)->setWeight(weight);
  llvm::SmallPtrSet<const ChannelUnit *, 16> gone(removed.begin(), removed.end());
  for (const ChannelGroup &group : groups.getGroups()) {
    int64_t counts[3] = {};
    for (const ChannelUnit &unit : group.units)
      if (gone.contains(&unit))
        ++counts[findings[&unit].reason];
    if (int64_t all = counts[0] + counts[1] + counts[2])
      remark::passed(groups.getProducer(group)->getLoc(), remarkOptions())
          << remark::metric("Units", int64_t(group.units.size())) << remark::metric("Removed", all)
          << remark::metric("Unread", counts[Finding::Unread]) << remark::metric("Constant", counts[Finding::Constant])
          << remark::metric("Duplicate", counts[Finding::Duplicate]);
  }
  if (failed(removeChannels(function, groups, removed)))
    return failure();
  return true;
}
