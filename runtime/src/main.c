/*===- main.c - The program that --emit=exe makes of a model --------------===*
 *
 *   model INPUT.npy... [--threads=N] [--output-dir=DIR] [--variant=TARGET]
 *
 * Inputs in the model's order; writes each output to DIR/NAME.npy. Runs the code for TARGET where the model has several, by
 * default the best that the machine can run. Exit code 1 and a line on stderr where something fails.
 *===----------------------------------------------------------------------===*/
#include "lathe/lathe.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANK = 16, MAX_NAME = 512 };

/* The linker makes this name the model's descriptor. */
extern const lathe_model lathe_main_model;

typedef struct array {
  void *data;
  int64_t shape[MAX_RANK];
  int rank;
} array;

static void fail(const char *what, const char *where) {
  fprintf(stderr, "%s: %s: %s\n", lathe_main_model.name, where, what);
  exit(1);
}

/* NumPy's name of an element type, and its size in bytes. */
static const char *describe(int32_t dtype, size_t *bytes) {
  switch (dtype) {
  case LATHE_FLOAT32: return *bytes = 4, "<f4";
  case LATHE_FLOAT64: return *bytes = 8, "<f8";
  case LATHE_FLOAT16: return *bytes = 2, "<f2";
  case LATHE_INT8: return *bytes = 1, "|i1";
  case LATHE_UINT8: return *bytes = 1, "|u1";
  case LATHE_INT16: return *bytes = 2, "<i2";
  case LATHE_UINT16: return *bytes = 2, "<u2";
  case LATHE_INT32: return *bytes = 4, "<i4";
  case LATHE_UINT32: return *bytes = 4, "<u4";
  case LATHE_INT64: return *bytes = 8, "<i8";
  case LATHE_UINT64: return *bytes = 8, "<u8";
  case LATHE_BOOL: return *bytes = 1, "|b1";
  case LATHE_INT4: case LATHE_INT2: return *bytes = 1, "|i1";
  case LATHE_UINT4: case LATHE_UINT2: return *bytes = 1, "|u1";
  case LATHE_BFLOAT16: return *bytes = 2, "<V2";
  default: return *bytes = 1, "|V1"; /* floats of at most 8 bits */
  }
}

static void *allocate(size_t bytes) {
  void *data = aligned_alloc(LATHE_ALIGNMENT, (bytes / LATHE_ALIGNMENT + 1) * LATHE_ALIGNMENT);
  if (!data)
    fail("out of memory", "allocation");
  return data;
}

static size_t count(const int64_t *shape, int rank) {
  size_t elements = 1;
  for (int i = 0; i < rank; ++i)
    elements *= (size_t)shape[i];
  return elements;
}

/* Reads a C-ordered array of the type; any other file is an error. */
static array read_npy(const char *path, int32_t dtype) {
  size_t size;
  const char *type = describe(dtype, &size);
  FILE *file = fopen(path, "rb");
  unsigned char magic[10];
  if (!file || fread(magic, 1, sizeof magic, file) != sizeof magic || memcmp(magic, "\x93NUMPY\1", 7) != 0)
    fail("not a .npy file of version 1", path);
  size_t length = magic[8] + 256u * magic[9];
  char *header = allocate(length + 1);
  if (fread(header, 1, length, file) != length)
    fail("the header is cut off", path);
  header[length] = 0;
  const char *shape = strstr(header, "'shape': (");
  if (!shape || !strstr(header, type) || !strstr(header, "'fortran_order': False"))
    fail("expected a C-ordered array of the input's element type", path);
  array result = {0};
  for (char *at = (char *)shape + 10; *at != ')' && *at && result.rank < MAX_RANK;) {
    char *end;
    result.shape[result.rank++] = strtoll(at, &end, 10);
    if (end == at || result.shape[result.rank - 1] < 0)
      fail("the shape cannot be read", path);
    at = end + strspn(end, ", ");
  }
  size_t bytes = count(result.shape, result.rank) * size;
  result.data = allocate(bytes);
  if (fread(result.data, 1, bytes, file) != bytes)
    fail("the data is cut off", path);
  fclose(file);
  free(header);
  return result;
}

static void write_npy(const char *path, const array *value, int32_t dtype) {
  size_t size;
  char header[1024];
  int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", describe(dtype, &size));
  for (int i = 0; i < value->rank; ++i)
    length += snprintf(header + length, sizeof header - (size_t)length, "%" PRId64 ",", value->shape[i]);
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  while ((length + 11) % 64 != 0)
    header[length++] = ' ';
  header[length++] = '\n';
  unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length % 256), (unsigned char)(length / 256)};
  size_t bytes = count(value->shape, value->rank) * size;
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(magic, 1, sizeof magic, file) != sizeof magic ||
      fwrite(header, 1, (size_t)length, file) != (size_t)length || fwrite(value->data, 1, bytes, file) != bytes ||
      fclose(file) != 0)
    fail("cannot write", path);
}

/* Checks the input against the descriptor and reads the symbolic dimensions from it. */
static void bind(const lathe_tensor *expected, const array *value, int64_t *dims) {
  if (value->rank != expected->rank)
    fail("wrong rank", expected->name);
  for (int i = 0; i < value->rank; ++i) {
    int64_t size = expected->shape[i];
    if (size < 0) {
      int64_t *dim = &dims[-1 - size];
      size = *dim = *dim < 0 ? value->shape[i] : *dim;
    }
    if (value->shape[i] != size)
      fail("wrong shape", expected->name);
  }
}

static const lathe_variant *find_variant(const char *target) {
  for (uint32_t i = 0; i < lathe_main_model.num_variants; ++i)
    if (strcmp(lathe_main_model.variants[i].target, target) == 0)
      return &lathe_main_model.variants[i];
  fail("the model has no code for this target", target);
  return NULL;
}

int main(int argc, char **argv) {
  const lathe_model *model = &lathe_main_model;
  const lathe_variant *variant = NULL;
  const char *folder = ".";
  int32_t threads = 1;
  uint32_t given = 0;
  uint64_t *inputs = allocate((model->num_inputs + model->num_dims) * sizeof *inputs);
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
      array value = read_npy(argv[i], model->inputs[given].dtype);
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
  int64_t *sizes = allocate(ranks * sizeof *sizes);
  model->output_shapes(dims, sizes);
  array *outputs = allocate(model->num_outputs * sizeof *outputs);
  void **pointers = allocate(model->num_outputs * sizeof *pointers);
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    size_t bytes;
    outputs[i].rank = model->outputs[i].rank;
    for (int d = 0; d < outputs[i].rank && d < MAX_RANK; ++d)
      outputs[i].shape[d] = *sizes++;
    describe(model->outputs[i].dtype, &bytes);
    pointers[i] = outputs[i].data = allocate(count(outputs[i].shape, outputs[i].rank) * bytes);
  }
  lathe_executor *executor = threads == 1 ? NULL : lathe_executor_create(threads);
  void *workspace = allocate(model->workspace_bytes);
  lathe_status status = (variant ? variant->run : model->run)(inputs, pointers, workspace, executor);
  lathe_executor_destroy(executor);
  if (status != LATHE_OK)
    fail(lathe_status_string(status), "run");
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    char path[MAX_NAME];
    int length = snprintf(path, sizeof path, "%s/%s.npy", folder, model->outputs[i].name);
    if (length < 0 || length >= MAX_NAME)
      fail("the path is too long", model->outputs[i].name);
    write_npy(path, &outputs[i], model->outputs[i].dtype);
  }
  return 0;
}
