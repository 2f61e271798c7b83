//===- Profile.cpp - lathe bench --profile --------------------------------===//
#include "tools/lathe/Profile.h"

#include "tools/lathe/Session.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <algorithm>
#include <cmath>

using namespace lathe;

static double medianOf(std::vector<double> values) { return summarize(std::move(values)).median; }

llvm::Expected<Profile> Profile::measure(const ProfileLayout &layout, LoadedModel &model, int runs,
                                         llvm::function_ref<llvm::Error()> runOnce) {
  Profile profile;
  std::vector<ProfiledRun> measured;
  double begin = now(), lastBegin = begin;
  // The counter's rate is known from the distance of two runs on the clock.
  constexpr double kLeastMs = 20;
  while (int(measured.size()) < std::max(runs, 2) || lastBegin - begin < kLeastMs) {
    lastBegin = now();
    if (llvm::Error error = runOnce())
      return std::move(error);
    measured.push_back(readProfile(layout, model.getWorkspace()));
  }
  double ticks = double(measured.back().begin - measured.front().begin);
  profile.ticksPerMicrosecond = std::max(ticks / ((lastBegin - begin) * 1000), 1e-9);

  auto toMicroseconds = [&](uint64_t ticks) { return double(ticks) / profile.ticksPerMicrosecond; };
  std::vector<double> times(measured.size());
  for (size_t index = 0; index < layout.calls.size(); ++index) {
    Layer layer{layout.calls[index], int64_t(measured.back().calls[index].count)};
    for (auto [time, run] : llvm::zip(times, measured))
      time = toMicroseconds(run.calls[index].ticks);
    layer.microseconds = medianOf(times);
    profile.layers.push_back(std::move(layer));
  }
  for (auto [time, run] : llvm::zip(times, measured))
    time = toMicroseconds(run.end - run.begin);
  profile.total = medianOf(times);
  profile.fastest = measured[std::min_element(times.begin(), times.end()) - times.begin()];
  return std::move(profile);
}

double Profile::getRest() const {
  double rest = total;
  for (const Layer &layer : layers)
    rest -= layer.microseconds;
  return std::max(rest, 0.0);
}

namespace {
/// What a line of the table is about: the work of some calls, of which unknown parts count as none, and their time.
struct Work {
  double microseconds = 0, macs = 0, bytes = 0;
  double leastMicroseconds = 0; ///< by the roofline, of each call on its own
  int64_t calls = 0;

  static Work of(const Profile::Layer &layer, const Roofline &roofline) {
    Work work{layer.microseconds, double(std::max<int64_t>(layer.call.macs, 0)) * double(layer.count),
              double(std::max<int64_t>(layer.call.bytes, 0)) * double(layer.count), 0, layer.count};
    double weights = work.bytes > 0 ? double(layer.call.weightBytes) * double(layer.count) : 0;
    work.leastMicroseconds = roofline.leastMicroseconds(work.macs, weights, work.bytes - weights);
    return work;
  }
  Work &operator+=(const Work &other) {
    microseconds += other.microseconds;
    macs += other.macs;
    bytes += other.bytes;
    leastMicroseconds += other.leastMicroseconds;
    calls += other.calls;
    return *this;
  }
  /// 0 where the time or the work is unknown.
  double getGflops() const { return microseconds > 0 ? 2 * macs / microseconds / 1000 : 0; }
  double getGbs() const { return microseconds > 0 ? bytes / microseconds / 1000 : 0; }
  double getRooflineShare() const { return microseconds > 0 ? leastMicroseconds / microseconds : 0; }
};
} // namespace

/// Calls that the table's shares show as 0.0 %.
static constexpr double kVisibleShare = 0.0005;

void Profile::print(llvm::raw_ostream &stream, const Roofline &roofline) const {
  auto cell = [&](double value, int width, int digits) {
    if (value > 0)
      stream << llvm::format(" %*.*f", width, digits, value);
    else
      stream << llvm::right_justify("-", width + 1);
  };
  auto line = [&](const Work &work, llvm::StringRef op, llvm::StringRef name) {
    stream << llvm::format("%12.2f %6.1f", work.microseconds, 100 * share(work.microseconds));
    cell(work.getGflops(), 8, 1);
    cell(100 * work.getGflops() / roofline.gflops, 6, 1);
    cell(work.bytes / 1000, 9, 1);
    cell(work.getGbs(), 7, 1);
    cell(100 * work.getRooflineShare(), 6, 1);
    cell(double(work.calls), 6, 0);
    stream << "  " << llvm::left_justify(op, 16) << " " << name << "\n";
  };
  stream << "     time us      %  GFLOP/s % peak        KB    GB/s % roof  calls  op               node\n";
  Work invisible, sum;
  llvm::SmallSetVector<llvm::StringRef, 4> invisibleOps;
  for (const Layer &layer : layers) {
    Work work = Work::of(layer, roofline);
    sum += work;
    if (share(work.microseconds) >= kVisibleShare) {
      line(work, layer.call.op, layer.call.name);
      continue;
    }
    invisible += work;
    invisibleOps.insert(layer.call.op);
  }
  if (invisible.calls)
    line(invisible, "below 0.05 %", llvm::join(invisibleOps, ", "));
  line({getRest()}, "", "between layers");
  sum.microseconds = total;
  line(sum, "", "total");
  stream << llvm::format(
      "peak: %.1f GFLOP/s of f32 multiply-adds; read: %.1f GB/s of as many bytes as the weights, %.1f of "
      "the workspace\n",
      roofline.gflops, roofline.weightGbs, roofline.workspaceGbs);
}

llvm::json::Object Profile::toJSON(const Roofline &roofline) const {
  llvm::json::Array rows;
  Work sum;
  for (const Layer &layer : layers) {
    Work work = Work::of(layer, roofline);
    sum += work;
    llvm::json::Object row{{"name", layer.call.name},
                           {"op", layer.call.op},
                           {"calls", layer.count},
                           {"time_us", layer.microseconds},
                           {"share", share(layer.microseconds)}};
    if (layer.call.macs >= 0) {
      row["macs"] = layer.call.macs;
      row["gflops"] = work.getGflops();
      row["peak_share"] = work.getGflops() / roofline.gflops;
    }
    if (layer.call.bytes >= 0) {
      row["bytes"] = layer.call.bytes;
      row["weight_bytes"] = layer.call.weightBytes;
      row["gbs"] = work.getGbs();
      row["roofline_share"] = work.getRooflineShare();
    }
    rows.push_back(std::move(row));
  }
  sum.microseconds = total;
  return llvm::json::Object{{"peak_gflops", roofline.gflops},           {"weight_gbs", roofline.weightGbs},
                            {"workspace_gbs", roofline.workspaceGbs},   {"total_us", total},
                            {"between_layers_us", getRest()},           {"gflops", sum.getGflops()},
                            {"roofline_share", sum.getRooflineShare()}, {"layers", std::move(rows)}};
}

llvm::json::Value Profile::toTrace() const {
  llvm::json::Array events;
  auto add = [&](llvm::StringRef name, llvm::StringRef op, uint64_t begin, uint64_t ticks,
                 llvm::json::Object arguments) {
    events.push_back(llvm::json::Object{{"name", name},
                                        {"cat", op},
                                        {"ph", "X"},
                                        {"ts", double(begin - fastest.begin) / ticksPerMicrosecond},
                                        {"dur", double(ticks) / ticksPerMicrosecond},
                                        {"pid", 1},
                                        {"tid", 1},
                                        {"args", std::move(arguments)}});
  };
  add("run", "model", fastest.begin, fastest.end - fastest.begin, {});
  for (auto [layer, call] : llvm::zip(layers, fastest.calls))
    if (call.count)
      add(layer.call.name, layer.call.op, call.begin, call.ticks,
          llvm::json::Object{{"op", layer.call.op},
                             {"macs", layer.call.macs},
                             {"bytes", layer.call.bytes},
                             {"calls", int64_t(call.count)}});
  return llvm::json::Object{{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}};
}
