/*===- status.c - Texts of status codes -----------------------------------===*/
#include "lathe/lathe.h"

const char *lathe_status_string(lathe_status status) {
  switch (status) {
  case LATHE_OK:
    return "ok";
  case LATHE_ERROR_NULL_POINTER:
    return "an input, an output or the workspace is NULL";
  case LATHE_ERROR_MISALIGNED:
    return "a pointer is not aligned";
  case LATHE_ERROR_DIM_RANGE:
    return "a dimension is outside the bounds that the model was compiled for, or does not fit the others";
  case LATHE_ERROR_UNSUPPORTED_CPU:
    return "the processor lacks instructions that the model was compiled for, or the system does not allow them";
  case LATHE_ERROR_WEIGHTS:
    return "the weights are missing, short or of another model";
  case LATHE_ERROR_ABI_VERSION:
    return "model and runtime are of different ABI versions";
  case LATHE_ERROR_OUT_OF_MEMORY:
    return "out of memory";
  case LATHE_ERROR_SYSTEM:
    return "the operating system refused a request";
  case LATHE_ERROR_DATA_SIZE:
    return "the inputs tell a size that does not fit, or is above the bound that the model was compiled for";
  case LATHE_ERROR_NO_DRIVER:
    return "no driver of the GPU is installed, or it does not start";
  case LATHE_ERROR_NO_DEVICE:
    return "there is no GPU that the model was compiled for";
  case LATHE_ERROR_DRIVER_VERSION:
    return "the GPU's driver is too old for the model's code";
  case LATHE_ERROR_DEVICE_MEMORY:
    return "the GPU has too little memory left";
  case LATHE_ERROR_DEVICE:
    return "a kernel or a copy failed on the GPU";
  }
  return "unknown status";
}
