/* Classifies images with two builds of one model: float, and int8. Both objects are linked into this program.
 *
 *   classify images.npy labels.npy     uint8 [N, 32, 32] and uint8 [N]
 */
#define _POSIX_C_SOURCE 199309L
#include "glyph_float.h"
#include "glyph_int8.h"
#include "lathe/lathe.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PIXELS = 32 * 32, CLASSES = 36, NPY_HEADER = 128 };

static _Alignas(LATHE_ALIGNMENT) char float_workspace[GLYPH_FLOAT_WORKSPACE_BYTES];
static _Alignas(LATHE_ALIGNMENT) char int8_workspace[GLYPH_INT8_WORKSPACE_BYTES];

/* The array's bytes without the header; exits if the file cannot be read. */
static unsigned char *read_npy(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  long size = -1;
  if (file && fseek(file, 0, SEEK_END) == 0)
    size = ftell(file);
  unsigned char *data = size > NPY_HEADER ? malloc((size_t)size) : NULL;
  if (!data || fseek(file, 0, SEEK_SET) != 0 || fread(data, 1, (size_t)size, file) != (size_t)size) {
    fprintf(stderr, "classify: cannot read %s\n", path);
    exit(1);
  }
  fclose(file);
  *bytes = (size_t)size - NPY_HEADER;
  return data + NPY_HEADER;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static lathe_status run_float(const float *image, float *logits) {
  return glyph_float_run(&(glyph_float_inputs){.input = image}, &(glyph_float_outputs){.logits = logits}, float_workspace,
                         NULL);
}

static lathe_status run_int8(const float *image, float *logits) {
  return glyph_int8_run(&(glyph_int8_inputs){.input = image}, &(glyph_int8_outputs){.logits = logits}, int8_workspace, NULL);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify images.npy labels.npy\n");
    return 2;
  }
  size_t image_bytes, count;
  const unsigned char *images = read_npy(argv[1], &image_bytes), *labels = read_npy(argv[2], &count);
  if (image_bytes != count * PIXELS) {
    fprintf(stderr, "classify: %zu labels do not fit %zu bytes of images\n", count, image_bytes);
    return 1;
  }

  lathe_status (*run[2])(const float *, float *) = {run_float, run_int8};
  const char *names[2] = {"float", "int8"};
  size_t correct[2] = {0, 0};
  double *times[2] = {malloc(count * sizeof(double)), malloc(count * sizeof(double))};
  if (!times[0] || !times[1])
    return 1;
  for (size_t i = 0; i < count; ++i) {
    static float image[PIXELS], logits[CLASSES];
    for (size_t p = 0; p < PIXELS; ++p)
      image[p] = (float)images[i * PIXELS + p] / 255.0f - 0.5f;
    for (int build = 0; build < 2; ++build) { /* in turn, so that both see the same machine */
      double start = now();
      lathe_status status = run[build](image, logits);
      times[build][i] = now() - start;
      if (status != LATHE_OK) {
        fprintf(stderr, "classify: %s: %s\n", names[build], lathe_status_string(status));
        return 1;
      }
      int best = 0;
      for (int c = 1; c < CLASSES; ++c)
        if (logits[c] > logits[best])
          best = c;
      correct[build] += best == labels[i];
    }
  }
  for (int build = 0; build < 2; ++build) {
    qsort(times[build], count, sizeof(double), compare);
    printf("%-6s accuracy %.2f %% of %zu images, median latency %.0f us\n", names[build],
           100.0 * (double)correct[build] / (double)count, count, times[build][count / 2]);
  }
  printf("int8 is %.2fx as fast as float\n", times[0][count / 2] / times[1][count / 2]);
  return 0;
}
