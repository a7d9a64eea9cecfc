/* Waits that a program asks for by the C library's `syscall`, as the run-times of other languages do (Rust parks its
 * threads so). Those that it waits in are handed to the functions that hurry time; all else goes to the kernel as it
 * came. What a program does with an instruction of its own is out of reach.
 */
#include "clock.h"
#include <linux/futex.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_ARGUMENTS 6

static long failed_with(int error)
{
    if (!error)
        return 0;
    errno = error;
    return -1;
}

/* Whether the futex call waits, and to which end: a length (FUTEX_WAIT) or a point in time (all others). */
static int waits(long operation, int *is_time, clockid_t *clock)
{
    *clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        *is_time = 0;
        *clock = CLOCK_MONOTONIC;
        return 1;
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI2:
        *is_time = 1;
        return 1;
    case FUTEX_LOCK_PI:
        *is_time = 1;
        *clock = CLOCK_REALTIME;
        return 1;
    default:
        return 0;
    }
}

/* A wake between two slices is not lost: whoever wakes has changed the word first, and the next slice then ends at
 * once (EAGAIN), as it would for a waiter that came too late. */
static long wait_futex(const long a[MOST_ARGUMENTS])
{
    const struct timespec *given = (const struct timespec *)a[3];
    clockid_t clock;
    int is_time;
    if (!waits(a[1], &is_time, &clock) || !given || !is_length(given))
        return NEXT(syscall)(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
    int64_t until = to_ns(given) + (is_time ? 0 : hurried_ns(clock));
    for (;;) {
        int64_t left = until - hurried_ns(clock);
        struct timespec t = to_timespec((is_time ? real_ns(clock) : 0) + slice(left, SLICE_NS));
        long result = NEXT(syscall)(SYS_futex, a[0], a[1], a[2], &t, a[4], a[5]);
        if (result != -1 || errno != ETIMEDOUT || left <= 0)
            return result;
    }
}

SHOWN long syscall(long number, ...)
{
    long a[MOST_ARGUMENTS];
    va_list given;
    va_start(given, number);
    for (int i = 0; i < MOST_ARGUMENTS; i++)
        a[i] = va_arg(given, long);
    va_end(given);
    switch (number) {
    case SYS_futex:
        return wait_futex(a);
    case SYS_nanosleep:
        return nanosleep((const struct timespec *)a[0], (struct timespec *)a[1]);
    case SYS_clock_nanosleep:
        return failed_with(
            clock_nanosleep((clockid_t)a[0], (int)a[1], (const struct timespec *)a[2], (struct timespec *)a[3]));
    default:
        return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}
