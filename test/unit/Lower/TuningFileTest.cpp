//===- TuningFileTest.cpp - Files of measured choices ---------------------===//
#include "passes/Lower/TuningFile.h"
#include "llvm/Support/FileSystem.h"
#include <catch2/catch.hpp>

using namespace lathe;

/// A file that goes when the test ends.
static std::string writeTemporary(llvm::StringRef contents, llvm::SmallString<128> &path) {
  int descriptor = -1;
  REQUIRE(!llvm::sys::fs::createTemporaryFile("tuning", "yaml", descriptor, path));
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << contents;
  return path.str().str();
}

static llvm::Expected<TuningFile> read(llvm::StringRef contents) {
  llvm::SmallString<128> path;
  llvm::Expected<TuningFile> file = readTuning(writeTemporary(contents, path));
  llvm::sys::fs::remove(path);
  return file;
}

static std::string messageOf(llvm::StringRef contents) {
  llvm::Expected<TuningFile> file = read(contents);
  REQUIRE(!file);
  return llvm::toString(file.takeError());
}

static std::string write(const TuningFile &file) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  writeTuning(file, stream);
  return text;
}

/// Two machines; all parameters, and few of them.
static TuningFile makeFile() {
  TuningChoice all;
  all.winograd = 4;
  all.fuse = false;
  all.panelWidth = 32;
  all.tileRows = 14;
  all.kernelRows = 1;
  all.share = "columns";
  all.tasks = 8;
  TuningChoice few;
  few.tileRows = 7;
  std::string types = "(tensor<1x14x14x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32>";
  TuningFile file;
  file.machines.push_back({"x86_64-linux-gnu", "x86-64-v4", "+avx512vnni,-sse4a", "0.1.0", 2, {}});
  file.machines.back().records.push_back({{"nn.conv", types, "{pads = array<i64: 1, 1, 1, 1>}"}, all, 21.5, 18.25});
  file.machines.back().records.push_back({{"nn.conv", types, ""}, few, 0.5, 0.25});
  file.machines.push_back({"x86_64-linux-gnu", "znver5", "", "0.1.0", 1, {}});
  return file;
}

TEST_CASE("what is written is what is read", "[tuning]") {
  std::string text = write(makeFile());
  llvm::Expected<TuningFile> file = read(text);
  REQUIRE(bool(file));
  CHECK(write(*file) == text);
  REQUIRE(file->machines.size() == 2);
  const TunedMachine &machine = file->machines.front();
  TuningFile made = makeFile();
  CHECK(machine.triple == "x86_64-linux-gnu");
  CHECK(machine.features == "+avx512vnni,-sse4a");
  CHECK(machine.threads == 2);
  REQUIRE(machine.records.size() == 2);
  for (auto [record, expected] : llvm::zip(machine.records, made.machines.front().records)) {
    CHECK(record.kernel == expected.kernel);
    CHECK(record.choice == expected.choice);
    CHECK(record.before == expected.before);
    CHECK(record.after == expected.after);
  }
  CHECK(machine.find(made.machines.front().records[1].kernel) == &machine.records[1]);
  CHECK(file->machines[1].find(made.machines.front().records[1].kernel) == nullptr);
}

TEST_CASE("a choice says what another one leaves out", "[tuning]") {
  TuningChoice first, second;
  first.winograd = 2;
  first.tileRows = 7;
  second.tileRows = 14;
  CHECK(toString(first.with(second)) == "winograd=2 tile-rows=14");
  CHECK(toString(second.with(first)) == "winograd=2 tile-rows=7");
  CHECK(TuningChoice().empty());
  CHECK(!first.empty());
}

TEST_CASE("mistakes are told with their line", "[tuning]") {
  std::string head =
      "format: 1\nmachines:\n  - triple: t\n    cpu: c\n    features: f\n    lathe: 0.1.0\n    kernels:\n";
  std::string kernel = "      - op: nn.conv\n        types: t\n        choice: ";
  using Catch::Contains;
  CHECK_THAT(messageOf("format: 2\nmachines: []\n"), Contains("expected format 1, but got 2"));
  CHECK_THAT(messageOf("machines: []\n"), Contains("missing required key 'format'"));
  CHECK_THAT(messageOf(head + kernel + "{ colour: 3 }\n"), Contains(":10:19: error: unknown key 'colour'"));
  CHECK_THAT(messageOf(head + kernel + "{ }\n"), Contains(":8:9: error: expected something to choose"));
  CHECK_THAT(messageOf(head + kernel + "{ winograd: 3 }\n"), Contains(":10:") && Contains("winograd to be 0, 2 or 4"));
  CHECK_THAT(messageOf(head + kernel + "{ tile-rows: many }\n"), Contains(":10:30: error: invalid number"));
  CHECK_THAT(messageOf(head + kernel + "{ tasks: 0 }\n"), Contains("positive"));
  CHECK_THAT(messageOf(head + kernel + "{ share: lines }\n"), Contains("share to be rows or columns"));
  CHECK_THAT(messageOf(head + kernel + "{ tasks: 1 }\n" + kernel + "{ tasks: 2 }\n"),
             Contains("expected one record for each kernel, but got several for nn.conv t"));
  CHECK_THAT(messageOf("format: [\n"), Contains("error:"));
}
