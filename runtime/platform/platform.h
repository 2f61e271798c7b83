/*===- platform.h - What the executor asks of the operating system --------===*/
#ifndef LATHE_PLATFORM_PLATFORM_H
#define LATHE_PLATFORM_PLATFORM_H

#include <stdint.h>

typedef struct lathe_rt_thread lathe_rt_thread;
typedef struct lathe_rt_signal lathe_rt_signal;

/* Processors that this process may use, at least 1. */
int32_t lathe_rt_processors(void);

/* Starts a thread; NULL if refused. join waits for its end and frees it. Where a system would begin it on the caller's
 * processor, and only see some milliseconds later that another one is idle, it begins on the `distance`th processor
 * after that one; it may move later. */
lathe_rt_thread *lathe_rt_thread_start(void (*entry)(void *argument), void *argument, int32_t distance);
void lathe_rt_thread_join(lathe_rt_thread *thread);

/* A lock with a condition to sleep on. NULL if out of memory. */
lathe_rt_signal *lathe_rt_signal_create(void);
void lathe_rt_signal_destroy(lathe_rt_signal *signal);
void lathe_rt_lock(lathe_rt_signal *signal);
void lathe_rt_unlock(lathe_rt_signal *signal);
void lathe_rt_wait(lathe_rt_signal *signal);     /* with the lock held; it is held again on return */
void lathe_rt_wake_all(lathe_rt_signal *signal); /* with the lock held */

/* One lock of the process, for what is made once. */
void lathe_rt_global_lock(void);
void lathe_rt_global_unlock(void);

/* A library of the system, open until the process ends, and a symbol of it. NULL if there is none; `reason` is then the
 * system's text, valid until the thread's next call. */
void *lathe_rt_open_library(const char *name, const char **reason);
void *lathe_rt_find_symbol(void *library, const char *name);

/* The size of a large page of memory, or 0; and a wish that pages from an address of that alignment on be large. */
uint64_t lathe_rt_large_page_bytes(void);
void lathe_rt_use_large_pages(void *address, uint64_t bytes);
/* A wish that the pages of these bytes, which are only read, be mapped now. */
void lathe_rt_map_pages(const void *address, uint64_t bytes);

/* Tells the processor that this is a spinning loop. */
void lathe_rt_pause(void);
/* Lets other threads of the system run. */
void lathe_rt_yield(void);
/* Of a clock that only goes forward, not 0. */
uint64_t lathe_rt_microseconds(void);

#endif /* LATHE_PLATFORM_PLATFORM_H */
