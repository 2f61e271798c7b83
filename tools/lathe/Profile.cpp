//===- Profile.cpp - lathe bench --profile --------------------------------===//
#include "tools/lathe/Profile.h"

#include "tools/lathe/Session.h"
#include "llvm/Support/Format.h"
#include <algorithm>
#include <cmath>

using namespace lathe;

static double medianOf(std::vector<double> values) {
  return summarize(std::move(values)).median;
}

llvm::Expected<Profile> Profile::measure(const ProfileLayout &layout, LoadedModel &model, int runs,
                                         double peakGflops,
                                         llvm::function_ref<llvm::Error()> runOnce) {
  Profile profile;
  profile.peak = peakGflops;
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

double Profile::rateOf(double macs, double microseconds) {
  return macs > 0 && microseconds > 0 ? 2 * macs / microseconds / 1000 : 0;
}

double Profile::getMacs() const {
  double sum = 0;
  for (const Layer &layer : layers)
    sum += double(std::max<int64_t>(layer.call.macs, 0) * layer.count);
  return sum;
}

double Profile::getRest() const {
  double rest = total;
  for (const Layer &layer : layers)
    rest -= layer.microseconds;
  return std::max(rest, 0.0);
}

void Profile::print(llvm::raw_ostream &stream) const {
  auto line = [&](double microseconds, double macs, llvm::StringRef count, llvm::StringRef op,
                  llvm::StringRef name) {
    stream << llvm::format("%12.2f %6.1f ", microseconds, 100 * share(microseconds));
    if (double rate = rateOf(macs, microseconds))
      stream << llvm::format("%8.1f %6.1f", rate, 100 * rate / peak);
    else
      stream << "       -      -";
    stream << llvm::format(" %6s  %-16s ", count.str().c_str(), op.str().c_str()) << name << "\n";
  };
  stream << "     time us      %  GFLOP/s % peak  calls  op               node\n";
  for (const Layer &layer : layers)
    line(layer.microseconds, double(layer.call.macs) * double(layer.count),
         std::to_string(layer.count), layer.call.op, layer.call.name);
  line(getRest(), 0, "", "", "between layers");
  line(total, getMacs(), "", "", "total");
  stream << "peak: " << llvm::format("%.1f", peak) << " GFLOP/s of f32 multiply-adds\n";
}

llvm::json::Object Profile::toJSON() const {
  llvm::json::Array rows;
  for (const Layer &layer : layers) {
    double rate = rateOf(double(layer.call.macs) * double(layer.count), layer.microseconds);
    llvm::json::Object row{{"name", layer.call.name},
                           {"op", layer.call.op},
                           {"calls", layer.count},
                           {"time_us", layer.microseconds},
                           {"share", share(layer.microseconds)}};
    if (layer.call.macs >= 0) {
      row["macs"] = layer.call.macs;
      row["gflops"] = rate;
      row["peak_share"] = rate / peak;
    }
    rows.push_back(std::move(row));
  }
  return llvm::json::Object{{"peak_gflops", peak},
                            {"total_us", total},
                            {"between_layers_us", getRest()},
                            {"gflops", rateOf(getMacs(), total)},
                            {"layers", std::move(rows)}};
}

llvm::json::Value Profile::toTrace() const {
  llvm::json::Array events;
  auto add = [&](llvm::StringRef name, llvm::StringRef op, uint64_t begin, uint64_t ticks,
                 llvm::json::Object arguments) {
    events.push_back(
        llvm::json::Object{{"name", name},
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
                             {"calls", int64_t(call.count)}});
  return llvm::json::Object{{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}};
}
