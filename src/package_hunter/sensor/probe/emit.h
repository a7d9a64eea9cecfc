/* An event is put together, and written into its scan's ring. */
#pragma once

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
