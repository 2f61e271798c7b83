//===- PlanArena.cpp - One arena for the buffers of @main -----------------===//
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_PLANARENAPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// No machine has more memory than that for a workspace; sums of such sizes do not overflow.
static constexpr int64_t kMostBytes = int64_t(1) << 40;

/// Alignment of buffers, LATHE_ALIGNMENT of rt_abi.h: a cache line.
static constexpr int64_t kAlignment = 64;

namespace {

/// A buffer and when it is alive: from op number `begin` of @main to op number `end`, both inclusive.
struct Buffer {
  memref::AllocOp alloc;
  int64_t bytes = 0, offset = 0;
  unsigned begin = 0, end = 0;

  bool livesWith(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

/// The ops of @main, those in loops too, numbered in the order of their text.
class OpPositions {
public:
  explicit OpPositions(func::FuncOp main) { number(main); }

  /// First and last op while which the buffer is alive. Of a use in a loop that the buffer was made before, the whole
  /// loop counts: the next iteration may read it again. A buffer that is made in a loop is made anew in each iteration,
  /// and no longer alive after its last use, unless an alias of it leaves the loop's body.
  std::pair<unsigned, unsigned> getLife(memref::AllocOp alloc, BufferViewFlowAnalysis &aliases) const {
    SmallVector<Operation *> users;
    Region *home = alloc->getParentRegion();
    for (Value alias : aliases.resolve(alloc.getResult())) {
      // What only names a part of it, often where the buffer is made, needs nothing of it yet.
      llvm::append_range(users, llvm::make_filter_range(
                                    alias.getUsers(), [](Operation *user) { return !isa<ViewLikeOpInterface>(user); }));
      while (!isWithin(alias, home))
        home = home->getParentRegion();
    }
    if (home != alloc->getParentRegion())
      users.push_back(alloc); // with the loop around it
    std::pair<unsigned, unsigned> life = {UINT_MAX, 0};
    for (Operation *user : users) {
      auto [first, last] = spans.lookup(home->findAncestorOpInRegion(*user));
      life = {std::min(life.first, first), std::max(life.second, last)};
    }
    return {std::min(life.first, life.second), life.second};
  }

private:
  /// Whether a value is made anew in each run of the region: arguments of a loop's body come from its last iteration.
  static bool isWithin(Value value, Region *region) {
    bool isCarried =
        isa<BlockArgument>(value) && value.getParentRegion() == region && !isa<func::FuncOp>(region->getParentOp());
    return region->isAncestor(value.getParentRegion()) && !isCarried;
  }

  void number(Operation *op) {
    unsigned first = next++;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          number(&inner);
    spans[op] = {first, next - 1};
  }

  unsigned next = 0;
  DenseMap<Operation *, std::pair<unsigned, unsigned>> spans; ///< of the ops inside, too
};

struct PlanArenaPass : lathe::impl::PlanArenaPassBase<PlanArenaPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return signalPassFailure();
    main.walk([](memref::DeallocOp op) { op.erase(); });
    SmallVector<Buffer> buffers;
    if (failed(collect(main, buffers)))
      return signalPassFailure();
    int64_t total = place(buffers);
    if (total > kMostBytes)
      return refuse(main, total), signalPassFailure();
    if (failed(replaceAllocs(main, buffers, total)))
      return signalPassFailure();
    Builder builder(&getContext());
    getOperation()->setAttr(kWorkspaceAttr, builder.getI64IntegerAttr(total));
    report(main, buffers, total);
  }

  /// The error for buffers of the largest sizes that no machine has room for.
  static void refuse(func::FuncOp main, int64_t bytes) {
    main.emitError("expected a workspace of at most 2^40 bytes, but got one with ")
        << bytes << " bytes or more; bound symbolic dimensions, and sizes that depend on data, with --dim";
  }

  LogicalResult collect(func::FuncOp main, SmallVectorImpl<Buffer> &buffers) {
    Signature signature = readSignature(getOperation());
    SizeBounds bounds(main, signature);
    OpPositions positions(main);
    BufferViewFlowAnalysis aliases(main);
    WalkResult walk = main.walk([&](memref::AllocOp alloc) {
      Buffer buffer;
      buffer.alloc = alloc;
      std::optional<int64_t> bytes = bounds.getBytes(alloc.getType(), alloc.getDynamicSizes());
      if (!bytes || !alloc.getType().getLayout().isIdentity()) {
        alloc.emitError("expected a buffer of bounded size, but got one of type ")
            << alloc.getType() << " whose size depends on data";
        return WalkResult::interrupt();
      }
      if (*bytes > kMostBytes)
        return refuse(main, *bytes), WalkResult::interrupt();
      buffer.bytes = llvm::alignTo(std::max<int64_t>(*bytes, 1), kAlignment);
      std::tie(buffer.begin, buffer.end) = positions.getLife(alloc, aliases);
      buffers.push_back(buffer);
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  /// Gives each buffer its offset; returns the arena's size. Starts with the largest first, and lets whatever ends
  /// highest choose its place before all others, as long as the live set would fit a smaller arena.
  static int64_t place(MutableArrayRef<Buffer> buffers) {
    SmallVector<Buffer *> order = llvm::map_to_vector(buffers, [](Buffer &buffer) { return &buffer; });
    llvm::sort(order,
               [](const Buffer *a, const Buffer *b) { return a->bytes != b->bytes ? a->bytes > b->bytes : a < b; });
    // Each takes quadratic time.
    int64_t most = std::clamp<int64_t>(50'000'000 / (order.size() * order.size() + 1), 1, 200);
    int64_t best = INT64_MAX, least = getLargestLiveSet(buffers);
    SmallVector<int64_t> offsets;
    for (int64_t trial = 0; trial < most && best > least; ++trial) {
      int64_t total = placeInOrder(order);
      if (total < best) {
        best = total;
        offsets = llvm::map_to_vector(buffers, [](const Buffer &buffer) { return buffer.offset; });
      }
      auto *highest =
          llvm::find_if(order, [&](const Buffer *buffer) { return buffer->offset + buffer->bytes == total; });
      if (highest == order.end())
        break; // there are none
      std::rotate(order.begin(), highest, highest + 1);
    }
    for (auto [buffer, offset] : llvm::zip(buffers, offsets))
      buffer.offset = offset;
    return buffers.empty() ? 0 : best;
  }

  /// Each into the lowest gap between those it lives with. Returns where the highest ends.
  static int64_t placeInOrder(ArrayRef<Buffer *> order) {
    SmallVector<Buffer *> placed; // by offset
    int64_t total = 0;
    for (Buffer *buffer : order) {
      int64_t offset = 0;
      for (Buffer *other : placed) {
        if (!buffer->livesWith(*other))
          continue;
        if (offset + buffer->bytes <= other->offset)
          break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      buffer->offset = offset;
      total = std::max(total, offset + buffer->bytes);
      auto *place =
          llvm::upper_bound(placed, buffer, [](const Buffer *a, const Buffer *b) { return a->offset < b->offset; });
      placed.insert(place, buffer);
    }
    return total;
  }

  /// Most bytes that are alive at a time: no arena is smaller.
  static int64_t getLargestLiveSet(ArrayRef<Buffer> buffers) {
    int64_t largest = 0;
    for (const Buffer &buffer : buffers) {
      int64_t live = 0;
      for (const Buffer &other : buffers)
        if (other.begin <= buffer.begin && buffer.begin <= other.end)
          live += other.bytes;
      largest = std::max(largest, live);
    }
    return largest;
  }

  LogicalResult replaceAllocs(func::FuncOp main, ArrayRef<Buffer> buffers, int64_t total) {
    OpBuilder builder(&getContext());
    auto arenaType = MemRefType::get({total}, builder.getI8Type());
    unsigned position = main.getNumArguments();
    if (failed(main.insertArgument(position, arenaType, builder.getDictionaryAttr({}), main.getLoc())))
      return failure();
    Value arena = main.getArgument(position);
    for (const Buffer &buffer : buffers) {
      memref::AllocOp alloc = buffer.alloc;
      builder.setInsertionPoint(alloc);
      Value offset = arith::ConstantIndexOp::create(builder, alloc.getLoc(), buffer.offset);
      auto view =
          memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(), arena, offset, alloc.getDynamicSizes());
      view->setAttr(kBytesAttr, builder.getI64IntegerAttr(buffer.bytes));
      alloc.replaceAllUsesWith(view.getResult());
      alloc.erase();
    }
    return success();
  }

  void report(func::FuncOp main, ArrayRef<Buffer> buffers, int64_t total) {
    int64_t sum = 0;
    for (const Buffer &buffer : buffers)
      sum += buffer.bytes;
    remark::passed(main.getLoc(), remark::RemarkOpts::name("Arena").category("codegen").function(main.getName()))
        << remark::metric("Bytes", total) << remark::metric("Buffers", buffers.size())
        << remark::metric("BytesOfAllBuffers", sum) << remark::metric("LargestLiveSet", getLargestLiveSet(buffers));
  }
};

} // namespace
