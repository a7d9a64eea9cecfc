/* Which call a task is in, its arguments, and the program that writes its event. */
#pragma once

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
