/*===- executor.c - A pool of threads for parallel loops ------------------===*
 *
 * Loops of a model follow each other within microseconds, so workers first spin for the next one, for a short bounded
 * time, and then sleep. Iterations are handed out in chunks by one atomic counter: a worker that the system delays takes
 * less of the loop.
 *===----------------------------------------------------------------------===*/
#include "../platform/platform.h"
#include "lathe/lathe.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
  SPIN_LIMIT = 4096,   /* pauses before a worker sleeps: some tens of microseconds */
  CHUNKS_PER_THREAD = 4
};

typedef struct pool {
  lathe_executor executor; /* first: callers see this */
  lathe_rt_signal *signal;
  lathe_rt_thread **threads;
  int32_t started;

  /* The loop in progress; written while `open` is false and `active` is 0. */
  lathe_task_fn task;
  const void *context;
  int64_t count, chunk;

  _Alignas(64) atomic_uint_fast64_t epoch; /* raised for each loop */
  _Alignas(64) atomic_int_fast64_t next;   /* first iteration not yet handed out */
  _Alignas(64) atomic_int_fast32_t active; /* workers inside the loop */
  atomic_bool open;                        /* whether workers may enter it */
  atomic_int_fast32_t sleepers;            /* workers that wait for a signal */
  atomic_bool waiting;                     /* whether the caller waits for one */
  atomic_bool stop;
} pool;

static void take_part(pool *p) {
  int64_t count = p->count, chunk = p->chunk;
  for (;;) {
    int64_t begin = atomic_fetch_add_explicit(&p->next, chunk, memory_order_relaxed);
    if (begin >= count)
      return;
    int64_t end = begin + chunk < count ? begin + chunk : count;
    p->task(p->context, begin, end);
  }
}

static void wake_all(pool *p) {
  lathe_rt_lock(p->signal);
  lathe_rt_wake_all(p->signal);
  lathe_rt_unlock(p->signal);
}

/* Waits until `epoch` differs from `seen`: spinning first, then asleep. */
static uint_fast64_t wait_for_loop(pool *p, uint_fast64_t seen) {
  for (int i = 0; i < SPIN_LIMIT; ++i) {
    uint_fast64_t now = atomic_load_explicit(&p->epoch, memory_order_acquire);
    if (now != seen)
      return now;
    lathe_rt_pause();
  }
  lathe_rt_lock(p->signal);
  atomic_fetch_add(&p->sleepers, 1);
  uint_fast64_t now;
  while ((now = atomic_load(&p->epoch)) == seen)
    lathe_rt_wait(p->signal);
  atomic_fetch_sub(&p->sleepers, 1);
  lathe_rt_unlock(p->signal);
  return now;
}

static void work(void *argument) {
  pool *p = argument;
  uint_fast64_t seen = 0;
  for (;;) {
    seen = wait_for_loop(p, seen);
    if (atomic_load_explicit(&p->stop, memory_order_relaxed))
      return;
    /* A worker that comes after the end finds the loop closed: the caller never waits for one to wake up. */
    atomic_fetch_add(&p->active, 1);
    if (atomic_load(&p->open))
      take_part(p);
    if (atomic_fetch_sub(&p->active, 1) == 1 && atomic_load(&p->waiting))
      wake_all(p);
  }
}

/* A sleeper raises `sleepers` with the lock held and before it looks at `epoch`; this looks at `sleepers` after `epoch` was
 * raised. One of the two sees the other. The same holds for `waiting` and `active`. */
static void raise_epoch(pool *p) {
  atomic_fetch_add(&p->epoch, 1);
  if (atomic_load(&p->sleepers) > 0)
    wake_all(p);
}

/* Closes the loop and waits until every worker inside has left it, so that its context may go. */
static void close_loop(pool *p) {
  atomic_store(&p->open, false);
  for (int i = 0; i < SPIN_LIMIT; ++i) {
    if (atomic_load(&p->active) == 0)
      return;
    lathe_rt_pause();
  }
  lathe_rt_lock(p->signal);
  atomic_store(&p->waiting, true);
  while (atomic_load(&p->active) != 0)
    lathe_rt_wait(p->signal);
  atomic_store(&p->waiting, false);
  lathe_rt_unlock(p->signal);
}

static void parallel_for(const lathe_executor *self, lathe_task_fn task, const void *context, int64_t count) {
  pool *p = (pool *)self;
  int64_t parts = (int64_t)(p->started + 1) * CHUNKS_PER_THREAD;
  if (p->started == 0 || count < 2) {
    if (count > 0)
      task(context, 0, count);
    return;
  }
  p->task = task;
  p->context = context;
  p->count = count;
  p->chunk = count > parts ? (count + parts - 1) / parts : 1;
  atomic_store_explicit(&p->next, 0, memory_order_relaxed);
  atomic_store(&p->open, true);
  raise_epoch(p);
  take_part(p);
  close_loop(p);
}

lathe_executor *lathe_executor_create(int32_t threads) {
  if (threads <= 0)
    threads = lathe_rt_processors();
  pool *p = aligned_alloc(64, (sizeof(pool) + 63) / 64 * 64);
  if (!p)
    return NULL;
  *p = (pool){.executor = {.parallel_for = parallel_for, .threads = threads}};
  p->signal = lathe_rt_signal_create();
  p->threads = calloc((size_t)threads, sizeof *p->threads);
  if (!p->signal || !p->threads) {
    lathe_executor_destroy(&p->executor);
    return NULL;
  }
  for (; p->started < threads - 1; ++p->started)
    if (!(p->threads[p->started] = lathe_rt_thread_start(work, p))) {
      lathe_executor_destroy(&p->executor);
      return NULL;
    }
  return &p->executor;
}

void lathe_executor_destroy(lathe_executor *executor) {
  if (!executor)
    return;
  pool *p = (pool *)executor;
  atomic_store(&p->stop, true);
  if (p->signal)
    raise_epoch(p);
  for (int32_t i = 0; i < p->started; ++i)
    lathe_rt_thread_join(p->threads[i]);
  free(p->threads);
  if (p->signal)
    lathe_rt_signal_destroy(p->signal);
  free(p);
}
