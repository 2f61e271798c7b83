//===- ChannelGroups.cpp - What must be removed together ------------------===//
#include "passes/Compress/Channels/ChannelGroups.h"
#include "passes/Compress/Channels/ChannelLinks.h"
#include "passes/Compress/Channels/Constants.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// ChannelLinks
//===----------------------------------------------------------------------===//

/// More elements than the hidden dimension of the widest layers has.
static constexpr int64_t kMaxChannels = 1 << 17;

unsigned ChannelLinks::add(ChannelAxis axis) {
  unsigned number = axes.size(), first = pinned.size();
  firstNode.push_back(first);
  classes.grow(first + axis.size);
  pinned.resize(first + axis.size);
  // The only element cannot be removed.
  if (axis.size == 1)
    pinned.set(first);
  axes.push_back(axis);
  return number;
}

ChannelLinks::AxisId ChannelLinks::getAxis(Value activation, unsigned dim) {
  auto type = cast<RankedTensorType>(activation.getType());
  if (type.isDynamicDim(dim) || type.getDimSize(dim) > kMaxChannels)
    return std::nullopt;
  auto [it, isNew] = activations.try_emplace({activation, dim}, axes.size());
  if (isNew) {
    unsigned axis = add({ChannelAxis::Role::Activation, nullptr, 0, activation, dim, type.getDimSize(dim)});
    if (isa<BlockArgument>(activation))
      pin(axis);
  }
  return it->second;
}

ChannelLinks::AxisId ChannelLinks::getAxis(OpOperand &operand, unsigned dim) {
  Operation *producer = operand.get().getDefiningOp();
  if (!producer || !producer->hasTrait<OpTrait::ConstantLike>())
    return getAxis(operand.get(), dim);
  int64_t size = cast<RankedTensorType>(operand.get().getType()).getDimSize(dim);
  if (size > kMaxChannels)
    return std::nullopt;
  Operation *reader = operand.getOwner();
  auto [it, isNew] = constants.try_emplace({reader, operand.getOperandNumber(), dim}, axes.size());
  if (isNew) {
    unsigned axis =
        add({ChannelAxis::Role::Parameter, reader, operand.getOperandNumber(), operand.get(), dim, size});
    if (!canSlice(operand.get()))
      pin(axis);
  }
  return it->second;
}

void ChannelLinks::link(unsigned a, int64_t i, unsigned b, int64_t j) {
  unsigned x = firstNode[a] + i, y = firstNode[b] + j;
  bool pin = pinned.test(classes.findLeader(x)) || pinned.test(classes.findLeader(y));
  classes.join(x, y); // what it returns may be a member that does not lead
  if (pin)
    pinned.set(classes.findLeader(x));
}

void ChannelLinks::linkAll(AxisId a, AxisId b) {
  if (!a || !b || axes[*a].size != axes[*b].size) {
    pin(a);
    pin(b);
    return;
  }
  for (int64_t i = 0; i < axes[*a].size; ++i)
    link(*a, i, *b, i);
}

void ChannelLinks::pin(AxisId axis) {
  if (!axis)
    return;
  for (int64_t i = 0; i < axes[*axis].size; ++i)
    pinned.set(classes.findLeader(firstNode[*axis] + i));
}

bool ChannelLinks::hasPinned(unsigned axis) const {
  for (int64_t i = 0; i < axes[axis].size; ++i)
    if (pinned.test(classes.findLeader(firstNode[axis] + i)))
      return true;
  return false;
}

std::vector<ChannelGroup> ChannelLinks::collectGroups() const {
  llvm::DenseMap<unsigned, unsigned> unitOfClass;
  std::vector<ChannelUnit> units;
  for (unsigned axis = 0; axis < axes.size(); ++axis)
    for (int64_t i = 0; i < axes[axis].size; ++i) {
      unsigned leader = classes.findLeader(firstNode[axis] + i);
      if (pinned.test(leader))
        continue;
      auto [it, isNew] = unitOfClass.try_emplace(leader, units.size());
      if (isNew)
        units.emplace_back();
      SmallVector<ChannelSlice> &slices = units[it->second].slices;
      if (slices.empty() || slices.back().axis != axis)
        slices.push_back({axis, {}});
      slices.back().indices.push_back(i);
    }
  // The axes, and how many elements of each.
  std::map<std::vector<unsigned>, unsigned> groupOf;
  std::vector<ChannelGroup> groups;
  for (ChannelUnit &unit : units) {
    std::vector<unsigned> signature;
    bool computed = false;
    for (const ChannelSlice &slice : unit.slices) {
      signature.push_back(slice.axis);
      signature.push_back(slice.indices.size());
      computed |= axes[slice.axis].role == ChannelAxis::Role::Output;
    }
    if (!computed)
      continue;
    auto [it, isNew] = groupOf.try_emplace(std::move(signature), groups.size());
    if (isNew)
      groups.emplace_back();
    groups[it->second].units.push_back(std::move(unit));
  }
  return groups;
}

//===----------------------------------------------------------------------===//
// ChannelGroups
//===----------------------------------------------------------------------===//

ChannelGroups::ChannelGroups(func::FuncOp function) {
  ChannelLinks links;
  linkChannels(function, links);
  groups = links.collectGroups();
  axes = links.takeAxes();
}

Operation *ChannelGroups::getProducer(const ChannelGroup &group) const {
  for (const ChannelSlice &slice : group.units.front().slices)
    if (axes[slice.axis].role == ChannelAxis::Role::Output)
      return axes[slice.axis].reader;
  return nullptr;
}
