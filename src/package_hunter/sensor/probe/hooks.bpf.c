/* The probe's hooks. Raw BTF tracepoints only: they exist on every kernel that we support, cost no trampoline,
 * and no lockdown of LSM or kprobes takes them away. Every hook first asks whether the task is a member of a
 * scan; all others leave after one load from their task structure.
 *
 *   sys_enter   remembers path and address arguments, so that a change during the call shows
 *   sys_exit    every other event
 *   fork        hands membership down, before the child may run; the child's clone event
 *   exec        the successful exec: here the new program is in place and no argument can be changed any more
 *   exit        the end of a thread
 */
#include "kernel.h"
#include "shared.h"
#include "generated.h"
#include "scratch.h"
#include "paths.h"
#include "tamper.h"
#include "sockets.h"
#include "process.h"
#include "values.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline struct scan *scan_of(struct task_struct *task)
{
    struct member *m;
    struct scan *scan;
    u32 slot;
    if (!task->bpf_storage)
        return 0;
    m = bpf_task_storage_get(&members, task, 0, 0);
    if (!m)
        return 0;
    slot = m->scan % SLOTS;
    scan = bpf_map_lookup_elem(&scans, &slot);
    if (!scan || scan->id != m->scan || !(scan->flags & SCAN_OPEN))
        return 0;
    return scan;
}

/* ABI and number of the call that a task is in. */
static __always_inline u32 syscall_of(struct task_struct *task, struct pt_regs *regs, u32 *abi, u32 *compat)
{
#if defined(__TARGET_ARCH_x86)
    u32 nr = regs->orig_ax;
    *compat = !!(task->thread_info.status & TS_COMPAT);
    *abi = *compat || (nr & X32_BIT && (s32)nr >= 0);
    if (!*compat)
        nr &= ~X32_BIT;
    return nr;
#else
    struct thread_info___arm64 *info = (void *)task + bpf_core_field_offset(struct task_struct, thread_info);
    unsigned long flags = BPF_CORE_READ(info, flags);
    *compat = *abi = !!(flags & TIF_32BIT_ARM64);
    return regs->syscallno;
#endif
}

static __always_inline void read_args(u64 *args, struct pt_regs *regs, u32 compat)
{
#if defined(__TARGET_ARCH_x86)
    if (compat) {
        args[0] = (u32)regs->bx;
        args[1] = (u32)regs->cx;
        args[2] = (u32)regs->dx;
        args[3] = (u32)regs->si;
        args[4] = (u32)regs->di;
        args[5] = (u32)regs->bp;
        return;
    }
    args[0] = regs->di;
    args[1] = regs->si;
    args[2] = regs->dx;
    args[3] = regs->r10;
    args[4] = regs->r8;
    args[5] = regs->r9;
#else
    args[0] = regs->orig_x0;
    args[1] = regs->regs[1];
    args[2] = regs->regs[2];
    args[3] = regs->regs[3];
    args[4] = regs->regs[4];
    args[5] = regs->regs[5];
#endif
}

static __always_inline struct program *program_of(u32 nr, u32 abi, u32 compat, u32 *index, u32 *falco_id)
{
    u32 key = nr < ABI_TABLE ? nr + (compat ? ABI_TABLE : 0) : ABI_TABLE - 1;
    u32 *found = bpf_map_lookup_elem(&dispatch, &key);
    *index = PROGRAM_GENERIC;
    *falco_id = 0;
    if (found && *found) {
        *index = (*found & 0xffff) - 1;
        *falco_id = *found >> 16;
    } else if (!abi) {
        return 0;
    } /* else: the foreign entry itself is worth telling */
    return bpf_map_lookup_elem(&programs, index);
}

static __always_inline bool_t wanted(struct scan *scan, u32 event)
{
    u64 word = event / 64;
    BOUND(word, 7);
    return scan->filter[word] >> (event % 64) & 1;
}

static __always_inline struct counts *counts_of(u32 scan)
{
    u32 slot = scan % SLOTS;
    return bpf_map_lookup_elem(&counters, &slot);
}

static __always_inline void count_filtered(u32 scan, u32 event)
{
    struct counts *c = counts_of(scan);
    u64 at = event;
    BOUND(at, EVENT_TYPES - 1);
    if (c)
        c->filtered[at]++;
}

/* Structures in user memory whose members are parameters: into args[8..15]. */
__noinline int prepare(u32 prep, u32 arg)
{
    struct scratch *s = scratch();
    u64 from;
    u32 *words;
    if (!s)
        return 0;
    from = argument(s, arg);
    words = (u32 *)s->raw;
    s->raw[0] = s->raw[1] = s->raw[2] = s->raw[3] = s->raw[4] = s->raw[5] = s->raw[6] = 0;
    switch (prep) {
    case PREP_HOW: /* struct open_how */
    case PREP_RLIMIT:
    case PREP_LONG:
        bpf_probe_read_user(s->raw, prep == PREP_HOW ? 24 : prep == PREP_RLIMIT ? 16 : 8, (void *)from);
        s->args[8] = s->raw[0];
        s->args[9] = s->raw[1];
        s->args[10] = s->raw[2];
        break;
    case PREP_PRLIMIT: /* new in args[2], old in args[3] */
        bpf_probe_read_user(s->raw, 16, (void *)s->args[2]);
        bpf_probe_read_user(s->raw + 2, 16, (void *)s->args[3]);
        s->args[8] = s->raw[0];
        s->args[9] = s->raw[1];
        s->args[10] = s->raw[2];
        s->args[11] = s->raw[3];
        break;
    case PREP_INT_PAIR: /* pipe and socketpair: -1 where nothing was made */
        s->raw[0] = ~0ULL;
        bpf_probe_read_user(s->raw, 8, (void *)from);
        if (s->ret)
            s->raw[0] = ~0ULL;
        s->args[8] = words[0];
        s->args[9] = words[1];
        break;
    case PREP_INT:
        bpf_probe_read_user(s->raw, 4, (void *)from);
        s->args[8] = words[0];
        break;
    case PREP_MMSGHDR: /* how much of this message was sent or received, behind it */
        if (s->ret > 0) {
            bpf_probe_read_user(s->raw, 4, (void *)from + (s->compat ? 28 : 56));
            s->ret = s->moved = words[0];
            s->raw[0] = 0;
        }
    /* fallthrough */
    case PREP_MSGHDR: /* name, iov, count, control, length of control; ~0 if unreadable */
        if (s->compat) {
            if (bpf_probe_read_user(s->raw, 24, (void *)from))
                break;
            s->args[8] = words[0];
            s->args[9] = words[2];
            s->args[10] = words[3];
            s->args[11] = words[4];
            s->args[12] = words[5];
            break;
        }
        bpf_probe_read_user(s->raw, 56, (void *)from);
        s->args[8] = s->raw[0];
        s->args[9] = s->raw[2];
        s->args[10] = s->raw[3];
        s->args[11] = s->raw[4];
        s->args[12] = s->raw[5];
        break;
    case PREP_IO_URING: /* sq_entries, cq_entries, flags, cpu, idle, features */
        bpf_probe_read_user(s->raw, 24, (void *)from);
        s->args[8] = words[0];
        s->args[9] = words[1];
        s->args[10] = words[2];
        s->args[11] = words[3];
        s->args[12] = words[4];
        s->args[13] = words[5];
        break;
    case PREP_SEMBUF: /* struct sembuf of up to two operations; zeros where nothing was done */
        if (s->ret == 0 && s->args[2])
            bpf_probe_read_user(s->raw, s->args[2] == 1 ? 6 : 12, (void *)from);
        for (int i = 0; i < 6; i++)
            s->args[8 + i] = ((u16 *)s->raw)[i];
        break;
    case PREP_PPOLL: /* time, and the first word of the signals */
        bpf_probe_read_user(s->raw + 2, 8, (void *)s->args[3]);
        s->args[9] = s->raw[2];
    /* fallthrough */
    case PREP_TIMESPEC: /* in ns */
        if (s->compat) {
            bpf_probe_read_user(s->raw, 8, (void *)from);
            s->args[8] = words[0] * 1000000000ULL + words[1];
            break;
        }
        bpf_probe_read_user(s->raw, 16, (void *)from);
        s->args[8] = s->raw[0] * 1000000000ULL + s->raw[1];
        break;
    case PREP_THREE_INTS: /* each where an argument of its own points */
        bpf_probe_read_user(words, 4, (void *)s->args[0]);
        bpf_probe_read_user(words + 1, 4, (void *)s->args[1]);
        bpf_probe_read_user(words + 2, 4, (void *)s->args[2]);
        s->args[8] = words[0];
        s->args[9] = words[1];
        s->args[10] = words[2];
        break;
    case PREP_CLONE3: /* struct clone_args begins with the flags */
        bpf_probe_read_user(s->raw, 8, (void *)from);
        s->args[0] = s->raw[0];
        break;
    }
    return 0;
}

static __always_inline void tlv(struct scratch *s, u8 tag, u32 len)
{
    put_raw(s, tag, 1);
    put_raw(s, len, 2);
}

/* A TLV whose length is known once its content stands. */
static __always_inline void close_tlv(struct scratch *s, u64 at, u64 start)
{
    BOUND(at, DATA_MASK);
    if (s->pos == start)
        s->pos = at;
    else
        *(u16 *)(s->data + at + 1) = s->pos - start;
}

static __always_inline void extra_path(struct scratch *s, u8 tag, u32 walked)
{
    u64 at = s->pos;
    tlv(s, tag, 0);
    if (put_walked(s, walked))
        s->pos--; /* no NUL */
    close_tlv(s, at, at + 3);
}

static __always_inline void extra_tamper(struct scratch *s, u8 tag, u32 slot)
{
    struct entry *e = bpf_task_storage_get(&entries, bpf_get_current_task_btf(), 0, 0);
    u64 at = s->pos, len;
    if (!e)
        return;
    len = slot ? e->len[1] : e->len[0];
    tlv(s, tag, 0);
    if (len)
        put_kernel_bytes(s, slot ? e->data[1] : e->data[0], len);
    close_tlv(s, at, at + 3);
}

/* Our own parameter behind Falco's. */
__noinline int put_extra(u32 flags)
{
    struct scratch *s = scratch();
    struct task_struct *task;
    u64 start;
    if (!s)
        return 0;
    task = task_of(s);
    start = s->pos;
    put_raw(s, EXTRA_MAGIC_U64, 5);
    if (flags & PROG_PATH && s->file) {
        struct file *file = (struct file *)s->file;
        extra_path(s, EXTRA_PATH, walk_path((u64)file + bpf_core_field_offset(struct file, f_path)));
    } else if (flags & PROG_CWD && s->ret == 0) {
        struct fs_struct *fs = BPF_CORE_READ(task, fs);
        if (fs)
            extra_path(s, flags & PROG_START ? EXTRA_CWD : EXTRA_PATH,
                       walk_path((u64)fs + bpf_core_field_offset(struct fs_struct, pwd)));
    }
    if (flags & PROG_FILE_ARG && s->file) {
        struct file *file = (struct file *)s->file;
        struct inode *inode = GET(struct file, file, f_inode);
        tlv(s, EXTRA_INODE, 12);
        put_raw(s, GET(struct inode, inode, i_ino), 8);
        put_raw(s, encode_dev(GET(struct super_block, GET(struct inode, inode, i_sb), s_dev)), 4);
    }
    if (s->tampered & 1)
        extra_tamper(s, EXTRA_TAMPER, 0);
    if (s->tampered & 2)
        extra_tamper(s, EXTRA_TAMPER2, 1);
    if (s->abi) {
        tlv(s, EXTRA_ABI, 1);
        put_raw(s, 1, 1);
    }
    if (flags & PROG_LOCAL && !s->tuple)
        extra_local((s32)s->args[0]);
    if (flags & PROG_START) {
        tlv(s, EXTRA_START, 8);
        put_raw(s, BPF_CORE_READ(task, group_leader, start_boottime), 8);
    }
    if (s->event == EV_GENERIC_X) { /* Falco's schema only names the call */
        tlv(s, EXTRA_CALL, 56);
        put_raw(s, s->ret, 8);
        for (u32 i = 0; i < 6; i++)
            put_raw(s, argument(s, i), 8);
    }
    if (s->pos == start + 5)
        s->pos = start;
    put_len(s, s->pos - start);
    return 0;
}

struct pause {
    u64 until;
};

static long pause_step(u32 i, struct pause *p)
{
    return bpf_ktime_get_boot_ns() >= p->until;
}

/* The reader freezes a scan whose ring is half full, but it may need some milliseconds to get there, and
 * large events (a failing exec with much in its arguments) fill a ring in less. Until it does, each event costs
 * its maker time, so much that all cpus together cannot fill the other half before. */
static __always_inline void hold_back(struct scan *scan, struct counts *c, u64 size)
{
    struct pause p;
    u64 ns = size * scan->hold / 1024;
    if (ns > HOLD_MAX_NS)
        ns = HOLD_MAX_NS;
    p.until = bpf_ktime_get_boot_ns() + ns;
    if (ns)
        bpf_loop(HOLD_MAX_NS / 8, pause_step, &p, 0);
    c->held_ns += ns;
}

static __always_inline void submit(struct scratch *s, struct scan *scan)
{
    struct counts *c = counts_of(scan->id);
    u32 slot = scan->id % SLOTS;
    void *ring = bpf_map_lookup_elem(&rings, &slot);
    u64 size = s->pos, filled, flags = BPF_RB_NO_WAKEUP, type = s->event;
    if (!c)
        return;
    BOUND(type, EVENT_TYPES - 1);
    BOUND(size, 0x1ffff);
    if (size > DATA_SIZE)
        size = DATA_SIZE;
    if (ring) {
        /* wake the reader once when a quarter is full; below that it looks by itself */
        filled = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
        if ((filled < scan->ring_bytes / 4 && filled + size + 8 >= scan->ring_bytes / 4) ||
            filled >= scan->ring_bytes / 2)
            flags = BPF_RB_FORCE_WAKEUP;
        if (!bpf_ringbuf_output(ring, s->data - 0, size, flags)) {
            c->events++;
            c->bytes += size;
            c->by_type[type]++;
            if (filled + size >= scan->ring_bytes / 2)
                hold_back(scan, c, size);
            return;
        }
    }
    c->lost++;
    c->lost_by_type[type]++;
    c->last_lost_ns = bpf_ktime_get_boot_ns();
    c->last_lost_tid = bpf_get_current_pid_tgid();
    if (!c->first_lost_ns)
        c->first_lost_ns = c->last_lost_ns;
    if (c->lost < 500) /* there may be no reader any more: then this scan is blind, and must not stand still too */
        hold_back(scan, c, scan->ring_bytes);
}

/* Runs a program: header, parameters, our own parameter, into the ring. args, ret, nr, abi, task are set. */
static __always_inline void emit(struct scratch *s, struct scan *scan, u32 index, struct program *p, u64 tid)
{
    u32 params = p->params, flags = p->flags, total;
    bool_t extra = !!(flags & PROG_EXTRA) || s->abi;
    struct record *record = (struct record *)s->data;

    if (params > MAX_OPS)
        return;
    total = params + extra;
    s->event = p->event;
    s->tampered = s->tuple = 0;
    s->moved = s->ret;
    s->lens = LENS_AT;
    s->pos = LENS_AT + 2 * total;
    s->file = 0;
    if (flags & PROG_FILE_RET && s->ret >= 0)
        s->file = (u64)file_of_fd(s->ret);
    if (flags & PROG_FILE_ARG)
        s->file = (u64)file_of_fd((s32)s->args[0]);
    if (p->prep)
        prepare(p->prep, p->prep_arg);
    record->cpu = bpf_get_smp_processor_id();
    record->scan = scan->id;
    *(u64 *)(s->data + EVENT_AT) = bpf_ktime_get_boot_ns() + scan->boot_ns;
    *(u64 *)(s->data + EVENT_AT + 8) = tid;
    *(u16 *)(s->data + EVENT_AT + 20) = p->event;
    *(u32 *)(s->data + EVENT_AT + 22) = total;
    for (u32 i = 0; i < MAX_OPS; i++) {
        if (i >= params)
            break;
        run_op(index, i);
    }
    if (extra)
        put_extra(flags);
    *(u32 *)(s->data + EVENT_AT + 16) = s->pos - EVENT_AT;
    submit(s, scan);
}

/* Is it a regular file, neither whose path nor whose last name begins as one of the scan's prefixes does? (Those of
 * names have no slash in front.) The key lies behind the path in the scratch buffer. */
__noinline int outside_prefixes(u32 scan, u64 address)
{
    struct scratch *s = scratch();
    struct file *file = (struct file *)address;
    struct prefix_key *key;
    u64 at;
    if (!s || !file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != 0100000)
        return 0;
    key = (struct prefix_key *)s->data;
    key->bits = (4 + PREFIX_BYTES) * 8;
    key->scan = scan;
    key->path[0] = 0; /* a file that is told by whatever name: its inode's number */
    *(u64 *)(key->path + 1) = GET(struct inode, GET(struct file, file, f_inode), i_ino);
    if (bpf_map_lookup_elem(&prefixes, key))
        return 0;
    at = (u32)walk_path(address + bpf_core_field_offset(struct file, f_path));
    BOUND(at, 0xfff);
    if (s->tmp[at] != '/') /* in no tree, or too deep to tell */
        return 0;
    bpf_probe_read_kernel(key->path, PREFIX_BYTES, &s->tmp[at]);
    if (bpf_map_lookup_elem(&prefixes, key))
        return 0;
    bpf_probe_read_kernel_str(key->path, PREFIX_BYTES, BPF_CORE_READ(file, f_path.dentry, d_name.name));
    return !bpf_map_lookup_elem(&prefixes, key);
}

/* Was the path of an openat another one when the call began? Then it is told, whichever file it was. */
__noinline int path_changed(void)
{
    struct scratch *s = scratch();
    long n;
    if (!s)
        return 0;
    n = bpf_probe_read_user_str(s->data + LENS_AT, PATH_BYTES, (void *)s->args[1]);
    s->tampered = 0;
    check_tampering(LENS_AT, n > 0 ? n : 0, 0);
    return s->tampered;
}

/* What the filter leaves out beyond whole event types. */
static __always_inline bool_t left_out(struct scratch *s, struct scan *scan, struct program *p)
{
    u64 word = p->event / 64;
    BOUND(word, 7);
    if (s->ret < 0 && s->ret >= -4095 && !s->abi && scan->done[word] >> (p->event % 64) & 1)
        return 1;
    if (scan->flags & SCAN_DUP_ONLY && p->event == EV_FCNTL_X)
        return s->args[1] != 0 && s->args[1] != 1030; /* F_DUPFD, F_DUPFD_CLOEXEC */
    if (scan->flags & SCAN_PREFIXES && p->event == EV_OPENAT_2_X && s->ret > 2 && !s->abi &&
        !(s->args[2] & (3 | O_MAKES)))
        return outside_prefixes(scan->id, (u64)file_of_fd(s->ret)) && !path_changed();
    return 0;
}

SEC("tp_btf/sys_enter")
int sys_enter(u64 *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct pt_regs *regs = (struct pt_regs *)ctx[0];
    struct scan *scan;
    struct program *p;
    struct entry *e;
    u64 args[6] = {};
    u32 nr, abi, compat, index, falco_id;

    scan = scan_of(task);
    if (!scan)
        return 0;
    nr = syscall_of(task, regs, &abi, &compat);
    p = program_of(nr, abi, compat, &index, &falco_id);
    if (!p || !p->watch[0] || !wanted(scan, p->event))
        return 0;
    e = bpf_task_storage_get(&entries, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!e)
        return 0;
    e->nr = nr + 1;
    e->len[0] = e->len[1] = 0;
    read_args(args, regs, compat);
    for (int i = 0; i < 2; i++) {
        u64 which = p->watch[i], from;
        long n;
        if (!which || which > 6)
            break;
        which--;
        BOUND(which, 7);
        from = which < 6 ? args[which] : 0;
        if (!from)
            continue;
        if (i == 0 && p->watch_len) {
            u64 len_arg = p->watch_len - 1, len;
            BOUND(len_arg, 7);
            len = len_arg < 6 ? args[len_arg] : 0;
            if (len > 128)
                len = 128;
            BOUND(len, 0xff);
            n = len && !bpf_probe_read_user(e->data[0], len, (void *)from) ? len : 0;
        } else if (i == 0) {
            n = bpf_probe_read_user_str(e->data[0], PATH_BYTES, (void *)from);
        } else {
            n = bpf_probe_read_user_str(e->data[1], PATH_BYTES, (void *)from);
        }
        if (n > 0)
            e->len[i] = n;
    }
    return 0;
}

/* sendmmsg and recvmmsg: every message of them is an event. */
#define MESSAGES 1024 /* the kernel takes no more */

struct messages {
    u64 tid;
    u32 scan, index, step, pad;
};

static long next_message(u32 i, struct messages *m)
{
    struct scratch *s = scratch();
    u32 slot = m->scan % SLOTS;
    struct scan *scan = bpf_map_lookup_elem(&scans, &slot);
    struct program *p = bpf_map_lookup_elem(&programs, &m->index);
    if (!s || !scan || !p)
        return 1;
    s->args[1] += m->step;
    s->ret = 1; /* of this message prepare() tells */
    emit(s, scan, m->index, p, m->tid);
    return 0;
}

SEC("tp_btf/sys_exit")
int sys_exit(u64 *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct pt_regs *regs = (struct pt_regs *)ctx[0];
    struct scratch *s;
    struct scan *scan;
    struct program *p;
    u32 nr, abi, compat, index = 0, falco_id = 0;

    scan = scan_of(task);
    if (!scan)
        return 0;
    nr = syscall_of(task, regs, &abi, &compat);
    p = program_of(nr, abi, compat, &index, &falco_id);
    if (!p)
        return 0;
    if (!wanted(scan, p->event)) {
        count_filtered(scan->id, p->event);
        return 0;
    }
    if (p->flags & PROG_SKIP_ZERO && (s64)ctx[1] == 0)
        return 0;
    s = scratch();
    if (!s)
        return 0;
    s->task = (u64)task;
    s->ret = ctx[1];
    s->nr = nr;
    s->abi = abi;
    s->compat = compat;
    s->falco_id = falco_id;
    read_args(s->args, regs, compat);
    if (left_out(s, scan, p)) {
        count_filtered(scan->id, p->event);
        return 0;
    }
    emit(s, scan, index, p, (u32)bpf_get_current_pid_tgid());
    if (p->prep == PREP_MMSGHDR && (s64)ctx[1] > 1) {
        struct messages m = {
            .tid = (u32)bpf_get_current_pid_tgid(), .scan = scan->id, .index = index, .step = compat ? 32 : 64,
        };
        u64 more = ctx[1] - 1;
        bpf_loop(more < MESSAGES ? more : MESSAGES - 1, next_message, &m, 0);
    }
    return 0;
}

SEC("tp_btf/sched_process_fork")
int sched_process_fork(u64 *ctx)
{
    struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
    struct task_struct *task = bpf_get_current_task_btf();
    struct member *mine, *born, wish;
    struct scratch *s;
    struct scan *scan;
    struct counts *c;
    struct program *p;
    u32 index, abi, compat;
    struct pt_regs *regs;

    if (!parent->bpf_storage)
        return 0;
    mine = bpf_task_storage_get(&members, parent, 0, 0);
    if (!mine)
        return 0;
    wish = *mine;
    born = bpf_task_storage_get(&members, child, &wish, BPF_LOCAL_STORAGE_GET_F_CREATE);
    c = counts_of(wish.scan);
    if (c && born)
        c->started++;
    else if (c)
        c->orphans++;
    scan = scan_of(parent);
    if (!scan)
        return 0;
    s = scratch();
    if (!s)
        return 0;
    regs = (struct pt_regs *)bpf_task_pt_regs(task);
    s->nr = syscall_of(task, regs, &abi, &compat);
    s->abi = abi;
    s->compat = compat;
    p = program_of(s->nr, abi, compat, &index, &s->falco_id);
    /* kernel threads of io_uring are born outside of fork and clone */
    if (!p || !(p->flags & PROG_SKIP_ZERO) || !wanted(scan, p->event)) {
        index = PROGRAM_CLONE;
        p = bpf_map_lookup_elem(&programs, &index);
        if (!p || !wanted(scan, p->event))
            return 0;
    }
    s->task = (u64)child;
    s->ret = 0;
    read_args(s->args, regs, compat);
    emit(s, scan, index, p, (u32)child->pid);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int sched_process_exec(u64 *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s;
    struct scan *scan;
    struct program *p;
    u32 index = PROGRAM_EXEC;

    scan = scan_of(task);
    if (!scan)
        return 0;
    p = bpf_map_lookup_elem(&programs, &index);
    s = scratch();
    if (!p || !s || !wanted(scan, p->event))
        return 0;
    s->task = (u64)task;
    s->ret = 0;
    s->nr = s->abi = s->compat = 0;
    s->bprm = ctx[2];
    emit(s, scan, index, p, (u32)bpf_get_current_pid_tgid());
    return 0;
}

SEC("tp_btf/sched_process_exit")
int sched_process_exit(u64 *ctx)
{
    struct task_struct *task = (void *)ctx[0];
    struct scratch *s;
    struct scan *scan;
    struct counts *c;
    struct program *p;
    u32 index = PROGRAM_EXIT;

    scan = scan_of(task);
    if (!scan)
        return 0;
    c = counts_of(scan->id);
    if (c)
        c->ended++;
    p = bpf_map_lookup_elem(&programs, &index);
    s = scratch();
    if (!p || !s || !wanted(scan, p->event))
        return 0;
    s->task = (u64)task;
    s->ret = 0;
    s->nr = s->abi = s->compat = 0;
    emit(s, scan, index, p, (u32)task->pid);
    return 0;
}
