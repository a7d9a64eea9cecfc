"""What events say of descriptors that are no sockets."""

from __future__ import annotations

from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import LOWER_LAYER, O_CREATED, O_DIRECTORY, UPPER_LAYER, Fd
from package_hunter.enrich.kinds import flag_sets
from package_hunter.enrich.paths import join
from package_hunter.enrich.state import State
from package_hunter.enrich.text import name_of
from package_hunter.enrich.threads import PIPE_DST, PIPE_SRC

_PROBE_FLAGS = ~(O_CREATED - 1)  # set by the probe at exit, kept whatever the arguments were at entry
_COMMANDS = dict(flag_sets()["fcntl_commands"])
_DUPFD, _DUPFD_CLOEXEC = _COMMANDS["F_DUPFD"], _COMMANDS["F_DUPFD_CLOEXEC"]


def on_open(state: State, ev: Ev) -> None:
    """The exit of open, openat, openat2, creat, open_by_handle_at."""
    thread = ev.thread
    if thread is None or ev.res < 0:
        return
    path = ev.kernel_path
    raw, flags, dev, ino, base = _arguments(state, ev, not path)
    name = name_of(raw) if raw else "<NA>"
    fd = Fd("directory" if flags & O_DIRECTORY else "file")
    fd.openflags, fd.dev, fd.ino = flags, dev, ino
    fd.raw_name = name
    fd.name = path or join(base, name)
    fd.flags = flags & (UPPER_LAYER | LOWER_LAYER)
    ev.made(ev.res, fd)


def _arguments(state: State, ev: Ev, asked: bool) -> tuple[bytes, int, int, int, str]:
    """Name, flags, device, inode and, where that is ``asked``, the directory that a relative name is
    relative to."""
    thread, enter, key = ev.thread, ev.enter, ev.kind.key
    assert thread is not None
    if key == "syscall_open_x":
        raw, flags, dev, ino = ev.param(1), ev.uint(2), ev.uint(4), ev.uint(5)
        if enter is not None and enter.param(0):
            raw, flags = enter.param(0), enter.uint(1) | (flags & _PROBE_FLAGS)
        return raw, flags, dev, ino, thread.working_dir()
    if key == "syscall_creat_x":
        layers = ev.uint(5)
        flags = (UPPER_LAYER if layers & 1 else 0) | (LOWER_LAYER if layers & 2 else 0)
        raw = enter.param(0) if enter is not None and enter.param(0) else ev.param(1)
        return raw, flags, ev.uint(3), ev.uint(4), thread.working_dir()
    if key == "syscall_open_by_handle_at_x":
        return ev.param(3), ev.uint(2), ev.uint(4), ev.uint(5), ""
    raw, flags, dirfd = ev.param(2), ev.uint(3), ev.param(1)
    later = 5 if key == "syscall_openat_2_x" else 6
    dev, ino = (ev.uint(later), ev.uint(later + 1)) if ev.param(later + 1) else (0, 0)
    if enter is not None and enter.param(1):
        raw, flags, dirfd = enter.param(1), enter.uint(2) | (flags & _PROBE_FLAGS), enter.param(0)
    if not asked or not dirfd:
        return raw, flags, dev, ino, ""
    base = state.dir_of(thread, name_of(raw), int.from_bytes(dirfd, "little", signed=True))
    return raw, flags, dev, ino, "" if base == "." else base


def asked_name(ev: Ev) -> str | None:
    """The path by which an open asked for its file, made plain by its text alone as Falco does it, where the
    kernel came to another: through a link, or through one of the doors in /proc (``/proc/self/fd/5``)."""
    fd, thread, key = ev.fd, ev.thread, ev.kind.key
    if fd is None or thread is None or ev.res < 0 or key not in _BY_NAME or not ev.kernel_path:
        return None
    raw = fd.raw_name
    if raw == fd.name or not raw or raw == "<NA>":
        return None
    base = thread.working_dir() if _BY_NAME[key] else ev.state.dir_of(thread, raw, ev.sint(1))
    if base == "<UNKNOWN>":
        return None
    asked = join("" if base == "." else base, raw)
    return None if asked == fd.name else asked


# opens by name; whether a relative one is relative to the working directory alone
_BY_NAME = {
    **dict.fromkeys(("syscall_open_x", "syscall_creat_x"), True),
    **dict.fromkeys(("syscall_openat_2_x", "syscall_openat2_x"), False),
}


def on_close(state: State, ev: Ev) -> None:
    """A descriptor is closed; it goes from the table when the next event comes."""
    if ev.res >= 0 and ev.fd is not None and ev.thread is not None:
        state.closing = (ev.thread, ev.fd_num)


def on_close_range(state: State, ev: Ev) -> None:
    """A range of descriptors is closed (with the flag CLOEXEC: not yet)."""
    thread = ev.thread
    table = thread.table() if thread is not None else None
    if ev.res < 0 or table is None or ev.uint(3) & 4:
        return
    for number in [n for n in table if ev.uint(1) <= n <= ev.uint(2)]:
        del table[number]


def _seen_by_kernel(ev: Ev) -> None:
    """Our probe says what is copied where it is a file: the open may have been of no interest to any rule, and
    what the table has of that number may be of an earlier life."""
    path = ev.kernel_path
    if path and path[0] == "/" and (ev.fd is None or ev.fd.name != path):
        ev.fd = Fd("file", path)
        ev.fd.named = path


def on_dup(state: State, ev: Ev) -> None:
    """dup, dup2, dup3: another number for the same."""
    if ev.thread is None or ev.res < 0:
        return
    _seen_by_kernel(ev)
    if ev.fd is None:
        return
    if ev.res == 0:
        ev.thread.flags |= PIPE_DST
    elif ev.res == 1:
        ev.thread.flags |= PIPE_SRC
    ev.made(ev.res, ev.fd)


def on_fcntl(state: State, ev: Ev) -> None:
    """fcntl with F_DUPFD: another number for the same."""
    if ev.res < 0 or ev.thread is None or ev.uint(2) not in (_DUPFD, _DUPFD_CLOEXEC):
        return
    _seen_by_kernel(ev)
    if ev.fd is not None:
        ev.made(ev.res, ev.fd)


def on_pipe(state: State, ev: Ev) -> None:
    """Both ends of a pipe."""
    if ev.res < 0 or ev.thread is None:
        return
    for i in (1, 2):
        fd = Fd("pipe")
        fd.ino = ev.uint(3)
        fd.openflags = ev.uint(4)
        ev.made(ev.sint(i), fd)


def on_memfd(state: State, ev: Ev) -> None:
    """A file in memory without a path."""
    if ev.thread is not None and ev.res >= 0:
        fd = Fd("memfd", name_of(ev.param(1)))
        fd.openflags = ev.uint(2)
        ev.made(ev.res, fd)


def on_pidfd_open(state: State, ev: Ev) -> None:
    """A descriptor of a process."""
    if ev.thread is not None and ev.res >= 0:
        fd = Fd("pidfd", f"/proc/{ev.sint(1)}")
        fd.pid, fd.openflags = ev.sint(1), ev.uint(2)
        ev.made(ev.res, fd)


def on_pidfd_getfd(state: State, ev: Ev) -> None:
    """A descriptor taken from another process."""
    thread = ev.thread
    pidfd = thread.fd(ev.sint(1)) if thread is not None else None
    if ev.res < 0 or pidfd is None or pidfd.kind != "pidfd":
        return
    owner = state.threads.get(pidfd.pid)
    taken = owner.fd(ev.sint(2)) if owner is not None else None
    if taken is not None:
        ev.made(ev.res, taken)


def _simple(kind: str) -> object:
    def on_made(state: State, ev: Ev) -> None:
        if ev.thread is not None and ev.res >= 0:
            ev.made(ev.res, Fd(kind))

    return on_made


HANDLERS = {
    **dict.fromkeys(
        (
            *("syscall_open_x", "syscall_creat_x", "syscall_openat_2_x", "syscall_openat2_x"),
            "syscall_open_by_handle_at_x",
        ),
        on_open,
    ),
    "syscall_close_x": on_close,
    "syscall_close_range_x": on_close_range,
    **dict.fromkeys(("syscall_dup_1_x", "syscall_dup2_x", "syscall_dup3_x"), on_dup),
    "syscall_fcntl_x": on_fcntl,
    **dict.fromkeys(("syscall_pipe_x", "syscall_pipe2_x"), on_pipe),
    "syscall_memfd_create_x": on_memfd,
    "syscall_pidfd_open_x": on_pidfd_open,
    "syscall_pidfd_getfd_x": on_pidfd_getfd,
    **dict.fromkeys(("syscall_eventfd_x", "syscall_eventfd2_x"), _simple("event")),
    **dict.fromkeys(("syscall_signalfd_x", "syscall_signalfd4_x"), _simple("signalfd")),
    "syscall_timerfd_create_x": _simple("timerfd"),
    **dict.fromkeys(("syscall_inotify_init_x", "syscall_inotify_init1_x"), _simple("inotify")),
    "syscall_bpf_2_x": _simple("bpf"),
    "syscall_userfaultfd_x": _simple("userfaultfd"),
    "syscall_io_uring_setup_x": _simple("io_uring"),
    **dict.fromkeys(("syscall_epoll_create_x", "syscall_epoll_create1_x"), _simple("eventpoll")),
}
