/*===- gpu-run.c - Checks and times a compiled model on a GPU -------------===*
 *
 *   lathe-gpu-run MODEL.so NAME [--input TENSOR=F.npy|TENSOR=random:SEED]... [--dim NAME=N]... [--check
 * TENSOR=F.npy]...
 *       [--rtol=R] [--atol=A] [--seconds=S]
 *
 * Opens a model that `lathe compile --name=NAME --target=sm_90 --emit=shared` wrote and needs nothing else of Lathe's.
 * Prints one line of JSON: the device, what loading and the first run took, the median of runs from and to the host's
 * memory, and a run's share of many that follow each other on the device's. A file of --check may have only the first
 * elements of an output. Differences are relative to the largest expected element. Exit code 0 exactly when all outputs
 * agree.
 *===----------------------------------------------------------------------===*/
#define _POSIX_C_SOURCE 200809L
#include "cuda_driver.h"
#include "lathe/rt_abi.h"
#include "npy.h"
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RUNS = 100000, LEAST_RUNS = 5 };

typedef lathe_status (*run_device_function)(const void *inputs, const void *outputs, void *stream);

typedef struct program {
  const lathe_model *model;
  run_device_function run_device;
  lathe_status (*load)(void);
  void (*unload)(void);
  const char *(*message)(void);
  uint64_t *inputs; /* addresses, then dimensions */
  int64_t *dims;
  npy_array *in, *out;
  void **outputs;
  double seconds, rtol, atol;
} program;

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static void *find(void *library, const char *name, const char *suffix) {
  char symbol[256];
  snprintf(symbol, sizeof symbol, "%s%s", name, suffix);
  void *address = dlsym(library, symbol);
  if (!address)
    npy_fail("the library lacks it", symbol);
  return address;
}

/* What is behind TENSOR= in arguments `--OPTION TENSOR=...`; NULL if none is of the tensor. */
static const char *value_of(int argc, char **argv, const char *option, const char *tensor) {
  size_t length = strlen(tensor);
  for (int i = 3; i + 1 < argc; ++i)
    if (strcmp(argv[i], option) == 0 && strncmp(argv[i + 1], tensor, length) == 0 && argv[i + 1][length] == '=')
      return argv[i + 1] + length + 1;
  return NULL;
}

static double number_of(int argc, char **argv, const char *option, double otherwise) {
  size_t length = strlen(option);
  for (int i = 3; i < argc; ++i)
    if (strncmp(argv[i], option, length) == 0 && argv[i][length] == '=')
      return atof(argv[i] + length + 1);
  return otherwise;
}

/* Numbers in [-1, 1): element i has the i-th of splitmix64 (Steele et al. 2014) from the seed. make-bundle has the
 * same. */
static void fill_random(npy_array *tensor, uint64_t seed) {
  float *data = tensor->data;
  size_t elements = npy_count(tensor->shape, tensor->rank);
  for (size_t i = 0; i < elements; ++i) {
    uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    data[i] = (float)((z ^ z >> 31) >> 40) / 8388608.0f - 1.0f;
  }
}

static size_t bytes_of(const npy_array *tensor, int32_t dtype) {
  size_t bytes;
  npy_describe(dtype, &bytes);
  return bytes * npy_count(tensor->shape, tensor->rank);
}

static void read_inputs(program *p, int argc, char **argv) {
  const lathe_model *model = p->model;
  for (uint32_t i = 0; i < model->num_dims; ++i) {
    const char *given = value_of(argc, argv, "--dim", model->dims[i].name);
    p->dims[i] = given ? atoll(given) : model->dims[i].lower;
  }
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    const lathe_tensor *tensor = &model->inputs[i];
    const char *given = value_of(argc, argv, "--input", tensor->name);
    if (!given)
      npy_fail("expected --input", tensor->name);
    npy_array *value = &p->in[i];
    value->rank = tensor->rank;
    for (int d = 0; d < tensor->rank; ++d)
      value->shape[d] = tensor->shape[d] >= 0 ? tensor->shape[d] : p->dims[-1 - tensor->shape[d]];
    if (strncmp(given, "random:", 7) == 0) {
      if (tensor->dtype != LATHE_FLOAT32)
        npy_fail("random numbers are float32", tensor->name);
      value->data = npy_allocate(bytes_of(value, tensor->dtype));
      fill_random(value, strtoull(given + 7, NULL, 10));
    } else {
      npy_array read = npy_read(given, tensor->dtype);
      if (npy_count(read.shape, read.rank) != npy_count(value->shape, value->rank))
        npy_fail("wrong size", given);
      value->data = read.data;
    }
    p->inputs[i] = (uintptr_t)value->data;
  }
}

static void make_outputs(program *p) {
  const lathe_model *model = p->model;
  size_t ranks = 1;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    ranks += (size_t)model->outputs[i].rank;
  int64_t *sizes = npy_allocate(ranks * sizeof *sizes);
  model->output_shapes(p->dims, sizes);
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    p->out[i].rank = model->outputs[i].rank;
    for (int d = 0; d < p->out[i].rank; ++d)
      p->out[i].shape[d] = *sizes++;
    size_t bytes = bytes_of(&p->out[i], model->outputs[i].dtype);
    p->outputs[i] = p->out[i].data = npy_allocate(bytes);
    memset(p->out[i].data, 0xff, bytes);
  }
}

static double element(const void *data, int32_t dtype, size_t i) {
  switch (dtype) {
  case LATHE_FLOAT32:
    return (double)((const float *)data)[i];
  case LATHE_FLOAT64:
    return ((const double *)data)[i];
  case LATHE_INT64:
    return (double)((const int64_t *)data)[i];
  case LATHE_INT32:
    return (double)((const int32_t *)data)[i];
  case LATHE_UINT8:
  case LATHE_BOOL:
    return (double)((const uint8_t *)data)[i];
  case LATHE_INT8:
    return (double)((const int8_t *)data)[i];
  default:
    npy_fail("outputs of this type are not compared", "--check");
    return 0;
  }
}

/* Compares outputs with files; the largest difference, as a share of the largest expected element, goes to `largest`.
 */
static bool check(const program *p, int argc, char **argv, double *largest) {
  bool agrees = true;
  *largest = 0;
  for (uint32_t i = 0; i < p->model->num_outputs; ++i) {
    const lathe_tensor *tensor = &p->model->outputs[i];
    const char *given = value_of(argc, argv, "--check", tensor->name);
    if (!given)
      continue;
    npy_array expected = npy_read(given, tensor->dtype);
    size_t elements = npy_count(expected.shape, expected.rank);
    if (elements > npy_count(p->out[i].shape, p->out[i].rank))
      npy_fail("more elements than the output has", given);
    double scale = 0;
    for (size_t k = 0; k < elements; ++k)
      scale = fmax(scale, fabs(element(expected.data, tensor->dtype, k)));
    for (size_t k = 0; k < elements; ++k) {
      double difference = fabs(element(p->out[i].data, tensor->dtype, k) - element(expected.data, tensor->dtype, k));
      if (!(difference <= p->atol + p->rtol * scale))
        agrees = false;
      if (!(difference <= *largest * scale))
        *largest = scale > 0 ? difference / scale : difference;
    }
  }
  return agrees;
}

static int compare_times(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void require(const program *p, lathe_status status, const char *what) {
  if (status != LATHE_OK)
    npy_fail(p->message(), what);
}

/* The median of runs from and to the host's memory. */
static double time_host(const program *p, double *first) {
  static double times[MOST_RUNS];
  int runs = 0;
  double begin = now_ms();
  require(p, p->model->run(p->inputs, p->outputs, NULL, NULL), "run");
  *first = now_ms() - begin;
  begin = now_ms();
  do {
    double at = now_ms();
    require(p, p->model->run(p->inputs, p->outputs, NULL, NULL), "run");
    times[runs++] = now_ms() - at;
  } while (runs < MOST_RUNS && (runs < LEAST_RUNS || now_ms() - begin < 1e3 * p->seconds));
  qsort(times, (size_t)runs, sizeof *times, compare_times);
  return times[runs / 2];
}

static CUdeviceptr put(const program *p, const lathe_cuda_driver *driver, const npy_array *tensor, int32_t dtype) {
  size_t bytes = bytes_of(tensor, dtype);
  CUdeviceptr address = 0;
  if (driver->memory_allocate(&address, bytes ? bytes : 1) != CUDA_SUCCESS)
    npy_fail("too little memory of the device", p->model->name);
  if (bytes && (driver->upload(address, tensor->data, bytes) != CUDA_SUCCESS ||
                driver->stream_synchronize(NULL) != CUDA_SUCCESS))
    npy_fail("a copy failed", p->model->name);
  return address;
}

/* A run's share of several that follow each other on a stream, with all tensors on the device: the least of three
 * turns. */
static double time_device(const program *p, const lathe_cuda_driver *driver, double estimate) {
  const lathe_model *model = p->model;
  CUstream stream;
  size_t tensors = model->num_inputs + model->num_outputs;
  uint64_t *inputs = npy_allocate((model->num_inputs + model->num_dims) * sizeof *inputs);
  uint64_t *outputs = npy_allocate(model->num_outputs * sizeof *outputs);
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    inputs[i] = put(p, driver, &p->in[i], model->inputs[i].dtype);
  memcpy(inputs + model->num_inputs, p->dims, model->num_dims * sizeof *p->dims);
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    outputs[i] = put(p, driver, &p->out[i], model->outputs[i].dtype);
  if (driver->stream_create(&stream, CU_STREAM_NON_BLOCKING) != CUDA_SUCCESS)
    npy_fail("no stream", model->name);
  int runs = (int)fmin(fmax(1e3 * p->seconds / 3 / fmax(estimate, 1e-3), LEAST_RUNS), MOST_RUNS);
  double best = INFINITY;
  for (int turn = -1; turn < 3; ++turn) { /* the first one only warms up */
    double begin = now_ms();
    for (int i = 0; i < (turn < 0 ? 1 : runs); ++i)
      require(p, p->run_device(inputs, outputs, stream), "run on the device");
    if (driver->stream_synchronize(stream) != CUDA_SUCCESS)
      npy_fail("a kernel failed", model->name);
    if (turn >= 0)
      best = fmin(best, (now_ms() - begin) / runs);
  }
  p->unload();
  for (size_t i = 0; i < tensors; ++i)
    (void)driver->memory_free(i < model->num_inputs ? inputs[i] : outputs[i - model->num_inputs]);
  (void)driver->stream_destroy(stream);
  return best;
}

static void open_driver(lathe_cuda_driver *driver) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW), *symbol;
  if (!library)
    npy_fail(dlerror(), "no NVIDIA driver");
#define FIND(MEMBER, SYMBOL, PARAMETERS)                                                                               \
  symbol = find(library, #SYMBOL, "");                                                                                 \
  memcpy(&driver->MEMBER, &symbol, sizeof symbol);
  LATHE_CUDA_FUNCTIONS(FIND)
}

int main(int argc, char **argv) {
  program p = {0};
  lathe_cuda_driver driver;
  CUcontext context;
  char device[128];
  npy_program = "lathe-gpu-run";
  if (argc < 3) {
    fprintf(
        stderr,
        "usage: lathe-gpu-run MODEL.so NAME [--input TENSOR=F.npy|TENSOR=random:SEED]... [--check TENSOR=F.npy]...\n");
    return 2;
  }
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    npy_fail(dlerror(), argv[1]);
  p.model = find(library, argv[2], "_model");
#define SYMBOL(MEMBER, SUFFIX)                                                                                         \
  do {                                                                                                                 \
    void *symbol = find(library, argv[2], SUFFIX);                                                                     \
    memcpy(&p.MEMBER, &symbol, sizeof symbol);                                                                         \
  } while (0)
  SYMBOL(run_device, "_run_device");
  SYMBOL(load, "_load");
  SYMBOL(unload, "_unload");
  SYMBOL(message, "_message");
  if (p.model->abi_version != LATHE_ABI_VERSION)
    npy_fail("the model has another ABI version", argv[1]);
  p.inputs = npy_allocate((p.model->num_inputs + p.model->num_dims) * sizeof *p.inputs);
  p.dims = (int64_t *)(p.inputs + p.model->num_inputs);
  p.in = npy_allocate(p.model->num_inputs * sizeof *p.in);
  p.out = npy_allocate(p.model->num_outputs * sizeof *p.out);
  p.outputs = npy_allocate(p.model->num_outputs * sizeof *p.outputs);
  p.rtol = number_of(argc, argv, "--rtol", 1e-3);
  p.atol = number_of(argc, argv, "--atol", 1e-6);
  p.seconds = number_of(argc, argv, "--seconds", 1);
  read_inputs(&p, argc, argv);
  make_outputs(&p);

  open_driver(&driver);
  if (driver.init(0) != CUDA_SUCCESS || driver.context_retain(&context, 0) != CUDA_SUCCESS ||
      driver.context_push(context) != CUDA_SUCCESS || driver.device_name(device, sizeof device, 0) != CUDA_SUCCESS)
    npy_fail("the first device is not usable", "NVIDIA driver");
  double begin = now_ms(), first, largest;
  require(&p, p.load(), "load");
  double load = now_ms() - begin, host = time_host(&p, &first);
  bool agrees = check(&p, argc, argv, &largest);
  double on_device = time_device(&p, &driver, host);
  (void)driver.context_pop(&context);
  (void)driver.context_release(0);
  printf("{\"model\": \"%s\", \"device\": \"%s\", \"agrees\": %s, \"largest_difference\": %.3g, \"load_ms\": %.4g, "
         "\"first_ms\": %.4g, "
         "\"host_ms\": %.6g, \"device_ms\": %.6g, \"weight_bytes\": %llu}\n",
         argv[2], device, agrees ? "true" : "false", largest, load, first, host, on_device,
         (unsigned long long)p.model->weight_bytes);
  return !agrees;
}
