// A CI runner's worker, as far as its memory goes: it takes the job's message out of a file, which is gone then, holds it
// as such a program does (as it came, and in two bytes a character), and waits. argv[0] and the words after it are what
// a runner is started with; the file is JOB_FILE.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (1 << 20)

static char *room(size_t size) {
  void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return found == MAP_FAILED ? NULL : found;
}

int main(void) {
  int file = open(JOB_FILE, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) < 0 || facts.st_size <= 0 || facts.st_size > MOST) return 1;
  size_t size = facts.st_size;
  char *message = room(size), *wide = room(2 * size);
  if (message == NULL || wide == NULL || read(file, message, size) != (ssize_t)size) return 2;
  close(file);
  if (unlink(JOB_FILE) < 0) return 3;
  for (size_t at = 0; at < size; at++) wide[2 * at] = message[at];
  pid_t child = fork();
  if (child != 0) return child < 0 ? 4 : 0;
  setsid();
  // where only a parent may look into a process (Yama), a runner's memory is read as root, which nobody is here
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  close(null);
  for (;;) pause();
}
