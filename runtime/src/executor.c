/*===- executor.c - A pool of threads for parallel loops ------------------===*
 *
 * Loops of a model follow each other within microseconds, while it takes some hundred to wake a thread. So workers spin
 * for the next loop, for a bounded time, and then sleep. Each thread begins with its share of the iterations, the same
 * part of every loop, so that it finds in its cache what it left there. Shares are handed out in chunks that become
 * smaller, and who is done with one takes from the others: all end together, though the system delay one.
 *===----------------------------------------------------------------------===*/
#include "../platform/platform.h"
#include "lathe/lathe.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
  SPIN_MICROSECONDS = 1000,      /* before a waiting thread sleeps */
  EAGER_SPIN_MICROSECONDS = 100, /* before it lets other threads of the system run in between */
  TURNS_PER_LOOK = 64,           /* turns of the spinning loop from one look at the clock to the next */
  MOST_CHUNKS = 16               /* of a share, about */
};

/* The iterations [next, end) of a thread that are not yet handed out. */
typedef struct share {
  _Alignas(64) atomic_int_fast64_t next;
  int64_t end;
} share;

typedef struct worker {
  struct pool *pool;
  lathe_rt_thread *thread;
  int32_t index;
} worker;

typedef struct pool {
  lathe_executor executor; /* first: callers see this */
  lathe_rt_signal *signal;
  worker *workers;
  share *shares; /* of the caller, then of the workers */
  int32_t started;

  /* The loop in progress; written while `open` is false and `active` is 0. */
  lathe_task_fn task;
  const void *context;
  int64_t least; /* iterations of a chunk */

  _Alignas(64) atomic_uint_fast64_t epoch; /* raised for each loop */
  _Alignas(64) atomic_int_fast32_t active; /* workers inside the loop */
  atomic_bool open;                        /* whether workers may enter it */
  atomic_int_fast32_t sleepers;            /* workers that wait for a signal */
  atomic_bool waiting;                     /* whether the caller waits for one */
  atomic_bool stop;
} pool;

/* A wait that began with zeros. */
typedef struct spin {
  uint32_t turns;
  uint64_t begin;
} spin;

/* One turn; false once the time is up. */
static bool spin_once(spin *s) {
  lathe_rt_pause();
  if (++s->turns % TURNS_PER_LOOK != 0)
    return true;
  uint64_t now = lathe_rt_microseconds();
  if (s->begin == 0)
    s->begin = now;
  if (now - s->begin > EAGER_SPIN_MICROSECONDS)
    lathe_rt_yield();
  return now - s->begin < SPIN_MICROSECONDS;
}

/* Takes half of what is left of a share at a time, but not less than `least`. */
static void work_off(pool *p, share *s) {
  int64_t end = s->end;
  int_fast64_t begin = atomic_load_explicit(&s->next, memory_order_relaxed);
  while (begin < end) {
    int64_t half = (end - begin + 1) / 2, stop = half > p->least ? begin + half : begin + p->least;
    if (stop > end)
      stop = end;
    if (atomic_compare_exchange_weak_explicit(&s->next, &begin, stop, memory_order_relaxed, memory_order_relaxed)) {
      p->task(p->context, begin, stop);
      begin = atomic_load_explicit(&s->next, memory_order_relaxed);
    }
  }
}

static void take_part(pool *p, int32_t index) {
  int32_t threads = p->started + 1;
  for (int32_t i = 0; i < threads; ++i)
    work_off(p, &p->shares[(index + i) % threads]);
}

static void wake_all(pool *p) {
  lathe_rt_lock(p->signal);
  lathe_rt_wake_all(p->signal);
  lathe_rt_unlock(p->signal);
}

/* Waits until `epoch` differs from `seen`: spinning first, then asleep. */
static uint_fast64_t wait_for_loop(pool *p, uint_fast64_t seen) {
  spin wait = {0};
  uint_fast64_t now;
  do {
    now = atomic_load_explicit(&p->epoch, memory_order_acquire);
    if (now != seen)
      return now;
  } while (spin_once(&wait));
  lathe_rt_lock(p->signal);
  atomic_fetch_add(&p->sleepers, 1);
  while ((now = atomic_load(&p->epoch)) == seen)
    lathe_rt_wait(p->signal);
  atomic_fetch_sub(&p->sleepers, 1);
  lathe_rt_unlock(p->signal);
  return now;
}

static void work(void *argument) {
  worker *self = argument;
  pool *p = self->pool;
  uint_fast64_t seen = 0;
  for (;;) {
    seen = wait_for_loop(p, seen);
    if (atomic_load_explicit(&p->stop, memory_order_relaxed))
      return;
    /* A worker that comes after the end finds the loop closed: the caller never waits for one to wake up. */
    atomic_fetch_add(&p->active, 1);
    if (atomic_load(&p->open))
      take_part(p, self->index);
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
  spin wait = {0};
  do {
    if (atomic_load(&p->active) == 0)
      return;
  } while (spin_once(&wait));
  lathe_rt_lock(p->signal);
  atomic_store(&p->waiting, true);
  while (atomic_load(&p->active) != 0)
    lathe_rt_wait(p->signal);
  atomic_store(&p->waiting, false);
  lathe_rt_unlock(p->signal);
}

static void parallel_for(const lathe_executor *self, lathe_task_fn task, const void *context, int64_t count) {
  pool *p = (pool *)self;
  int64_t threads = (int64_t)p->started + 1;
  if (threads == 1 || count < 2) {
    if (count > 0)
      task(context, 0, count);
    return;
  }
  p->task = task;
  p->context = context;
  p->least = (count + threads * MOST_CHUNKS - 1) / (threads * MOST_CHUNKS);
  int64_t each = count / threads, more = count % threads, begin = 0;
  for (int64_t i = 0; i < threads; ++i) {
    atomic_store_explicit(&p->shares[i].next, begin, memory_order_relaxed);
    p->shares[i].end = begin += each + (i < more);
  }
  atomic_store(&p->open, true);
  raise_epoch(p);
  take_part(p, 0);
  close_loop(p);
}

static void *allocate_lines(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

lathe_executor *lathe_executor_create(int32_t threads) {
  if (threads <= 0)
    threads = lathe_rt_processors();
  pool *p = allocate_lines(sizeof(pool));
  if (!p)
    return NULL;
  *p = (pool){.executor = {.parallel_for = parallel_for, .threads = threads}};
  p->signal = lathe_rt_signal_create();
  p->workers = calloc((size_t)threads, sizeof *p->workers);
  p->shares = allocate_lines((size_t)threads * sizeof *p->shares);
  if (!p->signal || !p->workers || !p->shares) {
    lathe_executor_destroy(&p->executor);
    return NULL;
  }
  for (; p->started < threads - 1; ++p->started) {
    worker *w = &p->workers[p->started];
    *w = (worker){.pool = p, .index = p->started + 1};
    if (!(w->thread = lathe_rt_thread_start(work, w, w->index))) {
      lathe_executor_destroy(&p->executor);
      return NULL;
    }
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
    lathe_rt_thread_join(p->workers[i].thread);
  free(p->workers);
  free(p->shares);
  if (p->signal)
    lathe_rt_signal_destroy(p->signal);
  free(p);
}
