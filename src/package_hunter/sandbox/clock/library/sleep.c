/* Sleeping, and waiting for locks, to a time. */
#include "clock.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <threads.h>
#include <unistd.h>

/* To `until` of the hurried clock; the errno of what ended it sooner. */
static int sleep_until(clockid_t clock, int64_t until)
{
    for (;;) {
        int64_t left = until - hurried_ns(clock);
        if (left <= 0)
            return 0;
        struct timespec t = to_timespec(slice(left, SLICE_NS));
        int failed = NEXT(clock_nanosleep)(CLOCK_MONOTONIC, 0, &t, NULL);
        if (failed)
            return failed;
    }
}

static int sleep_for(const struct timespec *length, struct timespec *rest)
{
    int64_t until = hurried_ns(CLOCK_MONOTONIC) + to_ns(length);
    int failed = sleep_until(CLOCK_MONOTONIC, until);
    if (failed == EINTR && rest) {
        int64_t left = until - hurried_ns(CLOCK_MONOTONIC);
        *rest = to_timespec(left > 0 ? left : 0);
    }
    return failed;
}

SHOWN int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest)
{
    if (!passes(clock) || !is_length(t))
        return NEXT(clock_nanosleep)(clock, flags, t, rest);
    return flags & TIMER_ABSTIME ? sleep_until(clock, to_ns(t)) : sleep_for(t, rest);
}

SHOWN int nanosleep(const struct timespec *t, struct timespec *rest)
{
    int failed = is_length(t) ? sleep_for(t, rest) : EINVAL;
    if (failed)
        errno = failed;
    return failed ? -1 : 0;
}

SHOWN int thrd_sleep(const struct timespec *t, struct timespec *rest)
{
    int failed = is_length(t) ? sleep_for(t, rest) : EINVAL;
    return failed == 0 ? 0 : failed == EINTR ? -1 : -2;
}

SHOWN unsigned int sleep(unsigned int seconds)
{
    struct timespec t = {seconds, 0}, rest = {0, 0};
    if (sleep_for(&t, &rest) == 0)
        return 0;
    return (unsigned int)(rest.tv_sec + (rest.tv_nsec >= SECOND / 2));
}

SHOWN int usleep(useconds_t us)
{
    struct timespec t = to_timespec(us * 1000LL);
    return nanosleep(&t, NULL);
}

/* A semaphore keeps what was posted: waiting in slices misses nothing. */
static int wait_semaphore(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    for (;;) {
        int64_t left = to_ns(until) - hurried_ns(clock);
        /* The last try has a time that has passed: it takes what is there, and fails as the C library does. */
        struct timespec t = to_timespec(real_ns(CLOCK_REALTIME) + slice(left, SLICE_NS));
        if (NEXT(sem_timedwait)(semaphore, &t) == 0)
            return 0;
        if (errno != ETIMEDOUT || left <= 0)
            return -1;
    }
}

SHOWN int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    return is_length(until) ? wait_semaphore(semaphore, CLOCK_REALTIME, until)
                            : NEXT(sem_timedwait)(semaphore, until);
}

SHOWN int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until)
{
    if (!is_length(until) || !passes(clock))
        return NEXT(sem_clockwait)(semaphore, clock, until);
    return wait_semaphore(semaphore, clock, until);
}

/* A condition keeps nothing, so between two slices a signal would be lost. After a slice the caller is woken with
 * nothing to see, as POSIX allows, and looks for itself. Which clock a condition is of is told by the number: the
 * machine has not run for thirty years. */
static clockid_t likely_clock(const struct timespec *until)
{
    return until->tv_sec < 1000000000 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

static int64_t condition_end(clockid_t clock, const struct timespec *until, struct timespec *end)
{
    int64_t left = to_ns(until) - hurried_ns(clock);
    *end = to_timespec(real_ns(clock) + slice(left, SLICE_NS));
    return left;
}

static int told(int result, clockid_t clock, const struct timespec *until)
{
    return result == ETIMEDOUT && to_ns(until) > hurried_ns(clock) ? 0 : result;
}

SHOWN int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                 const struct timespec *restrict until)
{
    clockid_t clock = likely_clock(until);
    struct timespec end = *until;
    if (is_length(until))
        condition_end(clock, until, &end);
    return told(NEXT(pthread_cond_timedwait)(condition, mutex, &end), clock, until);
}

SHOWN int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                 clockid_t clock, const struct timespec *restrict until)
{
    struct timespec end = *until;
    if (is_length(until) && passes(clock))
        condition_end(clock, until, &end);
    return told(NEXT(pthread_cond_clockwait)(condition, mutex, clock, &end), clock, until);
}

SHOWN int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    struct timespec end = *until;
    if (is_length(until))
        condition_end(CLOCK_REALTIME, until, &end);
    int result = NEXT(cnd_timedwait)(condition, mutex, &end);
    return result == thrd_timedout && to_ns(until) > hurried_ns(CLOCK_REALTIME) ? thrd_success : result;
}

SHOWN int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                       const struct timespec *restrict length)
{
    if (!length || !is_length(length))
        return NEXT(sigtimedwait)(set, info, length);
    int64_t until = hurried_ns(CLOCK_MONOTONIC) + to_ns(length);
    for (;;) {
        int64_t left = until - hurried_ns(CLOCK_MONOTONIC);
        struct timespec t = to_timespec(slice(left, SLICE_NS));
        int found = NEXT(sigtimedwait)(set, info, &t);
        if (found >= 0 || errno != EAGAIN || left <= 0)
            return found;
    }
}
