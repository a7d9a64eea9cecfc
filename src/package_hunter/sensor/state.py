"""What is known of the first processes before the first event: read from /proc."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from package_hunter.errors import SensorError
from package_hunter.model.table import ContainerInfo, FdEntry, ProcEntry, StartState

_MAX_BYTES = 1 << 20
_MAX_FDS = 1024


def start_state(
    pids: int | Iterable[int],
    boot_ns: int = 0,
    container: ContainerInfo | None = None,
    users: dict[int, tuple[str, str, str]] | None = None,
    groups: dict[int, str] | None = None,
    hostname: str = "",
) -> StartState:
    """The state of the given processes, as the host sees them. SensorError if one has ended already."""
    numbers = (pids,) if isinstance(pids, int) else tuple(pids)
    return StartState(
        processes=tuple(process(pid) for pid in numbers),
        users=users or {},
        groups=groups or {},
        hostname=hostname or socket.gethostname(),
        container=container,
        boot_ns=boot_ns,
    )


def inodes(pid: int, places: Mapping[str, str]) -> dict[tuple[int, int], str]:
    """Paths as a process sees them -> what is said of them, told by (device, inode) as events have them, so that
    hard links and renames lead to the same. Paths that are not there are left out."""
    try:
        mounts = _mounts(pid)
    except OSError as error:
        raise _ended(pid) from error
    found: dict[tuple[int, int], str] = {}
    for path, name in places.items():
        try:
            number = Path(f"/proc/{pid}/root{path}").lstat().st_ino
        except OSError:
            continue
        # an overlay's stat(2) names another device than its inodes have: the mount's is theirs
        point = max((m for m in mounts if path == m or path.startswith(m.rstrip("/") + "/")), key=len)
        found[mounts[point], number] = name
    return found


def _mounts(pid: int) -> dict[str, int]:
    """Mount point -> device, encoded as events have it."""
    found = {}
    for line in Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        major, minor = (int(n) for n in words[2].split(":"))
        found[words[4]] = (minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12
    return found


def process(pid: int) -> ProcEntry:
    """One process out of /proc."""
    base = Path("/proc") / str(pid)
    try:
        status = _status(base)
        fields = (base / "stat").read_bytes().rsplit(b")", 1)[1].split()
        arguments = _strings(base / "cmdline")
        exe = os.fsencode((base / "exe").readlink())
        info = (base / "exe").stat()
        return ProcEntry(
            tid=pid,
            pid=pid,
            ptid=int(fields[1]),
            sid=_last(status, "NSsid"),
            vpgid=_last(status, "NSpgid"),
            vtid=_last(status, "NSpid"),
            vpid=_last(status, "NStgid"),
            pgid=int(status["NSpgid"].split()[0]),
            comm=(base / "comm").read_bytes().rstrip(b"\n"),
            exe=arguments[0] if arguments else b"",
            exepath=exe.removesuffix(b" (deleted)"),
            args=arguments[1:],
            env=_strings(base / "environ"),
            cwd=os.fsencode((base / "cwd").readlink()),
            root=os.fsencode((base / "root").readlink()),
            uid=int(status["Uid"].split()[1]),
            gid=int(status["Gid"].split()[1]),
            loginuid=_loginuid(base),
            cap_inheritable=int(status["CapInh"], 16),
            cap_permitted=int(status["CapPrm"], 16),
            cap_effective=int(status["CapEff"], 16),
            tty=int(fields[4]) & 0xFFFFFFFF,
            fdlimit=_fdlimit(base),
            vmsize_kb=_kb(status, "VmSize"),
            vmrss_kb=_kb(status, "VmRSS"),
            vmswap_kb=_kb(status, "VmSwap"),
            pfminor=int(fields[7]),
            pfmajor=int(fields[9]),
            clone_ts=0,
            exe_ino=info.st_ino,
            exe_ino_ctime=info.st_ctime_ns,
            exe_ino_mtime=info.st_mtime_ns,
            exe_from_memfd=exe.startswith(b"/memfd:"),
            cgroups=_cgroups(base),
            fds=_descriptors(base),
        )
    except (
        OSError,
        KeyError,
    ) as error:  # of one that nobody waited for yet, some files are there without their facts
        raise _ended(pid) from error


def _ended(pid: int) -> SensorError:
    return SensorError(f"Process {pid} ended before it could be looked at.", "Try again.")


def _status(base: Path) -> dict[str, str]:
    pairs = (
        line.split(":\t", 1)
        for line in (base / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    )
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _last(status: dict[str, str], key: str) -> int:
    return int(status[key].split()[-1])


def _kb(status: dict[str, str], key: str) -> int:
    return int(status.get(key, "0 kB").split()[0])


def _strings(path: Path) -> tuple[bytes, ...]:
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES)
    return tuple(data.split(b"\0")[:-1]) if data.endswith(b"\0") else tuple(data.split(b"\0")) if data else ()


def _loginuid(base: Path) -> int:
    try:
        return int((base / "loginuid").read_text(encoding="ascii"))
    except FileNotFoundError:  # a kernel without auditing
        return 0xFFFFFFFF


def _fdlimit(base: Path) -> int:
    for line in (base / "limits").read_text(encoding="ascii").splitlines():
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return -1 if soft == "unlimited" else int(soft)
    return 0


def _cgroups(base: Path) -> tuple[tuple[str, str], ...]:
    found = []
    for line in (base / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines():
        _, names, path = line.split(":", 2)
        found += [
            ("io" if name == "blkio" else name, path) for name in names.split(",") if name and "=" not in name
        ]
        if not names:
            found.append(("unified", path))
    return tuple(found)


_ANONYMOUS = {
    "[eventfd]": "event",
    "[eventpoll]": "eventpoll",
    "[signalfd]": "signalfd",
    "[timerfd]": "timerfd",
    "inotify": "inotify",
    "[userfaultfd]": "userfaultfd",
    "[io_uring]": "io_uring",
    "[pidfd]": "pidfd",
}


def _descriptors(base: Path) -> tuple[FdEntry, ...]:
    found = []
    for name in sorted(int(p.name) for p in (base / "fd").iterdir())[:_MAX_FDS]:
        entry = base / "fd" / str(name)
        try:
            target, info = str(entry.readlink()), entry.stat()
            flags = int(
                (base / "fdinfo" / str(name)).read_text(encoding="ascii").split("flags:", 1)[1].split()[0], 8
            )
        except (FileNotFoundError, IndexError):  # closed meanwhile
            continue
        found.append(FdEntry(name, _kind(target, info.st_mode), target, info.st_ino, info.st_dev, flags))
    return tuple(found)


def _kind(target: str, mode: int) -> str:
    if target.startswith("anon_inode:"):
        return _ANONYMOUS.get(target.removeprefix("anon_inode:"), "unknown")
    if stat.S_ISFIFO(mode):
        return "pipe"
    if stat.S_ISSOCK(mode):
        return "unix"  # which family it is, /proc does not say here; the box's init holds unix sockets only
    return "directory" if stat.S_ISDIR(mode) else "file"
