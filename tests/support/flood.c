/* Floods of the sensor tests and benches: flood KIND SECONDS. Prints how many calls it made. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* A path that another thread changes all the time while calls take it. */
static volatile char changing[] = "/nowhere/a";
static volatile int over;

static void *change(void *unused)
{
    while (!over)
        changing[9] ^= 'a' ^ 'b';
    return unused;
}

int main(int argc, char **argv)
{
    const char *kind = argv[1];
    double end = now() + atof(argv[2]);
    long limit = argc > 3 ? atol(argv[3]) : 1L << 40, done = 0;
    char path[4000] = "/", block[65536] = {0};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    char name[4000], *args[32] = {0};
    int null = open("/dev/null", O_WRONLY);

    pthread_t other;
    if (!strcmp(kind, "race"))
        pthread_create(&other, NULL, change, NULL);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    for (int i = 0; i < 31; i++)
        args[i] = name;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 1900; i++)
        strcat(path, "./");
    strcat(path, "etc/hostname");
    while (done < limit && (done % 64 || now() < end)) {
        if (!strcmp(kind, "open")) {
            close(open("/etc/hostname", O_RDONLY));
            done += 2;
        } else if (!strcmp(kind, "path")) {
            close(open(path, O_RDONLY));
            done += 2;
        } else if (!strcmp(kind, "write")) {
            done += write(null, block, sizeof(block)) > 0;
        } else if (!strcmp(kind, "connect")) {
            int s = socket(AF_INET, SOCK_DGRAM, 0);
            connect(s, (struct sockaddr *)&to, sizeof(to));
            close(s);
            done += 3;
        } else if (!strcmp(kind, "getppid")) {
            syscall(SYS_getppid);
            done++;
        } else if (!strcmp(kind, "race")) {
            done += unlink((const char *)changing) != 0;
        } else if (!strcmp(kind, "rename")) { /* fails at once, and makes 8 KB of event */
            done += rename(name, name) != 0;
        } else if (!strcmp(kind, "noexec")) { /* likewise, 40 KB */
            done += execve("/nowhere", args, args) != 0;
        } else if (!strcmp(kind, "exec")) {
            pid_t child = vfork();
            if (!child) {
                execl("/bin/true", "true", NULL);
                _exit(1);
            }
            waitpid(child, NULL, 0);
            done += 64;
        } else if (!strcmp(kind, "fork")) {
            pid_t child = fork();
            if (!child)
                _exit(0);
            waitpid(child, NULL, 0);
            done += 64;
        } else {
            return 2;
        }
    }
    over = 1;
    printf("%ld\n", done);
    return 0;
}
