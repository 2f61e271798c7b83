/*===- lathe.h - The runtime, for applications ----------------------------===*/
#ifndef LATHE_LATHE_H
#define LATHE_LATHE_H

#include "lathe/rt_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A text for a status, in English, never NULL. */
const char *lathe_status_string(lathe_status status);

/* Starts threads - 1 workers, which sleep between runs; threads <= 0 takes the machine's number of processors. NULL if
 * memory or threads are refused. One run at a time may use it. */
lathe_executor *lathe_executor_create(int32_t threads);

/* Ends the workers; NULL is allowed. */
void lathe_executor_destroy(lathe_executor *executor);

/* Memory for the workspace of a run, aligned as it has to be; any other memory does as well. On Linux it is in large
 * pages where the system lets programs ask for them, so that a first run does not wait for hundreds of small ones. NULL
 * if there is none. */
void *lathe_workspace_create(uint64_t bytes);

/* Frees it; NULL is allowed. */
void lathe_workspace_destroy(void *workspace);

/* Maps all weights of a model at once (Linux since 5.14; elsewhere nothing happens). A first run else stops at every
 * few pages of them that it meets. No run needs it. */
void lathe_weights_prefault(const lathe_model *model);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LATHE_LATHE_H */
