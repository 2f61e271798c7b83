/*===- cuda_model.h - A model on a GPU ------------------------------------===*/
#ifndef LATHE_SRC_CUDA_MODEL_H
#define LATHE_SRC_CUDA_MODEL_H

#include "../platform/platform.h"
#include "cuda_driver.h"
#include "lathe/cuda_abi.h"
#include <stdbool.h>

enum { CACHED_GRAPHS = 8 }; /* of an instance; the least recently used gives way */

typedef struct graph {
  CUgraphExec exec; /* NULL: free */
  int64_t *key;
  uint64_t last_use;
} graph;

/* What one run at a time uses. */
typedef struct instance {
  struct instance *next;
  CUstream stream;
  CUevent done;    /* the last run on a caller's stream */
  bool is_pending; /* whether `done` may be in the future */
  CUdeviceptr arena, io;
  char *staging; /* the host's side of `io` */
  uint64_t io_bytes;
  graph graphs[CACHED_GRAPHS];
  uint64_t clock;
} instance;

typedef struct state {
  const lathe_cuda_model *model;
  const lathe_cuda_driver *driver;
  lathe_rt_signal *lock; /* of what follows */
  bool is_ready;
  CUdevice device;
  bool is_retained; /* the context is the device's primary one, retained */
  CUcontext context;
  CUmodule module;
  CUfunction *kernels;
  uint32_t *shared; /* bytes of memory of a block that each kernel may be launched with */
  CUdeviceptr weights;
  instance *free;
} state;

/* Returns the status of a failure. */
#define TRY(CALL)                                                                                                      \
  do {                                                                                                                 \
    lathe_status try_status = (CALL);                                                                                  \
    if (try_status != LATHE_OK)                                                                                        \
      return try_status;                                                                                               \
  } while (0)

lathe_status lathe_cuda_check(const state *s, CUresult result, lathe_status otherwise, const char *what);

/* Memory of the device; 0 for no bytes. The message says what it is for, and how much there is. */
lathe_status lathe_cuda_allocate(const state *s, CUdeviceptr *address, uint64_t bytes, const char *what);

/* The model's state, loaded, with its lock held; NULL after a failure. */
state *lathe_cuda_lock(const lathe_cuda_model *model, lathe_status *status);

/* Frees an instance when what is pending on it has ended. The context is current. */
void lathe_cuda_free_instance(state *s, instance *each);

#endif /* LATHE_SRC_CUDA_MODEL_H */
