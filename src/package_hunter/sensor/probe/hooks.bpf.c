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
#include "calls.h"
#include "prepare.h"
#include "extra.h"
#include "emit.h"
#include "filter.h"

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
