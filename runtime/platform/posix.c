/*===- posix.c - Threads by pthreads --------------------------------------===*/
#define _GNU_SOURCE
#include "platform.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct lathe_rt_thread {
  pthread_t handle;
  void (*entry)(void *argument);
  void *argument;
#ifdef __GLIBC__
  cpu_set_t processors; /* that it may move to; empty if it begins anywhere */
#endif
};

struct lathe_rt_signal {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
};

int32_t lathe_rt_processors(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return CPU_COUNT(&set);
#endif
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int32_t)count : 1;
}

static void *run(void *argument) {
  lathe_rt_thread *thread = argument;
#ifdef __GLIBC__
  if (CPU_COUNT(&thread->processors) > 0)
    (void)sched_setaffinity(0, sizeof thread->processors, &thread->processors);
#endif
  thread->entry(thread->argument);
  return NULL;
}

static void begin_anywhere(lathe_rt_thread *thread, pthread_attr_t *attributes) {
#ifdef __GLIBC__
  CPU_ZERO(&thread->processors);
  (void)pthread_attr_setaffinity_np(attributes, 0, &thread->processors); /* a size of 0 takes it back */
#else
  (void)thread, (void)attributes;
#endif
}

/* Lets a thread begin on the `distance`th of the processors that the caller may run on after the caller's own. */
static void begin_apart(lathe_rt_thread *thread, pthread_attr_t *attributes, int32_t distance) {
#ifdef __GLIBC__
  int place = sched_getcpu();
  if (place < 0 || sched_getaffinity(0, sizeof thread->processors, &thread->processors) != 0) {
    begin_anywhere(thread, attributes);
    return;
  }
  for (int32_t steps = distance % CPU_COUNT(&thread->processors); steps > 0; --steps)
    do
      place = (place + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(place, &thread->processors));
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(place, &first);
  if (pthread_attr_setaffinity_np(attributes, sizeof first, &first) != 0)
    begin_anywhere(thread, attributes);
#else
  (void)thread, (void)attributes, (void)distance;
#endif
}

lathe_rt_thread *lathe_rt_thread_start(void (*entry)(void *argument), void *argument, int32_t distance) {
  lathe_rt_thread *thread = calloc(1, sizeof *thread);
  if (!thread)
    return NULL;
  thread->entry = entry;
  thread->argument = argument;
  /* Tasks have scratch of some hundred kilobytes on the stack; the default of musl is less. */
  enum { STACK_BYTES = 1 << 20 };
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) {
    free(thread);
    return NULL;
  }
  int refused = pthread_attr_setstacksize(&attributes, STACK_BYTES);
  begin_apart(thread, &attributes, distance);
  if (!refused && (refused = pthread_create(&thread->handle, &attributes, run, thread)) != 0) {
    /* A filter of system calls may forbid to choose processors. */
    begin_anywhere(thread, &attributes);
    refused = pthread_create(&thread->handle, &attributes, run, thread);
  }
  pthread_attr_destroy(&attributes);
  if (refused) {
    free(thread);
    return NULL;
  }
  return thread;
}

void lathe_rt_thread_join(lathe_rt_thread *thread) {
  pthread_join(thread->handle, NULL);
  free(thread);
}

lathe_rt_signal *lathe_rt_signal_create(void) {
  lathe_rt_signal *signal = malloc(sizeof *signal);
  if (!signal)
    return NULL;
  if (pthread_mutex_init(&signal->mutex, NULL) != 0) {
    free(signal);
    return NULL;
  }
  if (pthread_cond_init(&signal->condition, NULL) != 0) {
    pthread_mutex_destroy(&signal->mutex);
    free(signal);
    return NULL;
  }
  return signal;
}

void lathe_rt_signal_destroy(lathe_rt_signal *signal) {
  pthread_cond_destroy(&signal->condition);
  pthread_mutex_destroy(&signal->mutex);
  free(signal);
}

void lathe_rt_lock(lathe_rt_signal *signal) { pthread_mutex_lock(&signal->mutex); }
void lathe_rt_unlock(lathe_rt_signal *signal) { pthread_mutex_unlock(&signal->mutex); }
void lathe_rt_wait(lathe_rt_signal *signal) { pthread_cond_wait(&signal->condition, &signal->mutex); }
void lathe_rt_wake_all(lathe_rt_signal *signal) { pthread_cond_broadcast(&signal->condition); }

static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;

void lathe_rt_global_lock(void) { pthread_mutex_lock(&global_mutex); }
void lathe_rt_global_unlock(void) { pthread_mutex_unlock(&global_mutex); }

void *lathe_rt_open_library(const char *name, const char **reason) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  const char *text = library ? NULL : dlerror();
  *reason = text ? text : "";
  return library;
}

void *lathe_rt_find_symbol(void *library, const char *name) { return dlsym(library, name); }

/* Of x86-64, and of AArch64 with pages of 4 KB. */
uint64_t lathe_rt_large_page_bytes(void) {
#ifdef MADV_HUGEPAGE
  return UINT64_C(2) << 20;
#else
  return 0;
#endif
}

void lathe_rt_use_large_pages(void *address, uint64_t bytes) {
#ifdef MADV_HUGEPAGE
  (void)madvise(address, (size_t)bytes, MADV_HUGEPAGE); /* a system without them refuses */
#else
  (void)address, (void)bytes;
#endif
}

void lathe_rt_map_pages(const void *address, uint64_t bytes) {
#ifdef __linux__
  /* A touch maps the 64 KB around it: for less than MADV_POPULATE_READ takes, which goes from page to page. */
  enum { TOUCHED_BYTES = 1 << 16 };
  const volatile char *data = address;
  for (uint64_t offset = 0; offset < bytes; offset += TOUCHED_BYTES)
    (void)data[offset];
  if (bytes != 0)
    (void)data[bytes - 1];
#else
  (void)address, (void)bytes;
#endif
}

void lathe_rt_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void lathe_rt_yield(void) { sched_yield(); }

uint64_t lathe_rt_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000 + 1;
}
