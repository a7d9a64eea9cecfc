/* One step of a program: write one parameter of an event. The programs come from sensor/table.py. */
#pragma once

/* The kernel's flags or enumeration value in Falco's encoding. */
static __always_inline u64 convert(u8 table, u64 value)
{
    struct flag_table *flags;
    u32 key = table & 0x7f, bits = value, result = 0;
    if (!table)
        return value;
    flags = bpf_map_lookup_elem(&flag_tables, &key);
    if (!flags)
        return 0;
    if (table & 0x80) {
        struct enum_key k = {.table = key, .value = bits};
        u32 *found = bpf_map_lookup_elem(&enums, &k);
        return found ? *found : flags->bit[0];
    }
    for (int i = 0; i < 32 && bits; i++) {
        if (bits & 1)
            result |= flags->bit[i];
        bits >>= 1;
    }
    return result;
}

/* A path argument. */
__noinline int op_path(u32 arg, u32 slot)
{
    struct scratch *s = scratch();
    u64 at, len;
    if (!s)
        return 0;
    at = s->pos;
    len = put_user_string(s, argument(s, arg), PATH_BYTES);
    if (slot) {
        len = (u32)check_tampering(at, len, slot - 1);
        BOUND(len, 0x1fff);
        s->pos = at + len;
    }
    put_len(s, len);
    return 0;
}

/* Data sent or received, the first bytes of it. */
__noinline int op_data(u64 from, s64 size, u32 outgoing)
{
    struct scratch *s = scratch();
    s64 n;
    if (!s)
        return 0;
    n = outgoing ? (s->moved > 0 ? s->moved : size) : s->moved;
    if (n <= 0) {
        put_len(s, 0);
        return 0;
    }
    if (n > SNAP_BYTES)
        n = SNAP_BYTES;
    put_len(s, put_user_bytes(s, from, n, SNAP_BYTES));
    return 0;
}

struct iovec_walk {
    u64 vector;
    u32 compat, copy;
};

static long iovec_step(u32 i, struct iovec_walk *w)
{
    struct scratch *s = scratch();
    u64 v[2] = {};
    u32 c[2] = {};
    if (!s)
        return 1;
    if (w->compat) {
        if (bpf_probe_read_user(c, 8, (void *)w->vector + i * 8))
            return 1;
        v[0] = c[0];
        v[1] = c[1];
    } else if (bpf_probe_read_user(v, 16, (void *)w->vector + i * 16)) {
        return 1;
    }
    s->total += v[1];
    if (w->copy) {
        u64 n = v[1] < s->left ? v[1] : s->left;
        s->left -= put_user_bytes(s, v[0], n, SNAP_BYTES);
        if (!s->left)
            return 1;
    }
    return 0;
}

/* copy: the first bytes as a parameter; else the sum of the lengths */
__noinline int op_iovec(u64 vector, u32 count, u32 copy)
{
    struct scratch *s = scratch();
    struct iovec_walk w = {};
    u64 before;
    if (!s)
        return 0;
    before = s->pos;
    w.vector = vector;
    w.compat = s->compat;
    w.copy = copy;
    s->total = 0;
    s->left = SNAP_BYTES; /* bytes still to copy */
    if (s->moved > 0 && s->moved < SNAP_BYTES)
        s->left = s->moved;
    if (count > 1024)
        count = 1024;
    if (vector)
        bpf_loop(count, iovec_step, &w, 0);
    if (copy)
        put_len(s, s->pos - before);
    else
        put(s, s->total, 4);
    return 0;
}

static __always_inline void dynamic(struct scratch *s, u8 kind, u64 value, u32 bytes)
{
    put_raw(s, kind, 1);
    put_raw(s, value, bytes);
    put_len(s, 1 + bytes);
}

/* The value of a socket option: Falco names the kind in its first byte. */
__noinline int op_sockopt(s32 level, s32 option, u64 value, u64 len)
{
    struct scratch *s = scratch();
    u64 v[2] = {};
    u32 n;
    if (!s)
        return 0;
    if (level == SOL_SOCKET && option == 4) { /* SO_ERROR */
        bpf_probe_read_user(v, 4, (void *)value);
        dynamic(s, 1, -(s64)(s32)v[0], 8);
    } else if (level == SOL_SOCKET && (option == 20 || option == 21 || option == 66 || option == 67)) {
        bpf_probe_read_user(v, 16, (void *)value);
        dynamic(s, 4, v[0] * 1000000000ULL + v[1] * 1000, 8);
    } else if (level == SOL_SOCKET && option == 57) { /* SO_COOKIE */
        bpf_probe_read_user(v, 8, (void *)value);
        dynamic(s, 3, v[0], 8);
    } else if (level == SOL_SOCKET && option != 13 && option != 17 && option != 26 && option != 28 &&
               option != 50 && option != 59 && option != 55 && option < 58) {
        bpf_probe_read_user(v, 4, (void *)value);
        dynamic(s, 2, (u32)v[0], 4);
    } else {
        put_byte(s, 0);
        n = put_user_bytes(s, value, len & 0xffff, 0xfff);
        put_len(s, 1 + n);
    }
    return 0;
}

/* ptrace's data: a word that was read, a signal, or the argument itself */
__noinline int op_ptrace_data(u32 request, u64 data)
{
    struct scratch *s = scratch();
    u64 word = 0;
    if (!s)
        return 0;
    if (s->ret < 0) {
        dynamic(s, 0, 0, 8);
    } else if (request >= 1 && request <= 3) { /* PEEK* */
        bpf_probe_read_user(&word, 8, (void *)data);
        dynamic(s, 0, word, 8);
    } else if (request == 7 || request == 9 || request == 17 || request == 24) { /* CONT SINGLESTEP DETACH SYSCALL */
        dynamic(s, 1, data, 1);
    } else {
        dynamic(s, 0, data, 8);
    }
    return 0;
}

__noinline int op_fsconfig(u32 bytes)
{
    struct scratch *s = scratch();
    u32 command, n = 0;
    if (!s)
        return 0;
    command = s->args[1];
    if (s->ret >= 0 && bytes && command == 2)
        n = put_user_bytes(s, s->args[3], (u32)s->args[4], 0xfff);
    else if (s->ret >= 0 && !bytes && (command == 1 || command == 3 || command == 4))
        n = put_user_string(s, s->args[3], PATH_BYTES);
    put_len(s, n);
    return 0;
}

/* The pollfd array: u16 count, then i64 descriptor and i16 events of each. */
struct poll_walk {
    u64 from;
};

static __always_inline u16 poll_events(u16 e)
{
    /* IN PRI OUT RDHUP ERR HUP NVAL RDNORM RDBAND WRNORM WRBAND */
    return (e & 7) | (e & 0x2000 ? 8 : 0) | (e & 8 ? 16 : 0) | (e & 16 ? 32 : 0) | (e & 32 ? 64 : 0) |
           (e & 64 ? 128 : 0) | (e & 128 ? 256 : 0) | (e & 256 ? 512 : 0) | (e & 512 ? 1024 : 0);
}

static long poll_step(u32 i, struct poll_walk *w)
{
    struct { s32 fd; u16 events, revents; } p = {};
    struct scratch *s = scratch();
    if (!s || bpf_probe_read_user(&p, 8, (void *)w->from + i * 8))
        return 1;
    put_raw(s, (s64)p.fd, 8);
    put_raw(s, poll_events(p.revents), 2);
    s->total++;
    return 0;
}

__noinline int op_poll(u64 from, u32 n)
{
    struct scratch *s = scratch();
    struct poll_walk w = {};
    u64 before, at;
    if (!s)
        return 0;
    before = s->pos;
    put_raw(s, 0, 2);
    w.from = from;
    s->total = 0;
    bpf_loop(n < 16 ? n : 16, poll_step, &w, 0);
    at = before;
    BOUND(at, DATA_MASK);
    *(u16 *)(s->data + at) = s->total;
    put_len(s, s->pos - before);
    return 0;
}

static __always_inline u64 clone_flags_seen(struct scratch *s, u64 flags)
{
    struct task_struct *task = task_of(s);
    struct pid_namespace *ns = inner_pid(pid_of(task, 0)).ns;
    /* PPM_CL_CHILD_IN_PIDNS */
    if (BPF_CORE_READ(ns, level) || BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != ns)
        flags |= 1 << 29;
    return flags;
}

/* Parameters that describe the task. */
static __always_inline bool_t task_op(struct scratch *s, u8 code)
{
    struct task_struct *task = task_of(s);
    struct mm_struct *mm = BPF_CORE_READ(task, mm);
    struct inode *inode;
    struct linux_binprm *bprm = (void *)s->bprm;
    struct pid_namespace *ns;
    struct pid *pid;
    u64 caps = 0;
    const struct cred *cred;

    switch (code) {
    case OP_TID: put(s, (s64)BPF_CORE_READ(task, pid), 8); return 1;
    case OP_PID: put(s, (s64)BPF_CORE_READ(task, tgid), 8); return 1;
    case OP_PTID: put(s, (s64)BPF_CORE_READ(task, real_parent, pid), 8); return 1;
    case OP_FDLIMIT: put(s, BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur), 8); return 1;
    case OP_PGFT_MAJ: put(s, BPF_CORE_READ(task, maj_flt), 8); return 1;
    case OP_PGFT_MIN: put(s, BPF_CORE_READ(task, min_flt), 8); return 1;
    case OP_VM_SIZE: put(s, mm ? BPF_CORE_READ(mm, total_vm) * 4 : 0, 4); return 1;
    case OP_VM_RSS: put(s, mm ? rss(mm, 0) * 4 : 0, 4); return 1;
    case OP_VM_SWAP: put(s, mm ? rss(mm, 2) * 4 : 0, 4); return 1;
    case OP_COMM:
        put_len(s, put_kernel_string(s, (void *)task + bpf_core_field_offset(struct task_struct, comm), 16));
        return 1;
    case OP_CGROUPS: op_cgroups(s->task); return 1;
    case OP_EUID: put(s, BPF_CORE_READ(task, cred, euid.val), 4); return 1;
    case OP_EGID: put(s, BPF_CORE_READ(task, cred, egid.val), 4); return 1;
    case OP_VTID: put(s, (s64)inner_pid(pid_of(task, 0)).nr, 8); return 1;
    case OP_VPID: put(s, (s64)inner_pid(pid_of(task, PIDTYPE_TGID)).nr, 8); return 1;
    case OP_VPGID: put(s, (s64)inner_pid(pid_of(task, PIDTYPE_PGID)).nr, 8); return 1;
    case OP_PGID:
        pid = pid_of(task, PIDTYPE_PGID);
        put(s, (s64)BPF_CORE_READ(pid, numbers[0].nr), 8);
        return 1;
    case OP_PIDNS_START:
        ns = inner_pid(pid_of(task, PIDTYPE_TGID)).ns;
        put(s, s->ret ? 0 : BPF_CORE_READ(ns, child_reaper, start_time), 8);
        return 1;
    case OP_EXE: op_exe((u64)mm); return 1;
    case OP_ARGS: op_args((u64)mm); return 1;
    case OP_ENV: op_env((u64)mm); return 1;
    case OP_TTY: put(s, tty_of(task), 4); return 1;
    case OP_LOGINUID:
        put(s, bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : -1, 4);
        return 1;
    case OP_EXE_FLAGS: put(s, (u32)exe_flags(s->task), 4); return 1;
    case OP_CAP_INHERITABLE:
    case OP_CAP_PERMITTED:
    case OP_CAP_EFFECTIVE:
        cred = BPF_CORE_READ(task, cred);
        bpf_core_read(&caps, 8, code == OP_CAP_INHERITABLE ? &cred->cap_inheritable
                                : code == OP_CAP_PERMITTED ? &cred->cap_permitted
                                                           : &cred->cap_effective);
        put(s, caps, 8);
        return 1;
    case OP_EXE_INO: put(s, BPF_CORE_READ(mm, exe_file, f_inode, i_ino), 8); return 1;
    case OP_EXE_CTIME:
    case OP_EXE_MTIME:
        inode = BPF_CORE_READ(mm, exe_file, f_inode);
        put(s, inode_time(inode, code == OP_EXE_MTIME), 8);
        return 1;
    case OP_EXEPATH: put_len(s, put_file_path(s, BPF_CORE_READ(mm, exe_file))); return 1;
    case OP_FILENAME:
        put_len(s, put_kernel_string(s, BPF_CORE_READ(bprm, filename), PATH_BYTES));
        return 1;
    case OP_STATUS: put(s, (s64)BPF_CORE_READ(task, exit_code), 8); return 1;
    case OP_EXIT_RET: put(s, BPF_CORE_READ(task, exit_code) >> 8 & 0xff, 8); return 1;
    case OP_EXIT_SIG:
        caps = BPF_CORE_READ(task, exit_code) & 0x7f;
        put(s, caps == 0x7f ? 0 : caps, 1);
        return 1;
    case OP_EXIT_CORE: put(s, !!(BPF_CORE_READ(task, exit_code) & 0x80), 1); return 1;
    case OP_REAPER: put(s, (s64)reaper_of(s->task), 8); return 1;
    }
    return 0;
}

static __always_inline void file_op(struct scratch *s, u8 code, u64 value, u8 table)
{
    struct file *file = (struct file *)s->file;
    struct inode *inode = file ? GET(struct file, file, f_inode) : 0;
    u32 layer, flags;
    switch (code) {
    case OP_OPEN_FLAGS:
        flags = convert(table, value);
        flags |= (value & 3) == 1 ? 2 : (value & 3) == 2 ? 3 : 1;
        if (file) {
            layer = overlay_layer(file);
            flags |= layer == 2 ? 1 << 15 : layer == 1 ? 1 << 16 : 0;
            if (GET(struct file, file, f_mode) & FMODE_CREATED)
                flags |= 1 << 14;
        }
        put(s, flags, 4);
        return;
    case OP_CREAT_FLAGS:
        layer = file ? overlay_layer(file) : 0;
        put(s, layer == 2 ? 1 : layer == 1 ? 2 : 0, 2);
        return;
    case OP_DEV: put(s, inode ? encode_dev(GET(struct super_block, GET(struct inode, inode, i_sb), s_dev)) : 0, 4); return;
    case OP_INO: put(s, inode ? GET(struct inode, inode, i_ino) : 0, 8); return;
    case OP_FILE_PATH:
        if (file)
            s->start_path = (u32)walk_path((u64)file + bpf_core_field_offset(struct file, f_path));
        put_len(s, file ? put_walked(s, s->start_path) : 0);
        return;
    }
}

__noinline int run_op(u32 program_index, u32 i)
{
    struct scratch *s = scratch();
    struct program *p;
    u64 at = i, value;
    u8 code, arg, aux, table;
    if (!s)
        return 0;
    p = bpf_map_lookup_elem(&programs, &program_index);
    if (!p)
        return 0;
    BOUND(at, MAX_OPS - 1);
    code = p->ops[at].code;
    arg = p->ops[at].arg;
    aux = p->ops[at].aux;
    table = p->ops[at].table;
    value = argument(s, arg);

    if (code >= OP_TASK_FIRST) {
        task_op(s, code);
        return 0;
    }
    if (code >= OP_FILE_FIRST) {
        file_op(s, code, value, table);
        return 0;
    }
    switch (code) {
    case OP_EMPTY: put_len(s, 0); break;
    case OP_CONST: put(s, 0, aux); break;
    case OP_RET: put(s, s->ret, 8); break;
    case OP_RET32: put(s, (s64)(s32)s->ret, 8); break;
    case OP_S32: put(s, (s64)(s32)value, 8); break; /* descriptors and pids, widened */
    case OP_UINT: put(s, convert(table, value), aux); break;
    case OP_U32_AS_64: put(s, (u32)value, 8); break;
    case OP_IF_OK: put(s, s->ret == 0 ? value : ~0ULL, aux); break;
    case OP_OPEN_MODE: put(s, argument(s, aux) & O_MAKES ? value & 07777 : 0, 4); break;
    case OP_MODE: put(s, value & 07777, 4); break;
    case OP_MKNOD_MODE: put(s, (value & 07777) | (value & S_IFMT ? value & S_IFMT : 0100000), 4); break;
    case OP_MOUNT_FLAGS:
        value = (u32)value;
        if ((value & 0xffff0000) == 0xC0ED0000)
            value &= 0xffff;
        put(s, value, 4);
        break;
    case OP_ENCODE_DEV: put(s, value, 4); break;
    case OP_PATH: op_path(arg, aux); break;
    case OP_SOCKADDR:
        op_sockaddr(value, argument(s, aux));
        break;
    case OP_TUPLE_OUT:
        if (s->ret >= 0 || s->ret == -115)
            op_tuple((s32)value, aux ? argument(s, aux) : 0, 0);
        else
            put_len(s, 0);
        break;
    case OP_TUPLE_IN:
        if (s->ret >= 0)
            op_tuple((s32)value, aux ? argument(s, aux) : 0, 1);
        else
            put_len(s, 0);
        break;
    case OP_TUPLE_NEW: /* accept: the result is the socket */
        if (s->ret >= 0)
            op_tuple((s32)s->ret, 0, 1);
        else
            put_len(s, 0);
        break;
    case OP_DATA_OUT: op_data(value, argument(s, aux), 1); break;
    case OP_DATA_IN: op_data(value, 0, 0); break;
    case OP_IOV_OUT: op_iovec(value, argument(s, aux), 1); break;
    case OP_IOV_IN:
        if (s->ret > 0)
            op_iovec(value, argument(s, aux), 1);
        else
            put_len(s, 0);
        break;
    case OP_IOV_SIZE: op_iovec(value, argument(s, aux), 0); break;
    case OP_RET_SIZE: put(s, s->moved > 0 ? s->moved : 0, 4); break;
    case OP_CONTROL:
        put_len(s, s->ret >= 0 ? put_user_bytes(s, value, argument(s, aux), 0xfff) : 0);
        break;
    case OP_BYTES: put_len(s, put_user_bytes(s, value, argument(s, aux), 0xfff)); break;
    case OP_QUEUE: op_queue((s32)value, aux); break;
    case OP_SOCKOPT: op_sockopt(s->args[1], s->args[2], s->args[3], argument(s, aux)); break;
    case OP_SOCKOPT_NAME: put(s, (s32)s->args[1] == SOL_SOCKET ? convert(table, value) : 0, 1); break;
    case OP_PTRACE_ADDR: dynamic(s, 0, s->ret < 0 ? 0 : value, 8); break;
    case OP_PTRACE_DATA: op_ptrace_data(s->args[0], value); break;
    case OP_PRCTL_STR:
        put_len(s, s->args[0] == 15 || s->args[0] == 16 ? put_user_string(s, value, PATH_BYTES) : 0);
        break;
    case OP_PRCTL_INT:
        if (s->args[0] == 15 || s->args[0] == 16)
            value = 0;
        else if (s->args[0] == 37) { /* PR_GET_CHILD_SUBREAPER */
            u32 attribute = 0;
            bpf_probe_read_user(&attribute, 4, (void *)value);
            value = attribute;
        }
        put(s, value, 8);
        break;
    case OP_FSCONFIG: op_fsconfig(aux); break;
    case OP_DYN_INT: dynamic(s, 0, value, 8); break;
    case OP_EXE_USER: op_exe_user(value); break;
    case OP_ARGS_USER: op_vector(value, 1, ARGS_BYTES); break;
    case OP_ENV_USER: op_vector(value, 0, ENV_BYTES); break;
    case OP_CLONE_FLAGS: put(s, clone_flags_seen(s, convert(table, value)), 4); break;
    case OP_SYSCALL: put(s, s->nr, 2); break;
    case OP_SYSCALL_ID: put(s, s->falco_id, 2); break;
    case OP_POLL: op_poll(value, argument(s, aux)); break;
    case OP_FUTEX: put(s, (value & 127) | (value & 128) | (value & 256), 2); break;
    case OP_ACCESS: put(s, convert(table, value), 4); break;
    case OP_SOCK_PAIR: /* kernel pointers of a socketpair: aux 0 the first, 1 its peer */
        value = s->ret == 0 ? (u64)sock_of_fd((s32)value) : 0;
        if (value && aux) {
            struct unix_sock *end = (void *)value;
            value = (u64)BPF_CORE_READ(end, peer);
        }
        put(s, value, 8);
        break;
    case OP_FD_INO: {
        struct file *file = s->ret == 0 ? file_of_fd((s32)value) : 0;
        put(s, file ? BPF_CORE_READ(file, f_inode, i_ino) : 0, 8);
        break;
    }
    }
    return 0;
}
