/*===- spawn.c - A command, and what it cost ------------------------------===*
 *
 *   lathe-spawn COMMAND ARGUMENTS...
 *
 * Runs the command, whose stdout is discarded, and prints {"status", "wall_ms", "processor_ms", "peak_bytes"}: of the
 * process, its threads and the processes that it waited for. The peak is that of the largest of them.
 *===----------------------------------------------------------------------===*/
#define _DEFAULT_SOURCE /* wait4 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double milliseconds(struct timeval time) { return 1e3 * (double)time.tv_sec + 1e-3 * (double)time.tv_usec; }

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: lathe-spawn COMMAND ARGUMENTS...\n");
    return 2;
  }
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child) {
    perror("lathe-spawn");
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("{\"status\": %d, \"wall_ms\": %.3f, \"processor_ms\": %.3f, \"peak_bytes\": %lld}\n",
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
         1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec),
         milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), 1024LL * usage.ru_maxrss);
  return 0;
}
