/* Our own parameter behind Falco's: what the kernel knows better than the call's arguments (model/event.py, Extra). */
#pragma once

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
