/* The clock of a hurried box: a page of a file that only the host writes says how far time is ahead, and how fast it
 * passes. All processes of the box read the same page, so they agree, whatever they start and whatever environment
 * they are given.
 */
#pragma once
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <time.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define SHOWN __attribute__((visibility("default")))
#define SECOND 1000000000LL
#define SLICE_NS 50000000LL /* real: a wait looks at the clock so often, since the pace may change while it lasts */

/* Laid out by sandbox/clock/page.py; of the machine's own order. */
struct page {
    uint64_t magic;
    uint32_t turn; /* odd while it is written; also what waits for a change wait on (futex) */
    uint32_t rate; /* seconds that pass in one */
    int64_t since; /* ns of the box's CLOCK_MONOTONIC from which that holds */
    int64_t ahead; /* ns that time was ahead then */
};
#define PAGE_MAGIC 0x314b4c4354484cULL

struct pace {
    int64_t ahead; /* ns, now */
    int64_t rate;
    uint32_t turn;
};

HIDDEN extern const volatile struct page *page;
HIDDEN int64_t real_ns(clockid_t clock);          /* as the kernel has it; -1 where it knows none */
HIDDEN struct pace pace_now(void);
HIDDEN int64_t hurried_ns(clockid_t clock);       /* as the box's programs see it */
HIDDEN int passes(clockid_t clock);               /* whether it is a clock of time, not of work done */
HIDDEN int64_t slice(int64_t left, int64_t most); /* real ns to wait towards `left` hurried ones */

static inline int64_t to_ns(const struct timespec *t)
{
    if (t->tv_sec > INT64_MAX / SECOND / 4)
        return INT64_MAX / 4;
    return t->tv_sec * SECOND + t->tv_nsec;
}

static inline struct timespec to_timespec(int64_t ns)
{
    struct timespec t = {ns / SECOND, ns % SECOND};
    return t;
}

static inline int is_length(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < SECOND;
}

/* The program's next function of that name: the C library's, or that of another such library. */
#define NEXT(name) \
    ({ \
        static __typeof__(&name) found; \
        if (!found) \
            found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        found; \
    })
