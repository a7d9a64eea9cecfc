"""The rows: a line an event. Steps stand in the order of the event's parameters in model/events.tsv."""

# ruff: noqa: E501  (a table: one line a row, however long)
# fmt: off
from __future__ import annotations

from collections.abc import Iterator

from package_hunter.sensor.steps import Flag, Op, Prep, Row, Step

# Calls that Falco reports by name only; those by which a process hides, changes files or the system.
GENERIC = (
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "truncate", "ftruncate",
    "utime", "utimes", "utimensat", "futimesat", "pivot_root", "move_mount", "open_tree", "fsopen", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff",
    "acct", "reboot", "kexec_load", "kexec_file_load", "sethostname", "setdomainname", "settimeofday",
    "clock_settime", "adjtimex", "iopl", "ioperm", "modify_ldt", "personality", "perf_event_open", "add_key",
    "request_key", "fanotify_init", "fanotify_mark", "inotify_add_watch", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_send_signal", "memfd_secret", "name_to_handle_at", "syslog", "quotactl", "setgroups",
    "setfsuid", "setfsgid", "landlock_restrict_self", "vmsplice", "tee", "io_setup", "io_submit", "vhangup",
    "setpriority", "sched_setaffinity", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
    "setxattrat", "removexattrat", "file_setattr", "fallocate", "uselib", "open_tree_attr", "quotactl_fd",
    "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "msgget", "msgsnd", "msgrcv", "msgctl", "shmget",
    "shmat", "shmctl", "lsm_set_self_attr", "landlock_create_ruleset", "landlock_add_rule", "sched_setscheduler",
    "sched_setattr", "sched_setparam", "ioprio_set", "pkey_mprotect", "remap_file_pages", "map_shadow_stack",
    "move_pages", "migrate_pages", "io_destroy", "clock_adjtime", "listmount", "statmount",
)


def _u(width: int, arg: int, table: str = "") -> Step:
    return Step(Op.UINT, arg, width, table)


def _fd(arg: int) -> Step:
    return Step(Op.S32, arg)


def _path(arg: int, slot: int = 1) -> Step:
    return Step(Op.PATH, arg, slot)


def _text(arg: int) -> Step:
    return Step(Op.PATH, arg, 0)


_R = Step(Op.RET)
_MEM = (Step(Op.VM_SIZE), Step(Op.VM_RSS), Step(Op.VM_SWAP))
_FILE = (Step(Op.DEV), Step(Op.INO))
_TASK = (
    Step(Op.TID), Step(Op.PID), Step(Op.PTID), Step(Op.EMPTY), Step(Op.FDLIMIT), Step(Op.PGFT_MAJ),
    Step(Op.PGFT_MIN), *_MEM, Step(Op.COMM), Step(Op.CGROUPS),
)
_CLONE = (
    _R, Step(Op.EXE), Step(Op.ARGS), *_TASK, Step(Op.CLONE_FLAGS, 0, 0, "clone_flags"), Step(Op.EUID),
    Step(Op.EGID), Step(Op.VTID), Step(Op.VPID), Step(Op.PIDNS_START),
)
# fork and vfork have no flags of their own: argument 15 is always 0
_FORK = tuple(Step(Op.CLONE_FLAGS, 15, 0, "clone_flags") if s.op is Op.CLONE_FLAGS else s for s in _CLONE)
_EXEC_TAIL = (
    Step(Op.TTY), Step(Op.VPGID), Step(Op.LOGINUID), Step(Op.EXE_FLAGS), Step(Op.CAP_INHERITABLE),
    Step(Op.CAP_PERMITTED), Step(Op.CAP_EFFECTIVE), Step(Op.EXE_INO), Step(Op.EXE_CTIME), Step(Op.EXE_MTIME),
    Step(Op.EUID), Step(Op.EXEPATH), Step(Op.PGID), Step(Op.EGID),
)
_OPEN = Flag.FILE_RET | Flag.EXTRA | Flag.PATH
_X = Flag.EXTRA
_DUP = Flag.EXTRA | Flag.FILE_ARG | Flag.PATH  # what stands behind the number, which may never have been told
_MADE = Flag.SKIP_ZERO | Flag.EXTRA | Flag.START


def all_rows() -> Iterator[Row]:
    # The first three are found by the hooks through their place (PROGRAM_CLONE, _EXEC, _EXIT).
    yield Row("syscall_clone_20_x", ("clone",), _CLONE, _MADE, note="the child's event comes from the fork hook")
    yield Row(
        "syscall_execve_19_x", (), (_R, Step(Op.EXE), Step(Op.ARGS), *_TASK, Step(Op.ENV), *_EXEC_TAIL, Step(Op.FILENAME)),
        _X | Flag.CWD | Flag.START, note="success of execve and execveat, from the exec hook",
    )
    yield Row(
        "procexit_1_e", (),
        (Step(Op.STATUS), Step(Op.EXIT_RET), Step(Op.EXIT_SIG), Step(Op.EXIT_CORE), Step(Op.REAPER)),
        _X | Flag.START, note="the end of a thread, from the exit hook",
    )
    yield Row("syscall_fork_20_x", ("fork",), _FORK, _MADE)
    yield Row("syscall_vfork_20_x", ("vfork",), _FORK, _MADE)
    yield Row("syscall_clone3_x", ("clone3",), _CLONE, _MADE, Prep.CLONE3)
    yield Row(
        "syscall_execve_19_x", ("execve",),
        (_R, Step(Op.EXE_USER, 1), Step(Op.ARGS_USER, 1), *_TASK, Step(Op.ENV_USER, 2), *_EXEC_TAIL, _path(0)),
        _X | Flag.SKIP_ZERO, note="failure",
    )
    yield Row(
        "syscall_execveat_x", ("execveat",),
        (_R, Step(Op.EXE_USER, 2), Step(Op.ARGS_USER, 2), *_TASK, Step(Op.ENV_USER, 3), *_EXEC_TAIL),
        _X | Flag.SKIP_ZERO, note="failure",
    )
    yield from _files()
    yield from _names()
    yield from _descriptors()
    yield from _network()
    yield from _data()
    yield from _identity()
    yield from _system()
    yield from _volume()
    yield Row("generic_x", GENERIC, (Step(Op.SYSCALL_ID), Step(Op.SYSCALL)), _X, note="calls without parameters in Falco's schema")


def _files() -> Iterator[Row]:
    yield Row("syscall_openat_2_x", ("openat",), (_R, _fd(0), _path(1), Step(Op.OPEN_FLAGS, 2, 0, "open_flags"), Step(Op.OPEN_MODE, 3, 2), *_FILE), _OPEN)
    yield Row("syscall_open_x", ("open",), (_R, _path(0), Step(Op.OPEN_FLAGS, 1, 0, "open_flags"), Step(Op.OPEN_MODE, 2, 1), *_FILE), _OPEN)
    yield Row("syscall_openat2_x", ("openat2",), (_R, _fd(0), _path(1), Step(Op.OPEN_FLAGS, 8, 0, "open_flags"), Step(Op.OPEN_MODE, 9, 8), _u(4, 10, "openat2_flags"), *_FILE), _OPEN, Prep.HOW, 2)
    yield Row("syscall_creat_x", ("creat",), (_R, _path(0), Step(Op.MODE, 1), *_FILE, Step(Op.CREAT_FLAGS)), _OPEN)
    yield Row("syscall_open_by_handle_at_x", ("open_by_handle_at",), (_R, _fd(0), Step(Op.OPEN_FLAGS, 2, 0, "open_flags"), Step(Op.FILE_PATH), *_FILE), _OPEN)
    yield Row("syscall_memfd_create_x", ("memfd_create",), (_R, _text(0), _u(4, 1, "memfd_create_flags")))
    yield Row("syscall_mount_x", ("mount",), (_R, _text(0), _path(1), _text(2), Step(Op.MOUNT_FLAGS, 3)), _X)
    yield Row("syscall_umount_1_x", ("umount",), (_R, _path(0)), _X, note="32-bit entry")
    yield Row("syscall_umount2_x", ("umount2",), (_R, _path(0), _u(4, 1, "umount_flags")), _X)
    yield Row("syscall_fsconfig_x", ("fsconfig",), (_R, _fd(0), _u(4, 1), _text(2), Step(Op.FSCONFIG, 0, 1), Step(Op.FSCONFIG, 0, 0), _u(4, 4)))


def _names() -> Iterator[Row]:
    yield Row("syscall_unlink_2_x", ("unlink",), (_R, _path(0)), _X)
    yield Row("syscall_unlinkat_2_x", ("unlinkat",), (_R, _fd(0), _path(1), _u(4, 2, "unlinkat_flags")), _X)
    yield Row("syscall_rmdir_2_x", ("rmdir",), (_R, _path(0)), _X)
    yield Row("syscall_mkdir_2_x", ("mkdir",), (_R, _path(0), _u(4, 1)), _X)
    yield Row("syscall_mkdirat_x", ("mkdirat",), (_R, _fd(0), _path(1), _u(4, 2)), _X)
    yield Row("syscall_rename_x", ("rename",), (_R, _path(0), _path(1, 2)), _X)
    yield Row("syscall_renameat_x", ("renameat",), (_R, _fd(0), _path(1), _fd(2), _path(3, 2)), _X)
    yield Row("syscall_renameat2_x", ("renameat2",), (_R, _fd(0), _path(1), _fd(2), _path(3, 2), _u(4, 4)), _X)
    yield Row("syscall_symlink_x", ("symlink",), (_R, _path(0), _path(1, 2)), _X)
    yield Row("syscall_symlinkat_x", ("symlinkat",), (_R, _path(0), _fd(1), _path(2, 2)), _X)
    yield Row("syscall_link_2_x", ("link",), (_R, _path(0), _path(1, 2)), _X)
    yield Row("syscall_linkat_2_x", ("linkat",), (_R, _fd(0), _path(1), _fd(2), _path(3, 2), _u(4, 4, "linkat_flags")), _X)
    yield Row("syscall_mknod_x", ("mknod",), (_R, _path(0), Step(Op.MKNOD_MODE, 1), Step(Op.ENCODE_DEV, 2)), _X)
    yield Row("syscall_mknodat_x", ("mknodat",), (_R, _fd(0), _path(1), Step(Op.MKNOD_MODE, 2), Step(Op.ENCODE_DEV, 3)), _X)
    yield Row("syscall_chmod_x", ("chmod",), (_R, _path(0), Step(Op.MODE, 1)), _X)
    yield Row("syscall_fchmod_x", ("fchmod",), (_R, _fd(0), Step(Op.MODE, 1)), _X | Flag.FILE_ARG | Flag.PATH)
    yield Row("syscall_fchmodat_x", ("fchmodat", "fchmodat2"), (_R, _fd(0), _path(1), Step(Op.MODE, 2)), _X)
    yield Row("syscall_chown_x", ("chown",), (_R, _path(0), _u(4, 1), _u(4, 2)), _X)
    yield Row("syscall_lchown_x", ("lchown",), (_R, _path(0), _u(4, 1), _u(4, 2)), _X)
    yield Row("syscall_fchown_x", ("fchown",), (_R, _fd(0), _u(4, 1), _u(4, 2)), _X | Flag.FILE_ARG | Flag.PATH)
    yield Row("syscall_fchownat_x", ("fchownat",), (_R, _fd(0), _path(1), _u(4, 2), _u(4, 3), _u(4, 4, "fchownat_flags")), _X)
    yield Row("syscall_chdir_x", ("chdir",), (_R, _path(0)), _X | Flag.CWD)
    yield Row("syscall_fchdir_x", ("fchdir",), (_R, _fd(0)), _X | Flag.CWD)
    yield Row("syscall_chroot_x", ("chroot",), (_R, _path(0)), _X)


def _descriptors() -> Iterator[Row]:
    yield Row("syscall_close_x", ("close",), (_R, _fd(0)), volume=True)
    yield Row("syscall_close_range_x", ("close_range",), (_R, _u(4, 0), _u(4, 1), _u(4, 2, "close_range_flags")))
    yield Row("syscall_dup_1_x", ("dup",), (Step(Op.RET32), _fd(0)), _DUP)
    yield Row("syscall_dup2_x", ("dup2",), (Step(Op.RET32), _fd(0), _fd(1)), _DUP)
    yield Row("syscall_dup3_x", ("dup3",), (Step(Op.RET32), _fd(0), _fd(1), _u(4, 2, "dup3_flags")), _DUP)
    yield Row("syscall_fcntl_x", ("fcntl", "fcntl64"), (_R, _fd(0), _u(1, 1, "fcntl_commands"), _u(8, 2)), _DUP)
    yield Row("syscall_pipe_x", ("pipe",), (_R, _fd(8), _fd(9), Step(Op.FD_INO, 8)), prep=Prep.INT_PAIR)
    yield Row("syscall_pipe2_x", ("pipe2",), (_R, _fd(8), _fd(9), Step(Op.FD_INO, 8), _u(4, 1, "pipe2_flags")), prep=Prep.INT_PAIR)
    yield Row("syscall_eventfd_x", ("eventfd",), (_R, _u(8, 0), Step(Op.CONST, 0, 4)))
    yield Row("syscall_eventfd2_x", ("eventfd2",), (_R, _u(2, 1, "fd_flags"), Step(Op.U32_AS_64, 0)))
    yield Row("syscall_signalfd_x", ("signalfd",), (_R, _fd(0), Step(Op.CONST, 0, 4), Step(Op.CONST, 0, 1)))
    yield Row("syscall_signalfd4_x", ("signalfd4",), (Step(Op.RET32), _u(2, 3, "fd_flags"), _fd(0), Step(Op.CONST, 0, 4)))
    yield Row("syscall_timerfd_create_x", ("timerfd_create",), (_R, _u(1, 0), _u(1, 1, "fd_flags")))
    yield Row("syscall_inotify_init_x", ("inotify_init",), (_R, Step(Op.CONST, 0, 1)))
    yield Row("syscall_inotify_init1_x", ("inotify_init1",), (_R, _u(2, 0, "fd_flags")))
    yield Row("syscall_epoll_create_x", ("epoll_create",), (_R, _u(4, 0)))
    yield Row("syscall_epoll_create1_x", ("epoll_create1",), (_R, _u(4, 0, "epoll_create1_flags")))
    yield Row("syscall_userfaultfd_x", ("userfaultfd",), (_R, _u(4, 0)))
    yield Row("syscall_pidfd_open_x", ("pidfd_open",), (_R, _fd(0), _u(4, 1, "pidfd_open_flags")))
    yield Row("syscall_pidfd_getfd_x", ("pidfd_getfd",), (_R, _fd(0), _fd(1), _u(4, 2)), Flag.FILE_RET | _X | Flag.PATH)


def _network() -> Iterator[Row]:
    yield Row("socket_socket_x", ("socket",), (_R, _u(4, 0, "socket_families"), _u(4, 1), _u(4, 2), _u(4, 1, "fd_flags")))
    yield Row("socket_socketpair_x", ("socketpair",), (_R, _fd(8), _fd(9), Step(Op.SOCK_PAIR, 8, 0), Step(Op.SOCK_PAIR, 8, 1), _u(4, 0, "socket_families"), _u(4, 1), _u(4, 2)), prep=Prep.INT_PAIR, prep_arg=3)
    yield Row("socket_bind_x", ("bind",), (_R, Step(Op.SOCKADDR, 1, 2), _fd(0)), _X | Flag.LOCAL, address=(1, 2))
    yield Row("socket_connect_x", ("connect",), (_R, Step(Op.TUPLE_OUT, 0, 1), _fd(0), Step(Op.SOCKADDR, 1, 2)), _X | Flag.LOCAL, address=(1, 2))
    yield Row("socket_listen_x", ("listen",), (_R, _fd(0), _u(4, 1)), _X | Flag.LOCAL)
    _queue = (Step(Op.QUEUE, 0, 0), Step(Op.QUEUE, 0, 1), Step(Op.QUEUE, 0, 2))
    yield Row("socket_accept_5_x", ("accept",), (_R, Step(Op.TUPLE_NEW), *_queue))
    yield Row("socket_accept4_6_x", ("accept4",), (_R, Step(Op.TUPLE_NEW), *_queue, _u(4, 3, "fd_flags")))
    yield Row("socket_shutdown_x", ("shutdown",), (_R, _fd(0), _u(1, 1, "shutdown_how")))
    yield Row("socket_sendto_x", ("sendto",), (_R, Step(Op.DATA_OUT, 1, 2), _fd(0), _u(4, 2), Step(Op.TUPLE_OUT, 0, 4)), _X, address=(4, 5))
    yield Row("socket_sendmsg_x", ("sendmsg",), (_R, Step(Op.IOV_OUT, 9, 10), _fd(0), Step(Op.IOV_SIZE, 9, 10), Step(Op.TUPLE_OUT, 0, 8)), prep=Prep.MSGHDR, prep_arg=1)
    yield Row("socket_sendmmsg_x", ("sendmmsg",), (_R, _fd(0), Step(Op.IOV_SIZE, 9, 10), Step(Op.IOV_OUT, 9, 10), Step(Op.TUPLE_OUT, 0, 8)), prep=Prep.MMSGHDR, prep_arg=1, note="an event a message")
    yield Row("socket_recvfrom_x", ("recvfrom",), (_R, Step(Op.DATA_IN, 1), Step(Op.TUPLE_IN, 0, 4), _fd(0), _u(4, 2)))
    yield Row("socket_recvmsg_x", ("recvmsg",), (_R, Step(Op.RET_SIZE), Step(Op.IOV_IN, 9, 10), Step(Op.TUPLE_IN, 0, 8), Step(Op.CONTROL, 11, 12), _fd(0)), prep=Prep.MSGHDR, prep_arg=1)
    yield Row("socket_recvmmsg_x", ("recvmmsg",), (_R, _fd(0), Step(Op.RET_SIZE), Step(Op.IOV_IN, 9, 10), Step(Op.TUPLE_IN, 0, 8), Step(Op.CONTROL, 11, 12)), prep=Prep.MMSGHDR, prep_arg=1, note="an event a message")
    _option = (_R, _fd(0), _u(1, 1, "sockopt_levels"), Step(Op.SOCKOPT_NAME, 2, 0, "sockopt_options"))
    yield Row("socket_setsockopt_x", ("setsockopt",), (*_option, Step(Op.SOCKOPT, 3, 4), _u(4, 4)))
    yield Row("socket_getsockopt_x", ("getsockopt",), (*_option, Step(Op.SOCKOPT, 3, 8), _u(4, 8)), prep=Prep.INT, prep_arg=4)
    yield Row("socket_getsockname_x", ("getsockname",), (), volume=True)
    yield Row("socket_getpeername_x", ("getpeername",), (), volume=True)


def _data() -> Iterator[Row]:
    yield Row("syscall_sendfile_x", ("sendfile", "sendfile64"), (_R, _u(8, 8), _fd(0), _fd(1), _u(8, 3)), prep=Prep.LONG, prep_arg=2)
    yield Row("syscall_splice_x", ("splice",), (_R, _fd(0), _fd(2), _u(8, 4), _u(4, 5, "splice_flags")))
    yield Row("syscall_copy_file_range_x", ("copy_file_range",), (_R, _fd(2), _u(8, 3), _fd(0), _u(8, 1), _u(8, 4)))
    yield Row("syscall_process_vm_readv_x", ("process_vm_readv",), (_R, _fd(0), Step(Op.IOV_IN, 1, 2)))
    yield Row("syscall_process_vm_writev_x", ("process_vm_writev",), (_R, _fd(0), Step(Op.IOV_IN, 1, 2)))


def _identity() -> Iterator[Row]:
    yield Row("syscall_setuid_x", ("setuid", "setuid32"), (_R, _u(4, 0)))
    yield Row("syscall_setgid_x", ("setgid", "setgid32"), (_R, _u(4, 0)))
    yield Row("syscall_setreuid_x", ("setreuid", "setreuid32"), (_R, _u(4, 0), _u(4, 1)))
    yield Row("syscall_setregid_x", ("setregid", "setregid32"), (_R, _u(4, 0), _u(4, 1)))
    yield Row("syscall_setresuid_x", ("setresuid", "setresuid32"), (_R, _u(4, 0), _u(4, 1), _u(4, 2)))
    yield Row("syscall_setresgid_x", ("setresgid", "setresgid32"), (_R, _u(4, 0), _u(4, 1), _u(4, 2)))
    yield Row("syscall_setsid_x", ("setsid",), (_R,))
    yield Row("syscall_setpgid_x", ("setpgid",), (_R, _fd(0), _fd(1)))
    yield Row("syscall_capset_x", ("capset",), (_R, Step(Op.CAP_INHERITABLE), Step(Op.CAP_PERMITTED), Step(Op.CAP_EFFECTIVE)))
    yield Row("syscall_prctl_x", ("prctl",), (_R, _u(4, 0), Step(Op.PRCTL_STR, 1), Step(Op.PRCTL_INT, 1)))
    yield Row("syscall_seccomp_x", ("seccomp",), (_R, _u(8, 0), Step(Op.U32_AS_64, 1)))
    yield Row("syscall_unshare_x", ("unshare",), (_R, _u(4, 0, "clone_flags")))
    yield Row("syscall_setns_x", ("setns",), (_R, _fd(0), _u(4, 1, "clone_flags")))
    yield Row("syscall_prlimit_x", ("prlimit64",), (_R, _u(8, 8), _u(8, 9), Step(Op.IF_OK, 10, 8), Step(Op.IF_OK, 11, 8), _fd(0), _u(1, 1, "rlimit_resources")), prep=Prep.PRLIMIT)
    yield Row("syscall_setrlimit_x", ("setrlimit",), (_R, _u(8, 8), _u(8, 9), _u(1, 0, "rlimit_resources")), prep=Prep.RLIMIT, prep_arg=1)


def _system() -> Iterator[Row]:
    yield Row("syscall_ptrace_x", ("ptrace",), (_R, Step(Op.PTRACE_ADDR, 2), Step(Op.PTRACE_DATA, 3), _u(2, 0, "ptrace_requests"), _fd(1)))
    yield Row("syscall_kill_x", ("kill",), (_R, _fd(0), _u(1, 1)))
    yield Row("syscall_tkill_x", ("tkill",), (_R, _fd(0), _u(1, 1)))
    yield Row("syscall_tgkill_x", ("tgkill",), (_R, _fd(0), _fd(1), _u(1, 2)))
    yield Row("syscall_bpf_2_x", ("bpf",), (_R, _u(4, 0)))
    yield Row("syscall_init_module_x", ("init_module",), (_R, Step(Op.BYTES, 0, 1), _u(8, 1), _text(2)))
    yield Row("syscall_finit_module_x", ("finit_module",), (_R, _fd(0), _text(1), _u(4, 2, "finit_module_flags")))
    yield Row("syscall_delete_module_x", ("delete_module",), (_R, _text(0), _u(4, 1, "delete_module_flags")))
    yield Row("syscall_io_uring_setup_x", ("io_uring_setup",), (_R, _u(4, 0), _u(4, 8), _u(4, 9), _u(4, 10, "io_uring_setup_flags"), _u(4, 11), _u(4, 12), _u(4, 13, "io_uring_setup_feats")), prep=Prep.IO_URING, prep_arg=1)
    yield Row("syscall_io_uring_enter_x", ("io_uring_enter",), (_R, _fd(0), _u(4, 1), _u(4, 2), _u(4, 3, "io_uring_enter_flags"), _u(4, 4)))
    yield Row("syscall_io_uring_register_x", ("io_uring_register",), (_R, _fd(0), _u(2, 1), _u(8, 2), _u(4, 3)))
    yield Row("syscall_keyctl_x", ("keyctl",), (_R, _u(4, 0), *(Step(Op.DYN_INT, i) for i in range(1, 5))), note="text arguments as pointers")


def _volume() -> Iterator[Row]:
    _read = (_R, Step(Op.DATA_IN, 1), _fd(0), _u(4, 2))
    _write = (_R, Step(Op.DATA_OUT, 1, 2), _fd(0), _u(4, 2))
    yield Row("syscall_read_x", ("read",), _read, volume=True)
    yield Row("syscall_write_x", ("write",), _write, volume=True)
    yield Row("syscall_pread_x", ("pread64",), (*_read, _u(8, 3)), volume=True)
    yield Row("syscall_pwrite_x", ("pwrite64",), (*_write, _u(8, 3)), volume=True)
    yield Row("syscall_readv_x", ("readv",), (_R, Step(Op.RET_SIZE), Step(Op.IOV_IN, 1, 2), _fd(0)), volume=True)
    yield Row("syscall_preadv_x", ("preadv", "preadv2"), (_R, Step(Op.RET_SIZE), Step(Op.IOV_IN, 1, 2), _fd(0), _u(8, 3)), volume=True)
    yield Row("syscall_writev_x", ("writev",), (_R, Step(Op.IOV_OUT, 1, 2), _fd(0), Step(Op.IOV_SIZE, 1, 2)), volume=True)
    yield Row("syscall_pwritev_x", ("pwritev", "pwritev2"), (_R, Step(Op.IOV_OUT, 1, 2), _fd(0), Step(Op.IOV_SIZE, 1, 2), _u(8, 3)), volume=True)
    yield Row("syscall_stat_x", ("stat",), (_R, _text(0)), volume=True)
    yield Row("syscall_lstat_x", ("lstat",), (_R, _text(0)), volume=True)
    yield Row("syscall_fstat_x", ("fstat",), (_R, _fd(0)), volume=True)
    yield Row("syscall_newfstatat_x", ("newfstatat",), (_R, _fd(0), _text(1), _u(4, 3, "newfstatat_flags")), volume=True)
    yield Row("syscall_access_x", ("access",), (_R, _text(0), Step(Op.ACCESS, 1, 0, "access_flags")), volume=True)
    yield Row("syscall_lseek_x", ("lseek",), (_R, _fd(0), _u(8, 1), _u(1, 2, "lseek_whence")), volume=True)
    yield Row("syscall_getdents_x", ("getdents",), (_R, _fd(0)), volume=True)
    yield Row("syscall_getdents64_x", ("getdents64",), (_R, _fd(0)), volume=True)
    yield Row("syscall_getcwd_x", ("getcwd",), (_R, _text(0)), volume=True)
    yield Row("syscall_mmap_x", ("mmap",), (_R, *_MEM, _u(8, 0), _u(8, 1), _u(4, 2, "prot_flags"), _u(4, 3, "mmap_flags"), _fd(4), _u(8, 5)), volume=True)
    yield Row("syscall_munmap_x", ("munmap",), (_R, *_MEM, _u(8, 0), _u(8, 1)), volume=True)
    yield Row("syscall_mprotect_x", ("mprotect",), (_R, _u(8, 0), _u(8, 1), _u(4, 2, "prot_flags")), volume=True)
    yield Row("syscall_brk_4_x", ("brk",), (_R, *_MEM, _u(8, 0)), volume=True)
    yield Row("syscall_mlock_x", ("mlock",), (_R, _u(8, 0), _u(8, 1)), volume=True)
    yield Row("syscall_mlock2_x", ("mlock2",), (_R, _u(8, 0), _u(8, 1), _u(4, 2, "mlock2_flags")), volume=True)
    yield Row("syscall_munlock_x", ("munlock",), (_R, _u(8, 0), _u(8, 1)), volume=True)
    yield Row("syscall_mlockall_x", ("mlockall",), (_R, _u(4, 0, "mlockall_flags")), volume=True)
    yield Row("syscall_munlockall_x", ("munlockall",), (_R,), volume=True)
    yield Row("syscall_ioctl_3_x", ("ioctl",), (_R, _fd(0), _u(8, 1), _u(8, 2)), volume=True)
    yield Row("syscall_flock_x", ("flock",), (_R, _fd(0), _u(4, 1, "flock_flags")), volume=True)
    yield Row("syscall_poll_x", ("poll",), (_R, Step(Op.POLL, 0, 1), _fd(2)), volume=True)
    yield Row("syscall_ppoll_x", ("ppoll",), (_R, Step(Op.POLL, 0, 1), _u(8, 8), _u(4, 9)), prep=Prep.PPOLL, prep_arg=2, volume=True)
    yield Row("syscall_nanosleep_x", ("nanosleep",), (_R, _u(8, 8)), prep=Prep.TIMESPEC, volume=True)
    yield Row("syscall_getresuid_x", ("getresuid",), (_R, _u(4, 8), _u(4, 9), _u(4, 10)), prep=Prep.THREE_INTS, volume=True)
    yield Row("syscall_getresgid_x", ("getresgid",), (_R, _u(4, 8), _u(4, 9), _u(4, 10)), prep=Prep.THREE_INTS, volume=True)
    yield Row("syscall_futex_x", ("futex",), (_R, _u(8, 0), Step(Op.FUTEX, 1), _u(8, 2)), volume=True)
    yield Row("syscall_epollwait_x", ("epoll_wait",), (_R, _fd(2)), volume=True)
    yield Row("syscall_getrlimit_x", ("getrlimit",), (_R, Step(Op.IF_OK, 8, 8), Step(Op.IF_OK, 9, 8), _u(1, 0, "rlimit_resources")), prep=Prep.RLIMIT, prep_arg=1, volume=True)
    yield Row("syscall_semget_x", ("semget",), (_R, _u(4, 0), _u(4, 1), _u(4, 2, "semget_flags")), volume=True)
    yield Row("syscall_semop_x", ("semop", "semtimedop"), (_R, _u(4, 2), _u(2, 8), _u(2, 9), _u(2, 10, "semop_flags"), _u(2, 11), _u(2, 12), _u(2, 13, "semop_flags"), _u(4, 0)), prep=Prep.SEMBUF, prep_arg=1, volume=True)
    yield Row("syscall_semctl_x", ("semctl",), (_R, _u(4, 0), _u(4, 1), _u(2, 2, "semctl_commands"), _u(4, 3)), volume=True)
