/* Waiting for descriptors, to a time: a slice that ends with nothing is no answer before that. */
#include "clock.h"
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define MOST_FDS 8192
#define LOOP(left, answer) \
    for (;;) { \
        int64_t left = until - hurried_ns(CLOCK_MONOTONIC); \
        int ready = (answer); \
        if (ready != 0 || left <= 0) \
            return ready; \
    }

static int64_t end_of(int64_t length)
{
    return hurried_ns(CLOCK_MONOTONIC) + length;
}

static struct timespec slice_of(int64_t left)
{
    return to_timespec(slice(left, SLICE_NS));
}

static int ready_poll(struct pollfd *fds, nfds_t count, const struct timespec *length, const sigset_t *mask)
{
    if (!length || !is_length(length) || to_ns(length) == 0)
        return NEXT(ppoll)(fds, count, length, mask);
    int64_t until = end_of(to_ns(length));
    LOOP(left, ({
             struct timespec t = slice_of(left);
             NEXT(ppoll)(fds, count, &t, mask);
         }))
}

SHOWN int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *length, const sigset_t *mask)
{
    return ready_poll(fds, count, length, mask);
}

SHOWN int poll(struct pollfd *fds, nfds_t count, int ms)
{
    struct timespec length = to_timespec(ms > 0 ? ms * 1000000LL : 0);
    return ready_poll(fds, count, ms < 0 ? NULL : &length, NULL);
}

/* What programs built with _FORTIFY_SOURCE call. */
SHOWN int __poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t size)
{
    if (size / sizeof *fds < count)
        __builtin_trap();
    return poll(fds, count, ms);
}

SHOWN int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *length, const sigset_t *mask,
                      size_t size)
{
    if (size / sizeof *fds < count)
        __builtin_trap();
    return ready_poll(fds, count, length, mask);
}

/* select empties its sets where nothing was ready: each slice gets them anew. */
static void copy(char *to, const void *from, size_t size)
{
    if (from)
        memcpy(to, from, size);
}

static int ready_select(int count, fd_set *sets[3], const struct timespec *length, const sigset_t *mask)
{
    size_t size = ((size_t)count + 63) / 64 * 8;
    char kept[3][MOST_FDS / 8];
    if (!length || !is_length(length) || to_ns(length) == 0 || count < 0 || count > MOST_FDS)
        return NEXT(pselect)(count, sets[0], sets[1], sets[2], length, mask);
    int64_t until = end_of(to_ns(length));
    for (int i = 0; i < 3; i++)
        copy(kept[i], sets[i], size);
    LOOP(left, ({
             struct timespec t = slice_of(left);
             for (int i = 0; i < 3; i++)
                 if (sets[i])
                     memcpy(sets[i], kept[i], size);
             NEXT(pselect)(count, sets[0], sets[1], sets[2], &t, mask);
         }))
}

SHOWN int pselect(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
                  const struct timespec *restrict length, const sigset_t *restrict mask)
{
    fd_set *sets[3] = {in, out, other};
    return ready_select(count, sets, length, mask);
}

SHOWN int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
                 struct timeval *restrict length)
{
    fd_set *sets[3] = {in, out, other};
    if (!length)
        return ready_select(count, sets, NULL, NULL);
    if (length->tv_sec < 0 || length->tv_usec < 0) {
        errno = EINVAL;
        return -1;
    }
    struct timespec t = {length->tv_sec + length->tv_usec / 1000000, length->tv_usec % 1000000 * 1000};
    int64_t until = end_of(to_ns(&t));
    int ready = ready_select(count, sets, &t, NULL);
    int64_t left = until - hurried_ns(CLOCK_MONOTONIC); /* as Linux does, what is left is told */
    t = to_timespec(left > 0 ? left : 0);
    length->tv_sec = t.tv_sec;
    length->tv_usec = t.tv_nsec / 1000;
    return ready;
}

static int ready_epoll(int fd, struct epoll_event *events, int count, int64_t length, const sigset_t *mask)
{
    if (length <= 0)
        return NEXT(epoll_pwait)(fd, events, count, length < 0 ? -1 : 0, mask);
    int64_t until = end_of(length);
    LOOP(left, NEXT(epoll_pwait)(fd, events, count, (int)((slice(left, SLICE_NS) + 999999) / 1000000), mask))
}

SHOWN int epoll_pwait(int fd, struct epoll_event *events, int count, int ms, const sigset_t *mask)
{
    return ready_epoll(fd, events, count, ms * 1000000LL, mask);
}

SHOWN int epoll_wait(int fd, struct epoll_event *events, int count, int ms)
{
    return ready_epoll(fd, events, count, ms * 1000000LL, NULL);
}

SHOWN int epoll_pwait2(int fd, struct epoll_event *events, int count, const struct timespec *length,
                       const sigset_t *mask)
{
    if (length && !is_length(length)) {
        errno = EINVAL;
        return -1;
    }
    return ready_epoll(fd, events, count, length ? to_ns(length) : -1, mask);
}
