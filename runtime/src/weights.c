/*===- weights.c - Weights before the first run ---------------------------===*/
#include "../platform/platform.h"
#include "lathe/lathe.h"

void lathe_weights_prefault(const lathe_model *model) {
  if (model->weights)
    lathe_rt_map_pages(model->weights, model->weight_bytes);
}
