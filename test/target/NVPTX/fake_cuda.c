/*===- fake_cuda.c - A stand-in for NVIDIA's driver where there is no GPU -===*
 *
 * Built as libcuda.so.1 and found by LD_LIBRARY_PATH. It has the functions of the driver API that
 * runtime/src/cuda_driver.h names, and runs kernels by the functions that `lathe compile --emulate --export-blocks
 * --emit=shared` makes of the same model.
 *
 * It is stricter than a device. Memory of the device begins and ends at pages that cannot be touched, holds NaN at
 * first, and can be touched by nobody while the device rests. Work of a stream waits until somebody waits for it. What
 * a program must not do - free twice, pass addresses of the host to kernels, destroy a graph that runs, call without a
 * context - ends it with a message.
 *
 * FAKE_CUDA_KERNELS=a.so:b.so   the emulated kernels; a module takes the first that has all of its entries
 * FAKE_CUDA_FAULT=NAME,NAME=N   no-device, old-driver, capability=80, memory=BYTES, launch=N (the N-th kernel fails)
 * FAKE_CUDA_REPORT=F.json       at the end, how often functions were called and what was not freed
 *===----------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "cuda_driver.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_PARAMETERS = 512, ALIGNMENT = 64 };
enum { INVALID_VALUE = 1, INVALID_CONTEXT = 201, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700 };

typedef void (*block_function)(void *const *parameters, const int64_t *ids);

/* A range of memory of the device, or page-locked of the host. */
typedef struct range {
  struct range *next;
  char *pages, *begin;
  size_t mapped, bytes;
} range;

struct CUfunc_st {
  struct CUfunc_st *next;
  char *name;
  block_function run;
  unsigned count, sizes[MOST_PARAMETERS];
  bool is_pointer[MOST_PARAMETERS];
  unsigned block_threads; /* .maxntid */
  int shared;             /* that launches may ask for */
};

struct CUmod_st {
  struct CUfunc_st *functions;
  void *library;
};

typedef enum kind { UPLOAD, DOWNLOAD, KERNEL, WAIT, GRAPH } kind;

typedef struct work {
  struct work *next;
  kind kind;
  char *device, *host; /* copies */
  char *copied;        /* what an upload took of memory that is not page-locked */
  size_t bytes;
  CUfunction function;
  unsigned grid[3];
  uint64_t values[MOST_PARAMETERS];
  CUstream stream; /* to wait for, up to a ticket */
  uint64_t ticket;
  CUgraphExec exec;
} work;

struct CUgraph_st {
  work *first, *last;
};
struct CUgraphExec_st {
  work *first;
  unsigned pending;
};
struct CUstream_st {
  work *first, *last;
  uint64_t queued, done;
  CUgraph capturing;
  bool is_live;
  struct CUstream_st *next; /* of all there ever were: events may name them */
};
struct CUevent_st {
  CUstream stream;
  uint64_t ticket;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static range *device_memory, *host_memory;
static struct CUstream_st default_stream = {.is_live = true}, *all_streams = &default_stream;
static size_t used_bytes;
static unsigned kernels_run, retained;
static CUresult sticky; /* an error that a context does not get over */
static struct {
  unsigned modules, allocations, host_allocations, streams, events, graphs, execs;
} live;
static struct {
  unsigned kernels, graph_launches, captures, uploads, downloads, modules;
} calls;
static struct CUctx_st {
  int unused;
} primary;
static _Thread_local CUcontext stack[16];
static _Thread_local unsigned depth;

static void refuse(const char *what) {
  fprintf(stderr, "fake CUDA driver: %s\n", what);
  fflush(stderr);
  _exit(99);
}

/* The value of a fault in FAKE_CUDA_FAULT, 1 without one; -1 if it is not asked for. */
static long long fault(const char *name) {
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

#define ENTER()                                                                                                        \
  pthread_mutex_lock(&mutex);                                                                                          \
  if (depth == 0) {                                                                                                    \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return INVALID_CONTEXT;                                                                                            \
  }                                                                                                                    \
  if (sticky) {                                                                                                        \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return sticky;                                                                                                     \
  }
#define LEAVE(RESULT)                                                                                                  \
  do {                                                                                                                 \
    CUresult leave_result = (RESULT);                                                                                  \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return leave_result;                                                                                               \
  } while (0)

/*===----------------------------------------------------------------------===*/
/* Memory                                                                     */
/*===----------------------------------------------------------------------===*/

static range *make_range(range **list, size_t bytes, int protection) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + page - 1) / page * page;
  range *made = calloc(1, sizeof *made);
  made->mapped = inner + 2 * page;
  made->pages = mmap(NULL, made->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made->pages == MAP_FAILED)
    refuse("out of memory");
  mprotect(made->pages + page, inner, PROT_READ | PROT_WRITE);
  made->bytes = bytes;
  made->begin = made->pages + page + inner - (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(made->pages + page, 0xff, inner); /* NaN */
  mprotect(made->pages + page, inner, protection);
  made->next = *list;
  *list = made;
  return made;
}

static size_t drop_range(range **list, const char *begin) {
  for (range **at = list; *at; at = &(*at)->next)
    if ((*at)->begin == begin) {
      range *dropped = *at;
      size_t bytes = dropped->bytes;
      *at = dropped->next;
      munmap(dropped->pages, dropped->mapped);
      free(dropped);
      return bytes;
    }
  refuse("memory is freed that was not allocated");
  return 0;
}

/* Whether [address, address + bytes) is in one range. */
static bool is_within(const range *list, const char *address, size_t bytes) {
  for (; list; list = list->next)
    if (address >= list->begin && address + bytes <= list->begin + list->bytes)
      return true;
  return false;
}

static void protect_device(int protection) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (range *each = device_memory; each; each = each->next)
    mprotect(each->pages + page, each->mapped - 2 * page, protection);
}

/*===----------------------------------------------------------------------===*/
/* Work                                                                       */
/*===----------------------------------------------------------------------===*/

static void run_until(CUstream stream, uint64_t ticket);

static void run_kernel(const work *each) {
  if (fault("launch") == (long long)++kernels_run)
    sticky = ILLEGAL_ADDRESS;
  if (sticky)
    return;
  void *parameters[MOST_PARAMETERS];
  for (unsigned i = 0; i < each->function->count; ++i) {
    parameters[i] = (void *)&each->values[i];
    if (each->function->is_pointer[i] && !is_within(device_memory, (const char *)(uintptr_t)each->values[i], 0)) {
      fprintf(stderr, "%s, parameter %u: ", each->function->name, i);
      refuse("an address is not the device's");
    }
  }
  int64_t ids[6] = {0, 0, 0, each->grid[0], each->grid[1], each->grid[2]};
  for (ids[2] = 0; ids[2] < ids[5]; ++ids[2])
    for (ids[1] = 0; ids[1] < ids[4]; ++ids[1])
      for (ids[0] = 0; ids[0] < ids[3]; ++ids[0])
        each->function->run(parameters, ids);
}

static void run_work(work *each) {
  switch (each->kind) {
  case UPLOAD:
    memcpy(each->device, each->copied ? each->copied : each->host, each->bytes);
    break;
  case DOWNLOAD:
    memcpy(each->host, each->device, each->bytes);
    break;
  case KERNEL:
    run_kernel(each);
    break;
  case WAIT:
    run_until(each->stream, each->ticket);
    break;
  case GRAPH:
    for (work *inner = each->exec->first; inner; inner = inner->next)
      run_work(inner);
    --each->exec->pending;
    break;
  }
}

/* With device memory open. */
static void run_until(CUstream stream, uint64_t ticket) {
  while (stream->done < ticket) {
    work *each = stream->first;
    stream->first = each->next;
    if (!stream->first)
      stream->last = NULL;
    ++stream->done;
    run_work(each);
    free(each->copied);
    free(each);
  }
}

static void synchronize(CUstream stream, uint64_t ticket) {
  protect_device(PROT_READ | PROT_WRITE);
  run_until(stream, ticket);
  protect_device(PROT_NONE);
}

static CUstream resolve(CUstream stream) {
  if (!stream)
    return &default_stream;
  if (!stream->is_live)
    refuse("a stream is used that was destroyed");
  return stream;
}

/* Puts a copy of the work into the stream's queue, or into the graph that it captures. */
static void enqueue(CUstream stream, const work *given) {
  work *each = malloc(sizeof *each);
  *each = *given;
  each->next = NULL;
  work **first = stream->capturing ? &stream->capturing->first : &stream->first;
  work **last = stream->capturing ? &stream->capturing->last : &stream->last;
  if (*last)
    (*last)->next = each;
  else
    *first = each;
  *last = each;
  if (!stream->capturing)
    ++stream->queued;
}

static void free_list(work *first) {
  while (first) {
    work *next = first->next;
    free(first->copied);
    free(first);
    first = next;
  }
}

/*===----------------------------------------------------------------------===*/
/* Modules                                                                    */
/*===----------------------------------------------------------------------===*/

static unsigned size_of_type(const char *text) {
  const char *dot = strstr(text, ".param .");
  unsigned bits = dot ? (unsigned)atoi(dot + 9) : 0;
  if (bits == 0)
    refuse("a parameter's type is not known");
  return bits / 8;
}

/* Reads "NAME(\n\t.param .u64 .ptr .align 1 NAME_param_0, ...)\n.maxntid 256". */
static CUfunction read_entry(const char *text) {
  CUfunction made = calloc(1, sizeof *made);
  size_t length = strcspn(text, "(");
  made->name = strndup(text, length);
  const char *end = strchr(text, ')');
  made->shared = 48 << 10;
  for (const char *at = text + length; (at = strstr(at, ".param .")) && at < end; at += 8) {
    if (made->count == MOST_PARAMETERS)
      refuse("a kernel has too many parameters");
    made->sizes[made->count] = size_of_type(at);
    made->is_pointer[made->count] = strncmp(at + strcspn(at + 8, " ") + 8, " .ptr", 5) == 0;
    ++made->count;
  }
  const char *threads = strstr(end, ".maxntid ");
  made->block_threads = 1;
  if (threads)
    for (char *at = (char *)threads + 8; *at == ' ' || *at == ',';)
      made->block_threads *= (unsigned)strtoul(at + 1, &at, 10);
  return made;
}

/* The library that has all functions of the module, with their addresses filled in. */
static bool bind_module(CUmodule module, const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    refuse(dlerror());
  for (CUfunction each = module->functions; each; each = each->next) {
    char name[256];
    snprintf(name, sizeof name, "%s_block", each->name);
    void *symbol = dlsym(library, name);
    if (!symbol) {
      dlclose(library);
      return false;
    }
    memcpy(&each->run, &symbol, sizeof symbol);
  }
  module->library = library;
  return true;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, int *options, void **values) {
  ENTER();
  const char *text = image;
  if (fault("old-driver") >= 0) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        strcpy(values[i],
               "ptxas application ptx input, line 9; fatal : Unsupported .version 7.0; current version is '6.5'");
    LEAVE(CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  }
  if (!strstr(text, ".version ") || !strstr(text, ".target sm_") || !strstr(text, ".address_size 64"))
    LEAVE(CUDA_ERROR_INVALID_PTX);
  CUmodule made = calloc(1, sizeof *made);
  for (const char *at = text; (at = strstr(at, ".entry "));) {
    at += 7;
    CUfunction function = read_entry(at);
    function->next = made->functions;
    made->functions = function;
  }
  const char *kernels = getenv("FAKE_CUDA_KERNELS");
  char *paths = strdup(kernels ? kernels : ""), *rest = paths, *path;
  while ((path = strsep(&rest, ":")) && !bind_module(made, path))
    ;
  free(paths);
  if (!made->library)
    refuse("FAKE_CUDA_KERNELS has not all kernels of the module");
  ++live.modules;
  ++calls.modules;
  *module = made;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuModuleUnload(CUmodule module) {
  ENTER();
  while (module->functions) {
    CUfunction next = module->functions->next;
    free(module->functions->name);
    free(module->functions);
    module->functions = next;
  }
  dlclose(module->library);
  free(module);
  --live.modules;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  ENTER();
  for (CUfunction each = module->functions; each; each = each->next)
    if (strcmp(each->name, name) == 0) {
      *function = each;
      LEAVE(CUDA_SUCCESS);
    }
  LEAVE(NOT_FOUND);
}

CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  ENTER();
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value > 227 << 10)
    LEAVE(INVALID_VALUE);
  function->shared = value;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void **parameters,
                        void **extra) {
  ENTER();
  bool is_empty = grid_x == 0 || grid_y == 0 || grid_z == 0;
  if (is_empty || extra || block_x * block_y * block_z != function->block_threads ||
      shared > (unsigned)function->shared)
    LEAVE(INVALID_VALUE);
  work each = {.kind = KERNEL, .function = function, .grid = {grid_x, grid_y, grid_z}};
  for (unsigned i = 0; i < function->count; ++i)
    memcpy(&each.values[i], parameters[i], function->sizes[i]);
  ++calls.kernels;
  enqueue(resolve(stream), &each);
  LEAVE(CUDA_SUCCESS);
}

/*===----------------------------------------------------------------------===*/
/* Devices and contexts                                                       */
/*===----------------------------------------------------------------------===*/

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

/*===----------------------------------------------------------------------===*/
/* Streams, events and graphs                                                 */
/*===----------------------------------------------------------------------===*/

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER();
  if (flags != CU_STREAM_NON_BLOCKING)
    LEAVE(INVALID_VALUE);
  *stream = calloc(1, sizeof **stream);
  (*stream)->is_live = true;
  (*stream)->next = all_streams;
  all_streams = *stream;
  ++live.streams;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  ENTER();
  synchronize(resolve(stream), stream->queued);
  stream->is_live = false;
  --live.streams;
  LEAVE(sticky);
}

CUresult cuStreamSynchronize(CUstream stream) {
  ENTER();
  stream = resolve(stream);
  if (stream->capturing)
    refuse("a stream is waited for while it captures");
  synchronize(stream, stream->queued);
  LEAVE(sticky);
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
  ENTER();
  if (flags)
    LEAVE(INVALID_VALUE);
  if (event->stream)
    enqueue(resolve(stream), &(work){.kind = WAIT, .stream = event->stream, .ticket = event->ticket});
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamBeginCapture_v2(CUstream stream, int mode) {
  ENTER();
  if (!stream || resolve(stream)->capturing || mode < 0 || mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    LEAVE(INVALID_VALUE);
  stream->capturing = calloc(1, sizeof *stream->capturing);
  ++live.graphs;
  ++calls.captures;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  ENTER();
  *graph = resolve(stream)->capturing;
  stream->capturing = NULL;
  LEAVE(*graph ? CUDA_SUCCESS : INVALID_VALUE);
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
  ENTER();
  (void)flags;
  *event = calloc(1, sizeof **event);
  ++live.events;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventDestroy_v2(CUevent event) {
  ENTER();
  free(event);
  --live.events;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  ENTER();
  event->stream = resolve(stream);
  event->ticket = event->stream->queued;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventSynchronize(CUevent event) {
  ENTER();
  if (event->stream)
    synchronize(event->stream, event->ticket);
  LEAVE(sticky);
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags) {
  ENTER();
  if (flags)
    LEAVE(INVALID_VALUE);
  *exec = calloc(1, sizeof **exec);
  work **at = &(*exec)->first;
  for (const work *each = graph->first; each; each = each->next, at = &(*at)->next) {
    *at = malloc(sizeof **at);
    **at = *each;
    (*at)->next = NULL;
  }
  ++live.execs;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphDestroy(CUgraph graph) {
  ENTER();
  free_list(graph->first);
  free(graph);
  --live.graphs;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  ENTER();
  ++exec->pending;
  ++calls.graph_launches;
  enqueue(resolve(stream), &(work){.kind = GRAPH, .exec = exec});
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
  ENTER();
  if (exec->pending)
    refuse("a graph is destroyed that has not run yet");
  free_list(exec->first);
  free(exec);
  --live.execs;
  LEAVE(CUDA_SUCCESS);
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
