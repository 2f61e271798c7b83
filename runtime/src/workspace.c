/*===- workspace.c - Memory for the intermediates of runs -----------------===*/
#include "lathe/lathe.h"
#include "../platform/platform.h"
#include <stdlib.h>

void *lathe_workspace_create(uint64_t bytes) {
  /* Of more than half a large page, to clear that takes less time than hundreds of small ones one by one. */
  uint64_t large = lathe_rt_large_page_bytes(), unit = large != 0 && bytes > large / 2 ? large : LATHE_ALIGNMENT;
  if (bytes > SIZE_MAX - unit)
    return NULL;
  size_t size = (size_t)(bytes / unit + (bytes % unit != 0 || bytes == 0)) * (size_t)unit;
  void *workspace = aligned_alloc((size_t)unit, size);
  if (workspace && unit == large)
    lathe_rt_use_large_pages(workspace, size);
  return workspace;
}

void lathe_workspace_destroy(void *workspace) { free(workspace); }
