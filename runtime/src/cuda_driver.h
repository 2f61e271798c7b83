/*===- cuda_driver.h - The part of NVIDIA's driver API that models use ----===*
 *
 * Declared here, so that building needs no CUDA: names, types and numbers are those of "CUDA Driver API"
 * (docs.nvidia.com), as of CUDA 11.4, the first with all of them. The library is opened when a model is loaded.
 *===----------------------------------------------------------------------===*/
#ifndef LATHE_SRC_CUDA_DRIVER_H
#define LATHE_SRC_CUDA_DRIVER_H

#include "lathe/rt_abi.h"

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;

/* Results that mean something to a model's caller. */
enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
  CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE = 804
};

enum { CU_JIT_ERROR_LOG_BUFFER = 5, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6 }; /* CUjit_option */
enum {
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76
}; /* CUdevice_attribute */
enum { CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8 }; /* CUfunction_attribute */
enum { CU_STREAM_NON_BLOCKING = 1 };                          /* CUstream_flags */
enum { CU_STREAM_CAPTURE_MODE_RELAXED = 2 };                  /* CUstreamCaptureMode */
enum { CU_EVENT_DISABLE_TIMING = 2 };                         /* CUevent_flags */

/* Every function: the member of the table, the symbol of the library, the parameters. */
#define LATHE_CUDA_FUNCTIONS(F)                                                                                        \
  F(init, cuInit, (unsigned flags))                                                                                    \
  F(driver_version, cuDriverGetVersion, (int *version))                                                                \
  F(error_name, cuGetErrorName, (CUresult error, const char **text))                                                   \
  F(device_count, cuDeviceGetCount, (int *count))                                                                      \
  F(device_get, cuDeviceGet, (CUdevice * device, int ordinal))                                                         \
  F(device_name, cuDeviceGetName, (char *name, int length, CUdevice device))                                           \
  F(device_attribute, cuDeviceGetAttribute, (int *value, int attribute, CUdevice device))                              \
  F(context_retain, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))                                  \
  F(context_release, cuDevicePrimaryCtxRelease_v2, (CUdevice device))                                                  \
  F(context_current, cuCtxGetCurrent, (CUcontext * context))                                                           \
  F(context_device, cuCtxGetDevice, (CUdevice * device))                                                               \
  F(context_push, cuCtxPushCurrent_v2, (CUcontext context))                                                            \
  F(context_pop, cuCtxPopCurrent_v2, (CUcontext * context))                                                            \
  F(module_load, cuModuleLoadDataEx,                                                                                   \
    (CUmodule * module, const void *image, unsigned count, int *options, void **values))                               \
  F(module_unload, cuModuleUnload, (CUmodule module))                                                                  \
  F(module_function, cuModuleGetFunction, (CUfunction * function, CUmodule module, const char *name))                  \
  F(function_set, cuFuncSetAttribute, (CUfunction function, int attribute, int value))                                 \
  F(memory_info, cuMemGetInfo_v2, (size_t *free, size_t *total))                                                       \
  F(memory_allocate, cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))                                             \
  F(memory_free, cuMemFree_v2, (CUdeviceptr address))                                                                  \
  F(host_allocate, cuMemHostAlloc, (void **address, size_t bytes, unsigned flags))                                     \
  F(host_free, cuMemFreeHost, (void *address))                                                                         \
  F(upload, cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes))                                         \
  F(upload_async, cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))             \
  F(download_async, cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream))                 \
  F(stream_create, cuStreamCreate, (CUstream * stream, unsigned flags))                                                \
  F(stream_destroy, cuStreamDestroy_v2, (CUstream stream))                                                             \
  F(stream_synchronize, cuStreamSynchronize, (CUstream stream))                                                        \
  F(stream_wait, cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned flags))                                  \
  F(capture_begin, cuStreamBeginCapture_v2, (CUstream stream, int mode))                                               \
  F(capture_end, cuStreamEndCapture, (CUstream stream, CUgraph * graph))                                               \
  F(event_create, cuEventCreate, (CUevent * event, unsigned flags))                                                    \
  F(event_destroy, cuEventDestroy_v2, (CUevent event))                                                                 \
  F(event_record, cuEventRecord, (CUevent event, CUstream stream))                                                     \
  F(event_synchronize, cuEventSynchronize, (CUevent event))                                                            \
  F(graph_instantiate, cuGraphInstantiateWithFlags, (CUgraphExec * exec, CUgraph graph, unsigned long long flags))     \
  F(graph_destroy, cuGraphDestroy, (CUgraph graph))                                                                    \
  F(graph_launch, cuGraphLaunch, (CUgraphExec exec, CUstream stream))                                                  \
  F(exec_destroy, cuGraphExecDestroy, (CUgraphExec exec))                                                              \
  F(launch, cuLaunchKernel,                                                                                            \
    (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,       \
     unsigned block_z, unsigned shared, CUstream stream, void **parameters, void **extra))

typedef struct lathe_cuda_driver {
#define LATHE_CUDA_MEMBER(MEMBER, SYMBOL, PARAMETERS) CUresult(*MEMBER) PARAMETERS;
  LATHE_CUDA_FUNCTIONS(LATHE_CUDA_MEMBER)
#undef LATHE_CUDA_MEMBER
} lathe_cuda_driver;

/* Opens and initialises the driver once in a process; a failure is tried again by the next call. */
lathe_status lathe_cuda_open(const lathe_cuda_driver **driver);

/* Keeps a text for lathe_cuda_message() of this thread, and returns `status`. */
lathe_status lathe_cuda_fail(lathe_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* The same for a result of the driver's other than CUDA_SUCCESS, with its name: out of device memory or a missing
 * device have their own status, whatever `otherwise` is. */
lathe_status lathe_cuda_fail_result(const lathe_cuda_driver *driver, CUresult result, lathe_status otherwise,
                                    const char *what);

#endif /* LATHE_SRC_CUDA_DRIVER_H */
