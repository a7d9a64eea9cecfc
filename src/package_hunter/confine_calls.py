"""Which system calls each role of helper process may make. Everything else is answered ENOSYS, or kills."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["gateway", "reader", "unpacker", "planner", "server", "test", "talker"]

_NE, _EQ, _MASKED_EQ = 1, 4, 7  # libseccomp's enum scmp_compare
_CLONE_THREAD = 0x10000
_O_ACCMODE_AND_CREATE = 0o3 | 0o100 | 0o1000  # access mode, O_CREAT, O_TRUNC
_O_TMPFILE = 0o20000000
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16


class Rule(NamedTuple):
    """A call, what happens ("allow" or "kill"), and (argument, operator, a, b) that must all hold."""

    name: str
    action: str = "allow"
    when: tuple[tuple[int, int, int, int], ...] = ()


def _allow(names: str) -> tuple[Rule, ...]:
    return tuple(Rule(name) for name in names.split())


# What a running CPython with threads needs; no call here reaches a new file, peer or process.
_BASE = (
    *_allow(
        "read readv pread64 preadv write writev pwrite64 pwritev close close_range lseek fstat newfstatat "
        "stat lstat statx fstatfs fcntl dup dup2 dup3 pipe2 pipe eventfd2 memfd_create mmap munmap mremap "
        "mprotect madvise brk membarrier mincore futex futex_waitv set_robust_list get_robust_list rseq "
        "set_tid_address rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend "
        "rt_sigtimedwait sigaltstack signalfd4 restart_syscall pause clock_gettime clock_getres "
        "clock_nanosleep nanosleep gettimeofday time times getrusage timerfd_create timerfd_settime "
        "timerfd_gettime getitimer setitimer alarm poll ppoll select pselect6 epoll_create1 epoll_create "
        "epoll_ctl epoll_wait epoll_pwait epoll_pwait2 getpid gettid getppid getuid geteuid getgid getegid "
        "getresuid getresgid getgroups getpgrp getpgid getsid uname sysinfo getrandom sched_yield "
        "sched_getaffinity sched_getparam sched_getscheduler getpriority getcpu getrlimit prlimit64 umask "
        "getcwd exit exit_group ioctl wait4 waitid capget recvmsg recvfrom sendmsg sendto shutdown "
        "getsockopt getsockname getpeername recvmmsg sendmmsg flock"
    ),
    # Threads, never processes. glibc falls back to clone where clone3 (whose flags no filter sees) is
    # answered ENOSYS, the default.
    Rule("clone", "allow", ((0, _MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD),)),
)

# Reading files that the role's uid may read: modules imported late, time zones, certificates.
_READ = (
    Rule("openat", "allow", ((2, _MASKED_EQ, _O_ACCMODE_AND_CREATE | _O_TMPFILE, 0),)),
    Rule("open", "allow", ((1, _MASKED_EQ, _O_ACCMODE_AND_CREATE | _O_TMPFILE, 0),)),
    *_allow("access faccessat faccessat2 readlink readlinkat getdents64 statfs fadvise64 getxattr lgetxattr"),
)

# Writing files where its uid may: the unpacker's target, the gateway's cache.
_WRITE = _allow(
    "openat open creat mkdir mkdirat rename renameat renameat2 unlink unlinkat rmdir link linkat "
    "symlink symlinkat ftruncate truncate fallocate fsync fdatasync sync_file_range copy_file_range "
    "sendfile splice chmod fchmod fchmodat utimensat futimesat utimes utime chdir fchdir access "
    "faccessat faccessat2 readlink readlinkat getdents64 statfs fadvise64 getxattr lgetxattr"
)

_SOCKETS = (
    Rule("socket", "allow", ((0, _EQ, _AF_INET, 0),)),
    Rule("socket", "allow", ((0, _EQ, _AF_INET6, 0),)),
    Rule("socket", "allow", ((0, _EQ, _AF_UNIX, 0),)),
    Rule("socket", "allow", ((0, _EQ, _AF_NETLINK, 0), (2, _EQ, 0, 0))),  # getaddrinfo lists interfaces
    Rule("socketpair", "allow", ((0, _EQ, _AF_UNIX, 0),)),
    *_allow("connect bind listen accept accept4 setsockopt"),
)

# A helper that tries these is no longer ours.
_HOSTILE_NAMES = (
    "execve execveat fork vfork ptrace process_vm_readv process_vm_writev pidfd_getfd mount umount2 "
    "pivot_root chroot setns unshare bpf init_module finit_module delete_module kexec_load "
    "kexec_file_load reboot open_by_handle_at userfaultfd perf_event_open io_uring_setup io_uring_enter "
    "io_uring_register keyctl add_key request_key iopl ioperm move_mount open_tree fsopen fsmount "
    "fspick mount_setattr swapon swapoff acct"
)
_HOSTILE = tuple(Rule(name, "kill") for name in _HOSTILE_NAMES.split())

_READER = (*_BASE, *_READ, *_allow("ftruncate fallocate fsync fdatasync sched_setscheduler setpriority"))

# Signals to itself (uvicorn ends so), and to be ended with its parent. Kerberos libraries, which PostgreSQL's
# client may load, look for a key ring: they may look in vain.
_SERVER = (*_BASE, *_WRITE, *_SOCKETS, *_allow("prctl tgkill"))
_KEYS = {"keyctl", "add_key", "request_key"}

ROLES: dict[Role, tuple[Rule, ...]] = {
    "gateway": (*_BASE, *_WRITE, *_SOCKETS, *_HOSTILE),
    "reader": (*_READER, *_HOSTILE),
    "unpacker": (*_BASE, *_WRITE, *_HOSTILE),
    "server": (*_SERVER, *(rule for rule in _HOSTILE if rule.name not in _KEYS)),
    # It opens nothing itself: what it may know of files, its parent reads for it.
    "planner": (*_BASE, *_HOSTILE),
    # Its connections are handed to it; it makes none of its own.
    "talker": (
        *_BASE,
        *_READ,
        Rule("socketpair", "allow", ((0, _EQ, _AF_UNIX, 0),)),
        *_allow("setsockopt"),
        *_HOSTILE,
    ),
    "test": (*_BASE, *_READ, *_HOSTILE),
}
