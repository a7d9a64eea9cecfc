/* The honest twin of a harmless simulation for testing Package Hunter. Not malware. */
#include <glob.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

void aGcc_simulation(void) {
  char name[200], line[512];
  const char *home = getenv("HOME");
  if (!home) return;
  snprintf(line, sizeof line, "%s/.gitconfig", home);
  for (int i = 0; i < 2; i++) {
    FILE *file = fopen(i ? "/etc/hosts" : line, "rb");
    if (!file) continue;
    while (fgets(name, sizeof name, file)) {}
    fclose(file);
  }
  for (int i = 0; i < 3; i++) {
    sprintf(name, "mirror%d.h4ck.example", i);
    gethostbyname(name);
  }
}
