//===- ExecutorTest.cpp - The runtime's thread pool -----------------------===//
#include "lathe/lathe.h"
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif
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

#ifdef __linux__
namespace {
/// What two iterations that wait for each other, so that two threads run them, saw.
struct Meeting {
  std::atomic<int> arrived{0};
  cpu_set_t processors[2];
};
} // namespace

static void meet(const void *context, int64_t begin, int64_t end) {
  auto *meeting = const_cast<Meeting *>(static_cast<const Meeting *>(context));
  for (int64_t i = begin; i < end; ++i) {
    sched_getaffinity(0, sizeof(cpu_set_t), &meeting->processors[i]);
    ++meeting->arrived;
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (meeting->arrived < 2 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
  }
}

TEST_CASE("workers may run on all processors of their creator") {
  cpu_set_t own;
  REQUIRE(sched_getaffinity(0, sizeof own, &own) == 0);
  lathe_executor *executor = lathe_executor_create(2);
  REQUIRE(executor != nullptr);
  Meeting meeting;
  executor->parallel_for(executor, meet, &meeting, 2);
  CHECK(meeting.arrived == 2);
  for (const cpu_set_t &processors : meeting.processors)
    CHECK(CPU_EQUAL(&processors, &own));
  lathe_executor_destroy(executor);
}

/// Lets this process choose no processors from now on, as filters of services do.
static bool forbidAffinity() {
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setaffinity, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_CASE("workers start where nobody may choose processors") {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    lathe_executor *executor = forbidAffinity() ? lathe_executor_create(2) : nullptr;
    Meeting meeting;
    if (executor)
      executor->parallel_for(executor, meet, &meeting, 2);
    _exit(meeting.arrived == 2 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

TEST_CASE("destroy accepts NULL and idle pools") {
  lathe_executor_destroy(nullptr);
  for (int i = 0; i < 20; ++i)
    lathe_executor_destroy(lathe_executor_create(2));
}
