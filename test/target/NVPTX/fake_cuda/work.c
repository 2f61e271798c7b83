/*===- work.c - What streams have in their queues --------------------------===*/
#define _GNU_SOURCE
#include "fake_cuda.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct CUstream_st default_stream = {.is_live = true};

static unsigned kernels_run;

static void run_until(CUstream stream, uint64_t ticket);

static void run_kernel(const work *each) {
  if (fault("launch") == (long long)++kernels_run)
    sticky = ILLEGAL_ADDRESS;
  if (sticky)
    return;
  void *parameters[MOST_PARAMETERS];
  for (unsigned i = 0; i < each->function->count; ++i) {
    parameters[i] = (void *)&each->values[i];
    if (each->function->is_pointer[i] && !is_within(device_memory, (const char *)(uintptr_t)each->values[i], 0)) {
      fprintf(stderr, "%s, parameter %u: ", each->function->name, i);
      refuse("an address is not the device's");
    }
  }
  int64_t ids[6] = {0, 0, 0, each->grid[0], each->grid[1], each->grid[2]};
  for (ids[2] = 0; ids[2] < ids[5]; ++ids[2])
    for (ids[1] = 0; ids[1] < ids[4]; ++ids[1])
      for (ids[0] = 0; ids[0] < ids[3]; ++ids[0])
        each->function->run(parameters, ids);
}

static void run_work(work *each) {
  switch (each->kind) {
  case UPLOAD:
    memcpy(each->device, each->copied ? each->copied : each->host, each->bytes);
    break;
  case DOWNLOAD:
    memcpy(each->host, each->device, each->bytes);
    break;
  case KERNEL:
    run_kernel(each);
    break;
  case WAIT:
    run_until(each->stream, each->ticket);
    break;
  case GRAPH:
    for (work *inner = each->exec->first; inner; inner = inner->next)
      run_work(inner);
    --each->exec->pending;
    break;
  }
}

/* With device memory open. */
static void run_until(CUstream stream, uint64_t ticket) {
  while (stream->done < ticket) {
    work *each = stream->first;
    stream->first = each->next;
    if (!stream->first)
      stream->last = NULL;
    ++stream->done;
    run_work(each);
    free(each->copied);
    free(each);
  }
}

void synchronize(CUstream stream, uint64_t ticket) {
  protect_device(PROT_READ | PROT_WRITE);
  run_until(stream, ticket);
  protect_device(PROT_NONE);
}

CUstream resolve(CUstream stream) {
  if (!stream)
    return &default_stream;
  if (!stream->is_live)
    refuse("a stream is used that was destroyed");
  return stream;
}

void enqueue(CUstream stream, const work *given) {
  work *each = malloc(sizeof *each);
  *each = *given;
  each->next = NULL;
  work **first = stream->capturing ? &stream->capturing->first : &stream->first;
  work **last = stream->capturing ? &stream->capturing->last : &stream->last;
  if (*last)
    (*last)->next = each;
  else
    *first = each;
  *last = each;
  if (!stream->capturing)
    ++stream->queued;
}

void free_list(work *first) {
  while (first) {
    work *next = first->next;
    free(first->copied);
    free(first);
    first = next;
  }
}
