/*===- embedding.c - Two models in one program ----------------------------===*
 *
 *   embedding FOLDER     FOLDER has glyph_resnet_b8 and glyph_mobilenet_b1 with input.npy and logits.npy
 */
#include "lathe/lathe.h"
#include "mobilenet.h"
#include "resnet.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 32 * 32, CLASSES = 36, BATCH = 8, THREADS = 4, NPY_HEADER = 128 };

static int failures;

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                  \
      ++failures;                                                                                                      \
    }                                                                                                                  \
  } while (0)

static float *read_floats(const char *folder, const char *name, size_t count) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  float *data = malloc(count * sizeof(float));
  if (!file || !data || fseek(file, NPY_HEADER, SEEK_SET) != 0 || fread(data, sizeof(float), count, file) != count) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  fclose(file);
  return data;
}

static int agree(const float *actual, const float *expected, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!(fabsf(actual[i] - expected[i]) <= 1e-3f + 1e-3f * fabsf(expected[i])))
      return 0;
  return 1;
}

struct job {
  const float *images, *expected;
  int agrees;
};

/* Runs the ResNet again and again in a workspace of its own. */
static void *work(void *argument) {
  struct job *job = argument;
  char *workspace = aligned_alloc(LATHE_ALIGNMENT, (RESNET_WORKSPACE_BYTES + 63) / 64 * 64);
  float logits[BATCH * CLASSES];
  job->agrees = workspace != NULL;
  for (int64_t batch = 1; batch <= BATCH && job->agrees; ++batch) {
    memset(logits, 0xff, sizeof logits);
    resnet_inputs inputs = {.input = job->images, .batch = batch};
    resnet_outputs outputs = {.logits = logits};
    job->agrees = resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_OK &&
                  agree(logits, job->expected, (size_t)batch * CLASSES);
  }
  free(workspace);
  return NULL;
}

static void test_statuses(const float *images) {
  static _Alignas(LATHE_ALIGNMENT) char workspace[RESNET_WORKSPACE_BYTES + 64];
  float logits[BATCH * CLASSES];
  resnet_inputs inputs = {.input = images, .batch = 1};
  resnet_outputs outputs = {.logits = logits};
  CHECK(resnet_run(&inputs, &outputs, NULL, NULL) == LATHE_ERROR_NULL_POINTER);
  CHECK(resnet_run(&inputs, &outputs, workspace + 4, NULL) == LATHE_ERROR_MISALIGNED);
  inputs.input = NULL;
  CHECK(resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_ERROR_NULL_POINTER);
  inputs.input = (const float *)((const char *)images + 1);
  CHECK(resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_ERROR_MISALIGNED);
  inputs.input = images;
  inputs.batch = 0;
  CHECK(resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_ERROR_DIM_RANGE);
  inputs.batch = (int64_t)1 << 40;
  CHECK(resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_ERROR_DIM_RANGE);
  inputs.batch = 1;
  outputs.logits = NULL;
  CHECK(resnet_run(&inputs, &outputs, workspace, NULL) == LATHE_ERROR_NULL_POINTER);
  CHECK(strlen(lathe_status_string(LATHE_ERROR_DIM_RANGE)) > 0);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  float *images = read_floats(argv[1], "glyph_resnet_b8/input.npy", BATCH * PIXELS);
  float *expected = read_floats(argv[1], "glyph_resnet_b8/logits.npy", BATCH * CLASSES);
  float *image = read_floats(argv[1], "glyph_mobilenet_b1/input.npy", PIXELS);
  float *other = read_floats(argv[1], "glyph_mobilenet_b1/logits.npy", CLASSES);

  pthread_t threads[THREADS];
  struct job jobs[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    jobs[i] = (struct job){images, expected, 0};
    CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]) == 0);
  }
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(jobs[i].agrees);
  }

  lathe_executor *executor = lathe_executor_create(2);
  static _Alignas(LATHE_ALIGNMENT) char workspace[MOBILENET_WORKSPACE_BYTES];
  float logits[CLASSES];
  mobilenet_inputs inputs = {.input = image};
  mobilenet_outputs outputs = {.logits = logits};
  CHECK(mobilenet_run(&inputs, &outputs, workspace, executor) == LATHE_OK);
  CHECK(agree(logits, other, CLASSES));
  lathe_executor_destroy(executor);

  CHECK(strcmp(resnet_model.name, "resnet") == 0);
  CHECK(resnet_model.workspace_bytes == RESNET_WORKSPACE_BYTES);
  CHECK(resnet_model.num_dims == 1 && strcmp(resnet_model.dims[0].name, "batch") == 0);
  test_statuses(images);
  free(images), free(expected), free(image), free(other);
  return failures != 0;
}
