"""What events say of processes: birth, programs, identity, end."""

from __future__ import annotations

from package_hunter.enrich.event import Ev
from package_hunter.enrich.paths import join
from package_hunter.enrich.state import State
from package_hunter.enrich.text import name_of
from package_hunter.enrich.threads import (
    CLONE_FILES,
    CLONE_INVERTED,
    CLONE_NEWPID,
    CLONE_PARENT,
    CLONE_THREAD,
    CLONE_VFORK,
    IN_PIDNS,
    MAIN_THREAD,
    NEW_USER,
    PIPE_DST,
    PIPE_SRC,
    Thread,
)
from package_hunter.model.event import BIRTHS, Extra

_STALE_NS = 2_000_000_000  # a child's entry older than this belongs to an earlier thread of the same number
_NOFILE = 7
_SUBREAPER = (36, 37)
_ALL_CAPS = (1 << 41) - 1


def on_clone(state: State, ev: Ev) -> None:
    """The exit of clone, clone3, fork or vfork, in the parent or in the child."""
    if ev.res == 0:
        _in_child(state, ev)
    elif ev.res > 0:
        _in_parent(state, ev)


def _in_parent(state: State, ev: Ev) -> None:
    caller = ev.thread or state.unknown(ev.tid)
    ev.thread = caller
    known = not caller.invalid
    if not known:
        caller.pid, caller.ptid = ev.sint(4), ev.sint(5)
        caller.vtid, caller.vpid = (ev.sint(18), ev.sint(19)) if ev.param(19) else (ev.tid, -1)
        state.threads.link(caller)
    flags = ev.uint(15)
    if flags & (IN_PIDNS | CLONE_NEWPID | CLONE_PARENT | CLONE_VFORK) or ev.tid != caller.vtid:
        return  # the child tells, who knows its number in this namespace
    if ev.kind.name == "vfork":
        return
    there = state.threads.get(ev.res)
    if there is not None:
        if there.flags & CLONE_INVERTED:
            return
        state.threads.remove(ev.res)
    child = Thread(ev.res)
    child.flags = flags
    if flags & CLONE_THREAD:
        child.pid, child.ptid = caller.pid, caller.ptid
        child.flags |= CLONE_FILES
        child.lastexec_ts = caller.lastexec_ts
    else:
        if known:
            child.take_process_of(caller)
        child.pid, child.ptid = ev.res, caller.tid
    child.vtid, child.vpid = child.tid, child.pid
    child.pidns_start = state.boot_ns
    _describe(child, ev)
    if known:
        _as_executed(state, child, caller)
        child.take_program_of(caller)
    else:
        caller.exe, caller.comm = child.exe, child.comm
        caller.set_args(ev.param(2))
    state.threads.add(child)


def _in_child(state: State, ev: Ev) -> None:
    there = state.threads.get(ev.tid)
    if there is not None and there.clone_ts:
        if ev.ts - there.clone_ts < _STALE_NS:
            ev.thread = there
            return
        state.threads.remove(ev.tid)
    child = Thread(ev.tid)
    child.pid, child.ptid = ev.sint(4), ev.sint(5)
    child.vtid, child.vpid = (ev.sint(18), ev.sint(19)) if ev.param(19) else (child.tid, -1)
    child.flags = ev.uint(15) | CLONE_INVERTED
    leader = not child.flags & CLONE_THREAD
    if not leader:
        child.flags |= CLONE_FILES
    other = state.threads.get(child.ptid if leader else child.pid)
    _describe(child, ev)
    if other is not None and not other.invalid:
        _as_executed(state, child, other)
        child.take_program_of(other)
        if leader:
            child.take_process_of(other)
        else:
            child.lastexec_ts = other.lastexec_ts
    if child.flags & (IN_PIDNS | CLONE_NEWPID) or child.tid != child.vtid:
        if ev.param(20):
            child.pidns_start = ev.uint(20) + state.boot_ns
    else:
        child.pidns_start = state.boot_ns
    state.threads.add(child)
    ev.thread = child


def _as_executed(state: State, child: Thread, parent: Thread) -> None:
    """In a box a child keeps the arguments that its parent was executed with. Falco takes what the parent's
    memory holds by then, which a process may have overwritten (npm does, for its title)."""
    if state.container is not None:
        child.exe = parent.exe
        child.take_args_of(parent)


def _describe(child: Thread, ev: Ev) -> None:
    """What the exit of a clone says of the child."""
    child.exe = ev.text(1)
    child.comm = ev.text(13) if ev.param(13) else child.exe
    child.set_args(ev.param(2))
    child.fdlimit = ev.sint(7)
    _memory(child, ev)
    child.uid, child.gid = ev.uint(16), ev.uint(17)
    if ev.param(14):
        child.cgroups = ev.param(14)
    child.clone_ts = ev.ts


def _memory(thread: Thread, ev: Ev) -> None:
    if ev.param(12):
        thread.pfmajor, thread.pfminor = ev.uint(8), ev.uint(9)
        thread.vmsize_kb, thread.vmrss_kb, thread.vmswap_kb = ev.uint(10), ev.uint(11), ev.uint(12)


def on_execve(state: State, ev: Ev) -> None:
    """A program was started: the thread is another from here on."""
    thread = ev.thread
    if ev.res < 0 or thread is None:
        return
    if thread.dead:
        thread.dead = False
        if thread.group is not None:
            thread.group.alive += 1
    thread.exe = ev.text(1)
    thread.lastexec_ts = ev.ts
    thread.comm = ev.text(13) if ev.param(13) else thread.exe
    thread.set_args(ev.param(2))
    if thread.invalid:
        thread.pid, thread.ptid = ev.sint(4), ev.sint(5)
        if not thread.flags & IN_PIDNS:
            thread.vtid, thread.vpid = thread.tid, thread.pid
        state.threads.link(thread)
    thread.fdlimit = ev.sint(7)
    _memory(thread, ev)
    if ev.param(15):
        thread.set_env(ev.param(15))
    if ev.param(14):
        thread.cgroups = ev.param(14)
    if ev.param(16):
        thread.tty = ev.uint(16)
    thread.set_exepath(_exepath(state, ev, thread))
    _identity(thread, ev)
    cwd = ev.extra.get(Extra.CWD) if ev.nparams > 29 or ev.raw[ev.at[-1] :] else None
    if cwd:
        thread.set_cwd(name_of(cwd))
    thread.flags = thread.flags & (PIPE_SRC | PIPE_DST | MAIN_THREAD | CLONE_INVERTED)
    _end_other_threads(state, thread)


def _exepath(state: State, ev: Ev, thread: Thread) -> str:
    if ev.param(27):
        return name_of(ev.param(27))
    enter = ev.enter
    if enter is None:
        return thread.exepath
    if enter.kind.name == "execve":
        path = enter.text(0)
        return path if path == "<NA>" else join(thread.working_dir(), path)
    path = enter.text(1)
    base = state.dir_of(thread, path, enter.sint(0))
    if base == "<UNKNOWN>" or (path == "<NA>" and not enter.uint(2) & 1):
        return "<NA>"
    return join("", base) if enter.uint(2) & 1 else join("" if base == "." else base, path)


def _identity(thread: Thread, ev: Ev) -> None:
    if ev.param(17):
        thread.vpgid = ev.sint(17)
    if ev.param(18):
        thread.loginuid = ev.uint(18)
    if ev.param(19):
        flags = ev.uint(19)
        thread.exe_writable, thread.exe_upper = bool(flags & 1), bool(flags & 2)
        thread.exe_memfd, thread.exe_lower = bool(flags & 4), bool(flags & 8)
    if ev.param(22):
        thread.cap_inheritable, thread.cap_permitted = ev.uint(20), ev.uint(21)
        thread.cap_effective = ev.uint(22)
    if ev.param(25):
        thread.exe_ino, thread.exe_ctime, thread.exe_mtime = ev.uint(23), ev.uint(24), ev.uint(25)
        if thread.clone_ts:
            thread.exe_age = (thread.clone_ts - thread.exe_ctime) & 0xFFFFFFFFFFFFFFFF
        if thread.pidns_start and thread.exe_ctime > thread.pidns_start:
            thread.exe_pidns_age = thread.exe_ctime - thread.pidns_start
    if ev.param(26):
        thread.uid = ev.uint(26)
    thread.pgid = ev.sint(28) if ev.param(28) else -1
    if ev.param(29):
        thread.gid = ev.uint(29)


def _end_other_threads(state: State, thread: Thread) -> None:
    group = thread.group
    if group is None or group.alive <= 1:
        return
    for other in list(group.threads.values()):
        if not other.is_main and other is not thread:
            state.threads.remove(other.tid)


def on_procexit(state: State, ev: Ev) -> None:
    """A thread ended; it goes from the table when the next event comes."""
    thread = ev.thread
    if thread is None:
        return
    state.threads.mark_dead(thread)
    state.leaving = ev.tid
    if thread.children and ev.param(4):
        thread.reaper_tid = ev.sint(4)


def on_chdir(state: State, ev: Ev) -> None:
    """The working directory changed."""
    if ev.res >= 0 and ev.thread is not None:
        ev.thread.set_cwd(ev.kernel_path or name_of(ev.param(1)))


def on_fchdir(state: State, ev: Ev) -> None:
    """The working directory became that of a descriptor."""
    if ev.res >= 0 and ev.thread is not None and ev.fd is not None:
        ev.thread.set_cwd(ev.kernel_path or ev.fd.name)


def on_chroot(state: State, ev: Ev) -> None:
    """The root directory changed."""
    if ev.res == 0 and ev.thread is not None:
        ev.thread.root = join(ev.thread.working_dir(), name_of(ev.param(1)))


def on_setsid(state: State, ev: Ev) -> None:
    """A session of its own."""
    if ev.res >= 0 and ev.thread is not None:
        ev.thread.sid = ev.res


def on_setuid(state: State, ev: Ev) -> None:
    """setuid, setresuid, setreuid: the effective user changed."""
    i = 1 if ev.kind.name == "setuid" else 2
    if ev.res == 0 and ev.thread is not None and ev.param(i):
        uid = ev.uint(i)
        if uid != 0xFFFFFFFF or ev.kind.name == "setuid":
            ev.thread.uid = uid


def on_setgid(state: State, ev: Ev) -> None:
    """setgid, setresgid, setregid: the effective group changed."""
    i = 1 if ev.kind.name == "setgid" else 2
    if ev.res == 0 and ev.thread is not None and ev.param(i):
        gid = ev.uint(i)
        if gid != 0xFFFFFFFF or ev.kind.name == "setgid":
            ev.thread.gid = gid


def on_capset(state: State, ev: Ev) -> None:
    """Its capabilities changed."""
    if ev.res >= 0 and ev.thread is not None:
        ev.thread.cap_inheritable, ev.thread.cap_permitted = ev.uint(1), ev.uint(2)
        ev.thread.cap_effective = ev.uint(3)


def on_unshare(state: State, ev: Ev) -> None:
    """A user namespace of its own gives all capabilities in it."""
    flags = ev.uint(1) if ev.kind.name == "unshare" else ev.uint(2)
    if ev.res >= 0 and ev.thread is not None and flags & NEW_USER:
        thread = ev.thread
        thread.cap_inheritable = thread.cap_permitted = thread.cap_effective = _ALL_CAPS


def on_prctl(state: State, ev: Ev) -> None:
    """It adopts, or adopts no more, the orphans below it; or it gave itself another name."""
    thread = ev.thread
    if ev.res < 0 or thread is None or thread.group is None:
        return
    if ev.uint(1) in _SUBREAPER:
        thread.group.reaper = ev.sint(3) != 0


def on_rlimit(state: State, ev: Ev) -> None:
    """Its limit of descriptors changed."""
    thread = ev.thread
    prlimit = ev.kind.name == "prlimit"
    if prlimit:
        if ev.res != 0 or not ev.param(5) or not ev.param(6):
            return
        tid = ev.sint(5) or ev.tid
        thread = state.threads.get(tid)
    resource, new = (ev.uint(6), ev.sint(1)) if prlimit else (ev.uint(3), ev.sint(1))
    if thread is None or thread.invalid or ev.res < 0 or resource != _NOFILE or new == -1:
        return
    main = thread.main()
    if main is not None:
        main.fdlimit = new


def on_memory(state: State, ev: Ev) -> None:
    """brk, mmap, munmap: how much memory it has."""
    if ev.thread is not None and ev.param(1):
        ev.thread.vmsize_kb = ev.uint(1)
        if ev.param(3):
            ev.thread.vmrss_kb, ev.thread.vmswap_kb = ev.uint(2), ev.uint(3)


HANDLERS = {
    **dict.fromkeys(BIRTHS, on_clone),
    **dict.fromkeys(("syscall_execve_19_x", "syscall_execveat_x"), on_execve),
    "procexit_1_e": on_procexit,
    "syscall_chdir_x": on_chdir,
    "syscall_fchdir_x": on_fchdir,
    "syscall_getcwd_x": on_chdir,
    "syscall_chroot_x": on_chroot,
    "syscall_setsid_x": on_setsid,
    **dict.fromkeys(("syscall_setuid_x", "syscall_setresuid_x", "syscall_setreuid_x"), on_setuid),
    **dict.fromkeys(("syscall_setgid_x", "syscall_setresgid_x", "syscall_setregid_x"), on_setgid),
    "syscall_capset_x": on_capset,
    **dict.fromkeys(("syscall_unshare_x", "syscall_setns_x"), on_unshare),
    "syscall_prctl_x": on_prctl,
    **dict.fromkeys(("syscall_getrlimit_x", "syscall_setrlimit_x", "syscall_prlimit_x"), on_rlimit),
    **dict.fromkeys(("syscall_brk_4_x", "syscall_mmap_x", "syscall_mmap2_x", "syscall_munmap_x"), on_memory),
}
