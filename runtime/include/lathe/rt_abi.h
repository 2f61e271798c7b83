/*===- rt_abi.h - What compiled code and its callers share ----------------===*
 *
 * Standalone: no Lathe header and no C library beyond stdint. Included by applications (through lathe.h), by the
 * runtime and by the compiler; all three assert the layout below, on the target's own pointer size.
 *===----------------------------------------------------------------------===*/
#ifndef LATHE_RT_ABI_H
#define LATHE_RT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct below or the meaning of a field changes. */
#define LATHE_ABI_VERSION 4u

/* Alignment, in bytes, of workspaces; inputs and outputs need that of their element type. */
#define LATHE_ALIGNMENT 64

/* What every call returns. lathe_status_string() has a text for each. */
typedef enum lathe_status {
  LATHE_OK = 0,
  LATHE_ERROR_NULL_POINTER = 1, /* an input, output or the workspace is NULL */
  LATHE_ERROR_MISALIGNED = 2,   /* a pointer is not aligned as LATHE_ALIGNMENT and the element types ask */
  LATHE_ERROR_DIM_RANGE =
      3, /* a symbolic dimension is outside the bounds that were compiled, or does not fit the others */
  LATHE_ERROR_UNSUPPORTED_CPU = 4, /* the machine, or its system, lacks instructions that were compiled in */
  LATHE_ERROR_WEIGHTS = 5,         /* external weights are missing, short or of another model */
  LATHE_ERROR_ABI_VERSION = 6,     /* object and runtime are of different ABI versions */
  LATHE_ERROR_OUT_OF_MEMORY = 7,
  LATHE_ERROR_SYSTEM = 8, /* the operating system refused a thread or a file */
  /* Of models for a GPU; <name>_message() says more. */
  LATHE_ERROR_NO_DRIVER = 9,       /* no driver of the GPU is installed, or it does not start */
  LATHE_ERROR_NO_DEVICE = 10,      /* no GPU, or none that the model was compiled for */
  LATHE_ERROR_DRIVER_VERSION = 11, /* the driver is too old for the model's code */
  LATHE_ERROR_DEVICE_MEMORY = 12,  /* the GPU has too little memory left */
  LATHE_ERROR_DEVICE = 13,         /* a kernel or a copy failed on the GPU */
  LATHE_ERROR_DATA_SIZE = 14       /* the data tells a size that does not fit, or above the bound that was compiled */
} lathe_status;

/* One part of a kernel: iterations begin <= i < end. Parts of one loop may run at the same time. */
typedef void (*lathe_task_fn)(const void *context, int64_t begin, int64_t end);

/* Runs loops in parallel for a model. Applications may supply their own; lathe_executor_create() makes one. */
typedef struct lathe_executor {
  /* Calls task so that every i in [0, count) is covered exactly once, and returns when all of it is done. */
  void (*parallel_for)(const struct lathe_executor *self, lathe_task_fn task, const void *context, int64_t count);
  int32_t threads; /* how many run at once, the caller's included */
} lathe_executor;

/* Element types, numbered as in ONNX's TensorProto.DataType.
 *
 * Every element begins at a byte of its own. Integers of 2 and 4 bits, and floats of 4, which ONNX files pack, are the
 * low bits of a byte: of inputs, only these are read; of outputs, the bits above are copies of the sign, or 0 for types
 * without one and for floats - except in elements that a model moves as they came. */
typedef enum lathe_dtype {
  LATHE_FLOAT32 = 1,
  LATHE_UINT8 = 2,
  LATHE_INT8 = 3,
  LATHE_UINT16 = 4,
  LATHE_INT16 = 5,
  LATHE_INT32 = 6,
  LATHE_INT64 = 7,
  LATHE_BOOL = 9,
  LATHE_FLOAT16 = 10,
  LATHE_FLOAT64 = 11,
  LATHE_UINT32 = 12,
  LATHE_UINT64 = 13,
  LATHE_BFLOAT16 = 16,
  LATHE_FLOAT8E4M3FN = 17,
  LATHE_FLOAT8E4M3FNUZ = 18,
  LATHE_FLOAT8E5M2 = 19,
  LATHE_FLOAT8E5M2FNUZ = 20,
  LATHE_UINT4 = 21,
  LATHE_INT4 = 22,
  LATHE_FLOAT4E2M1 = 23,
  LATHE_FLOAT8E8M0 = 24,
  LATHE_UINT2 = 25,
  LATHE_INT2 = 26
} lathe_dtype;

/* A symbolic dimension, such as batch, and the bounds it was compiled for (both inclusive). */
typedef struct lathe_dim {
  const char *name;
  int64_t lower, upper;
} lathe_dim;

/* In the shape of an output: a size that output_shapes() computes, and one that depends on data, such as how many boxes
 * were selected. Of the latter output_shapes() tells the largest, and each run the actual one. */
#define LATHE_SIZE_COMPUTED (-1)
#define LATHE_SIZE_OF_DATA (-2)

/* An input or output. shape[i] >= 0 is a size; in inputs -1-k stands for symbolic dimension k, in outputs a negative
 * entry is one of the above. */
typedef struct lathe_tensor {
  const char *name;
  const int64_t *shape;
  int32_t dtype; /* lathe_dtype */
  int32_t rank;
} lathe_tensor;

/* The code of a model for one kind of machine. */
typedef struct lathe_variant {
  const char *target;       /* as the compiler names it: x86-64-v3, or a processor */
  uint64_t workspace_bytes; /* what its run() needs; at most the model's */
  uint64_t weight_bytes;    /* what its run() reads; variants share what is equal */
  /* As the model's run(), by this code. LATHE_ERROR_UNSUPPORTED_CPU where the machine lacks instructions of it. */
  lathe_status (*run)(const void *inputs, const void *outputs, void *workspace, const lathe_executor *executor);
} lathe_variant;

/* A compiled model: the constant <name>_model. Everything a binding needs to call it.
 *
 * run() is that of the first variant that the machine has the instructions of, and returns LATHE_ERROR_UNSUPPORTED_CPU
 * where there is none. The first call asks the machine and keeps the answer; nothing locks.
 *
 * run() takes a struct of pointers to the inputs, in order, followed by one int64_t for each symbolic dimension, and a
 * struct of pointers to the outputs, followed by one int64_t * for each output that has a LATHE_SIZE_OF_DATA in its
 * shape: there the run writes the sizes of all dimensions of that output. Its elements lie without gaps in these sizes,
 * in a buffer that has room for the largest ones; what is behind them is not written. The generated header declares
 * both structs under their own names. Outputs overlap neither each other nor inputs nor the workspace. run() neither
 * allocates nor locks; runs with different workspaces may overlap. */
typedef struct lathe_model {
  uint32_t abi_version;
  uint32_t num_inputs, num_outputs, num_dims;
  const char *name;
  const lathe_tensor *inputs, *outputs;
  const lathe_dim *dims;
  uint64_t workspace_bytes; /* of the largest dimensions, enough for every variant */
  uint64_t weight_bytes;    /* of all variants together */
  const void *weights;      /* that many bytes, which nobody writes; NULL if there are none */
  lathe_status (*run)(const void *inputs, const void *outputs, void *workspace, const lathe_executor *executor);
  /* Writes the sizes of all dimensions of all outputs, one after the other, for these symbolic dimensions; where they
   * depend on data, the largest there can be. */
  void (*output_shapes)(const int64_t *dims, int64_t *shapes);
  const lathe_variant *variants; /* the best first */
  uint32_t (*supported)(void);   /* bit i is set where this machine can run variants[i] */
  uint32_t num_variants;         /* 1 to 31 */
} lathe_model;

#ifdef __cplusplus
} /* extern "C" */
#define LATHE_STATIC_ASSERT static_assert
#else
#define LATHE_STATIC_ASSERT _Static_assert
#endif

#if UINTPTR_MAX == UINT64_MAX
LATHE_STATIC_ASSERT(sizeof(lathe_executor) == 16, "lathe_executor");
LATHE_STATIC_ASSERT(sizeof(lathe_dim) == 24 && offsetof(lathe_dim, upper) == 16, "lathe_dim");
LATHE_STATIC_ASSERT(sizeof(lathe_tensor) == 24 && offsetof(lathe_tensor, rank) == 20, "lathe_tensor");
LATHE_STATIC_ASSERT(sizeof(lathe_variant) == 32 && offsetof(lathe_variant, run) == 24, "lathe_variant");
LATHE_STATIC_ASSERT(sizeof(lathe_model) == 112 && offsetof(lathe_model, supported) == 96, "lathe_model");
#endif

#endif /* LATHE_RT_ABI_H */
