//===- Profile.cpp - Where a model's time goes ----------------------------===//
#include "lib/Driver/Profile.h"

#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "lib/Target/Target.h"
#include "mlir/Parser/Parser.h"
#include "passes/Codegen/Common/Signature.h"
#include <chrono>
#include <cstring>

using namespace mlir;
using namespace lathe;

ProfileLayout lathe::readProfileLayout(ModuleOp module) {
  ProfileLayout layout;
  auto calls = module->getAttrOfType<ArrayAttr>(codegen::kProfileAttr);
  auto offset = module->getAttrOfType<IntegerAttr>(codegen::kProfileOffsetAttr);
  if (!calls || !offset)
    return layout;
  layout.offset = offset.getInt();
  for (auto call : calls.getAsRange<DictionaryAttr>())
    layout.calls.push_back({call.getAs<StringAttr>("name").str(), call.getAs<StringAttr>("op").str(),
                            call.getAs<IntegerAttr>("macs").getInt(), call.getAs<IntegerAttr>("weight_bytes").getInt()});
  return layout;
}

ProfiledRun lathe::readProfile(const ProfileLayout &layout, const void *workspace) {
  std::vector<uint64_t> words(2 + 3 * layout.calls.size());
  std::memcpy(words.data(), static_cast<const char *>(workspace) + layout.offset, 8 * words.size());
  ProfiledRun run{words[0], words[1], {}};
  for (size_t word = 2; word < words.size(); word += 3)
    run.calls.push_back({words[word], words[word + 1], words[word + 2]});
  return run;
}

namespace {

/// A model of nothing but multiply-adds: each thread has a task, each task enough accumulators to hide the latency.
struct PeakModel {
  static constexpr int64_t kIterations = 100000;
  int64_t lanes, accumulators, tasks;

  int64_t getFlops() const { return 2 * kIterations * lanes * accumulators * tasks; }

  std::string print() const {
    std::string text, vector = "vector<" + std::to_string(lanes) + "xf32>";
    std::string n = std::to_string(tasks), out = "memref<" + n + "xf32>";
    std::string arguments = "(%x: memref<2xf32>, %y: " + out + ", ";
    llvm::raw_string_ostream os(text);
    auto each = [&](auto print) {
      for (int64_t i = 0; i < accumulators; ++i)
        print(i, i + 1 < accumulators ? ", " : "");
    };
    os << "module attributes {lathe.dims = [], lathe.workspace_bytes = 64 : i64, lathe.inputs = [{dims = \"2\", "
          "dtype = 1 : i32, name = \"x\", shape = array<i64: 2>}], lathe.outputs = [{dims = \""
       << n << "\", dtype = 1 : i32, name = \"y\", shape = array<i64: " << n << ">}]} {\n"
       << "func.func @main" << arguments << "%arena: memref<64xi8>, %executor: !llvm.ptr) {\n"
       << "call @kernel_peak_0(%x, %y, %executor) : (memref<2xf32>, " << out << ", !llvm.ptr) -> ()\nreturn\n}\n"
       << "func.func private @kernel_peak_0" << arguments << "%executor: !llvm.ptr) {\n"
       << "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%tasks = arith.constant " << n
       << " : index\n%n = arith.constant " << kIterations << " : index\n"
       << "scf.parallel (%task) = (%c0) to (%tasks) step (%c1) {\n"
       << "%sa = memref.load %x[%c0] : memref<2xf32>\n%sb = memref.load %x[%c1] : memref<2xf32>\n"
       << "%a = vector.broadcast %sa : f32 to " << vector << "\n%b = vector.broadcast %sb : f32 to " << vector << "\n";
    // Accumulators that begin alike would be one.
    each([&](int64_t i, const char *) {
      os << "%i" << i << " = arith.constant dense<" << i << ".0> : " << vector << "\n";
    });
    os << "%r:" << accumulators << " = scf.for %i = %c0 to %n step %c1 iter_args(";
    each([&](int64_t i, const char *comma) { os << "%s" << i << " = %i" << i << comma; });
    os << ") -> (";
    each([&](int64_t, const char *comma) { os << vector << comma; });
    os << ") {\n";
    each([&](int64_t i, const char *) {
      os << "%t" << i << " = vector.fma %s" << i << ", %a, %b : " << vector << "\n";
    });
    os << "scf.yield ";
    each([&](int64_t i, const char *comma) { os << "%t" << i << comma; });
    os << " : ";
    each([&](int64_t, const char *comma) { os << vector << comma; });
    os << "\n}\n";
    each([&](int64_t i, const char *) {
      os << "%u" << i << " = arith.addf %r#" << i << ", " << (i ? "%u" + std::to_string(i - 1) : "%a") << " : "
         << vector << "\n";
    });
    os << "%sum = vector.reduction <add>, %u" << accumulators - 1 << " : " << vector << " into f32\n"
       << "memref.store %sum, %y[%task] : " << out << "\n}\nreturn\n}\n}\n";
    return text;
  }
};

} // namespace

llvm::Expected<double> lathe::measurePeak(MLIRContext &context, const CompileOptions &given,
                                          const lathe_executor *executor) {
  llvm::Expected<nn::TargetAttr> target = resolveTarget(context, given.target, given.cpu);
  if (!target)
    return target.takeError();
  PeakModel peak{target->getVectorBits() / 32, target->getVectorRegisters() * 3 / 4,
                 executor ? std::max(executor->threads, 1) : 1};
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(peak.print(), &context);
  CompileOptions options;
  options.name = "peak";
  options.target = given.target;
  options.cpu = given.cpu;
  options.foldConstants = false;
  if (!module || failed(runPhases(*module, options, Phase::LLVM, Phase::Bufferize)))
    return llvm::createStringError("cannot compile the measurement of the machine's peak");
  llvm::Expected<std::unique_ptr<LoadedModel>> loaded = loadModule(*module);
  if (!loaded)
    return loaded.takeError();
  Tensor input(LATHE_FLOAT32, {2});
  input.as<float>()[0] = 0.5f; // the accumulators tend to 0.5
  input.as<float>()[1] = 0.25f;
  SmallVector<Tensor> outputs;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    auto begin = std::chrono::steady_clock::now();
    if (llvm::Error error = (*loaded)->run({&input}, outputs, executor))
      return std::move(error);
    std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::max(best, double(peak.getFlops()) / std::max(spent.count(), 1.0));
  }
  return best;
}
