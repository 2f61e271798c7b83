//===- CodeParts.cpp - A module in parts that are compiled apart ----------===//
#include "lib/Target/CodeParts.h"

#include "lib/Target/Target.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/SetVector.h"
#include <numeric>

using namespace mlir;
using namespace lathe;

/// Operations that are worth a part: fewer take LLVM about as long as to set up its passes a few times.
static constexpr size_t kPartOps = 4000;
static constexpr size_t kMostParts = 32;

static bool isDeclaration(Operation *symbol) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(symbol))
    return function.isExternal();
  auto global = dyn_cast<LLVM::GlobalOp>(symbol);
  return global && !global.getValueAttr() && !global.getInitializerBlock();
}

/// True if the symbol may lie in another part than what refers to it, at no cost to the code.
static bool mayLieApart(Operation *symbol) { return isDeclaration(symbol) || symbol->hasAttr(kKernelAttr); }

static size_t countOps(Operation *symbol) {
  size_t count = 0;
  symbol->walk([&](Operation *) { ++count; });
  return count;
}

/// The symbols that each symbol refers to.
static SmallVector<llvm::SmallSetVector<unsigned, 8>> findUses(ArrayRef<Operation *> symbols) {
  llvm::DenseMap<StringAttr, unsigned> positions;
  for (auto [index, symbol] : llvm::enumerate(symbols))
    positions[SymbolTable::getSymbolName(symbol)] = index;
  SmallVector<llvm::SmallSetVector<unsigned, 8>> uses(symbols.size());
  for (auto [index, symbol] : llvm::enumerate(symbols)) {
    std::optional<SymbolTable::UseRange> inside = SymbolTable::getSymbolUses(symbol);
    for (const SymbolTable::SymbolUse &use : *inside)
      if (auto found = positions.find(use.getSymbolRef().getRootReference()); found != positions.end())
        uses[index].insert(found->second);
  }
  return uses;
}

CodeParts::CodeParts(ModuleOp module) : module(module), parts(1, module) {
  for (Operation &op : *module.getBody()) {
    if (!isa<LLVM::LLVMFuncOp, LLVM::GlobalOp>(op))
      return; // of another kind, which the other parts might need
    order.push_back(&op);
  }
  auto sizes = llvm::map_to_vector(order, countOps);
  size_t count = std::min(std::accumulate(sizes.begin(), sizes.end(), size_t(0)) / kPartOps, kMostParts);
  if (count < 2)
    return;
  auto uses = findUses(order);
  llvm::IntEqClasses classes(order.size());
  for (auto [user, used] : llvm::enumerate(uses))
    for (unsigned each : used)
      if (!mayLieApart(order[each]))
        classes.join(user, each);
  classes.compress();

  // The largest group first, each to the part with the least in it.
  SmallVector<size_t> groupSizes(classes.getNumClasses());
  for (auto [index, size] : llvm::enumerate(sizes))
    if (!isDeclaration(order[index]))
      groupSizes[classes[index]] += size;
  SmallVector<unsigned> groups;
  for (auto [group, size] : llvm::enumerate(groupSizes))
    if (size != 0)
      groups.push_back(group);
  if (groups.size() < 2)
    return;
  llvm::sort(groups, [&](unsigned a, unsigned b) { return std::pair(groupSizes[b], a) < std::pair(groupSizes[a], b); });
  SmallVector<size_t> partSizes(std::min<size_t>(count, groups.size()));
  SmallVector<unsigned> partOfGroup(groupSizes.size());
  for (unsigned group : groups) {
    unsigned part = llvm::min_element(partSizes) - partSizes.begin();
    partOfGroup[group] = part;
    partSizes[part] += groupSizes[group];
  }

  for (size_t i = 0; i < partSizes.size(); ++i) {
    OwningOpRef<ModuleOp> &part = owned.emplace_back(ModuleOp::create(module.getLoc()));
    (*part)->setAttrs(module->getAttrDictionary());
  }
  SmallVector<ModuleOp> partOf(order.size());
  for (auto [index, symbol] : llvm::enumerate(order))
    if (!isDeclaration(symbol)) {
      partOf[index] = *owned[partOfGroup[classes[index]]];
      symbol->moveBefore(partOf[index].getBody(), partOf[index].getBody()->end());
    }
  llvm::DenseSet<std::pair<Operation *, unsigned>> declared;
  for (auto [user, used] : llvm::enumerate(uses))
    for (unsigned each : used)
      if (partOf[user] && partOf[user] != partOf[each] && declared.insert({partOf[user], each}).second)
        declare(order[each], partOf[user]);
  parts = llvm::map_to_vector(owned, [](OwningOpRef<ModuleOp> &part) { return *part; });
}

void CodeParts::declare(Operation *symbol, ModuleOp part) {
  auto function = dyn_cast<LLVM::LLVMFuncOp>(symbol);
  if (function && !function.isExternal() && function.getLinkage() == LLVM::Linkage::Internal) {
    function.setLinkage(LLVM::Linkage::External);
    function.setVisibility_(LLVM::Visibility::Hidden);
    function.setDsoLocal(true);
    shared.push_back(function);
  }
  part.getBody()->push_front(symbol->cloneWithoutRegions());
}

CodeParts::~CodeParts() {
  if (owned.empty())
    return;
  for (LLVM::LLVMFuncOp function : shared) {
    function.setLinkage(LLVM::Linkage::Internal);
    function.setVisibility_(LLVM::Visibility::Default);
    function.setDsoLocal(false);
  }
  for (Operation *symbol : order)
    symbol->moveBefore(module.getBody(), module.getBody()->end());
}
