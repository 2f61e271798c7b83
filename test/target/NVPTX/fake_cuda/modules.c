/*===- modules.c - PTX, and the emulated kernels for it --------------------===*/
#define _GNU_SOURCE
#include "fake_cuda.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
