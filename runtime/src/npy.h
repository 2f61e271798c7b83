/*===- npy.h - Tensors of programs around a model, as .npy files ----------===*/
#ifndef LATHE_SRC_NPY_H
#define LATHE_SRC_NPY_H

#include "lathe/rt_abi.h"

enum { NPY_MAX_RANK = 16 };

typedef struct npy_array {
  void *data;
  int64_t shape[NPY_MAX_RANK];
  int rank;
} npy_array;

/* The program's name, which begins its lines on stderr. */
extern const char *npy_program;

/* Prints a line on stderr and ends the program with exit code 1; so do the functions below where they fail. */
void npy_fail(const char *what, const char *where);

/* NumPy's name of an element type, and its size in bytes. */
const char *npy_describe(int32_t dtype, size_t *bytes);

/* Memory that is aligned to LATHE_ALIGNMENT. */
void *npy_allocate(size_t bytes);

/* Elements of a shape. */
size_t npy_count(const int64_t *shape, int rank);

/* Reads a C-ordered array of the type; any other file is an error. */
npy_array npy_read(const char *path, int32_t dtype);

void npy_write(const char *path, const npy_array *value, int32_t dtype);

#endif /* LATHE_SRC_NPY_H */
