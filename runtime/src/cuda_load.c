/*===- cuda_load.c - Puts a model's code and weights on an NVIDIA GPU -----===*/
#include "cuda_model.h"
#include <stdatomic.h>
#include <stdlib.h>

lathe_status lathe_cuda_check(const state *s, CUresult result, lathe_status otherwise, const char *what) {
  return result == CUDA_SUCCESS ? LATHE_OK : lathe_cuda_fail_result(s->driver, result, otherwise, what);
}

/* Whether the device runs the model's code. */
static bool is_suitable(const state *s, CUdevice device) {
  int major = 0, minor = 0;
  (void)s->driver->device_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  (void)s->driver->device_attribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  uint32_t capability = (uint32_t)(10 * major + minor);
  return s->model->is_exact ? capability == s->model->capability : capability >= s->model->capability;
}

static lathe_status fail_device(const state *s, CUdevice device, const char *which) {
  char name[128] = "";
  int major = 0, minor = 0;
  (void)s->driver->device_name(name, sizeof name, device);
  (void)s->driver->device_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  (void)s->driver->device_attribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  return lathe_cuda_fail(LATHE_ERROR_NO_DEVICE, "%s, %s, has compute capability %d.%d; '%s' was compiled for %u.%u%s",
                         which, name, major, minor, s->model->model->name, s->model->capability / 10,
                         s->model->capability % 10, s->model->is_exact ? " only" : " and later");
}

/* Takes the context that the thread has, or else the primary one of the first device that runs the code. */
static lathe_status choose_context(state *s) {
  int count = 0;
  s->context = NULL;
  TRY(lathe_cuda_check(s, s->driver->context_current(&s->context), LATHE_ERROR_NO_DEVICE, "no context"));
  if (s->context) {
    TRY(lathe_cuda_check(s, s->driver->context_device(&s->device), LATHE_ERROR_NO_DEVICE, "the context has no device"));
    return is_suitable(s, s->device) ? LATHE_OK : fail_device(s, s->device, "the device in use");
  }
  TRY(lathe_cuda_check(s, s->driver->device_count(&count), LATHE_ERROR_NO_DEVICE, "no devices"));
  if (count == 0)
    return lathe_cuda_fail(LATHE_ERROR_NO_DEVICE, "no GPU is visible to the NVIDIA driver");
  for (int i = 0; i < count; ++i) {
    TRY(lathe_cuda_check(s, s->driver->device_get(&s->device, i), LATHE_ERROR_NO_DEVICE, "no device"));
    if (!is_suitable(s, s->device))
      continue;
    TRY(lathe_cuda_check(s, s->driver->context_retain(&s->context, s->device), LATHE_ERROR_NO_DEVICE, "no context"));
    s->is_retained = true;
    return LATHE_OK;
  }
  (void)s->driver->device_get(&s->device, 0);
  return fail_device(s, s->device, "the first GPU");
}

/* Has the driver compile the PTX; its complaints become the message. */
static lathe_status load_code(state *s) {
  char log[700] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
  CUresult result = s->driver->module_load(&s->module, s->model->code, 2, options, values);
  if (result != CUDA_SUCCESS) {
    int version = 0;
    const char *name = NULL;
    (void)s->driver->driver_version(&version);
    if (result == CUDA_ERROR_OUT_OF_MEMORY)
      return lathe_cuda_check(s, result, LATHE_ERROR_DEVICE_MEMORY, "the model's code is not loaded");
    if (s->driver->error_name(result, &name) != CUDA_SUCCESS || !name)
      name = "an unknown error";
    return lathe_cuda_fail(LATHE_ERROR_DRIVER_VERSION,
                           "the NVIDIA driver, for CUDA %d.%d, does not take the model's code: %s (%d)%s%s",
                           version / 1000, version % 1000 / 10, name, result, log[0] ? ": " : "", log);
  }
  for (uint32_t i = 0; i < s->model->num_kernels; ++i)
    TRY(lathe_cuda_check(s, s->driver->module_function(&s->kernels[i], s->module, s->model->kernels[i]),
                         LATHE_ERROR_DEVICE, s->model->kernels[i]));
  return LATHE_OK;
}

lathe_status lathe_cuda_allocate(const state *s, CUdeviceptr *address, uint64_t bytes, const char *what) {
  CUresult result;
  if (bytes == 0 || (result = s->driver->memory_allocate(address, bytes)) == CUDA_SUCCESS)
    return LATHE_OK;
  size_t free = 0, total = 0;
  *address = 0;
  if (result != CUDA_ERROR_OUT_OF_MEMORY || s->driver->memory_info(&free, &total) != CUDA_SUCCESS)
    return lathe_cuda_check(s, result, LATHE_ERROR_DEVICE, what);
  return lathe_cuda_fail(
      LATHE_ERROR_DEVICE_MEMORY, "'%s' needs %llu bytes of the GPU's memory for %s; %llu of %llu are free",
      s->model->model->name, (unsigned long long)bytes, what, (unsigned long long)free, (unsigned long long)total);
}

static lathe_status load_weights(state *s) {
  uint64_t bytes = s->model->model->weight_bytes;
  if (bytes == 0)
    return LATHE_OK;
  TRY(lathe_cuda_allocate(s, &s->weights, bytes, "weights"));
  TRY(lathe_cuda_check(s, s->driver->upload(s->weights, s->model->weights, bytes), LATHE_ERROR_DEVICE,
                       "weights are not copied"));
  /* What is copied may still be on its way, and streams of instances do not wait for it. */
  return lathe_cuda_check(s, s->driver->stream_synchronize(NULL), LATHE_ERROR_DEVICE, "weights are not copied");
}

void lathe_cuda_free_instance(state *s, instance *each) {
  if (each->is_pending)
    (void)s->driver->event_synchronize(each->done);
  for (int i = 0; i < CACHED_GRAPHS; ++i) {
    if (each->graphs[i].exec)
      (void)s->driver->exec_destroy(each->graphs[i].exec);
    free(each->graphs[i].key);
  }
  if (each->io)
    (void)s->driver->memory_free(each->io);
  if (each->staging)
    (void)s->driver->host_free(each->staging);
  if (each->arena)
    (void)s->driver->memory_free(each->arena);
  if (each->done)
    (void)s->driver->event_destroy(each->done);
  if (each->stream)
    (void)s->driver->stream_destroy(each->stream);
  free(each);
}

/* Frees all that is on the device. The context is current. */
static void release(state *s) {
  while (s->free) {
    instance *next = s->free->next;
    lathe_cuda_free_instance(s, s->free);
    s->free = next;
  }
  if (s->weights)
    (void)s->driver->memory_free(s->weights);
  if (s->module)
    (void)s->driver->module_unload(s->module);
  free(s->kernels);
  free(s->shared);
  s->weights = 0;
  s->module = NULL;
  s->kernels = NULL;
  s->shared = NULL;
  s->is_ready = false;
}

static void release_context(state *s) {
  if (s->is_retained)
    (void)s->driver->context_release(s->device);
  s->is_retained = false;
  s->context = NULL;
}

/* With the lock held. */
static lathe_status load(state *s) {
  TRY(lathe_cuda_open(&s->driver));
  lathe_status status = choose_context(s);
  if (status == LATHE_OK)
    status =
        lathe_cuda_check(s, s->driver->context_push(s->context), LATHE_ERROR_NO_DEVICE, "the context is not usable");
  if (status != LATHE_OK) {
    release_context(s);
    return status;
  }
  s->kernels = calloc((size_t)s->model->num_kernels + 1, sizeof *s->kernels);
  s->shared = calloc((size_t)s->model->num_kernels + 1, sizeof *s->shared);
  status = s->kernels && s->shared ? load_code(s) : lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "out of memory");
  if (status == LATHE_OK)
    status = load_weights(s);
  s->is_ready = status == LATHE_OK;
  if (!s->is_ready)
    release(s);
  (void)s->driver->context_pop(&(CUcontext){NULL});
  if (!s->is_ready)
    release_context(s);
  return status;
}

state *lathe_cuda_lock(const lathe_cuda_model *model, lathe_status *status) {
  _Atomic(void *) *slot = (_Atomic(void *) *)model->state;
  state *s = atomic_load_explicit(slot, memory_order_acquire);
  if (!s) {
    lathe_rt_global_lock();
    s = atomic_load_explicit(slot, memory_order_relaxed);
    if (!s && (s = calloc(1, sizeof *s))) {
      s->model = model;
      s->lock = lathe_rt_signal_create();
      if (!s->lock) {
        free(s);
        s = NULL;
      }
      atomic_store_explicit(slot, s, memory_order_release);
    }
    lathe_rt_global_unlock();
  }
  if (!s) {
    *status = lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "out of memory");
    return NULL;
  }
  lathe_rt_lock(s->lock);
  *status = s->is_ready ? LATHE_OK : load(s);
  if (*status == LATHE_OK)
    return s;
  lathe_rt_unlock(s->lock);
  return NULL;
}

lathe_status lathe_cuda_load(const lathe_cuda_model *model) {
  lathe_status status;
  state *s = lathe_cuda_lock(model, &status);
  if (s)
    lathe_rt_unlock(s->lock);
  return status;
}

void lathe_cuda_unload(const lathe_cuda_model *model) {
  state *s = *model->state;
  if (!s)
    return;
  *model->state = NULL;
  if (s->is_ready && s->driver->context_push(s->context) == CUDA_SUCCESS) {
    release(s);
    (void)s->driver->context_pop(&(CUcontext){NULL});
    release_context(s);
  }
  lathe_rt_signal_destroy(s->lock);
  free(s);
}
