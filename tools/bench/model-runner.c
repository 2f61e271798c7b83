/*===- model-runner.c - A compiled model as a process that measures -------===*
 *
 *   lathe-model-runner MODEL.so THREADS
 *
 * Opens a model that `lathe compile --name=model --emit=shared` wrote with all dimensions fixed, fills its inputs with
 * the numbers of tools/bench/inputs.mjs, runs it once and prints what that took, but for the numbers, and what of it
 * the run took, as one line of JSON. Then it answers each line of stdin with one of stdout:
 *
 *   run N        {"runs": N, "min_ms": ..., "median_ms": ..., "mean_ms": ...} of N runs
 *   call N       {"nanoseconds": ...}, a run's share of N in a row without a clock between them
 *   outputs F    {"bytes": [...]} of each output; the last run's are written to the file F, one after the other
 *===----------------------------------------------------------------------===*/
#define _POSIX_C_SOURCE 200809L
#include "lathe/lathe.h"
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_LINE = 4096 };

typedef struct runner {
  const lathe_model *model;
  lathe_executor *executor; /* NULL: one thread */
  void **inputs, **outputs; /* the structs of pointers that run() takes */
  size_t *output_bytes;
  void *workspace;
  double fill_ns; /* what the numbers in the inputs took */
} runner;

static void fail(const char *what, const char *where) {
  fprintf(stderr, "error: %s: %s\n", where, what);
  exit(1);
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static size_t element_bytes(int32_t dtype, const char *name) {
  switch (dtype) {
  case LATHE_BOOL:
  case LATHE_INT8:
  case LATHE_UINT8:
    return 1;
  case LATHE_INT16:
  case LATHE_UINT16:
    return 2;
  case LATHE_FLOAT32:
  case LATHE_INT32:
  case LATHE_UINT32:
    return 4;
  case LATHE_FLOAT64:
  case LATHE_INT64:
  case LATHE_UINT64:
    return 8;
  default:
    fail("expected a number of C as the element type", name);
    return 0;
  }
}

static void *allocate(size_t bytes) {
  void *data = aligned_alloc(LATHE_ALIGNMENT, (bytes / LATHE_ALIGNMENT + 1) * LATHE_ALIGNMENT);
  if (!data)
    fail("out of memory", "allocation");
  return data;
}

/* As inputs.mjs does: floats from -1 to 1 that look random, integers 0 and 1. */
static void fill(void *data, size_t count, int32_t dtype, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = (uint32_t)i * 2654435761u;
    bits = (bits ^ (bits >> 15)) * 2246822519u;
    bits ^= bits >> 13;
    double value = (double)bits / 2147483648.0 - 1.0;
    if (dtype == LATHE_FLOAT32)
      ((float *)data)[i] = (float)value;
    else if (dtype == LATHE_FLOAT64)
      ((double *)data)[i] = value;
    else {
      memset((char *)data + i * size, 0, size);
      ((unsigned char *)data)[i * size] = bits & 1; /* little endian */
    }
  }
}

static size_t count_elements(const int64_t *shape, int32_t rank) {
  size_t elements = 1;
  for (int32_t i = 0; i < rank; ++i)
    elements *= (size_t)shape[i];
  return elements;
}

static const lathe_model *open_model(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail(dlerror(), path);
  const lathe_model *model = dlsym(library, "model_model");
  if (!model)
    fail("expected a model that was compiled with --name=model", path);
  if (model->abi_version != LATHE_ABI_VERSION)
    fail("the model has another ABI version", path);
  if (model->num_dims)
    fail("expected all dimensions to be fixed", model->dims[0].name);
  return model;
}

static runner load(const char *path, int threads) {
  runner it = {.model = open_model(path), .executor = threads > 1 ? lathe_executor_create(threads) : NULL};
  const lathe_model *model = it.model;
  if (threads > 1 && !it.executor)
    fail("no threads", path);
  it.inputs = calloc(model->num_inputs + 1, sizeof *it.inputs);
  it.outputs = calloc(2 * model->num_outputs + 1, sizeof *it.outputs);
  it.output_bytes = calloc(model->num_outputs + 1, sizeof *it.output_bytes);
  size_t sizes = 1;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    sizes += (size_t)model->outputs[i].rank;
  int64_t *shapes = calloc(sizes, sizeof *shapes); /* kept: runs write sizes that depend on data there */
  if (!it.inputs || !it.outputs || !it.output_bytes || !shapes)
    fail("out of memory", path);
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    const lathe_tensor *input = &model->inputs[i];
    size_t size = element_bytes(input->dtype, input->name), count = count_elements(input->shape, input->rank);
    it.inputs[i] = allocate(count * size);
    double begin = now_ns();
    fill(it.inputs[i], count, input->dtype, size);
    it.fill_ns += now_ns() - begin;
  }
  model->output_shapes(NULL, shapes);
  int64_t *shape = shapes;
  uint32_t pointers = model->num_outputs;
  for (uint32_t i = 0; i < model->num_outputs; shape += model->outputs[i++].rank) {
    const lathe_tensor *output = &model->outputs[i];
    int of_data = 0;
    for (int32_t d = 0; d < output->rank; ++d)
      of_data |= output->shape[d] == LATHE_SIZE_OF_DATA;
    if (of_data)
      it.outputs[pointers++] = shape;
    it.output_bytes[i] = count_elements(shape, output->rank) * element_bytes(output->dtype, output->name);
    it.outputs[i] = allocate(it.output_bytes[i]);
  }
  lathe_weights_prefault(model);
  it.workspace = lathe_workspace_create(model->workspace_bytes);
  if (!it.workspace)
    fail("out of memory", "workspace");
  return it;
}

static void run(const runner *it) {
  lathe_status status = it->model->run(it->inputs, it->outputs, it->workspace, it->executor);
  if (status != LATHE_OK)
    fail(lathe_status_string(status), it->model->name);
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure_runs(const runner *it, long count) {
  double *times = malloc((size_t)count * sizeof *times);
  if (!times)
    fail("out of memory", "run");
  double sum = 0;
  for (long i = 0; i < count; ++i) {
    double begin = now_ns();
    run(it);
    times[i] = now_ns() - begin;
    sum += times[i];
  }
  qsort(times, (size_t)count, sizeof *times, compare_doubles);
  printf("{\"runs\": %ld, \"min_ms\": %.6f, \"median_ms\": %.6f, \"mean_ms\": %.6f}\n", count, times[0] / 1e6,
         times[count / 2] / 1e6, sum / (double)count / 1e6);
  free(times);
}

static void measure_calls(const runner *it, long count) {
  double begin = now_ns();
  for (long i = 0; i < count; ++i)
    run(it);
  printf("{\"nanoseconds\": %.3f}\n", (now_ns() - begin) / (double)count);
}

static void write_outputs(const runner *it, const char *path) {
  FILE *file = fopen(path, "wb");
  for (uint32_t i = 0; file && i < it->model->num_outputs; ++i)
    if (fwrite(it->outputs[i], 1, it->output_bytes[i], file) != it->output_bytes[i])
      fail("cannot write", path);
  if (!file || fclose(file) != 0)
    fail("cannot write", path);
  printf("{\"bytes\": [");
  for (uint32_t i = 0; i < it->model->num_outputs; ++i)
    printf(i ? ", %zu" : "%zu", it->output_bytes[i]);
  printf("]}\n");
}

int main(int argc, char **argv) {
  double begin = now_ns();
  if (argc != 3 || atoi(argv[2]) < 1) {
    fprintf(stderr, "usage: lathe-model-runner MODEL.so THREADS\n");
    return 2;
  }
  static runner it; /* keeps what it points to reachable: nothing is freed */
  it = load(argv[1], atoi(argv[2]));
  double loaded = now_ns();
  run(&it);
  double end = now_ns();
  printf("{\"start_ms\": %.6f, \"run_ms\": %.6f, \"weight_bytes\": %" PRIu64 ", \"workspace_bytes\": %" PRIu64 "}\n",
         (end - begin - it.fill_ns) / 1e6, (end - loaded) / 1e6, it.model->weight_bytes, it.model->workspace_bytes);
  fflush(stdout);
  char line[MAX_LINE];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, "run ", 4) && atol(line + 4) > 0)
      measure_runs(&it, atol(line + 4));
    else if (!strncmp(line, "call ", 5) && atol(line + 5) > 0)
      measure_calls(&it, atol(line + 5));
    else if (!strncmp(line, "outputs ", 8))
      write_outputs(&it, line + 8);
    else
      fail("expected run N, call N or outputs FILE", line);
    fflush(stdout);
  }
  return 0;
}
