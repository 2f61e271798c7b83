/*===- cuda_driver.c - Opens NVIDIA's driver and names its errors ---------===*/
#include "cuda_driver.h"
#include "../platform/platform.h"
#include "lathe/cuda_abi.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

const char *lathe_cuda_message(void) { return message; }

lathe_status lathe_cuda_fail(lathe_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

lathe_status lathe_cuda_fail_result(const lathe_cuda_driver *driver, CUresult result, lathe_status otherwise,
                                    const char *what) {
  const char *name = NULL;
  if (driver->error_name(result, &name) != CUDA_SUCCESS || !name)
    name = "an unknown error";
  switch (result) {
  case CUDA_ERROR_OUT_OF_MEMORY:
    otherwise = LATHE_ERROR_DEVICE_MEMORY;
    break;
  case CUDA_ERROR_NO_DEVICE:
  case CUDA_ERROR_INVALID_DEVICE:
    otherwise = LATHE_ERROR_NO_DEVICE;
    break;
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
  case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
  case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
    otherwise = LATHE_ERROR_DRIVER_VERSION;
    break;
  default:
    break;
  }
  return lathe_cuda_fail(otherwise, "%s: %s (%d)", what, name, result);
}

/* Fills the table; a function that is missing is one that came later. */
static lathe_status find_functions(void *library, lathe_cuda_driver *table) {
  void *symbol;
#define LATHE_CUDA_FIND(MEMBER, SYMBOL, PARAMETERS)                                                                    \
  if (!(symbol = lathe_rt_find_symbol(library, #SYMBOL)))                                                              \
    return lathe_cuda_fail(LATHE_ERROR_DRIVER_VERSION, "the NVIDIA driver is too old: it has no " #SYMBOL);            \
  memcpy(&table->MEMBER, &symbol, sizeof symbol);
  LATHE_CUDA_FUNCTIONS(LATHE_CUDA_FIND)
#undef LATHE_CUDA_FIND
  return LATHE_OK;
}

lathe_status lathe_cuda_open(const lathe_cuda_driver **driver) {
  static lathe_cuda_driver table;
  static int is_open = 0;
  lathe_status status = LATHE_OK;
  lathe_rt_global_lock();
  if (!is_open) {
    const char *reason = "";
    void *library = lathe_rt_open_library("libcuda.so.1", &reason);
    CUresult result;
    if (!library)
      status = lathe_cuda_fail(LATHE_ERROR_NO_DRIVER, "no NVIDIA driver: %s", reason);
    else if ((status = find_functions(library, &table)) == LATHE_OK && (result = table.init(0)) != CUDA_SUCCESS)
      status = lathe_cuda_fail_result(&table, result, LATHE_ERROR_NO_DRIVER, "the NVIDIA driver does not start");
    is_open = status == LATHE_OK;
  }
  lathe_rt_global_unlock();
  *driver = &table;
  return status;
}
