"""What the untrusted code may ask of the kernel: an allow-list; unknown calls are answered ENOSYS.

Calls that an unprivileged process of a real machine would be refused are refused with EPERM, so that programs
behave as they do there. Only the native x86_64 (or arm64) entry exists: int 0x80 and x32 kill the thread. The
sensor sees refused calls too (at their exit).
"""

from __future__ import annotations

import platform
from typing import Any

EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT = 1, 38, 93, 97
_CLONE_NEW = {  # linux/sched.h
    "NEWNS": 0x00020000,
    "NEWCGROUP": 0x02000000,
    "NEWUTS": 0x04000000,
    "NEWIPC": 0x08000000,
    "NEWUSER": 0x10000000,
    "NEWPID": 0x20000000,
    "NEWNET": 0x40000000,
}
_CLONE_NEWTIME = 0x80  # unshare only: in clone these bits are the exit signal
_SECCOMP_NEW_LISTENER = 8  # a listener could answer calls in the kernel's stead
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK, _NETLINK_ROUTE = 1, 2, 10, 16, 0
_FAMILIES = (_AF_UNIX, _AF_INET, _AF_INET6)
# Types (stream 1, datagram 2) with protocols (TCP 6, UDP 17, ping 1 and 58): no SCTP, DCCP, UDP-Lite or
# MPTCP, which the gateway would not see and whose first use makes the host load a module.
_TRANSPORTS = ((1, 0), (1, 6), (2, 0), (2, 17), (2, 1), (2, 58))
_SOCK_TYPE_MASK, _SOCK_RAW, _HIGHEST_PROTOCOL = 0xF, 3, 58
_RLIMIT_CORE, _RLIMITS = 4, 16
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF)

_ALLOWED = """
accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres
clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2
fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync
ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64
getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt gettid gettimeofday
getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr
lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier memfd_create mincore mkdir mkdirat
mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink
mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open
openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
prctl pread64 preadv preadv2 process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2
restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield select semctl semget semop semtimedop sendfile
sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid
setresuid setreuid set_robust_list setsid setsockopt set_tid_address setuid setxattr shmat shmctl
shmdt shmget shutdown sigaltstack signalfd signalfd4 splice stat statfs statx symlink symlinkat sync
sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat
utime utimensat utimes vfork vmsplice wait4 waitid write writev mknod mknodat
""".split()  # noqa: SIM905
# mknod: without CAP_MKNOD the kernel refuses devices itself, and named pipes are harmless.

_REFUSED = """
acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig
fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp
kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages
open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv
process_vm_writev ptrace quotactl quotactl_fd reboot request_key setdomainname set_mempolicy
sethostname setns settimeofday swapoff swapon syslog umount2 userfaultfd vhangup
""".split()  # noqa: SIM905

_Json = dict[str, Any]


def profile() -> _Json:
    """The ``linux.seccomp`` part of an OCI configuration."""
    rules: list[_Json] = [
        _rule(_ALLOWED, "SCMP_ACT_ALLOW"),
        _rule(_REFUSED, "SCMP_ACT_ERRNO", EPERM),
        *_clone(),
        *_sockets(),
        *_limits(),
        *(_rule(["personality"], "SCMP_ACT_ALLOW", args=[_arg(0, "SCMP_CMP_EQ", p)]) for p in _PERSONALITIES),
        # Modes: 0 strict, 1 filter, 2 and 3 ask what is there.
        _rule(["seccomp"], "SCMP_ACT_ALLOW", args=[_arg(1, "SCMP_CMP_MASKED_EQ", _SECCOMP_NEW_LISTENER, 0)]),
    ]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": ENOSYS,  # clone3 among them: its flags lie in memory, where no filter sees them
        "architectures": ["SCMP_ARCH_AARCH64" if platform.machine() == "aarch64" else "SCMP_ARCH_X86_64"],
        "syscalls": rules,
    }


def _clone() -> list[_Json]:
    every = sum(_CLONE_NEW.values())
    rules = [
        _rule(["clone"], "SCMP_ACT_ALLOW", args=[_arg(0, "SCMP_CMP_MASKED_EQ", every, 0)]),
        _rule(["unshare"], "SCMP_ACT_ALLOW", args=[_arg(0, "SCMP_CMP_MASKED_EQ", every | _CLONE_NEWTIME, 0)]),
    ]
    for flag in _CLONE_NEW.values():
        refuse = [_arg(0, "SCMP_CMP_MASKED_EQ", flag, flag)]
        rules.append(_rule(["clone", "unshare"], "SCMP_ACT_ERRNO", EPERM, refuse))
    time = [_arg(0, "SCMP_CMP_MASKED_EQ", _CLONE_NEWTIME, _CLONE_NEWTIME)]
    rules.append(_rule(["unshare"], "SCMP_ACT_ERRNO", EPERM, time))
    return rules


def _sockets() -> list[_Json]:
    allow = "SCMP_ACT_ALLOW"
    unix = [_arg(0, "SCMP_CMP_EQ", _AF_UNIX)]
    route = [_arg(0, "SCMP_CMP_EQ", _AF_NETLINK), _arg(2, "SCMP_CMP_EQ", _NETLINK_ROUTE)]
    rules = [_rule(["socket"], allow, args=route), _rule(["socket", "socketpair"], allow, args=unix)]
    for family in (_AF_INET, _AF_INET6):
        for kind, protocol in _TRANSPORTS:
            exact = [_arg(0, "SCMP_CMP_EQ", family), _kind(kind), _arg(2, "SCMP_CMP_EQ", protocol)]
            rules.append(_rule(["socket"], allow, args=exact))
        raw = [_arg(0, "SCMP_CMP_EQ", family), _kind(_SOCK_RAW)]
        other = [_arg(0, "SCMP_CMP_EQ", family), _arg(2, "SCMP_CMP_GT", _HIGHEST_PROTOCOL)]
        rules.append(_rule(["socket"], "SCMP_ACT_ERRNO", EPERM, raw))
        rules.append(_rule(["socket"], "SCMP_ACT_ERRNO", EPROTONOSUPPORT, other))
    # Other families get an answer that programs know (the rules above are exact, so these do not overlap
    # them).
    highest = max(_AF_NETLINK, *_FAMILIES)
    others = [_arg(0, "SCMP_CMP_EQ", family) for family in range(highest) if family not in _FAMILIES]
    others.append(_arg(0, "SCMP_CMP_GT", highest))
    return rules + [_rule(["socket"], "SCMP_ACT_ERRNO", EAFNOSUPPORT, [other]) for other in others]


def _kind(kind: int) -> _Json:
    """A socket's type, whatever flags are set beside it."""
    return _arg(1, "SCMP_CMP_MASKED_EQ", _SOCK_TYPE_MASK, kind)


def _limits() -> list[_Json]:
    """Every resource limit may be changed but that of core files: lowered to 0 it would have the kernel start
    the host's crash handler on what crashes here. Exact values: the kernel reads 32 bits, a filter 64."""
    allow, core = "SCMP_ACT_ALLOW", _RLIMIT_CORE
    rules = []
    for resource in range(_RLIMITS):
        if resource != core:
            rules.append(_rule(["setrlimit"], allow, args=[_arg(0, "SCMP_CMP_EQ", resource)]))
            rules.append(_rule(["prlimit64"], allow, args=[_arg(1, "SCMP_CMP_EQ", resource)]))
    reads = [_arg(1, "SCMP_CMP_EQ", core), _arg(2, "SCMP_CMP_EQ", 0)]
    writes = [_arg(1, "SCMP_CMP_EQ", core), _arg(2, "SCMP_CMP_NE", 0)]
    rules.append(_rule(["prlimit64"], allow, args=reads))
    rules.append(_rule(["prlimit64"], "SCMP_ACT_ERRNO", EPERM, writes))
    rules.append(_rule(["setrlimit"], "SCMP_ACT_ERRNO", EPERM, [_arg(0, "SCMP_CMP_EQ", core)]))
    return rules


def _rule(names: list[str], action: str, errno: int | None = None, args: list[_Json] | None = None) -> _Json:
    rule: _Json = {"names": names, "action": action}
    if errno is not None:
        rule["errnoRet"] = errno
    if args is not None:
        rule["args"] = args
    return rule


def _arg(index: int, operator: str, value: int, value_two: int = 0) -> _Json:
    return {"index": index, "op": operator, "value": value, "valueTwo": value_two}
