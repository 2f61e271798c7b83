/*===- fake_cuda.h - A stand-in for NVIDIA's driver where there is no GPU -===*
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
#ifndef TEST_TARGET_NVPTX_FAKE_CUDA_H
#define TEST_TARGET_NVPTX_FAKE_CUDA_H

#include "cuda_driver.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* What the files of the driver share, none of it a symbol of the library. */
#pragma GCC visibility push(hidden)

extern pthread_mutex_t mutex;
extern range *device_memory;
extern struct CUstream_st default_stream;
extern CUresult sticky; /* an error that a context does not get over */
extern struct live_counts {
  unsigned modules, allocations, host_allocations, streams, events, graphs, execs;
} live;
extern struct call_counts {
  unsigned kernels, graph_launches, captures, uploads, downloads, modules;
} calls;
extern _Thread_local unsigned depth; /* of this thread's stack of contexts */

/* Ends the program with a message. */
void refuse(const char *what);
/* The value of a fault in FAKE_CUDA_FAULT, 1 without one; -1 if it is not asked for. */
long long fault(const char *name);

/* memory.c */
range *make_range(range **list, size_t bytes, int protection);
/* The bytes of the range that began there. */
size_t drop_range(range **list, const char *begin);
/* Whether [address, address + bytes) is in one range. */
bool is_within(const range *list, const char *address, size_t bytes);
void protect_device(int protection);

/* work.c */
void synchronize(CUstream stream, uint64_t ticket);
CUstream resolve(CUstream stream);
/* Puts a copy of the work into the stream's queue, or into the graph that it captures. */
void enqueue(CUstream stream, const work *given);
void free_list(work *first);

#pragma GCC visibility pop

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

#endif
