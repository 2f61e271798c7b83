//===- WorkspaceTest.cpp - Memory for the intermediates of runs -----------===//
#include "lathe/lathe.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

TEST_CASE("workspaces are aligned and as large as asked for") {
  for (uint64_t bytes :
       {uint64_t(0), uint64_t(1), uint64_t(LATHE_ALIGNMENT), uint64_t(2) << 20, (uint64_t(5) << 20) + 1}) {
    void *workspace = lathe_workspace_create(bytes);
    REQUIRE(workspace);
    CHECK(reinterpret_cast<uintptr_t>(workspace) % LATHE_ALIGNMENT == 0);
    std::memset(workspace, 1, bytes);
    lathe_workspace_destroy(workspace);
  }
}

TEST_CASE("a workspace that no memory is enough for is refused") {
  CHECK(lathe_workspace_create(std::numeric_limits<uint64_t>::max()) == nullptr);
  CHECK(lathe_workspace_create(std::numeric_limits<uint64_t>::max() / 2) == nullptr);
}

TEST_CASE("no workspace can be freed") { lathe_workspace_destroy(nullptr); }
