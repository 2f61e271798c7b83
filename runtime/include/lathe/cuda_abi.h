/*===- cuda_abi.h - What objects for NVIDIA GPUs and the runtime share ----===*
 *
 * Objects that `lathe compile --target=sm_80` writes call these functions; applications call those of the model's own
 * header.
 *===----------------------------------------------------------------------===*/
#ifndef LATHE_CUDA_ABI_H
#define LATHE_CUDA_ABI_H

#include "rt_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the host code of a model hands from launch to launch. Its first member is the device's address of the weights,
 * which compiled code reads; the rest is the runtime's. */
typedef struct lathe_cuda_run lathe_cuda_run;

/* A model for a GPU: a constant in its object. */
typedef struct lathe_cuda_model {
  const lathe_model *model;
  const char *code;           /* PTX, ends with a zero */
  const char *const *kernels; /* names of the entries in it, by number */
  const void *weights;        /* model->weight_bytes of them, in the host's memory */
  uint64_t arena_bytes;       /* of the device's memory, for one run */
  /* Launches all kernels of one run. `inputs` and `outputs` are the structs of the model's header with addresses of the
   * device, `arena` is one, too. */
  void (*enqueue)(const void *inputs, const void *outputs, void *arena, lathe_cuda_run *run);
  void **state; /* NULL at first; the runtime's */
  uint32_t num_kernels;
  uint32_t capability; /* ten times the compute capability that the code needs */
  uint32_t is_exact;   /* not 0: later capabilities do not run it */
} lathe_cuda_model;

/* What <name>_load and its like do; see the header that the compiler writes beside a model. */
lathe_status lathe_cuda_load(const lathe_cuda_model *model);
void lathe_cuda_unload(const lathe_cuda_model *model);
lathe_status lathe_cuda_run_host(const lathe_cuda_model *model, const void *inputs, const void *outputs);
lathe_status lathe_cuda_run_device(const lathe_cuda_model *model, const void *inputs, const void *outputs,
                                   void *stream);
const char *lathe_cuda_message(void);

/* Alignment, in bytes, of tensors of the device: kernels copy so many at once. */
#define LATHE_CUDA_ALIGNMENT 16

/* The first words of `words`, by place; the kernel's parameters follow, each in the low bytes of a word. */
enum {
  LATHE_CUDA_GRID = 0,   /* blocks in x, y and z */
  LATHE_CUDA_BLOCK = 3,  /* threads in x, y and z */
  LATHE_CUDA_SHARED = 6, /* bytes of memory that the launch adds to a block's */
  LATHE_CUDA_PARAMETERS = 7
};

/* Called by `enqueue`. After a failure, which `run` keeps, it does nothing. */
void lathe_cuda_launch(lathe_cuda_run *run, int64_t kernel, uint64_t *words, int64_t num_parameters);

#ifdef __cplusplus
} /* extern "C" */
#endif

#if UINTPTR_MAX == UINT64_MAX
LATHE_STATIC_ASSERT(sizeof(lathe_cuda_model) == 72 && offsetof(lathe_cuda_model, is_exact) == 64, "lathe_cuda_model");
#endif

#endif /* LATHE_CUDA_ABI_H */
