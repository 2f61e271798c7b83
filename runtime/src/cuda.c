/*===- cuda.c - Models whose kernels run on an NVIDIA GPU -----------------===*
 *
 * A model's code and weights are on the device once. A run takes an instance: an arena, a stream, and buffers through
 * which inputs and outputs pass, page-locked on the host's side. Instances come from a pool that grows as callers
 * overlap, so runs of several threads do not wait for each other. The launches of a run are captured as a graph, with
 * the copies around them, and kept for its shapes: a later run with these is one launch.
 *===----------------------------------------------------------------------===*/
#include "cuda_model.h"
#include <stdlib.h>
#include <string.h>

enum {
  BUFFER_ALIGNMENT = 256,
  MOST_PARAMETERS = 512 /* of a kernel: 4 KB, the limit of compute capabilities up to 9.0 */
};

struct lathe_cuda_run {
  CUdeviceptr weights; /* first: compiled code reads it */
  state *owner;
  CUstream stream;
  lathe_status status;
};

static uint64_t size_of(int32_t dtype) {
  switch (dtype) {
  case LATHE_FLOAT32:
  case LATHE_INT32:
  case LATHE_UINT32:
    return 4;
  case LATHE_INT64:
  case LATHE_UINT64:
  case LATHE_FLOAT64:
    return 8;
  case LATHE_INT16:
  case LATHE_UINT16:
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16:
    return 2;
  default:
    return 1;
  }
}

static lathe_status make_instance(state *s, instance **result) {
  instance *made = calloc(1, sizeof *made);
  if (!made)
    return lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "out of memory");
  lathe_status status = lathe_cuda_check(s, s->driver->stream_create(&made->stream, CU_STREAM_NON_BLOCKING),
                                         LATHE_ERROR_DEVICE, "no stream");
  if (status == LATHE_OK)
    status = lathe_cuda_check(s, s->driver->event_create(&made->done, CU_EVENT_DISABLE_TIMING), LATHE_ERROR_DEVICE,
                              "no event");
  if (status == LATHE_OK)
    status = lathe_cuda_allocate(s, &made->arena, s->model->arena_bytes, "activations");
  if (status != LATHE_OK)
    lathe_cuda_free_instance(s, made);
  else
    *result = made;
  return status;
}

/* What is pending on the instance ends first. */
static lathe_status wait_for_instance(state *s, instance *each) {
  if (!each->is_pending)
    return LATHE_OK;
  each->is_pending = false;
  return lathe_cuda_check(s, s->driver->event_synchronize(each->done), LATHE_ERROR_DEVICE, "an earlier run failed");
}

static void drop_graph(state *s, graph *each) {
  if (each->exec)
    (void)s->driver->exec_destroy(each->exec);
  free(each->key);
  *each = (graph){0};
}

/* Makes room for inputs and outputs; graphs of the old place go. It doubles at least, so that they seldom do. */
static lathe_status reserve(state *s, instance *each, uint64_t bytes) {
  if (bytes <= each->io_bytes)
    return LATHE_OK;
  if (bytes < 2 * each->io_bytes)
    bytes = 2 * each->io_bytes;
  TRY(wait_for_instance(s, each));
  for (int i = 0; i < CACHED_GRAPHS; ++i)
    drop_graph(s, &each->graphs[i]);
  if (each->io)
    (void)s->driver->memory_free(each->io);
  if (each->staging)
    (void)s->driver->host_free(each->staging);
  each->io = 0;
  each->staging = NULL;
  each->io_bytes = 0;
  TRY(lathe_cuda_allocate(s, &each->io, bytes, "inputs and outputs"));
  void *staging = NULL;
  CUresult result = s->driver->host_allocate(&staging, bytes, 0);
  if (result != CUDA_SUCCESS) { /* CUDA_ERROR_OUT_OF_MEMORY is that of the host here */
    (void)s->driver->memory_free(each->io);
    each->io = 0;
    return lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "no page-locked memory for inputs and outputs");
  }
  each->staging = staging;
  each->io_bytes = bytes;
  return LATHE_OK;
}

void lathe_cuda_launch(lathe_cuda_run *run, int64_t kernel, uint64_t *words, int64_t num_parameters) {
  if (run->status != LATHE_OK)
    return;
  state *s = run->owner;
  void *parameters[MOST_PARAMETERS];
  if (num_parameters > MOST_PARAMETERS) {
    run->status = lathe_cuda_fail(LATHE_ERROR_DEVICE, "%s has too many parameters", s->model->kernels[kernel]);
    return;
  }
  for (int64_t i = 0; i < num_parameters; ++i)
    parameters[i] = &words[LATHE_CUDA_PARAMETERS + i];
  const uint64_t *grid = words + LATHE_CUDA_GRID, *block = words + LATHE_CUDA_BLOCK;
  uint32_t shared = (uint32_t)words[LATHE_CUDA_SHARED];
  if (grid[0] > INT32_MAX || grid[1] > UINT16_MAX || grid[2] > UINT16_MAX) {
    run->status = lathe_cuda_fail(LATHE_ERROR_DEVICE, "%s: a grid of %llu x %llu x %llu blocks is too large",
                                  s->model->kernels[kernel], (unsigned long long)grid[0], (unsigned long long)grid[1],
                                  (unsigned long long)grid[2]);
    return;
  }
  CUresult result = CUDA_SUCCESS;
  lathe_rt_lock(s->lock);
  if (shared > s->shared[kernel]) {
    result = s->driver->function_set(s->kernels[kernel], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, (int)shared);
    if (result == CUDA_SUCCESS)
      s->shared[kernel] = shared;
  }
  lathe_rt_unlock(s->lock);
  if (result == CUDA_SUCCESS)
    result = s->driver->launch(s->kernels[kernel], (unsigned)grid[0], (unsigned)grid[1], (unsigned)grid[2],
                               (unsigned)block[0], (unsigned)block[1], (unsigned)block[2], shared, run->stream,
                               parameters, NULL);
  run->status = lathe_cuda_check(s, result, LATHE_ERROR_DEVICE, s->model->kernels[kernel]);
}

/* Where inputs and outputs are: first all inputs, then all outputs. */
typedef struct places {
  uint64_t input_bytes, bytes; /* of inputs alone, and of all */
  uint64_t *offsets;           /* of each, then its size, in turn */
} places;

/* One run of an instance: the structs that `enqueue` takes, and the key of its graph. */
typedef struct call {
  const lathe_model *model;
  const int64_t *dims;
  uint64_t *inputs, *outputs; /* addresses on the device; dimensions follow inputs */
  int64_t *key;               /* whether it copies, dimensions, addresses */
  size_t key_length;
  places io;
  int64_t *shapes;
} call;

static size_t count_tensors(const lathe_model *model) { return (size_t)model->num_inputs + model->num_outputs; }

/* Allocates all parts of a call in one block, which the caller frees; NULL if refused. */
static uint64_t *make_call(const lathe_model *model, const void *inputs, call *result) {
  size_t ranks = 0, tensors = count_tensors(model), dims = model->num_dims;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    ranks += (size_t)model->outputs[i].rank;
  size_t key_length = 1 + dims + tensors;
  uint64_t *block = calloc(tensors + dims + key_length + 2 * tensors + ranks + 1, sizeof *block);
  if (!block)
    return NULL;
  *result = (call){.model = model, .dims = (const int64_t *)((const uint64_t *)inputs + model->num_inputs)};
  result->inputs = block;
  result->outputs = result->inputs + model->num_inputs + dims;
  result->key = (int64_t *)(result->outputs + model->num_outputs);
  result->key_length = key_length;
  result->io.offsets = (uint64_t *)result->key + key_length;
  result->shapes = (int64_t *)(result->io.offsets + 2 * tensors);
  if (dims)
    memcpy(result->inputs + model->num_inputs, result->dims, dims * sizeof *result->dims);
  return block;
}

/* Gives every input and output its place for these dimensions. */
static void place(call *c) {
  const lathe_model *model = c->model;
  model->output_shapes(c->dims, c->shapes);
  const int64_t *shape = c->shapes;
  uint64_t *at = c->io.offsets;
  for (uint32_t i = 0; i < count_tensors(model); ++i) {
    bool is_input = i < model->num_inputs;
    const lathe_tensor *tensor = is_input ? &model->inputs[i] : &model->outputs[i - model->num_inputs];
    uint64_t bytes = size_of(tensor->dtype);
    for (int32_t d = 0; d < tensor->rank; ++d) {
      int64_t size = is_input ? tensor->shape[d] : *shape++;
      size = is_input && size < 0 ? c->dims[-1 - size] : size;
      bytes *= size > 0 ? (uint64_t)size : 0;
    }
    *at++ = c->io.bytes;
    *at++ = bytes;
    c->io.bytes += (bytes + BUFFER_ALIGNMENT - 1) / BUFFER_ALIGNMENT * BUFFER_ALIGNMENT;
    if (is_input)
      c->io.input_bytes = c->io.bytes;
  }
}

static void make_key(call *c, bool copies) {
  int64_t *at = c->key;
  *at++ = copies;
  for (uint32_t i = 0; i < c->model->num_dims; ++i)
    *at++ = c->dims[i];
  for (uint32_t i = 0; i < c->model->num_inputs; ++i)
    *at++ = (int64_t)c->inputs[i];
  for (uint32_t i = 0; i < c->model->num_outputs; ++i)
    *at++ = (int64_t)c->outputs[i];
}

/* Captures the launches of a call, and the copies around them if it has such. */
static lathe_status capture(state *s, instance *each, const call *c, CUgraphExec *exec) {
  bool copies = c->key[0] != 0;
  uint64_t output_bytes = c->io.bytes - c->io.input_bytes;
  CUgraph captured = NULL;
  TRY(lathe_cuda_check(s, s->driver->capture_begin(each->stream, CU_STREAM_CAPTURE_MODE_RELAXED), LATHE_ERROR_DEVICE,
                       "no capture"));
  lathe_cuda_run run = {.weights = s->weights, .owner = s, .stream = each->stream, .status = LATHE_OK};
  if (copies && c->io.input_bytes)
    run.status = lathe_cuda_check(s, s->driver->upload_async(each->io, each->staging, c->io.input_bytes, each->stream),
                                  LATHE_ERROR_DEVICE, "inputs are not copied");
  if (run.status == LATHE_OK)
    s->model->enqueue(c->inputs, c->outputs, (void *)(uintptr_t)each->arena, &run);
  if (run.status == LATHE_OK && copies && output_bytes)
    run.status = lathe_cuda_check(s,
                                  s->driver->download_async(each->staging + c->io.input_bytes,
                                                            each->io + c->io.input_bytes, output_bytes, each->stream),
                                  LATHE_ERROR_DEVICE, "outputs are not copied");
  CUresult ended = s->driver->capture_end(each->stream, &captured);
  if (run.status == LATHE_OK)
    run.status = lathe_cuda_check(s, ended, LATHE_ERROR_DEVICE, "no capture");
  if (run.status == LATHE_OK)
    run.status = lathe_cuda_check(s, s->driver->graph_instantiate(exec, captured, 0), LATHE_ERROR_DEVICE, "no graph");
  if (captured)
    (void)s->driver->graph_destroy(captured);
  return run.status;
}

/* The graph of the call, captured if it is not kept. */
static lathe_status find_graph(state *s, instance *each, const call *c, CUgraphExec *exec) {
  size_t bytes = c->key_length * sizeof *c->key;
  graph *oldest = &each->graphs[0];
  for (int i = 0; i < CACHED_GRAPHS; ++i) {
    graph *candidate = &each->graphs[i];
    if (candidate->exec && memcmp(candidate->key, c->key, bytes) == 0) {
      candidate->last_use = ++each->clock;
      *exec = candidate->exec;
      return LATHE_OK;
    }
    if (candidate->last_use < oldest->last_use)
      oldest = candidate;
  }
  TRY(wait_for_instance(s, each));
  drop_graph(s, oldest);
  int64_t *key = malloc(bytes);
  if (!key)
    return lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "out of memory");
  memcpy(key, c->key, bytes);
  lathe_status status = capture(s, each, c, exec);
  if (status != LATHE_OK) {
    free(key);
    return status;
  }
  *oldest = (graph){.exec = *exec, .key = key, .last_use = ++each->clock};
  return LATHE_OK;
}

/* Launches the call's graph on `stream`, after what is pending on the instance. */
static lathe_status launch_graph(state *s, instance *each, call *c, bool copies, CUstream stream) {
  CUgraphExec exec = NULL;
  make_key(c, copies);
  TRY(find_graph(s, each, c, &exec));
  if (each->is_pending)
    TRY(lathe_cuda_check(s, s->driver->stream_wait(stream, each->done, 0), LATHE_ERROR_DEVICE,
                         "an earlier run failed"));
  return lathe_cuda_check(s, s->driver->graph_launch(exec, stream), LATHE_ERROR_DEVICE, "the kernels are not launched");
}

static lathe_status synchronize(state *s, CUstream stream) {
  return lathe_cuda_check(s, s->driver->stream_synchronize(stream), LATHE_ERROR_DEVICE, "a kernel failed");
}

/* Runs on tensors of the host: through the staging buffer, which no one else uses. */
static lathe_status run_host(state *s, instance *each, call *c, const void *const *inputs, void *const *outputs) {
  const lathe_model *model = c->model;
  place(c);
  TRY(reserve(s, each, c->io.bytes));
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    memcpy(each->staging + c->io.offsets[2 * i], inputs[i], c->io.offsets[2 * i + 1]);
    c->inputs[i] = each->io + c->io.offsets[2 * i];
  }
  const uint64_t *places = c->io.offsets + 2 * model->num_inputs;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    c->outputs[i] = each->io + places[2 * i];
  TRY(launch_graph(s, each, c, true, each->stream));
  each->is_pending = false;
  TRY(synchronize(s, each->stream));
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    memcpy(outputs[i], each->staging + places[2 * i], places[2 * i + 1]);
  return LATHE_OK;
}

/* Runs on tensors of the device, on the caller's stream, or on the instance's to the end. */
static lathe_status run_device(state *s, instance *each, call *c, const void *const *inputs, void *const *outputs,
                               CUstream stream) {
  for (uint32_t i = 0; i < c->model->num_inputs; ++i)
    c->inputs[i] = (uintptr_t)inputs[i];
  for (uint32_t i = 0; i < c->model->num_outputs; ++i)
    c->outputs[i] = (uintptr_t)outputs[i];
  TRY(launch_graph(s, each, c, false, stream ? stream : each->stream));
  if (!stream) {
    each->is_pending = false;
    return synchronize(s, each->stream);
  }
  each->is_pending = true;
  return lathe_cuda_check(s, s->driver->event_record(each->done, stream), LATHE_ERROR_DEVICE, "no event");
}

static lathe_status run(const lathe_cuda_model *model, const void *inputs, const void *outputs, bool on_device,
                        CUstream stream) {
  lathe_status status;
  state *s = lathe_cuda_lock(model, &status);
  if (!s)
    return status;
  instance *each = s->free;
  if (each)
    s->free = each->next;
  lathe_rt_unlock(s->lock);

  call c;
  uint64_t *block = make_call(model->model, inputs, &c);
  if (!block)
    status = lathe_cuda_fail(LATHE_ERROR_OUT_OF_MEMORY, "out of memory");
  else
    status = lathe_cuda_check(s, s->driver->context_push(s->context), LATHE_ERROR_DEVICE, "the context is not usable");
  if (status == LATHE_OK) {
    if (!each)
      status = make_instance(s, &each);
    if (status == LATHE_OK)
      status = on_device ? run_device(s, each, &c, inputs, outputs, stream) : run_host(s, each, &c, inputs, outputs);
    (void)s->driver->context_pop(&(CUcontext){NULL});
  }
  free(block);
  if (each) {
    lathe_rt_lock(s->lock);
    each->next = s->free;
    s->free = each;
    lathe_rt_unlock(s->lock);
  }
  return status;
}

lathe_status lathe_cuda_run_host(const lathe_cuda_model *model, const void *inputs, const void *outputs) {
  return run(model, inputs, outputs, false, NULL);
}

lathe_status lathe_cuda_run_device(const lathe_cuda_model *model, const void *inputs, const void *outputs,
                                   void *stream) {
  return run(model, inputs, outputs, true, stream);
}
