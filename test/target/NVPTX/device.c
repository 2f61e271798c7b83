/* What an object for a GPU promises its caller, beside the numbers: device.sh links this with one model twice, `gpu`
 * for the device (batch 1 to 12) and `cpu` for this machine.
 *
 *   device shapes|pointers|threads|arguments   exit code 1 and a line where something is wrong
 *   device status N                            one run, whose status must be N; prints its message */
#include "cpu.h"
#include "cuda_driver.h"
#include "gpu.h"
#include "lathe/lathe.h"
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 32 * 32, CLASSES = 36, MOST = 12, THREADS = 4 };

static float images[MOST * PIXELS], expected[MOST * CLASSES];

#define REQUIRE(CONDITION)                                                                                             \
  do {                                                                                                                 \
    if (!(CONDITION)) {                                                                                                \
      fprintf(stderr, "line %d: %s does not hold; %s\n", __LINE__, #CONDITION, gpu_message());                         \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static void compare(const float *got, int64_t batch) {
  for (int64_t i = 0; i < batch * CLASSES; ++i)
    if (!(fabsf(got[i] - expected[i]) <= 1e-3f)) {
      fprintf(stderr, "output %d: %g, expected %g\n", (int)i, (double)got[i], (double)expected[i]);
      exit(1);
    }
}

static void run_batch(int64_t batch) {
  float logits[MOST * CLASSES];
  memset(logits, 0xff, sizeof logits);
  REQUIRE(gpu_run(&(gpu_inputs){.input = images, .batch = batch}, &(gpu_outputs){.logits = logits}, NULL, NULL) ==
          LATHE_OK);
  compare(logits, batch);
}

/* Eight graphs are kept: of ten shapes, the ninth and tenth take the places of 10 and 1. */
static void check_shapes(void) {
  run_batch(10);
  for (int round = 0; round < 3; ++round)
    for (int64_t batch = 1; batch <= 2; ++batch)
      run_batch(batch);
  for (int64_t batch = 3; batch <= 9; ++batch)
    run_batch(batch);
  run_batch(9);
  run_batch(3);
  run_batch(1);
  gpu_unload();
}

static void *find(const char *name) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW), *symbol = library ? dlsym(library, name) : NULL;
  REQUIRE(symbol != NULL);
  return symbol;
}

/* Tensors of the device on a stream of the caller, whose runs follow each other without anybody waiting. */
static void check_pointers(void) {
  lathe_cuda_driver driver;
  void *symbol;
#define FIND(MEMBER, SYMBOL, PARAMETERS)                                                                               \
  symbol = find(#SYMBOL);                                                                                              \
  memcpy(&driver.MEMBER, &symbol, sizeof symbol);
  LATHE_CUDA_FUNCTIONS(FIND)
  CUcontext context;
  CUstream stream;
  CUdeviceptr input, output[2];
  float logits[MOST * CLASSES];
  REQUIRE(driver.init(0) == CUDA_SUCCESS);
  REQUIRE(driver.context_retain(&context, 0) == CUDA_SUCCESS);
  REQUIRE(driver.context_push(context) == CUDA_SUCCESS);
  REQUIRE(driver.stream_create(&stream, CU_STREAM_NON_BLOCKING) == CUDA_SUCCESS);
  REQUIRE(driver.memory_allocate(&input, sizeof images) == CUDA_SUCCESS);
  for (int i = 0; i < 2; ++i)
    REQUIRE(driver.memory_allocate(&output[i], sizeof logits) == CUDA_SUCCESS);
  REQUIRE(driver.upload_async(input, images, sizeof images, stream) == CUDA_SUCCESS);
  gpu_inputs in = {.input = (const float *)(uintptr_t)input, .batch = 4};
  gpu_outputs out[2] = {{.logits = (float *)(uintptr_t)output[0]}, {.logits = (float *)(uintptr_t)output[1]}};
  for (int i = 0; i < 4; ++i)
    REQUIRE(gpu_run_device(&in, &out[i % 2], stream) == LATHE_OK);
  for (int i = 0; i < 2; ++i) {
    memset(logits, 0, sizeof logits);
    REQUIRE(driver.download_async(logits, output[i], sizeof logits, stream) == CUDA_SUCCESS);
    REQUIRE(driver.stream_synchronize(stream) == CUDA_SUCCESS);
    compare(logits, 4);
  }
  /* Without a stream the call returns at the end. What is pending on the caller's stream comes first, as the run of the
   * host does. */
  REQUIRE(gpu_run_device(&in, &out[0], stream) == LATHE_OK);
  in.batch = 5;
  REQUIRE(gpu_run_device(&in, &out[1], NULL) == LATHE_OK);
  REQUIRE(gpu_run_device(&in, &out[0], stream) == LATHE_OK);
  run_batch(6);
  REQUIRE(driver.download_async(logits, output[1], sizeof logits, stream) == CUDA_SUCCESS);
  REQUIRE(driver.stream_synchronize(stream) == CUDA_SUCCESS);
  compare(logits, 5);
  REQUIRE(gpu_run_device(&in, &(gpu_outputs){0}, stream) == LATHE_ERROR_NULL_POINTER);
  gpu_outputs askew = {.logits = (float *)(uintptr_t)(output[0] + 8)};
  REQUIRE(gpu_run_device(&in, &askew, stream) == LATHE_ERROR_MISALIGNED);
  gpu_unload();
  for (int i = 0; i < 2; ++i)
    REQUIRE(driver.memory_free(output[i]) == CUDA_SUCCESS);
  REQUIRE(driver.memory_free(input) == CUDA_SUCCESS);
  REQUIRE(driver.stream_destroy(stream) == CUDA_SUCCESS);
  REQUIRE(driver.context_pop(&context) == CUDA_SUCCESS);
  REQUIRE(driver.context_release(0) == CUDA_SUCCESS);
}

static void *run_some(void *argument) {
  for (int64_t i = 0; i < 6; ++i)
    run_batch(1 + (i + (int64_t)(intptr_t)argument) % 3);
  return NULL;
}

/* The first calls load the model at the same time. */
static void check_threads(void) {
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; ++i)
    REQUIRE(pthread_create(&threads[i], NULL, run_some, (void *)i) == 0);
  for (int i = 0; i < THREADS; ++i)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  gpu_unload();
}

static void check_arguments(void) {
  float logits[CLASSES];
  gpu_inputs in = {.input = images, .batch = 1};
  gpu_outputs out = {.logits = logits};
  REQUIRE(gpu_run(NULL, &out, NULL, NULL) == LATHE_ERROR_NULL_POINTER);
  REQUIRE(gpu_run(&in, NULL, NULL, NULL) == LATHE_ERROR_NULL_POINTER);
  REQUIRE(gpu_run(&(gpu_inputs){.batch = 1}, &out, NULL, NULL) == LATHE_ERROR_NULL_POINTER);
  REQUIRE(gpu_run(&(gpu_inputs){.input = (const float *)((const char *)images + 1), .batch = 1}, &out, NULL, NULL) ==
          LATHE_ERROR_MISALIGNED);
  REQUIRE(gpu_run(&(gpu_inputs){.input = images, .batch = 0}, &out, NULL, NULL) == LATHE_ERROR_DIM_RANGE);
  REQUIRE(gpu_run(&(gpu_inputs){.input = images, .batch = 13}, &out, NULL, NULL) == LATHE_ERROR_DIM_RANGE);
  REQUIRE(gpu_model.workspace_bytes == 0 && gpu_model.weight_bytes == GPU_DEVICE_WEIGHT_BYTES &&
          gpu_model.num_variants == 1);
  REQUIRE(strcmp(gpu_model.variants[0].target, "sm_90") == 0 && gpu_model.supported() == 1);
  /* Nothing was loaded; unloading is allowed at any time, and what was unloaded loads again. */
  gpu_unload();
  REQUIRE(gpu_load() == LATHE_OK);
  REQUIRE(gpu_load() == LATHE_OK);
  run_batch(1);
  gpu_unload();
  gpu_unload();
  run_batch(2);
  gpu_unload();
}

static int check_status(int wanted) {
  float logits[CLASSES];
  lathe_status status =
      gpu_run(&(gpu_inputs){.input = images, .batch = 1}, &(gpu_outputs){.logits = logits}, NULL, NULL);
  printf("%s: %s\n", lathe_status_string(status), gpu_message());
  gpu_unload();
  return (int)status != wanted;
}

int main(int argc, char **argv) {
  static _Alignas(LATHE_ALIGNMENT) char workspace[CPU_WORKSPACE_BYTES];
  for (int i = 0; i < MOST * PIXELS; ++i)
    images[i] = (float)((i * 37 + i / 51 * 11) % 256) / 255 - 0.5f;
  REQUIRE(cpu_run(&(cpu_inputs){.input = images, .batch = MOST}, &(cpu_outputs){.logits = expected}, workspace, NULL) ==
          LATHE_OK);
  if (argc == 3 && strcmp(argv[1], "status") == 0)
    return check_status(atoi(argv[2]));
  const struct {
    const char *name;
    void (*check)(void);
  } checks[] = {{"shapes", check_shapes},
                {"pointers", check_pointers},
                {"threads", check_threads},
                {"arguments", check_arguments}};
  for (size_t i = 0; argc == 2 && i < sizeof checks / sizeof *checks; ++i)
    if (strcmp(argv[1], checks[i].name) == 0)
      return checks[i].check(), 0;
  fprintf(stderr, "usage: device shapes|pointers|threads|arguments|status N\n");
  return 2;
}
