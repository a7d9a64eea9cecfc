/* What exec, clone and exit events tell of a process. */
#pragma once

#define PIDTYPE_TGID 1
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3

static __always_inline struct pid *pid_of(struct task_struct *task, u32 type)
{
    if (type == 0)
        return BPF_CORE_READ(task, thread_pid);
    if (type == PIDTYPE_TGID)
        return BPF_CORE_READ(task, signal, pids[1]);
    if (type == PIDTYPE_PGID)
        return BPF_CORE_READ(task, signal, pids[2]);
    return BPF_CORE_READ(task, signal, pids[3]);
}

/* The number of a pid in its own (innermost) namespace. */
static __always_inline struct upid inner_pid(struct pid *pid)
{
    struct upid u = {};
    u32 level = BPF_CORE_READ(pid, level);
    void *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
    bpf_core_read(&u.nr, sizeof(u.nr), &((struct upid *)(numbers + level * bpf_core_type_size(struct upid)))->nr);
    bpf_core_read(&u.ns, sizeof(u.ns), &((struct upid *)(numbers + level * bpf_core_type_size(struct upid)))->ns);
    return u;
}

static __always_inline u64 rss(struct mm_struct *mm, u32 which)
{
    s64 pages = 0;
    if (bpf_core_type_exists(struct mm_rss_stat)) {
        struct mm_struct___6_1 *old = (void *)mm;
        if (which == 2)
            return BPF_CORE_READ(old, rss_stat.count[2].counter);
        return BPF_CORE_READ(old, rss_stat.count[0].counter) + BPF_CORE_READ(old, rss_stat.count[1].counter) +
               BPF_CORE_READ(old, rss_stat.count[3].counter);
    }
    if (which == 2)
        return BPF_CORE_READ(mm, rss_stat[2].count);
    pages = BPF_CORE_READ(mm, rss_stat[0].count) + BPF_CORE_READ(mm, rss_stat[1].count) +
            BPF_CORE_READ(mm, rss_stat[3].count);
    return pages;
}

static __always_inline u64 inode_time(struct inode *inode, bool_t modified)
{
    s64 sec;
    u32 nsec;
    struct timespec64 t = {};
    if (bpf_core_field_exists(inode->i_ctime_sec)) {
        sec = modified ? BPF_CORE_READ(inode, i_mtime_sec) : BPF_CORE_READ(inode, i_ctime_sec);
        nsec = modified ? BPF_CORE_READ(inode, i_mtime_nsec) : BPF_CORE_READ(inode, i_ctime_nsec);
    } else {
        struct inode___6_7 *v67 = (void *)inode;
        struct inode___6_6 *v66 = (void *)inode;
        struct inode___6_1 *v61 = (void *)inode;
        if (bpf_core_field_exists(v67->__i_mtime))
            bpf_core_read(&t, sizeof(t), modified ? &v67->__i_mtime : &v67->__i_ctime);
        else if (bpf_core_field_exists(v66->__i_ctime))
            bpf_core_read(&t, sizeof(t), modified ? &v66->i_mtime : &v66->__i_ctime);
        else
            bpf_core_read(&t, sizeof(t), modified ? &v61->i_mtime : &v61->i_ctime);
        sec = t.tv_sec;
        nsec = t.tv_nsec;
    }
    if (sec < 0)
        return 0;
    /* bit 31 is the kernel's own mark (multigrain time stamps, 6.13) */
    return (u64)sec * 1000000000ULL + (nsec & 0x7fffffff);
}

static __always_inline u32 tty_of(struct task_struct *task)
{
    struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
    struct tty_driver *driver;
    if (!tty)
        return 0;
    driver = BPF_CORE_READ(tty, driver);
    if (!driver)
        return 0;
    return encode_dev((BPF_CORE_READ(driver, major) << 20) + BPF_CORE_READ(driver, minor_start) +
                      BPF_CORE_READ(tty, index));
}

__noinline int mapped(u64 map_address, u32 id)
{
    struct uid_gid_map *map = (void *)map_address;
    u32 n = BPF_CORE_READ(map, nr_extents);
    for (int i = 0; i < 5 && i < n; i++) {
        u32 first = BPF_CORE_READ(map, extent[i].lower_first);
        if (id >= first && id - first < BPF_CORE_READ(map, extent[i].count))
            return 1;
    }
    return 0;
}

__noinline int in_group(u64 cred_address, u32 gid)
{
    const struct cred *cred = (void *)cred_address;
    struct group_info *info = BPF_CORE_READ(cred, group_info);
    u32 left = 0, right = BPF_CORE_READ(info, ngroups);
    for (int i = 0; i < 16 && left < right; i++) {
        u32 middle = (left + right) / 2, value = 0;
        bpf_core_read(&value, sizeof(value), &info->gid[middle].val);
        if (value == gid)
            return 1;
        if (gid > value)
            left = middle + 1;
        else
            right = middle;
    }
    return 0;
}

/* Could the task write its own program file? As the kernel decides it, without access control lists. */
__noinline int exe_writable(u64 task_address, u64 inode_address)
{
    struct task_struct *task = (void *)task_address;
    struct inode *inode = (void *)inode_address;
    const struct cred *cred = BPF_CORE_READ(task, cred);
    struct user_namespace *ns;
    u32 mode = BPF_CORE_READ(inode, i_mode), uid, gid, type = mode & S_IFMT;
    u64 caps = 0;

    if ((BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY) && (type == 0100000 || type == 0040000 || type == 0120000))
        return 0;
    if (BPF_CORE_READ(inode, i_flags) & S_IMMUTABLE)
        return 0;
    uid = BPF_CORE_READ(inode, i_uid.val);
    gid = BPF_CORE_READ(inode, i_gid.val);
    if (uid == -1 || gid == -1)
        return 0;
    if (BPF_CORE_READ(cred, fsuid.val) == uid)
        return 1;
    if (BPF_CORE_READ(cred, fsgid.val) == gid || in_group((u64)cred, gid))
        mode >>= 3;
    if (mode & 2)
        return 1;
    ns = BPF_CORE_READ(cred, user_ns);
    bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
    if (!ns || !(caps & (1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER)))
        return 0;
    if (!mapped((u64)ns + bpf_core_field_offset(struct user_namespace, uid_map), uid))
        return 0;
    if (caps & (1 << CAP_FOWNER))
        return 1;
    return mapped((u64)ns + bpf_core_field_offset(struct user_namespace, gid_map), gid);
}

static __always_inline bool_t is_memfd(struct file *file)
{
    struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
    char name[8] = {};
    if (BPF_CORE_READ(dentry, d_parent) != dentry)
        return 0;
    bpf_probe_read_kernel_str(name, 7, BPF_CORE_READ(dentry, d_name.name));
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

/* writable 1, upper layer 2, memfd 4, lower layer 8 */
__noinline int exe_flags(u64 task_address)
{
    struct task_struct *task = (void *)task_address;
    struct file *file = BPF_CORE_READ(task, mm, exe_file);
    u32 flags = 0, layer;
    if (!file)
        return 0;
    if (exe_writable(task_address, (u64)BPF_CORE_READ(file, f_inode)))
        flags |= 1;
    layer = overlay_layer(file);
    if (layer == 2)
        flags |= 2;
    else if (layer == 1)
        flags |= 8;
    if (is_memfd(file))
        flags |= 4;
    return flags;
}

/* One function of its own: the verifier goes through it once and not for each subsystem. */
__noinline int put_cgroup(u64 task_address, u32 subsystem)
{
    struct scratch *s = scratch();
    struct task_struct *task = (void *)task_address;
    struct cgroup_subsys_state *css = 0;
    struct css_set *set = BPF_CORE_READ(task, cgroups);
    struct kernfs_node *node;
    const char *name;
    u64 names[8] = {};
    u32 n = 0;
    if (!s)
        return 0;
    bpf_core_read(&css, sizeof(css), &set->subsys[subsystem]);
    if (!css)
        return 0;
    name = BPF_CORE_READ(css, ss, name);
    if (!put_kernel_string(s, name, 32))
        return 0;
    s->pos--;
    put_byte(s, '=');
    node = BPF_CORE_READ(css, cgroup, kn);
    for (int i = 0; i < 8 && node; i++) {
        struct kernfs_node___6_14 *old = (void *)node;
        names[i] = (u64)BPF_CORE_READ(node, name);
        if (bpf_core_field_exists(node->__parent))
            node = BPF_CORE_READ(node, __parent);
        else
            node = BPF_CORE_READ(old, parent);
        if (node) /* the root's name is empty */
            n = i + 1;
    }
    if (!n)
        put_byte(s, '/');
    for (int i = 7; i >= 0; i--) {
        if (i < n) {
            put_byte(s, '/');
            if (put_kernel_string(s, (void *)names[i], 256))
                s->pos--;
        }
    }
    put_byte(s, 0);
    return 0;
}

/* "cpuset=/a\0cpu=/a\0..." */
__noinline int op_cgroups(u64 task_address)
{
    struct scratch *s = scratch();
    u64 before;
    if (!s)
        return 0;
    before = s->pos;
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpuset_cgrp_id))
        put_cgroup(task_address, bpf_core_enum_value(enum cgroup_subsys_id, cpuset_cgrp_id));
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
        put_cgroup(task_address, bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id));
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpuacct_cgrp_id))
        put_cgroup(task_address, bpf_core_enum_value(enum cgroup_subsys_id, cpuacct_cgrp_id));
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, io_cgrp_id))
        put_cgroup(task_address, bpf_core_enum_value(enum cgroup_subsys_id, io_cgrp_id));
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
        put_cgroup(task_address, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
    put_len(s, s->pos - before);
    return 0;
}

/* argv[0] of the memory that the kernel laid out at exec */
__noinline int op_exe(u64 mm_address)
{
    struct scratch *s = scratch();
    struct mm_struct *mm = (void *)mm_address;
    if (!s)
        return 0;
    s->exe_len = put_user_string(s, BPF_CORE_READ(mm, arg_start), PATH_BYTES);
    put_len(s, s->exe_len);
    return 0;
}

/* A run of strings, cut at `max` and closed with a NUL. */
static __always_inline void put_strings(struct scratch *s, u64 from, u64 to, u32 max)
{
    u32 n = from < to ? put_user_bytes(s, from, to - from, max) : 0;
    if (n) {
        s->pos--;
        put_byte(s, 0);
    }
    put_len(s, n);
}

__noinline int op_args(u64 mm_address)
{
    struct scratch *s = scratch();
    struct mm_struct *mm = (void *)mm_address;
    if (!s)
        return 0;
    put_strings(s, BPF_CORE_READ(mm, arg_start) + s->exe_len, BPF_CORE_READ(mm, arg_end), ARGS_BYTES);
    return 0;
}

__noinline int op_env(u64 mm_address)
{
    struct scratch *s = scratch();
    struct mm_struct *mm = (void *)mm_address;
    if (!s)
        return 0;
    put_strings(s, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end), ENV_BYTES);
    return 0;
}

/* The strings of a failed exec are still with the caller: read them through the array of pointers. */
struct vector {
    u64 end;
    u32 compat, pad;
};

static long vector_step(u32 i, struct vector *v)
{
    struct scratch *s = scratch();
    u64 pointer = 0;
    if (!s || s->pos >= v->end)
        return 1;
    if (bpf_probe_read_user(&pointer, v->compat ? 4 : 8, (void *)s->at) || !pointer)
        return 1;
    s->at += v->compat ? 4 : 8;
    put_user_string(s, pointer, PATH_BYTES);
    return 0;
}

__noinline int op_vector(u64 array, u32 skip, u32 max)
{
    struct scratch *s = scratch();
    struct vector v = {};
    u64 before;
    if (!s)
        return 0;
    before = s->pos;
    v.compat = s->compat;
    s->at = array + skip * (s->compat ? 4 : 8);
    v.end = before + max;
    if (array)
        bpf_loop(1024, vector_step, &v, 0);
    if (s->pos > v.end)
        s->pos = v.end;
    if (s->pos > before) {
        s->pos--;
        put_byte(s, 0);
    }
    put_len(s, s->pos - before);
    return 0;
}

__noinline int op_exe_user(u64 array)
{
    struct scratch *s = scratch();
    u64 pointer = 0, before;
    if (!s)
        return 0;
    before = s->pos;
    if (!array)
        put_byte(s, 0);
    else if (!bpf_probe_read_user(&pointer, s->compat ? 4 : 8, (void *)array))
        put_user_string(s, pointer, PATH_BYTES);
    put_len(s, s->pos - before);
    return 0;
}

static __always_inline bool_t flag_subreaper(struct signal_struct *signal, bool_t has)
{
    if (has)
        return BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper);
    return BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper);
}

struct search {
    struct list_head *head, *next;
    struct task_struct *task;
    struct task_struct *init;
    u32 level;
    s32 found;
};

static long thread_step(u32 i, struct search *f)
{
    struct list_head *next = f->next;
    struct task_struct *task;
    if (next == f->head || !next)
        return 1;
    task = (void *)next - bpf_core_field_offset(struct task_struct, thread_node);
    if (!(BPF_CORE_READ(task, flags) & PF_EXITING)) {
        f->found = BPF_CORE_READ(task, pid);
        return 1;
    }
    f->next = BPF_CORE_READ(next, next);
    return 0;
}

__noinline int alive_thread(u64 task_address)
{
    struct task_struct *task = (void *)task_address;
    struct search f = {};
    struct list_head *head;
    head = (void *)BPF_CORE_READ(task, signal) + bpf_core_field_offset(struct signal_struct, thread_head);
    f.head = head;
    f.next = BPF_CORE_READ(head, next);
    bpf_loop(512, thread_step, &f, 0);
    return f.found;
}

static long reaper_step(u32 i, struct search *f)
{
    struct task_struct *task = f->task;
    struct signal_struct *signal;
    task = BPF_CORE_READ(task, real_parent);
    f->task = task;
    if (BPF_CORE_READ(task, thread_pid, level) != f->level || task == f->init)
        return 1;
    signal = BPF_CORE_READ(task, signal);
    if (!flag_subreaper(signal, 0))
        return 0;
    f->found = alive_thread((u64)task);
    return f->found != 0;
}

/* Who takes over the children: another thread, the nearest subreaper, the namespace's init; 0: no children. */
__noinline int reaper_of(u64 task_address)
{
    struct task_struct *task = (void *)task_address;
    struct search f = {};
    struct pid_namespace *ns;
    struct task_struct *init;
    struct list_head *children = (void *)task + bpf_core_field_offset(struct task_struct, children);
    if (BPF_CORE_READ(children, next) == children)
        return 0;
    f.found = alive_thread(task_address);
    if (f.found)
        return f.found;
    ns = inner_pid(pid_of(task, 0)).ns;
    init = BPF_CORE_READ(ns, child_reaper);
    f.init = init;
    if (init == task)
        return 0;
    if (flag_subreaper(BPF_CORE_READ(task, signal), 1)) {
        f.task = task;
        f.level = BPF_CORE_READ(task, thread_pid, level);
        bpf_loop(64, reaper_step, &f, 0);
        if (f.found)
            return f.found;
    }
    return BPF_CORE_READ(init, pid);
}
