/* Prints which variants of a model the machine can run, and the status of each. */
#include "lathe/lathe.h"
#include "m.h"
#include <stdio.h>

static _Alignas(LATHE_ALIGNMENT) char workspace[M_WORKSPACE_BYTES];

int main(void) {
  float input[32 * 32] = {0}, logits[36];
  m_inputs inputs = {.input = input};
  m_outputs outputs = {.logits = logits};
  for (uint32_t i = 0; i < m_model.num_variants; ++i) {
    const lathe_variant *variant = &m_model.variants[i];
    int fits = variant->workspace_bytes <= m_model.workspace_bytes && variant->weight_bytes <= m_model.weight_bytes;
    printf("%s: supported %d, fits %d, status %d\n", variant->target, (int)(m_model.supported() >> i & 1), fits,
           (int)variant->run(&inputs, &outputs, workspace, NULL));
  }
  printf("run: %s\n", lathe_status_string(m_run(&inputs, &outputs, workspace, NULL)));
  return 0;
}
