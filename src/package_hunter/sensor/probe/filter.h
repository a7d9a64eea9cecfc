/* What a scan's filter leaves out beyond whole event types. */
#pragma once

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
