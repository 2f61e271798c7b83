/*===- streams.c - Streams, events and graphs ------------------------------===*/
#define _GNU_SOURCE
#include "fake_cuda.h"
#include <stdlib.h>

static CUstream all_streams = &default_stream;

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER();
  if (flags != CU_STREAM_NON_BLOCKING)
    LEAVE(INVALID_VALUE);
  *stream = calloc(1, sizeof **stream);
  (*stream)->is_live = true;
  (*stream)->next = all_streams;
  all_streams = *stream;
  ++live.streams;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  ENTER();
  synchronize(resolve(stream), stream->queued);
  stream->is_live = false;
  --live.streams;
  LEAVE(sticky);
}

CUresult cuStreamSynchronize(CUstream stream) {
  ENTER();
  stream = resolve(stream);
  if (stream->capturing)
    refuse("a stream is waited for while it captures");
  synchronize(stream, stream->queued);
  LEAVE(sticky);
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
  ENTER();
  if (flags)
    LEAVE(INVALID_VALUE);
  if (event->stream)
    enqueue(resolve(stream), &(work){.kind = WAIT, .stream = event->stream, .ticket = event->ticket});
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamBeginCapture_v2(CUstream stream, int mode) {
  ENTER();
  if (!stream || resolve(stream)->capturing || mode < 0 || mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    LEAVE(INVALID_VALUE);
  stream->capturing = calloc(1, sizeof *stream->capturing);
  ++live.graphs;
  ++calls.captures;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  ENTER();
  *graph = resolve(stream)->capturing;
  stream->capturing = NULL;
  LEAVE(*graph ? CUDA_SUCCESS : INVALID_VALUE);
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
  ENTER();
  (void)flags;
  *event = calloc(1, sizeof **event);
  ++live.events;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventDestroy_v2(CUevent event) {
  ENTER();
  free(event);
  --live.events;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  ENTER();
  event->stream = resolve(stream);
  event->ticket = event->stream->queued;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuEventSynchronize(CUevent event) {
  ENTER();
  if (event->stream)
    synchronize(event->stream, event->ticket);
  LEAVE(sticky);
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags) {
  ENTER();
  if (flags)
    LEAVE(INVALID_VALUE);
  *exec = calloc(1, sizeof **exec);
  work **at = &(*exec)->first;
  for (const work *each = graph->first; each; each = each->next, at = &(*at)->next) {
    *at = malloc(sizeof **at);
    **at = *each;
    (*at)->next = NULL;
  }
  ++live.execs;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphDestroy(CUgraph graph) {
  ENTER();
  free_list(graph->first);
  free(graph);
  --live.graphs;
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  ENTER();
  ++exec->pending;
  ++calls.graph_launches;
  enqueue(resolve(stream), &(work){.kind = GRAPH, .exec = exec});
  LEAVE(CUDA_SUCCESS);
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
  ENTER();
  if (exec->pending)
    refuse("a graph is destroyed that has not run yet");
  free_list(exec->first);
  free(exec);
  --live.execs;
  LEAVE(CUDA_SUCCESS);
}
