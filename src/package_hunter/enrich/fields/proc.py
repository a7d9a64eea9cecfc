"""Fields of processes, threads, users and groups (facts: falcosecurity/libs sinsp_filtercheck_thread.cpp)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from package_hunter.enrich.event import Ev
from package_hunter.enrich.threads import NO_ID, Thread
from package_hunter.model.fields import Extract

_CAPS = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
_Of = Callable[[Thread], Any]


def _own(of: _Of) -> Extract:
    def get(ev: Ev) -> Any:
        thread = ev.thread
        return None if thread is None else of(thread)

    return get


def _slot(name: str) -> Extract:
    def get(ev: Ev) -> Any:
        thread = ev.thread
        return None if thread is None else getattr(thread, name)

    return get


def _nonzero(name: str) -> Extract:
    def get(ev: Ev) -> Any:
        return (getattr(ev.thread, name) or None) if ev.thread is not None else None

    return get


def _parent(of: _Of) -> Extract:
    """Of the parent process, as Falco takes it: the event's process, where no arguments say else."""

    def get(ev: Ev) -> Any:
        thread = ev.thread
        if thread is None:
            return None
        parent = ev.state.threads.ancestor(thread, 1)
        return None if parent is None else of(parent)

    return get


def _ancestor(of: _Of) -> Callable[[str | None], Extract]:
    """``proc.aname[N]``: one above by number; without: all above, nearest first."""

    def make(arg: str | None) -> Extract:
        if arg is not None:
            steps = int(arg)

            def one(ev: Ev) -> Any:
                if ev.thread is None or steps < 0:
                    return None
                found = ev.state.threads.ancestor(ev.thread, steps)
                return None if found is None else of(found)

            return one

        def every(ev: Ev) -> Any:
            main = ev.thread.main() if ev.thread is not None else None
            if main is None:
                return None
            return tuple(of(t) for t in ev.state.threads.ancestors(main)) or None

        return every

    return make


def _leader(slot: str, virtual: bool, of: _Of) -> Extract:
    """Of the session's or group's leader, or the eldest ancestor of the same session or group."""

    def get(ev: Ev) -> Any:
        thread = ev.thread
        if thread is None:
            return None
        number = getattr(thread, slot)
        if number == -1:
            return ""
        if not virtual or not thread.in_pidns:
            leader = ev.state.threads.get(number)
            if leader is not None:
                return of(leader)
        eldest = None
        for above in ev.state.threads.ancestors(thread):
            if getattr(above, slot) != number:
                break
            eldest = above
        return of(eldest) if eldest is not None else ""

    return get


def _args(arg: str | None) -> Extract:
    if arg is None:
        return _own(lambda t: t.args_text)
    index = int(arg)
    if index < 0:  # as Falco has it: no index
        return _own(lambda t: t.args_text)
    return _own(lambda t: t.args[index] if index < len(t.args) else "")


def _env(arg: str | None) -> Extract:
    if arg is None or arg.isdigit():
        return _own(lambda t: t.env_text)
    return _own(lambda t: variable(t, arg))


def variable(thread: Thread, name: str) -> str:
    """The value of an environment variable, "" where it is not set."""
    start = name + "="
    for word in thread.env:
        if len(word) > len(start) and word.startswith(start):
            return word[len(start) :].strip(" ")
    return ""


def _aenv(arg: str | None) -> Extract:
    if arg is None:
        return _ancestor(lambda t: t.env_text)(None)
    if arg.isdigit():
        return _ancestor(lambda t: t.env_text)(arg)

    def get(ev: Ev) -> Any:
        main = ev.thread.main() if ev.thread is not None else None
        if main is None:
            return "" if ev.thread is not None else None
        above = (variable(t, arg) for t in ev.state.threads.ancestors(main))
        return next((v for v in above if v), "")

    return get


def _login_shell(ev: Ev) -> Any:
    main = ev.thread.main() if ev.thread is not None else None
    if main is None:
        return None
    found = None
    for thread in (main, *ev.state.threads.ancestors(main)):
        if thread.comm.endswith("sh"):
            found = thread.pid
    return found


def _since(of: Callable[[Ev], Thread | None]) -> Extract:
    def get(ev: Ev) -> Any:
        thread = of(ev)
        return ev.ts - thread.clone_ts if thread is not None and thread.clone_ts else None

    return get


def _parent_of(ev: Ev) -> Thread | None:
    if ev.thread is None:
        return None
    parent: Thread | None = ev.state.threads.ancestor(ev.thread, 1)
    return parent


def _parent_age(ev: Ev) -> Any:
    parent = _parent_of(ev)
    if parent is None or ev.thread is None:
        return None
    if parent.clone_ts:
        return ev.ts - parent.clone_ts
    return _fd_count(ev.thread)  # Falco falls through to the next field here


def _by_ptid(slot: str) -> Extract:
    def get(ev: Ev) -> Any:
        parent = ev.state.threads.get(ev.thread.ptid) if ev.thread is not None else None
        return None if parent is None else getattr(parent, slot)

    return get


def _fd_count(thread: Thread) -> int:
    main = thread.main()
    return 0 if main is None else len(main.fds)


def _fd_limit(thread: Thread) -> int:
    main = thread.main()
    return 0 if main is None else main.fdlimit


def _others(thread: Thread) -> int:
    if thread.group is None:
        return 0
    main = thread.main()
    return thread.group.alive - 1 if main is not None and not main.dead else thread.group.alive


def _std(number: int, name: bool) -> Extract:
    def of(thread: Thread) -> Any:
        fd = thread.fd(number)
        if fd is None:
            return None
        return fd.name if name else fd.kind or "<NA>"

    return _own(of)


def _cgroup(arg: str | None) -> Extract:
    return _own(lambda t: next((path for name, path in t.cgroup_pairs() if name == arg), None))


def _caps(slot: str) -> Extract:
    def of(thread: Thread) -> str:
        bits = getattr(thread, slot)
        return " ".join(f"CAP_{name}" for i, name in enumerate(_CAPS) if bits >> i & 1)

    return _own(of)


def _user(index: int, root: str, slot: str = "uid") -> Extract:
    def get(ev: Ev) -> Any:
        if ev.thread is None:
            return None
        uid = getattr(ev.thread, slot)
        known = ev.state.users.get(uid)
        if known is not None:
            return known[index]
        return root if uid == 0 else "<NA>"

    return get


def _group_name(ev: Ev) -> Any:
    if ev.thread is None:
        return None
    name = ev.state.groups.get(ev.thread.gid)
    return name if name is not None else "root" if ev.thread.gid == 0 else "<NA>"


def _none_if(slot: str, absent: int) -> Extract:
    def of(thread: Thread) -> Any:
        value = getattr(thread, slot)
        return None if value == absent else value

    return _own(of)


PLAIN: dict[str, Extract] = {
    "proc.exe": _slot("exe"),
    "proc.pexe": _parent(lambda t: t.exe),
    "proc.exepath": _slot("exepath"),
    "proc.pexepath": _parent(lambda t: t.exepath),
    "proc.name": _slot("comm"),
    "proc.pname": _parent(lambda t: t.comm),
    "proc.cmdline": _slot("cmdline"),
    "proc.pcmdline": _parent(lambda t: t.cmdline),
    "proc.cmdnargs": _own(lambda t: len(t.args)),
    "proc.cmdlenargs": _own(lambda t: sum(len(a.encode()) for a in t.args)),
    "proc.exeline": _own(lambda t: " ".join((t.exe, *t.args)) if t.args else t.exe + " "),
    "proc.cwd": _own(Thread.working_dir),
    "proc.loginshellid": _login_shell,
    "proc.tty": _slot("tty"),
    "proc.pid": _slot("pid"),
    "proc.ppid": _parent(lambda t: t.pid),
    "proc.vpid": _none_if("vpid", -1),
    "proc.pvpid": _by_ptid("vpid"),
    "proc.sid": _slot("sid"),
    "proc.sname": _leader("sid", True, lambda t: t.comm),
    "proc.sid.exe": _leader("sid", True, lambda t: t.exe),
    "proc.sid.exepath": _leader("sid", True, lambda t: t.exepath),
    "proc.vpgid": _slot("vpgid"),
    "proc.vpgid.name": _leader("vpgid", True, lambda t: t.comm),
    "proc.vpgid.exe": _leader("vpgid", True, lambda t: t.exe),
    "proc.vpgid.exepath": _leader("vpgid", True, lambda t: t.exepath),
    "proc.pgid": _slot("pgid"),
    "proc.pgid.name": _leader("pgid", False, lambda t: t.comm),
    "proc.pgid.exe": _leader("pgid", False, lambda t: t.exe),
    "proc.pgid.exepath": _leader("pgid", False, lambda t: t.exepath),
    "proc.duration": _since(lambda ev: ev.thread),
    "proc.ppid.duration": _parent_age,
    "proc.pid.ts": _nonzero("clone_ts"),
    "proc.ppid.ts": _by_ptid("clone_ts"),
    "proc.is_exe_writable": _slot("exe_writable"),
    "proc.is_exe_upper_layer": _slot("exe_upper"),
    "proc.is_exe_lower_layer": _slot("exe_lower"),
    "proc.is_exe_from_memfd": _slot("exe_memfd"),
    "proc.is_sid_leader": _own(lambda t: t.sid == t.vpid),
    "proc.is_vpgid_leader": _own(lambda t: t.vpgid == t.vpid),
    "proc.is_pgid_leader": _own(lambda t: t.pgid == t.pid),
    "proc.exe_ino": _nonzero("exe_ino"),
    "proc.exe_ino.ctime": _nonzero("exe_ctime"),
    "proc.exe_ino.mtime": _nonzero("exe_mtime"),
    "proc.exe_ino.ctime_duration_proc_start": _nonzero("exe_age"),
    "proc.exe_ino.ctime_duration_pidns_start": _nonzero("exe_pidns_age"),
    "proc.pidns_init_start_ts": _nonzero("pidns_start"),
    "proc.fdopencount": _own(_fd_count),
    "proc.fdlimit": _own(_fd_limit),
    "proc.vmsize": _slot("vmsize_kb"),
    "proc.vmrss": _slot("vmrss_kb"),
    "proc.vmswap": _slot("vmswap_kb"),
    "proc.nthreads": _own(lambda t: t.group.alive if t.group is not None else 0),
    "proc.nchilds": _own(_others),
    **{f"proc.{n}.type": _std(i, False) for i, n in enumerate(("stdin", "stdout", "stderr"))},
    **{f"proc.{n}.name": _std(i, True) for i, n in enumerate(("stdin", "stdout", "stderr"))},
    "proc.is_container_healthcheck": lambda ev: False,
    "proc.is_container_liveness_probe": lambda ev: False,
    "proc.is_container_readiness_probe": lambda ev: False,
    "thread.cap_permitted": _caps("cap_permitted"),
    "thread.cap_inheritable": _caps("cap_inheritable"),
    "thread.cap_effective": _caps("cap_effective"),
    "thread.pfmajor": _slot("pfmajor"),
    "thread.pfminor": _slot("pfminor"),
    "thread.tid": lambda ev: ev.tid,
    "thread.nametid": lambda ev: None if ev.thread is None else f"{ev.thread.comm}{ev.tid}",
    "thread.ismain": _slot("is_main"),
    "thread.vtid": _none_if("vtid", -1),
    "thread.cgroups": _own(lambda t: " ".join(f"{n}={p}" for n, p in t.cgroup_pairs()) or None),
    "thread.vmsize": _own(lambda t: t.vmsize_kb if t.is_main else 0),
    "thread.vmrss": _own(lambda t: t.vmrss_kb if t.is_main else 0),
    "user.uid": _slot("uid"),
    "user.name": _user(0, "root"),
    "user.homedir": _user(1, "/root"),
    "user.shell": _user(2, "<NA>"),
    "user.loginuid": _own(lambda t: -1 if t.loginuid == NO_ID else t.loginuid),
    "user.loginname": _user(0, "root", "loginuid"),
    "group.gid": _slot("gid"),
    "group.name": _group_name,
}

WITH_ARG: dict[str, Callable[[str | None], Extract]] = {
    "proc.aname": _ancestor(lambda t: t.comm),
    "proc.aexe": _ancestor(lambda t: t.exe),
    "proc.aexepath": _ancestor(lambda t: t.exepath),
    "proc.acmdline": _ancestor(lambda t: t.cmdline),
    "proc.aargs": _ancestor(lambda t: t.args_text),
    "proc.apid": _ancestor(lambda t: t.pid),
    "proc.args": _args,
    "proc.env": _env,
    "proc.aenv": _aenv,
    "thread.cgroup": _cgroup,
}
