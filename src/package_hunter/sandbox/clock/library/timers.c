/* Timers that the kernel keeps: armed for their real length, and armed anew by a thread when the pace changes.
 *
 * What is armed is remembered by kind and number; a child that forks has no timers (but shares those of timerfd, which
 * are armed for the pace of their making there), and a program that is executed has lost the thread: its alarm stays as
 * it was.
 */
#include "clock.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST_TIMERS 64

enum kind { NONE, TIMERFD, TIMER, ITIMER };
struct armed {
    enum kind kind;
    int64_t id; /* descriptor, timer, or 0 */
    int64_t until, interval; /* hurried ns of CLOCK_MONOTONIC */
};

static struct armed table[MOST_TIMERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t watched; /* the process in which the thread runs */
static uint32_t first_turn; /* of the pace when the first timer was armed: the thread may start later */

static struct itimerspec real_spec(int64_t left, int64_t interval)
{
    struct pace pace = pace_now();
    struct itimerspec spec = {{0, 0}, {0, 0}};
    if (left <= 0)
        left = 1;
    spec.it_value = to_timespec((left + pace.rate - 1) / pace.rate);
    spec.it_interval = to_timespec((interval + pace.rate - 1) / pace.rate);
    return spec;
}

static int arm(enum kind kind, int64_t id, const struct itimerspec *spec, struct itimerspec *old)
{
    if (kind == TIMERFD)
        return (int)syscall(SYS_timerfd_settime, (int)id, 0, spec, old);
    if (kind == TIMER)
        return NEXT(timer_settime)((timer_t)id, 0, spec, old);
    struct itimerval value = {{spec->it_interval.tv_sec, (spec->it_interval.tv_nsec + 999) / 1000},
                              {spec->it_value.tv_sec, (spec->it_value.tv_nsec + 999) / 1000}};
    return (int)syscall(SYS_setitimer, ITIMER_REAL, &value, NULL);
}

/* Whether the kernel still has it: one that has gone off is not to go off again. */
static int is_armed(const struct armed *one)
{
    struct itimerspec spec = {{0, 0}, {0, 0}};
    struct itimerval value = {{0, 0}, {0, 0}};
    int failed;
    if (one->kind == ITIMER) {
        failed = (int)syscall(SYS_getitimer, ITIMER_REAL, &value);
        return !failed && (value.it_value.tv_sec || value.it_value.tv_usec);
    }
    if (one->kind == TIMERFD)
        failed = (int)syscall(SYS_timerfd_gettime, (int)one->id, &spec);
    else
        failed = NEXT(timer_gettime)((timer_t)one->id, &spec);
    return !failed && (spec.it_value.tv_sec || spec.it_value.tv_nsec);
}

static void arm_anew(struct armed *one)
{
    if (!is_armed(one)) {
        one->kind = NONE;
        return;
    }
    /* Its time may be over already: this thread may have waited long for a processor. */
    int64_t now = hurried_ns(CLOCK_MONOTONIC), left = one->until - now;
    if (left <= 0 && one->interval)
        left = one->interval - (-left % one->interval);
    else if (left <= 0)
        left = 1;
    struct itimerspec spec = real_spec(left, one->interval);
    one->until = now + left;
    if (arm(one->kind, one->id, &spec, NULL))
        one->kind = NONE;
}

static void *follow(void *unused)
{
    (void)unused;
    uint32_t turn = first_turn;
    for (;;) {
        syscall(SYS_futex, &page->turn, FUTEX_WAIT, turn, NULL, NULL, 0); /* at once, where it has changed */
        uint32_t next = pace_now().turn;
        if (next == turn)
            continue;
        turn = next;
        pthread_mutex_lock(&lock);
        for (int i = 0; i < MOST_TIMERS; i++)
            if (table[i].kind != NONE)
                arm_anew(&table[i]);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void watch(void)
{
    sigset_t every, before;
    pthread_t thread;
    if (watched == getpid())
        return;
    watched = getpid();
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before); /* the program's signals are not for this thread */
    if (pthread_create(&thread, NULL, follow, NULL) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void remember(enum kind kind, int64_t id, int64_t until, int64_t interval)
{
    struct armed *place = NULL;
    if (watched && watched != getpid())
        for (int i = 0; i < MOST_TIMERS; i++) /* after a fork these are the parent's */
            table[i].kind = NONE;
    for (int i = 0; i < MOST_TIMERS; i++) {
        if (table[i].kind == kind && table[i].id == id) {
            place = &table[i];
            break;
        }
        if (!place && table[i].kind == NONE)
            place = &table[i];
    }
    if (!place)
        return; /* more than anybody has: they keep the pace at which they were armed */
    place->kind = until ? kind : NONE;
    place->id = id;
    place->until = until;
    place->interval = interval;
    if (until)
        watch();
}

/* Arm for `value`, a length or (absolute) a time of `clock`. */
static int set(enum kind kind, int64_t id, clockid_t clock, int absolute, const struct itimerspec *value,
               struct itimerspec *old)
{
    int64_t given = to_ns(&value->it_value), interval = to_ns(&value->it_interval);
    struct itimerspec spec = {{0, 0}, {0, 0}};
    pthread_mutex_lock(&lock); /* a change of pace from here on is the thread's to follow */
    if (watched != getpid())
        first_turn = pace_now().turn;
    int64_t now = hurried_ns(CLOCK_MONOTONIC);
    int64_t left = absolute ? given - hurried_ns(clock) : given;
    if (given)
        spec = real_spec(left, interval);
    int failed = arm(kind, id, &spec, old);
    if (!failed)
        remember(kind, id, given ? now + (left > 0 ? left : 1) : 0, interval);
    pthread_mutex_unlock(&lock);
    return failed;
}

static int is_spec(const struct itimerspec *value)
{
    return value && is_length(&value->it_value) && is_length(&value->it_interval);
}

static void longer(struct timespec *t)
{
    *t = to_timespec(to_ns(t) * pace_now().rate);
}

/* The clock of an absolute time: told by the number, as in sleep.c. */
static clockid_t clock_of(const struct timespec *until)
{
    return until->tv_sec < 1000000000 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

SHOWN int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    if (!is_spec(value) || flags & ~TFD_TIMER_ABSTIME) /* one that is to end when the clock is set stays as it is */
        return NEXT(timerfd_settime)(fd, flags, value, old);
    int failed = set(TIMERFD, fd, clock_of(&value->it_value), flags & TFD_TIMER_ABSTIME, value, old);
    if (!failed && old)
        longer(&old->it_value);
    return failed;
}

SHOWN int timerfd_gettime(int fd, struct itimerspec *value)
{
    int failed = NEXT(timerfd_gettime)(fd, value);
    if (!failed)
        longer(&value->it_value);
    return failed;
}

SHOWN int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value,
                        struct itimerspec *restrict old)
{
    if (!is_spec(value))
        return NEXT(timer_settime)(timer, flags, value, old);
    int failed = set(TIMER, (int64_t)timer, clock_of(&value->it_value), flags & TIMER_ABSTIME, value, old);
    if (!failed && old)
        longer(&old->it_value);
    return failed;
}

SHOWN int timer_delete(timer_t timer)
{
    pthread_mutex_lock(&lock);
    if (watched == getpid())
        remember(TIMER, (int64_t)timer, 0, 0);
    pthread_mutex_unlock(&lock);
    return NEXT(timer_delete)(timer);
}

SHOWN int getitimer(__itimer_which_t which, struct itimerval *value)
{
    int failed = (int)syscall(SYS_getitimer, which, value);
    if (!failed && which == ITIMER_REAL) {
        int64_t us = (value->it_value.tv_sec * 1000000LL + value->it_value.tv_usec) * pace_now().rate;
        value->it_value.tv_sec = us / 1000000;
        value->it_value.tv_usec = us % 1000000;
    }
    return failed;
}

SHOWN int setitimer(__itimer_which_t which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
    if (which != ITIMER_REAL || !value)
        return (int)syscall(SYS_setitimer, which, value, old);
    struct itimerspec spec = {{value->it_interval.tv_sec, value->it_interval.tv_usec * 1000},
                              {value->it_value.tv_sec, value->it_value.tv_usec * 1000}};
    if (!is_spec(&spec)) {
        errno = EINVAL;
        return -1;
    }
    if (old)
        getitimer(which, old);
    return set(ITIMER, 0, CLOCK_MONOTONIC, 0, &spec, NULL);
}

SHOWN unsigned int alarm(unsigned int seconds)
{
    struct itimerval value = {{0, 0}, {seconds, 0}}, old = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &value, &old);
    return (unsigned int)(old.it_value.tv_sec + (old.it_value.tv_usec > 0));
}
