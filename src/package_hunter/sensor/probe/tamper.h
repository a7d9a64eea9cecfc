/* Was an argument in user memory another one when the call began? */
#pragma once

static __always_inline u64 argument(struct scratch *s, u32 i)
{
    u64 at = i;
    BOUND(at, 15);
    return s->args[at];
}

/* 64 bytes of the comparison between an argument at entry and at exit */
struct compare {
    u64 at;
    u32 words, slot, differs, pad;
    u64 last_mask;
};

static long compare_step(u32 i, struct compare *c)
{
    struct scratch *s = scratch();
    struct entry *e = bpf_task_storage_get(&entries, bpf_get_current_task_btf(), 0, 0);
    u64 here = c->at + i * 64, there = i * 64, a, b;
    u32 left = c->words - i * 8;
    if (!s || !e)
        return 1;
    BOUND(here, DATA_MASK);
    BOUND(there, 0xfff);
    for (int k = 0; k < 8; k++) {
        if (k >= left)
            return 1;
        a = *(u64 *)(s->data + here + k * 8);
        b = c->slot ? *(u64 *)(e->data[1] + there + k * 8) : *(u64 *)(e->data[0] + there + k * 8);
        if (k + 1 == left) {
            a &= c->last_mask;
            b &= c->last_mask;
        }
        if (a != b) {
            c->differs = 1;
            return 1;
        }
    }
    return 0;
}

/* Did a watched argument, `len` bytes just written at `at`, change since the call began? What could be read
 * at entry only (the page is gone) is taken from there. Returns how many bytes the parameter now has. */
__noinline int check_tampering(u64 at, u64 len, u32 slot)
{
    struct scratch *s = scratch();
    struct compare c = {};
    struct entry *e;
    u64 before;
    if (!s)
        return len;
    e = bpf_task_storage_get(&entries, bpf_get_current_task_btf(), 0, 0);
    if (!e || e->nr != s->nr + 1)
        return len;
    before = slot ? e->len[1] : e->len[0];
    if (!before || before > PATH_BYTES)
        return len;
    if (before != len) {
        s->tampered |= slot ? 2 : 1;
        if (len)
            return len;
        len = before;
        BOUND(at, DATA_MASK);
        BOUND(before, 0x1fff);
        bpf_probe_read_kernel(s->data + at, before, slot ? e->data[1] : e->data[0]);
        return len;
    }
    c.at = at;
    c.slot = slot;
    c.words = (len + 7) / 8;
    c.last_mask = len % 8 ? (1ULL << (len % 8 * 8)) - 1 : ~0ULL;
    bpf_loop((c.words + 7) / 8, compare_step, &c, 0);
    if (c.differs)
        s->tampered |= slot ? 2 : 1;
    return len;
}
