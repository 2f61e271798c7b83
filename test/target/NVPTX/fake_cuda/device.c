/*===- device.c - The device, its contexts and its memory ------------------===*/
#define _GNU_SOURCE
#include "fake_cuda.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
CUresult sticky;
struct live_counts live;
struct call_counts calls;
_Thread_local unsigned depth;

static range *host_memory;
static size_t used_bytes;
static unsigned retained;
static struct CUctx_st {
  int unused;
} primary;
static _Thread_local CUcontext stack[16];

void refuse(const char *what) {
  fprintf(stderr, "fake CUDA driver: %s\n", what);
  fflush(stderr);
  _exit(99);
}

long long fault(const char *name) {
  const char *at = getenv("FAKE_CUDA_FAULT");
  size_t length = strlen(name);
  for (; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
    if (strncmp(at, name, length) != 0)
      continue;
    if (at[length] == '=')
      return atoll(at + length + 1);
    if (at[length] == 0 || at[length] == ',')
      return 1;
  }
  return -1;
}

static size_t total_bytes(void) { return fault("memory") >= 0 ? (size_t)fault("memory") : (size_t)8 << 30; }

CUresult cuInit(unsigned flags) {
  if (flags != 0)
    return INVALID_VALUE;
  return fault("no-device") >= 0 ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
  *version = fault("old-driver") >= 0 ? 10020 : 12040;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **text) {
  switch (error) {
  case INVALID_VALUE:
    *text = "CUDA_ERROR_INVALID_VALUE";
    break;
  case CUDA_ERROR_OUT_OF_MEMORY:
    *text = "CUDA_ERROR_OUT_OF_MEMORY";
    break;
  case CUDA_ERROR_NO_DEVICE:
    *text = "CUDA_ERROR_NO_DEVICE";
    break;
  case CUDA_ERROR_INVALID_PTX:
    *text = "CUDA_ERROR_INVALID_PTX";
    break;
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    *text = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
    break;
  case INVALID_CONTEXT:
    *text = "CUDA_ERROR_INVALID_CONTEXT";
    break;
  case NOT_FOUND:
    *text = "CUDA_ERROR_NOT_FOUND";
    break;
  case ILLEGAL_ADDRESS:
    *text = "CUDA_ERROR_ILLEGAL_ADDRESS";
    break;
  default:
    return INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) { return *count = 1, CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  return *device = ordinal, ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  snprintf(name, (size_t)length, "fake device %d", device);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  int capability = fault("capability") >= 0 ? (int)fault("capability") : 90;
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? capability / 10 : capability % 10;
  return device == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  (void)device;
  pthread_mutex_lock(&mutex);
  ++retained;
  *context = &primary;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  (void)device;
  pthread_mutex_lock(&mutex);
  if (retained-- == 0)
    refuse("a context is released that was not retained");
  LEAVE(CUDA_SUCCESS);
}

CUresult cuCtxGetCurrent(CUcontext *context) { return *context = depth ? stack[depth - 1] : NULL, CUDA_SUCCESS; }
CUresult cuCtxGetDevice(CUdevice *device) { return *device = 0, depth ? CUDA_SUCCESS : INVALID_CONTEXT; }
CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (depth == sizeof stack / sizeof *stack)
    refuse("contexts are pushed and not popped");
  stack[depth++] = context;
  return CUDA_SUCCESS;
}
CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  if (depth == 0)
    return INVALID_CONTEXT;
  *context = stack[--depth];
  return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  ENTER();
  *total = total_bytes();
  *free = *total - used_bytes;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER();
  if (bytes == 0)
    LEAVE(INVALID_VALUE);
  if (bytes > total_bytes() - used_bytes)
    LEAVE(CUDA_ERROR_OUT_OF_MEMORY);
  used_bytes += bytes;
  ++live.allocations;
  *address = (uintptr_t)make_range(&device_memory, bytes, PROT_NONE)->begin;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER();
  used_bytes -= drop_range(&device_memory, (const char *)(uintptr_t)address);
  --live.allocations;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
  ENTER();
  if (bytes == 0 || flags)
    LEAVE(INVALID_VALUE);
  ++live.host_allocations;
  *address = make_range(&host_memory, bytes, PROT_READ | PROT_WRITE)->begin;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuMemFreeHost(void *address) {
  ENTER();
  drop_range(&host_memory, address);
  --live.host_allocations;
  LEAVE(CUDA_SUCCESS);
}

static CUresult enqueue_copy(kind kind, char *device, char *host, size_t bytes, CUstream stream) {
  if (!is_within(device_memory, device, bytes))
    refuse("a copy is not within one allocation of the device");
  work each = {.kind = kind, .device = device, .host = host, .bytes = bytes};
  if (kind == UPLOAD && !is_within(host_memory, host, bytes)) {
    if (resolve(stream)->capturing)
      refuse("a graph copies memory that is not page-locked");
    each.copied = malloc(bytes);
    memcpy(each.copied, host, bytes);
  }
  enqueue(resolve(stream), &each);
  return CUDA_SUCCESS;
}

/* Returns when the memory of the host may be changed again; the device has it later. */
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  ENTER();
  ++calls.uploads;
  LEAVE(enqueue_copy(UPLOAD, (char *)(uintptr_t)to, (char *)from, bytes, NULL));
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  ENTER();
  ++calls.uploads;
  LEAVE(enqueue_copy(UPLOAD, (char *)(uintptr_t)to, (char *)from, bytes, stream));
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  ENTER();
  ++calls.downloads;
  LEAVE(enqueue_copy(DOWNLOAD, (char *)(uintptr_t)from, to, bytes, stream));
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAKE_CUDA_REPORT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file)
    return;
  unsigned left = live.modules + live.allocations + live.host_allocations + live.streams + live.events + live.graphs +
                  live.execs + retained;
  fprintf(file,
          "{\"kernels\": %u, \"graph_launches\": %u, \"captures\": %u, \"uploads\": %u, \"downloads\": %u, "
          "\"modules\": %u, "
          "\"not_freed\": %u}\n",
          calls.kernels, calls.graph_launches, calls.captures, calls.uploads, calls.downloads, calls.modules, left);
  fclose(file);
}
