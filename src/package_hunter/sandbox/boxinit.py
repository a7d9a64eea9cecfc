"""Pid 1 of the box: runs the commands that the host sends, reaps, and cannot be touched by what it runs.

This file is sent into the box and runs there as root of the box's user namespace, under the box's own
Python (standard library only; nothing of the project may be imported, and little else, since it must start
fast). It holds four capabilities in that namespace (setuid, setgid, setpcap, kill), which every command loses
before its program starts.

Host to box: ``run`` with two descriptors (a memory file with the marshalled order, the command's output) and
``kill``. Box to host, in words: ``ready``; ``forked PID``; ``begin PID``, sent by the command's first process
itself, so that the kernel attests its pid; ``end PID STATUS``; ``fail ERRNO`` where no process could be made.
"""

from __future__ import annotations

# The plain modules: what stands on them takes 10 ms to import.
import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import ctypes
import marshal
import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_DUMPABLE, PR_SET_NAME, PR_CAPBSET_DROP, PR_CAP_AMBIENT = 4, 15, 24, 47
CAP_VERSION_3 = 0x20080522
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]


def rename(title: bytes, name: bytes) -> None:
    """Show as another program: the argument area is overwritten in place, the kernel's name is set."""
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 (pathlib is slow to import)
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start, arg_end: fields 48 and 49 of proc(5)
    if 0 < start < end:
        ctypes.memmove(start, title[: end - start - 1].ljust(end - start, b"\0"), end - start)
    libc.prctl(
        PR_SET_NAME, ctypes.cast(ctypes.create_string_buffer(name), ctypes.c_void_p).value or 0, 0, 0, 0
    )


def drop_capabilities(last: int) -> None:
    for capability in range(last + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)


def become(order: dict[str, Any], output: int, host: socket.socket, last_cap: int) -> None:
    """In the new process: the command's program, with none of this process's rights. Does not return."""
    os.setsid()
    host.send(b"begin %d" % os.getpid())
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 1 << 16)
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("300")  # the kernel takes these before pid 1
    drop_capabilities(last_cap)
    os.setgroups(order["groups"])
    os.setresgid(order["gid"], order["gid"], order["gid"])
    os.setresuid(order["uid"], order["uid"], order["uid"])
    libc.capset((ctypes.c_uint32 * 2)(CAP_VERSION_3, 0), (ctypes.c_uint32 * 6)())
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGCHLD, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.chdir(order["cwd"])
        os.execvpe(order["argv"][0], order["argv"], order["env"])  # noqa: S606
    except OSError as error:
        os.write(2, f"{order['argv'][0]}: {error.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def receive(host: socket.socket) -> tuple[bytes, list[int]]:
    data, ancillary, _, _ = host.recvmsg(64, socket.CMSG_SPACE(4 * 2), socket.MSG_CMSG_CLOEXEC)
    if not data:
        os._exit(0)  # the host is gone, and the box ends with its pid 1
    fds = []
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = [int.from_bytes(payload[i : i + 4], "little") for i in range(0, len(payload), 4)]
    return data, fds


def obey(message: bytes, fds: list[int], host: socket.socket, last_cap: int) -> int | None:
    """The pid of the new command, if one was started."""
    pid = None
    if message == b"kill":
        try:
            os.kill(-1, signal.SIGKILL)  # everything but this process
        except ProcessLookupError:
            pass  # nothing else is there
    elif message == b"run":
        order = marshal.loads(os.pread(fds[0], os.fstat(fds[0]).st_size, 0))  # noqa: S302 (the host's)
        try:
            pid = os.fork()
        except OSError as error:  # what earlier commands left has used up the box's processes
            host.send(b"fail %d" % (error.errno or 0))
        if pid == 0:
            try:
                become(order, fds[1], host, last_cap)
            finally:
                os._exit(125)
        if pid is not None:
            host.send(b"forked %d" % pid)
    for fd in fds:
        os.close(fd)
    return pid


def reap(host: socket.socket, commands: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in commands:
            commands.discard(pid)
            host.send(b"end %d %d" % (pid, status))


def main(host: socket.socket) -> None:
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    rename(b"/sbin/init\0splash", b"systemd")
    with open("/proc/sys/kernel/cap_last_cap") as file:  # noqa: PTH123
        last_cap = int(file.read())
    wake_in, wake_out = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands: set[int] = set()
    poll = select.poll()
    poll.register(host.fileno(), select.POLLIN)
    poll.register(wake_in, select.POLLIN)
    host.send(b"ready")
    while True:
        for fd, _ in poll.poll():
            if fd == host.fileno():
                pid = obey(*receive(host), host, last_cap)
                if pid is not None:
                    commands.add(pid)
            else:
                try:
                    os.read(wake_in, 4096)
                except BlockingIOError:
                    pass
        reap(host, commands)


if __name__ == "init":  # as the line that received this text names it
    main(globals()["s"])
