"""System calls that share Falco's one generic event type: names for `evt.type` that events.tsv lacks."""

from __future__ import annotations

# facts: the kernel's system call names, less those that have an event type of their own in model/events.tsv
GENERIC_SYSCALLS = frozenset(
    """
    _llseek _newselect _sysctl acct add_key adjtimex alarm arch_prctl bdflush cachestat capget
    clock_adjtime clock_getres clock_gettime clock_nanosleep clock_settime create_module epoll_ctl
    epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait_old exit exit_group faccessat faccessat2 fadvise64
    fallocate fanotify_init fanotify_mark fchmodat2 fcntl64 fdatasync fgetxattr file_getattr
    file_setattr flistxattr fremovexattr fsetxattr fsmount fsopen fspick fstatat64 fstatfs fstatfs64
    fsync ftruncate futex_requeue futex_wait futex_waitv futex_wake futimesat get_kernel_syms
    get_mempolicy get_robust_list get_thread_area getcpu getegid32 geteuid32 getgid32 getgroups
    getitimer getpgid getpgrp getpid getpmsg getppid getpriority getrandom getresgid32 getresuid32
    getrusage getsid gettid gettimeofday getuid32 getxattr getxattrat idle inotify_add_watch
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioperm iopl
    ioprio_get ioprio_set ipc kcmp kexec_file_load kexec_load landlock_add_rule landlock_create_ruleset
    landlock_restrict_self lgetxattr listmount listns listxattr listxattrat llistxattr lookup_dcookie
    lremovexattr lsetxattr lsm_get_self_attr lsm_list_modules lsm_set_self_attr madvise map_shadow_stack
    mbind membarrier memfd_secret migrate_pages mincore modify_ldt mount_setattr move_mount move_pages
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget
    msgrcv msgsnd msync multiplexer na_1 name_to_handle_at nfsservctl nice oldfstat oldlstat oldolduname
    oldstat olduname open_tree open_tree_attr page_fault_kernel page_fault_user pause pciconfig_iobase
    pciconfig_read pciconfig_write perf_event_open personality pidfd_send_signal pivot_root pkey_alloc
    pkey_free pkey_mprotect pread64 preadv2 prlimit64 process_madvise process_mrelease pselect6 pwrite64
    pwritev2 query_module quotactl_fd readahead readdir readlink readlinkat reboot remap_file_pages
    removexattr removexattrat request_key restart_syscall riscv_flush_icache riscv_hwprobe rseq
    rseq_slice_yield rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo rtas s390_guarded_storage s390_pci_mmio_read
    s390_pci_mmio_write s390_runtime_instr s390_sthyi sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_process_exit
    sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_switch
    sched_yield semtimedop sendfile64 set_mempolicy set_mempolicy_home_node set_robust_list
    set_thread_area set_tid_address setdomainname setfsgid setfsuid setgid32 setgroups sethostname
    setitimer setpriority setresgid32 setresuid32 settimeofday setuid32 setxattr setxattrat sgetmask
    shmat shmctl shmdt shmget sigaction sigaltstack signal signal_deliver sigpending sigprocmask
    sigreturn sigsuspend socketcall spu_create spu_run ssetmask statfs statfs64 statmount statx stime
    subpage_prot swapcontext swapoff swapon switch_endian sync sync_file_range sync_file_range2 syncfs
    sys_debug_setcontext sysfs sysinfo syslog tee time timer_create timer_delete timer_getoverrun
    timer_gettime timer_settime timerfd timerfd_gettime timerfd_settime times truncate ugetrlimit umask
    uname unknown uprobe uretprobe uselib ustat utime utimensat utimes vhangup vm86 vmsplice wait4
    waitid waitpid
    """.split()  # noqa: SIM905  a list of this length reads better so
)
