//===- WeightsTest.cpp - Weights before the first run ---------------------===//
#include "lathe/lathe.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static long countFaults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST_CASE("weights are mapped before they are read") {
  constexpr size_t kBytes = 16 << 20, kOffset = 100; // weights need not begin with a page
  std::FILE *file = std::tmpfile();
  REQUIRE(file);
  REQUIRE(ftruncate(fileno(file), kBytes) == 0);
  void *data = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, fileno(file), 0);
  REQUIRE(data != MAP_FAILED);
  lathe_model model = {};
  model.weights = static_cast<const char *>(data) + kOffset;
  model.weight_bytes = kBytes - kOffset;
  bool canMap = madvise(data, 1, MADV_POPULATE_READ) == 0;

  lathe_weights_prefault(&model);
  long before = countFaults();
  unsigned sum = 0;
  for (size_t i = kOffset; i < kBytes; i += 4096)
    sum += static_cast<const volatile unsigned char *>(data)[i];
  CHECK(sum == 0);
  if (canMap)
    CHECK(countFaults() - before < 8);
  munmap(data, kBytes);
  std::fclose(file);
}

TEST_CASE("a model without weights has none to map") {
  lathe_model model = {};
  lathe_weights_prefault(&model);
}
