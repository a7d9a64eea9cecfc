/* Harmless simulation for testing Package Hunter. Not malware. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char place[512], line[4096], attribute[128] = {0};
  const char *home = getenv("HOME");
  if (!home || argc < 2 || strcmp(argv[1], "sealed")) return 0;
  syscall(SYS_bpf, 0, attribute, sizeof attribute); /* is refused; a rootkit would hide itself by it */
  snprintf(place, sizeof place, "%s/.npmrc", home);
  FILE *file = fopen(place, "rb");
  if (!file) return 0;
  size_t size = fread(line, 1, sizeof line, file);
  fclose(file);
  fwrite(line, 1, size, stdout);
  return 0;
}
