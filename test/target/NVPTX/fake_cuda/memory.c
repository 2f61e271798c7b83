/*===- memory.c - Ranges between pages that cannot be touched --------------===*/
#define _GNU_SOURCE
#include "fake_cuda.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

range *device_memory;

range *make_range(range **list, size_t bytes, int protection) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + page - 1) / page * page;
  range *made = calloc(1, sizeof *made);
  made->mapped = inner + 2 * page;
  made->pages = mmap(NULL, made->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made->pages == MAP_FAILED)
    refuse("out of memory");
  mprotect(made->pages + page, inner, PROT_READ | PROT_WRITE);
  made->bytes = bytes;
  made->begin = made->pages + page + inner - (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(made->pages + page, 0xff, inner); /* NaN */
  mprotect(made->pages + page, inner, protection);
  made->next = *list;
  *list = made;
  return made;
}

size_t drop_range(range **list, const char *begin) {
  for (range **at = list; *at; at = &(*at)->next)
    if ((*at)->begin == begin) {
      range *dropped = *at;
      size_t bytes = dropped->bytes;
      *at = dropped->next;
      munmap(dropped->pages, dropped->mapped);
      free(dropped);
      return bytes;
    }
  refuse("memory is freed that was not allocated");
  return 0;
}

bool is_within(const range *list, const char *address, size_t bytes) {
  for (; list; list = list->next)
    if (address >= list->begin && address + bytes <= list->begin + list->bytes)
      return true;
  return false;
}

void protect_device(int protection) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (range *each = device_memory; each; each = each->next)
    mprotect(each->pages + page, each->mapped - 2 * page, protection);
}
