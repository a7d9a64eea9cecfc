"""What is known of each thread, and of the groups and families that they form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from package_hunter.enrich.fds import Fd, from_entry
from package_hunter.enrich.paths import join
from package_hunter.enrich.process_record import ProcessRecord
from package_hunter.enrich.text import line_of, name_of, words_of
from package_hunter.model.table import ProcEntry

CLONE_FILES, CLONE_NEWPID, CLONE_PARENT, CLONE_THREAD = 1 << 0, 1 << 6, 1 << 8, 1 << 13
CLONE_INVERTED, CLONE_VFORK, IN_PIDNS, MAIN_THREAD = 1 << 16, 1 << 27, 1 << 29, 1 << 30
PIPE_SRC, PIPE_DST = 1 << 21, 1 << 22
NEW_USER = 1 << 20
NO_ID = 0xFFFFFFFF
_MAX_ANCESTORS = 200

_NUMBERS = {
    **dict.fromkeys(("tid", "pid", "ptid", "sid", "vpgid", "pgid", "vtid", "vpid"), -1),
    **dict.fromkeys(("uid", "gid", "loginuid"), NO_ID),
    **dict.fromkeys(("cap_inheritable", "cap_permitted", "cap_effective", "tty", "flags", "exe_ino"), 0),
    **dict.fromkeys(("vmsize_kb", "vmrss_kb", "vmswap_kb", "pfmajor", "pfminor", "clone_ts"), 0),
    **dict.fromkeys(("pidns_start", "exe_ctime", "exe_mtime", "exe_age", "exe_pidns_age", "lastexec_ts"), 0),
    "fdlimit": -1,
    "reaper_tid": -1,
}
_FLAGS = ("exe_writable", "exe_upper", "exe_lower", "exe_memfd", "dead")


class Group:
    """A process: its threads. ``alive`` counts those that have not ended; ``record`` is what is written
    down of it."""

    __slots__ = ("alive", "main", "pid", "reaper", "record", "threads")

    def __init__(self, pid: int, reaper: bool) -> None:
        self.pid = pid
        self.reaper = reaper
        self.alive = 0
        self.main: Thread | None = None
        self.threads: dict[int, Thread] = {}
        self.record: ProcessRecord | None = None


class Thread:
    """A thread. Ids are the host's unless they begin with v; unknown ones are -1. Sizes in KiB, times ns."""

    __slots__ = (
        *_NUMBERS,
        *_FLAGS,
        "_args",
        "_args_raw",
        "_args_text",
        "_cmdline",
        "_env",
        "_env_raw",
        "_env_text",
        "cgroups",
        "children",
        "comm",
        "cwd",
        "enter",
        "exe",
        "exepath",
        "fds",
        "group",
        "root",
    )

    tid: int
    pid: int
    ptid: int
    sid: int
    vpgid: int
    pgid: int
    vtid: int
    vpid: int
    uid: int
    gid: int
    loginuid: int
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int
    tty: int
    flags: int
    exe_ino: int
    vmsize_kb: int
    vmrss_kb: int
    vmswap_kb: int
    pfmajor: int
    pfminor: int
    clone_ts: int
    pidns_start: int
    exe_ctime: int
    exe_mtime: int
    exe_age: int
    exe_pidns_age: int
    lastexec_ts: int
    fdlimit: int
    reaper_tid: int
    exe_writable: bool
    exe_upper: bool
    exe_lower: bool
    exe_memfd: bool
    dead: bool

    def __init__(self, tid: int) -> None:
        for name, value in _NUMBERS.items():
            setattr(self, name, value)
        for name in _FLAGS:
            setattr(self, name, False)
        self.tid = tid
        self.comm = self.exe = "<NA>"
        self.exepath = ""
        self.cwd = ""
        self.root = "/"
        self._args: tuple[str, ...] | None = ()
        self._args_raw = b""
        self._args_text: str | None = ""
        self._cmdline: str | None = None
        self._env: tuple[str, ...] | None = ()
        self._env_raw = b""
        self._env_text: str | None = ""
        self.cgroups: bytes | tuple[tuple[str, str], ...] = ()
        self.fds: dict[int, Fd] = {}
        self.group: Group | None = None
        self.children: dict[int, Thread] | None = None
        self.enter: Any = None

    @property
    def is_main(self) -> bool:
        """Is it its process's first thread?"""
        return self.tid == self.pid or bool(self.flags & MAIN_THREAD)

    @property
    def invalid(self) -> bool:
        """Known by its number only."""
        return self.tid < 0 or self.pid < 0 or self.ptid < 0

    @property
    def in_pidns(self) -> bool:
        """Does it live in a pid namespace of its own?"""
        return bool(self.flags & IN_PIDNS) or (self.tid != self.vtid and self.vtid >= 0)

    def main(self) -> Thread | None:
        """Its process's first thread."""
        if self.is_main:
            return self
        return self.group.main if self.group is not None else None

    def table(self) -> dict[int, Fd] | None:
        """The descriptors it uses: its process's, for threads that share them."""
        if not self.flags & CLONE_FILES:
            return self.fds
        main = self.main()
        return None if main is None else main.fds

    def fd(self, number: int) -> Fd | None:
        """One descriptor."""
        table = self.table()
        return None if table is None or number < 0 else table.get(number)

    def add_fd(self, number: int, fd: Fd) -> None:
        """A descriptor was made (or replaced)."""
        table = self.table()
        if table is not None:
            table[number] = fd

    def working_dir(self) -> str:
        """Its working directory, with a slash at the end."""
        main = self.main()
        return main.cwd if main is not None else "./"

    def set_cwd(self, path: str) -> None:
        """It went to another working directory."""
        main = self.main()
        if main is not None:
            cwd = join(self.cwd, path)
            main.cwd = cwd if cwd.endswith("/") else cwd + "/"

    def set_exepath(self, path: str) -> None:
        """Which file it runs; the kernel's mark of a deleted file is left out."""
        self.exepath = path[: -len(" (deleted)")] if len(path) > 10 and path.endswith(" (deleted)") else path

    def set_args(self, raw: bytes) -> None:
        """Its arguments, with an end mark behind each."""
        self._args_raw, self._args, self._args_text, self._cmdline = raw, None, None, None

    def take_args_of(self, other: Thread) -> None:
        """The same arguments as another thread's."""
        self._args_raw, self._args, self._args_text = other._args_raw, other._args, other._args_text
        self._cmdline = None

    @property
    def args(self) -> tuple[str, ...]:
        """Its arguments, without the program's name."""
        if self._args is None:
            self._args = words_of(self._args_raw)
        return self._args

    @property
    def args_text(self) -> str:
        """Its arguments with spaces between."""
        if self._args_text is None:
            self._args_text = line_of(self._args_raw)
        return self._args_text

    @property
    def cmdline(self) -> str:
        """Name and arguments, with spaces between."""
        if self._cmdline is None:
            self._cmdline = f"{self.comm} {self.args_text}" if self._args_raw else self.comm
        return self._cmdline

    def set_env(self, raw: bytes) -> None:
        """Its environment, with an end mark behind each variable."""
        self._env_raw, self._env, self._env_text = raw, None, None

    @property
    def env(self) -> tuple[str, ...]:
        """The environment of its process."""
        main = self if self.is_main else self.main()
        if main is None:
            main = self
        if main._env is None:
            main._env = words_of(main._env_raw)
        return main._env

    @property
    def env_text(self) -> str:
        """The environment of its process with spaces between."""
        main = self if self.is_main else self.main() or self
        if main._env_text is None:
            main._env_text = line_of(main._env_raw)
        return main._env_text

    def take_program_of(self, other: Thread) -> None:
        """What a child has of its parent until it starts a program of its own."""
        for name in _INHERITED:
            setattr(self, name, getattr(other, name))

    def take_process_of(self, other: Thread) -> None:
        """What a new process has of its parent: descriptors, working directory, environment."""
        table = other.table()
        if table is not None:
            self.fds = dict(table)
        self.cwd = other.working_dir()
        self._env, self._env_raw, self._env_text = other._env, other._env_raw, other._env_text

    def cgroup_pairs(self) -> tuple[tuple[str, str], ...]:
        """Its cgroups: controller and path."""
        if isinstance(self.cgroups, bytes):
            self.cgroups = cgroup_pairs(words_of(self.cgroups))
        return self.cgroups


_INHERITED = (
    *(
        "exepath",
        "exe_writable",
        "exe_upper",
        "exe_lower",
        "exe_memfd",
        "root",
        "sid",
        "vpgid",
        "pgid",
        "tty",
    ),
    *("loginuid", "cap_permitted", "cap_inheritable", "cap_effective"),
    *("exe_ino", "exe_ctime", "exe_mtime", "exe_age"),
)
_CONTROLLERS = {"perf": "perf_event", "mem": "memory", "io": "blkio"}


def cgroup_pairs(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """``name=path`` words as pairs, names as Falco gives them."""
    pairs = []
    for word in words:
        name, equals, path = word.partition("=")
        if not equals:
            return ()
        name = name.replace("_cgroup", "", 1)
        pairs.append((_CONTROLLERS.get(name, name), path))
    return tuple(pairs)


class Threads:
    """Every thread that is alive, by its number."""

    def __init__(self, limit: int = 131_072) -> None:
        self.by_tid: dict[int, Thread] = {}
        self.groups: dict[int, Group] = {}
        self.limit = limit

    def get(self, tid: int) -> Thread | None:
        """A thread, or None where it is not known."""
        return self.by_tid.get(tid)

    def add(self, thread: Thread) -> None:
        """A new thread: into the table, its group and its parent's children."""
        if len(self.by_tid) >= self.limit:
            return
        self.link(thread)
        self.by_tid[thread.tid] = thread

    def link(self, thread: Thread) -> None:
        """Puts a thread into its group and under its parent."""
        if thread.invalid or thread.group is not None:
            return
        group = self.groups.get(thread.pid)
        if group is None:
            group = self.groups[thread.pid] = Group(thread.pid, thread.pid == 1 or thread.vpid == 1)
        thread.group = group
        group.threads[thread.tid] = thread
        group.alive += 1
        if thread.is_main:
            group.main = thread
        if thread.pid == 1:
            return
        parent = self.by_tid.get(thread.ptid)
        if parent is None or parent.invalid:
            thread.ptid = 0
        else:
            _adopt(parent, thread)

    def ancestors(self, thread: Thread) -> Iterator[Thread]:
        """Its parents, nearest first; ends where a parent is unknown or met again."""
        seen = 0
        parent = self.by_tid.get(thread.ptid)
        while parent is not None and seen < _MAX_ANCESTORS:
            yield parent
            following = self.by_tid.get(parent.ptid)
            if following is parent:
                return
            parent, seen = following, seen + 1

    def ancestor(self, thread: Thread, steps: int) -> Thread | None:
        """The process ``steps`` above the thread's own (0: its own)."""
        main = thread.main()
        for _ in range(steps):
            if main is None:
                return None
            parent = self.by_tid.get(main.ptid)
            if parent is None:
                return None
            main = parent.main()
        return main

    def mark_dead(self, thread: Thread) -> None:
        """Its exit was seen; it stays in the table until the event was judged."""
        if not thread.dead and thread.group is not None:
            thread.group.alive -= 1
        thread.dead = True

    def remove(self, tid: int) -> None:
        """Takes a thread out; its children go to their new parent. A first thread stays while others live."""
        thread = self.by_tid.get(tid)
        if thread is None:
            return
        group = thread.group
        if group is None:
            self._forget(thread)
            return
        self.mark_dead(thread)
        if thread.children:
            self._rehome(thread)
        if group.alive <= 0:
            self.groups.pop(group.pid, None)
            if group.main is not None:
                self._forget(group.main)
        if not thread.is_main:
            self._forget(thread)
            group.threads.pop(tid, None)

    def _forget(self, thread: Thread) -> None:
        if self.by_tid.get(thread.tid) is thread:
            del self.by_tid[thread.tid]
        parent = self.by_tid.get(thread.ptid)
        if parent is not None and parent.children and parent.children.get(thread.tid) is thread:
            del parent.children[thread.tid]

    def _rehome(self, thread: Thread) -> None:
        reaper = self.by_tid.get(thread.reaper_tid) if thread.reaper_tid > 0 else None
        if reaper is None or reaper.invalid:
            reaper = self._find_reaper(thread)
        if reaper is not None and reaper.group is not None and reaper.pid != thread.pid:
            reaper.group.reaper = True
        for child in (thread.children or {}).values():
            if reaper is None:
                child.ptid = 0
            elif reaper is not child:
                _adopt(reaper, child)
        thread.children = None

    def _find_reaper(self, thread: Thread) -> Thread | None:
        """As the kernel chooses: another thread of the process, the next subreaper above, or init."""
        if thread.group is not None:
            for other in thread.group.threads.values():
                if not other.dead and other is not thread:
                    return other
        for parent in self.ancestors(thread):
            if parent.in_pidns != thread.in_pidns:
                return None
            if parent.group is not None and parent.group.reaper:
                alive = next((t for t in parent.group.threads.values() if not t.dead), None)
                if alive is not None and alive is not thread:
                    return alive
        return None


def _adopt(parent: Thread, child: Thread) -> None:
    if parent.children is None:
        parent.children = {}
    parent.children[child.tid] = child
    child.ptid = parent.tid


def from_entry_thread(entry: ProcEntry) -> Thread:
    """A thread of the start tables."""
    thread = Thread(entry.tid)
    for name in _SAME:
        setattr(thread, name, getattr(entry, name))
    thread.comm = entry.comm.decode("utf-8", "replace")
    thread.exe = entry.exe.decode("utf-8", "replace")
    thread.set_exepath(name_of(entry.exepath))
    thread.set_args(b"\0".join(entry.args))
    if not entry.args:
        thread._args, thread._args_text = (), ""
    thread.root = name_of(entry.root)
    thread.exe_upper, thread.exe_lower = entry.exe_upper_layer, entry.exe_lower_layer
    thread.exe_memfd = entry.exe_from_memfd
    thread.exe_ctime, thread.exe_mtime = entry.exe_ino_ctime, entry.exe_ino_mtime
    thread.pidns_start = entry.pidns_init_start_ts
    thread.cgroups = entry.cgroups
    if thread.is_main:
        thread.set_env(b"\0".join(entry.env))
        if not entry.env:
            thread._env, thread._env_text = (), ""
        cwd = name_of(entry.cwd)
        thread.cwd = join("", cwd)
        if not thread.cwd.endswith("/"):
            thread.cwd += "/"
    thread.fds = {fd.fd: from_entry(fd) for fd in entry.fds}
    return thread


_SAME = (
    *("pid", "ptid", "sid", "vpgid", "pgid", "vtid", "vpid", "uid", "gid", "loginuid", "cap_inheritable"),
    *("cap_permitted", "cap_effective", "tty", "flags", "fdlimit", "vmsize_kb", "vmrss_kb", "vmswap_kb"),
    *("pfmajor", "pfminor", "clone_ts", "exe_ino", "exe_writable"),
)
