//===- ChannelCosts.cpp - Multiply-adds by channels -----------------------===//
#include "passes/Compress/Channels/ChannelCosts.h"
#include "dialects/NN/IR/NNDialect.h"
#include "passes/Compress/Channels/Contractions.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

static double countElements(ArrayRef<int64_t> shape) {
  double count = 1;
  for (int64_t size : shape)
    count *= ShapedType::isDynamic(size) ? 1 : double(size);
  return count;
}

static ArrayRef<int64_t> getShape(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

ChannelCosts::ChannelCosts(func::FuncOp function, const ChannelGroups &groups) {
  llvm::DenseMap<Operation *, SmallVector<unsigned, 2>> weightAxes;
  llvm::DenseMap<std::pair<Value, unsigned>, unsigned> activationAxes;
  for (auto [number, axis] : llvm::enumerate(groups.getAxes())) {
    sizes.push_back(axis.size);
    if (!axis.isConstant())
      activationAxes[{axis.value, axis.dim}] = number;
    else if (auto contraction = Contraction::match(axis.reader);
             contraction && axis.operand == 1 &&
             (axis.dim == contraction->getOutputDim() || (axis.dim == contraction->getInputDim() && contraction->isDense())))
      weightAxes[axis.reader].push_back(number);
  }
  kept = sizes;
  for (Operation &op : function.getBody().front()) {
    if (auto contraction = Contraction::match(&op)) {
      double macs = countElements(getShape(contraction->getResult())) * double(contraction->getTaps()) *
                    double(contraction->getInputs());
      costs.push_back({&op, macs, weightAxes.lookup(&op)});
    } else if (auto attention = dyn_cast<nn::AttentionOp>(op)) {
      unsigned heads = attention.getHeadsFirst() ? 1 : 2;
      double keys = countElements(getShape(attention.getValue())[attention.getKvHeadsFirst() ? 2 : 1]);
      double macs = (countElements(getShape(attention.getQuery())) + countElements(getShape(attention.getResult()))) * keys;
      Cost cost{&op, macs, {}};
      if (auto axis = activationAxes.find({attention.getQuery(), heads}); axis != activationAxes.end())
        cost.axes.push_back(axis->second);
      costs.push_back(std::move(cost));
    } else if (auto matmul = dyn_cast<nn::MatMulOp>(op)) {
      costs.push_back({&op, countElements(getShape(matmul.getResult())) * countElements(getShape(matmul.getLhs()).back()), {}});
    }
  }
}

void ChannelCosts::remove(const ChannelUnit &unit, int64_t times) {
  for (const ChannelSlice &slice : unit.slices)
    kept[slice.axis] -= times * int64_t(slice.indices.size());
}

double ChannelCosts::getMacs(const Cost &cost) const {
  double macs = cost.macs;
  for (unsigned axis : cost.axes)
    macs *= double(kept[axis]) / double(sizes[axis]);
  return macs;
}

double ChannelCosts::getTotal() const {
  double total = 0;
  for (const Cost &cost : costs)
    total += getMacs(cost);
  return total;
}

std::vector<ChannelCosts::Change> ChannelCosts::getChanges() const {
  std::vector<Change> changes;
  for (const Cost &cost : costs)
    if (double macs = getMacs(cost); macs < cost.macs)
      changes.push_back({cost.op, std::llround(cost.macs), std::llround(macs)});
  return changes;
}
