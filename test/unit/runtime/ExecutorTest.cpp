//===- ExecutorTest.cpp - The runtime's thread pool -----------------------===//
#include "lathe/lathe.h"
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

extern "C" int lathe_header_test(void);

namespace {
struct Counters {
  std::vector<std::atomic<int>> hits;
  explicit Counters(size_t count) : hits(count) {}
};
} // namespace

/// Counts how often each iteration is run.
static void count(const void *context, int64_t begin, int64_t end) {
  auto *counters = static_cast<const Counters *>(context);
  for (int64_t i = begin; i < end; ++i)
    ++const_cast<std::atomic<int> &>(counters->hits[size_t(i)]);
}

TEST_CASE("public headers compile as C") { CHECK(lathe_header_test() == 1); }

TEST_CASE("every status has its own text") {
  for (int status = LATHE_OK; status <= LATHE_ERROR_SYSTEM; ++status) {
    CHECK(std::strcmp(lathe_status_string(lathe_status(status)), "unknown status") != 0);
    for (int other = LATHE_OK; other < status; ++other)
      CHECK(std::strcmp(lathe_status_string(lathe_status(status)), lathe_status_string(lathe_status(other))) != 0);
  }
  CHECK(std::strcmp(lathe_status_string(lathe_status(1000)), "unknown status") == 0);
}

TEST_CASE("parallel_for runs each iteration exactly once") {
  for (int threads : {1, 2, 4}) {
    lathe_executor *executor = lathe_executor_create(threads);
    REQUIRE(executor != nullptr);
    CHECK(executor->threads == threads);
    for (int64_t size : {0, 1, 2, 3, 7, 64, 1000}) {
      Counters counters{size_t(size)};
      executor->parallel_for(executor, count, &counters, size);
      for (const std::atomic<int> &hits : counters.hits)
        REQUIRE(hits == 1);
    }
    lathe_executor_destroy(executor);
  }
}

TEST_CASE("workers wake up after they fell asleep") {
  lathe_executor *executor = lathe_executor_create(3);
  REQUIRE(executor != nullptr);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    Counters counters(100);
    executor->parallel_for(executor, count, &counters, 100);
    for (const std::atomic<int> &hits : counters.hits)
      REQUIRE(hits == 1);
  }
  lathe_executor_destroy(executor);
}

TEST_CASE("destroy accepts NULL and idle pools") {
  lathe_executor_destroy(nullptr);
  for (int i = 0; i < 20; ++i)
    lathe_executor_destroy(lathe_executor_create(2));
}
