/*===- main.c - The program that --emit=exe makes of a model --------------===*
 *
 *   model INPUT.npy... [--threads=N] [--output-dir=DIR] [--variant=TARGET]
 *
 * Inputs in the model's order; writes each output to DIR/NAME.npy. Runs the code for TARGET where the model has
 * several, by default the best that the machine can run. Exit code 1 and a line on stderr where something fails.
 *===----------------------------------------------------------------------===*/
#include "lathe/lathe.h"
#include "npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 512 };

/* The linker makes this name the model's descriptor. */
extern const lathe_model lathe_main_model;

/* Linked with models for a GPU only. */
extern const char *lathe_cuda_message(void) __attribute__((weak));

/* Checks the input against the descriptor and reads the symbolic dimensions from it. */
static void bind(const lathe_tensor *expected, const npy_array *value, int64_t *dims) {
  if (value->rank != expected->rank)
    npy_fail("wrong rank", expected->name);
  for (int i = 0; i < value->rank; ++i) {
    int64_t size = expected->shape[i];
    if (size < 0) {
      int64_t *dim = &dims[-1 - size];
      size = *dim = *dim < 0 ? value->shape[i] : *dim;
    }
    if (value->shape[i] != size)
      npy_fail("wrong shape", expected->name);
  }
}

static const lathe_variant *find_variant(const char *target) {
  for (uint32_t i = 0; i < lathe_main_model.num_variants; ++i)
    if (strcmp(lathe_main_model.variants[i].target, target) == 0)
      return &lathe_main_model.variants[i];
  npy_fail("the model has no code for this target", target);
  return NULL;
}

int main(int argc, char **argv) {
  const lathe_model *model = &lathe_main_model;
  npy_program = model->name;
  const lathe_variant *variant = NULL;
  const char *folder = ".";
  int32_t threads = 1;
  uint32_t given = 0;
  uint64_t *inputs = npy_allocate((model->num_inputs + model->num_dims) * sizeof *inputs);
  int64_t *dims = (int64_t *)(inputs + model->num_inputs);
  for (uint32_t i = 0; i < model->num_dims; ++i)
    dims[i] = -1;
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--threads=", 10) == 0) {
      threads = (int32_t)atoi(argv[i] + 10);
    } else if (strncmp(argv[i], "--output-dir=", 13) == 0) {
      folder = argv[i] + 13;
    } else if (strncmp(argv[i], "--variant=", 10) == 0) {
      variant = find_variant(argv[i] + 10);
    } else if (given < model->num_inputs && argv[i][0] != '-') {
      npy_array value = npy_read(argv[i], model->inputs[given].dtype);
      bind(&model->inputs[given], &value, dims);
      inputs[given++] = (uintptr_t)value.data;
    } else {
      given = model->num_inputs + 1;
    }
  }
  if (given != model->num_inputs) {
    fprintf(stderr, "usage: %s", argv[0]);
    for (uint32_t i = 0; i < model->num_inputs; ++i)
      fprintf(stderr, " %s.npy", model->inputs[i].name);
    fprintf(stderr, " [--threads=N] [--output-dir=DIR] [--variant=TARGET]\n");
    return 2;
  }

  size_t ranks = 1;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    ranks += (size_t)model->outputs[i].rank;
  int64_t *sizes = npy_allocate(ranks * sizeof *sizes);
  model->output_shapes(dims, sizes);
  npy_array *outputs = npy_allocate(model->num_outputs * sizeof *outputs);
  void **pointers = npy_allocate(2 * model->num_outputs * sizeof *pointers);
  uint32_t num_pointers = model->num_outputs; /* one more for each output of which the run tells the sizes */
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    size_t bytes;
    outputs[i].rank = model->outputs[i].rank;
    for (int d = 0; d < outputs[i].rank && d < NPY_MAX_RANK; ++d)
      outputs[i].shape[d] = *sizes++;
    for (int d = 0; d < outputs[i].rank; ++d)
      if (model->outputs[i].shape[d] == LATHE_SIZE_OF_DATA) {
        pointers[num_pointers++] = outputs[i].shape;
        break;
      }
    npy_describe(model->outputs[i].dtype, &bytes);
    pointers[i] = outputs[i].data = npy_allocate(npy_count(outputs[i].shape, outputs[i].rank) * bytes);
  }
  lathe_executor *executor = threads == 1 ? NULL : lathe_executor_create(threads);
  void *workspace = lathe_workspace_create(model->workspace_bytes);
  if (!workspace)
    npy_fail("out of memory", "workspace");
  lathe_weights_prefault(model);
  lathe_status status = (variant ? variant->run : model->run)(inputs, pointers, workspace, executor);
  lathe_executor_destroy(executor);
  if (status >= LATHE_ERROR_NO_DRIVER && status <= LATHE_ERROR_DEVICE && lathe_cuda_message)
    npy_fail(lathe_cuda_message(), "run");
  if (status != LATHE_OK)
    npy_fail(lathe_status_string(status), "run");
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    char path[MAX_NAME];
    int length = snprintf(path, sizeof path, "%s/%s.npy", folder, model->outputs[i].name);
    if (length < 0 || length >= MAX_NAME)
      npy_fail("the path is too long", model->outputs[i].name);
    npy_write(path, &outputs[i], model->outputs[i].dtype);
  }
  return 0;
}
