/* The public headers are C11, and the layout that they assert holds: compiling this file is the test. */
#include "lathe/cuda_abi.h"
#include "lathe/lathe.h"

int lathe_header_test(void);
int lathe_header_test(void) { return LATHE_ABI_VERSION == 4u && LATHE_OK == 0; }
