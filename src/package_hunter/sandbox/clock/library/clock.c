/* Asking for the time. */
#include "clock.h"
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static const struct page at_rest = {PAGE_MAGIC, 0, 1, 0, 0};
HIDDEN const volatile struct page *page = &at_rest;

__attribute__((constructor(101))) static void begin(void)
{
    int keep = errno;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, CLOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd >= 0) {
        struct page *found = mmap(NULL, sizeof *found, PROT_READ, MAP_SHARED, fd, 0);
        if (found != MAP_FAILED && found->magic == PAGE_MAGIC)
            page = found;
        syscall(SYS_close, fd);
    }
    errno = keep;
}

HIDDEN int64_t real_ns(clockid_t clock)
{
    struct timespec t;
    __typeof__(&clock_gettime) next = NEXT(clock_gettime);
    int failed = next ? next(clock, &t) : (int)syscall(SYS_clock_gettime, clock, &t);
    return failed ? -1 : to_ns(&t);
}

HIDDEN struct pace pace_now(void)
{
    struct pace now;
    int64_t since;
    do {
        while ((now.turn = __atomic_load_n(&page->turn, __ATOMIC_ACQUIRE)) & 1)
            ;
        now.rate = page->rate;
        now.ahead = page->ahead;
        since = page->since;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (page->turn != now.turn);
    if (now.rate > 1) {
        int64_t passed = real_ns(CLOCK_MONOTONIC) - since;
        if (passed > 0)
            now.ahead += passed * (now.rate - 1);
    }
    return now;
}

HIDDEN int passes(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
    case CLOCK_TAI:
        return 1;
    default:
        return 0;
    }
}

HIDDEN int64_t hurried_ns(clockid_t clock)
{
    int64_t real = real_ns(clock);
    return real < 0 || !passes(clock) ? real : real + pace_now().ahead;
}

HIDDEN int64_t slice(int64_t left, int64_t most)
{
    int64_t rate = pace_now().rate, real;
    if (left <= 0)
        return 0;
    real = (left + rate - 1) / rate;
    return real < most ? real : most;
}

SHOWN int clock_gettime(clockid_t clock, struct timespec *t)
{
    __typeof__(&clock_gettime) next = NEXT(clock_gettime);
    int failed = next ? next(clock, t) : (int)syscall(SYS_clock_gettime, clock, t);
    if (!failed && passes(clock)) {
        int64_t ahead = pace_now().ahead;
        if (ahead)
            *t = to_timespec(to_ns(t) + ahead);
    }
    return failed;
}

SHOWN int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    __typeof__(&gettimeofday) next = NEXT(gettimeofday);
    int failed = next ? next(t, zone) : (int)syscall(SYS_gettimeofday, t, zone);
    if (!failed) {
        int64_t us = t->tv_sec * 1000000LL + t->tv_usec + pace_now().ahead / 1000;
        t->tv_sec = us / 1000000;
        t->tv_usec = us % 1000000;
    }
    return failed;
}

SHOWN time_t time(time_t *t)
{
    time_t now = hurried_ns(CLOCK_REALTIME) / SECOND;
    if (t)
        *t = now;
    return now;
}

SHOWN int timespec_get(struct timespec *t, int base)
{
    if (base != TIME_UTC)
        return 0;
    *t = to_timespec(hurried_ns(CLOCK_REALTIME));
    return base;
}
