/* The few kernel structures that the probe looks into. Only the fields that it reads are named: CO-RE
 * finds their real places in the running kernel's BTF when the object is loaded, so no vmlinux.h is needed.
 * A name with ___suffix is the same kernel type as it was in other versions. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef u8 __u8;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;
typedef int bool_t;

enum bpf_map_type {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_LPM_TRIE = 11,
    BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
    BPF_MAP_TYPE_RINGBUF = 27,
    BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head { struct list_head *next, *prev; };
typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { u64 val; } kernel_cap_t;
struct timespec64 { s64 tv_sec; long tv_nsec; };
struct rlimit { unsigned long rlim_cur, rlim_max; };

struct qstr { u32 len; const unsigned char *name; };
struct super_block { unsigned long s_magic; unsigned long s_flags; u32 s_dev; };
struct inode {
    u16 i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    u32 i_flags;
    struct super_block *i_sb;
    unsigned long i_ino;
    s64 i_mtime_sec, i_ctime_sec; /* 6.11 and later */
    u32 i_mtime_nsec, i_ctime_nsec;
};
struct inode___6_7 { struct timespec64 __i_ctime, __i_mtime; };
struct inode___6_6 { struct timespec64 __i_ctime, i_mtime; };
struct inode___6_1 { struct timespec64 i_ctime, i_mtime; };
struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};
struct vfsmount { struct dentry *mnt_root; };
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file {
    u32 f_mode;
    void *private_data;
    struct inode *f_inode;
    u32 f_flags;
    struct path f_path;
};
struct fdtable { unsigned int max_fds; struct file **fd; };
struct files_struct { struct fdtable *fdt; };
struct fs_struct { struct path root, pwd; };

struct user_namespace;
struct pid_namespace;
struct upid { int nr; struct pid_namespace *ns; };
struct pid { unsigned int level; struct upid numbers[1]; };
struct task_struct;
struct pid_namespace { struct task_struct *child_reaper; unsigned int level; };
struct nsproxy { struct pid_namespace *pid_ns_for_children; };

struct uid_gid_extent { u32 first, lower_first, count; };
struct uid_gid_map { u32 nr_extents; struct uid_gid_extent extent[5]; };
struct user_namespace { struct uid_gid_map uid_map, gid_map; };
struct group_info { int ngroups; kgid_t gid[]; };
struct cred {
    kuid_t uid, euid, fsuid;
    kgid_t gid, egid, fsgid;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
    struct user_namespace *user_ns;
    struct group_info *group_info;
};

struct percpu_counter { s64 count; };
struct mm_struct {
    struct file *exe_file;
    unsigned long total_vm, arg_start, arg_end, env_start, env_end;
    struct percpu_counter rss_stat[4];
};
typedef struct { s64 counter; } atomic_long_t;
struct mm_rss_stat { atomic_long_t count[4]; };
struct mm_struct___6_1 { struct mm_rss_stat rss_stat; };

struct tty_driver { int major, minor_start; };
struct tty_struct { struct tty_driver *driver; int index; };
struct signal_struct {
    struct pid *pids[4];
    struct tty_struct *tty;
    struct rlimit rlim[16];
    struct list_head thread_head;
    unsigned int is_child_subreaper : 1;
    unsigned int has_child_subreaper : 1;
};

struct kernfs_node { struct kernfs_node *__parent; const char *name; };
struct kernfs_node___6_14 { struct kernfs_node *parent; };
struct cgroup { struct kernfs_node *kn; };
struct cgroup_subsys { const char *name; };
struct cgroup_subsys_state { struct cgroup *cgroup; struct cgroup_subsys *ss; };
struct css_set { struct cgroup_subsys_state *subsys[16]; };
enum cgroup_subsys_id {
    cpuset_cgrp_id,
    cpu_cgrp_id,
    cpuacct_cgrp_id,
    io_cgrp_id,
    memory_cgrp_id,
};

struct thread_info { u32 status; };
struct thread_info___arm64 { unsigned long flags; };
struct bpf_local_storage;
struct task_struct {
    struct thread_info thread_info;
    u32 flags;
    int exit_code;
    s32 pid, tgid;
    struct task_struct *real_parent, *group_leader;
    struct list_head children, thread_node;
    struct pid *thread_pid;
    u64 start_time, start_boottime;
    unsigned long min_flt, maj_flt;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct mm_struct *mm;
    struct css_set *cgroups;
    kuid_t loginuid;
    struct bpf_local_storage *bpf_storage;
};
struct linux_binprm { const char *filename, *interp; };

struct in6_addr { union { u32 u6_addr32[4]; } in6_u; };
struct sock_common {
    u16 skc_family;
    u32 skc_daddr;
    u16 skc_dport;
    struct in6_addr skc_v6_daddr;
};
struct sock {
    struct sock_common __sk_common;
    u32 sk_ack_backlog, sk_max_ack_backlog;
};
struct ipv6_pinfo { struct in6_addr saddr; };
struct inet_sock { struct sock sk; struct ipv6_pinfo *pinet6; u32 inet_saddr; u16 inet_sport; };
struct socket { struct sock *sk; };
struct sockaddr_un { u16 sun_family; char sun_path[108]; };
struct unix_address { int len; struct sockaddr_un name[]; };
struct unix_sock { struct unix_address *addr; struct sock *peer; };

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long bp, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs { u64 regs[31]; };
struct pt_regs { u64 regs[31]; u64 orig_x0; s32 syscallno; };
#endif

#pragma clang attribute pop

/* A field of a kernel structure at an address that is only a number to the verifier. Since 6.2 the kernel lets
 * a program say what lies there, and reads it in one instruction; before, it takes a call. */
#ifndef READ_CAST
#define READ_CAST bpf_rdonly_cast /* a test names one that no kernel has */
#endif
extern void *READ_CAST(const void *address, u32 btf_id) __ksym __weak;
#define GET(type, address, field)                                                                      \
    ({                                                                                                 \
        void *from_ = (void *)(address);                                                               \
        typeof(((type *)0)->field) value_;                                                             \
        if (READ_CAST)                                                                           \
            value_ = ((type *)READ_CAST(from_, bpf_core_type_id_kernel(type)))->field;           \
        else                                                                                           \
            bpf_core_read(&value_, sizeof(value_), &((type *)from_)->field);                           \
        value_;                                                                                        \
    })

/* Constants of the kernel's interface that never change. */
#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define TS_COMPAT 0x0002
#define TIF_32BIT_ARM64 (1UL << 22)
#define X32_BIT 0x40000000
#define OVERLAYFS_MAGIC 0x794c7630
#define SOCKFS_MAGIC 0x534F434B
#define FMODE_CREATED 0x100000
#define S_IFMT 0170000
#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define RLIMIT_NOFILE 7
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOL_SOCKET 1
