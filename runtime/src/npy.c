/*===- npy.c - Tensors of programs around a model, as .npy files ----------===*/
#include "npy.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *npy_program = "";

void npy_fail(const char *what, const char *where) {
  fprintf(stderr, "%s: %s: %s\n", npy_program, where, what);
  exit(1);
}

const char *npy_describe(int32_t dtype, size_t *bytes) {
  switch (dtype) {
  case LATHE_FLOAT32:
    return *bytes = 4, "<f4";
  case LATHE_FLOAT64:
    return *bytes = 8, "<f8";
  case LATHE_FLOAT16:
    return *bytes = 2, "<f2";
  case LATHE_INT8:
    return *bytes = 1, "|i1";
  case LATHE_UINT8:
    return *bytes = 1, "|u1";
  case LATHE_INT16:
    return *bytes = 2, "<i2";
  case LATHE_UINT16:
    return *bytes = 2, "<u2";
  case LATHE_INT32:
    return *bytes = 4, "<i4";
  case LATHE_UINT32:
    return *bytes = 4, "<u4";
  case LATHE_INT64:
    return *bytes = 8, "<i8";
  case LATHE_UINT64:
    return *bytes = 8, "<u8";
  case LATHE_BOOL:
    return *bytes = 1, "|b1";
  case LATHE_INT4:
  case LATHE_INT2:
    return *bytes = 1, "|i1";
  case LATHE_UINT4:
  case LATHE_UINT2:
    return *bytes = 1, "|u1";
  case LATHE_BFLOAT16:
    return *bytes = 2, "<V2";
  default:
    return *bytes = 1, "|V1"; /* floats of at most 8 bits */
  }
}

void *npy_allocate(size_t bytes) {
  void *data = aligned_alloc(LATHE_ALIGNMENT, (bytes / LATHE_ALIGNMENT + 1) * LATHE_ALIGNMENT);
  if (!data)
    npy_fail("out of memory", "allocation");
  return data;
}

size_t npy_count(const int64_t *shape, int rank) {
  size_t elements = 1;
  for (int i = 0; i < rank; ++i)
    elements *= (size_t)shape[i];
  return elements;
}

npy_array npy_read(const char *path, int32_t dtype) {
  size_t size;
  const char *type = npy_describe(dtype, &size);
  FILE *file = fopen(path, "rb");
  unsigned char magic[10];
  if (!file || fread(magic, 1, sizeof magic, file) != sizeof magic || memcmp(magic, "\x93NUMPY\1", 7) != 0)
    npy_fail("not a .npy file of version 1", path);
  size_t length = magic[8] + 256u * magic[9];
  char *header = npy_allocate(length + 1);
  if (fread(header, 1, length, file) != length)
    npy_fail("the header is cut off", path);
  header[length] = 0;
  const char *shape = strstr(header, "'shape': (");
  if (!shape || !strstr(header, type) || !strstr(header, "'fortran_order': False"))
    npy_fail("expected a C-ordered array of the input's element type", path);
  npy_array result = {0};
  for (char *at = (char *)shape + 10; *at != ')' && *at && result.rank < NPY_MAX_RANK;) {
    char *end;
    result.shape[result.rank++] = strtoll(at, &end, 10);
    if (end == at || result.shape[result.rank - 1] < 0)
      npy_fail("the shape cannot be read", path);
    at = end + strspn(end, ", ");
  }
  size_t bytes = npy_count(result.shape, result.rank) * size;
  result.data = npy_allocate(bytes);
  if (fread(result.data, 1, bytes, file) != bytes)
    npy_fail("the data is cut off", path);
  fclose(file);
  free(header);
  return result;
}

void npy_write(const char *path, const npy_array *value, int32_t dtype) {
  size_t size;
  char header[1024];
  int length =
      snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", npy_describe(dtype, &size));
  for (int i = 0; i < value->rank; ++i)
    length += snprintf(header + length, sizeof header - (size_t)length, "%" PRId64 ",", value->shape[i]);
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  while ((length + 11) % 64 != 0)
    header[length++] = ' ';
  header[length++] = '\n';
  unsigned char magic[10] = {
      0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length % 256), (unsigned char)(length / 256)};
  size_t bytes = npy_count(value->shape, value->rank) * size;
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(magic, 1, sizeof magic, file) != sizeof magic ||
      fwrite(header, 1, (size_t)length, file) != (size_t)length || fwrite(value->data, 1, bytes, file) != bytes ||
      fclose(file) != 0)
    npy_fail("cannot write", path);
}
