/* Addresses, as Falco writes them: `u8 family` and then, for the internet, address and port (host order);
 * for unix, kernel pointers and the path. A tuple holds source before destination. */
#pragma once

static __always_inline u16 ntohs16(u16 v)
{
    return (v >> 8) | (v << 8);
}

static __always_inline struct sock *sock_of_file(struct file *file)
{
    struct inode *inode = GET(struct file, file, f_inode);
    struct socket *socket;
    if (!inode || GET(struct super_block, GET(struct inode, inode, i_sb), s_magic) != SOCKFS_MAGIC)
        return 0;
    socket = GET(struct file, file, private_data);
    return socket ? GET(struct socket, socket, sk) : 0;
}

static __always_inline struct sock *sock_of_fd(s32 fd)
{
    struct file *file = file_of_fd(fd);
    return file ? sock_of_file(file) : 0;
}

static __always_inline u32 put_unix_path(struct scratch *s, const char *path, bool_t user)
{
    char first = 0;
    if (user)
        bpf_probe_read_user(&first, 1, path);
    else
        bpf_probe_read_kernel(&first, 1, path);
    if (!first)
        path++; /* abstract: the name follows a NUL */
    if (user)
        return put_user_string(s, (u64)path, 108);
    return put_kernel_string(s, path, 108);
}

/* A copy of the address in user memory, at `at` in the buffer; compared with what it was at entry. */
static __always_inline u32 read_address(struct scratch *s, u64 from, u64 len, u64 at)
{
    if (len > 128)
        len = 128;
    BOUND(at, DATA_MASK);
    BOUND(len, 0xff);
    *(u64 *)(s->data + at) = 0;
    if (!from || len < 2 || bpf_probe_read_user(s->data + at, len, (void *)from))
        len = 0;
    return check_tampering(at, len, 0);
}

/* sockaddr in user memory */
__noinline int op_sockaddr(u64 from, u64 len)
{
    struct scratch *s = scratch();
    u64 before, at, port, v4, v6[2];
    u16 family;
    if (!s)
        return 0;
    before = s->pos;
    at = before + 256;
    len = read_address(s, from, (u32)len, at);
    BOUND(at, DATA_MASK);
    family = *(u16 *)(s->data + at);
    port = ntohs16(*(u16 *)(s->data + at + 2));
    v4 = *(u32 *)(s->data + at + 4);
    if (family == AF_INET && len >= 8) {
        put_raw(s, AF_INET, 1);
        put_raw(s, v4, 4);
        put_raw(s, port, 2);
    } else if (family == AF_INET6 && len >= 24) {
        v6[0] = *(u64 *)(s->data + at + 8);
        v6[1] = *(u64 *)(s->data + at + 16);
        put_raw(s, AF_INET6, 1);
        put_raw(s, v6[0], 8);
        put_raw(s, v6[1], 8);
        put_raw(s, port, 2);
    } else if (family == AF_UNIX && len > 2) {
        at += len;
        BOUND(at, DATA_MASK);
        s->data[at] = 0;
        at = before + 256;
        BOUND(at, DATA_MASK);
        put_raw(s, AF_UNIX, 1);
        put_unix_path(s, (char *)s->data + at + 2, 0);
    }
    put_len(s, s->pos - before);
    return 0;
}

static __always_inline void put_v6(struct scratch *s, const u32 *a)
{
    put_raw(s, a[0], 4);
    put_raw(s, a[1], 4);
    put_raw(s, a[2], 4);
    put_raw(s, a[3], 4);
}

struct inet_ends {
    u32 local[4], remote[4];
    u16 local_port, remote_port;
};

/* Both ends of an internet socket; the remote one from user memory where the socket is not connected. */
static __always_inline void read_ends(struct inet_ends *e, struct sock *sk, u16 family, u64 user)
{
    struct inet_sock *inet = (struct inet_sock *)sk;
    e->local_port = ntohs16(BPF_CORE_READ(inet, inet_sport));
    e->remote_port = ntohs16(BPF_CORE_READ(sk, __sk_common.skc_dport));
    if (family == AF_INET) {
        e->local[0] = BPF_CORE_READ(inet, inet_saddr);
        e->remote[0] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
    } else {
        struct ipv6_pinfo *pinet6 = BPF_CORE_READ(inet, pinet6);
        bpf_core_read(e->local, 16, &pinet6->saddr);
        bpf_core_read(e->remote, 16, &sk->__sk_common.skc_v6_daddr);
    }
    if (!e->remote_port && user) {
        u16 port = 0;
        bpf_probe_read_user(&port, 2, (void *)user + 2);
        e->remote_port = ntohs16(port);
        if (family == AF_INET)
            bpf_probe_read_user(e->remote, 4, (void *)user + 4);
        else
            bpf_probe_read_user(e->remote, 16, (void *)user + 8);
    }
}

/* inbound: the other end comes first */
__noinline int op_tuple(s32 fd, u64 user, u32 inbound)
{
    struct scratch *s = scratch();
    struct inet_ends e = {};
    struct sock *sk;
    u64 before;
    u16 family;
    if (!s)
        return 0;
    before = s->pos;
    sk = sock_of_fd(fd);
    if (!sk)
        goto out;
    family = BPF_CORE_READ(sk, __sk_common.skc_family);
    if (family == AF_INET || family == AF_INET6) {
        read_ends(&e, sk, family, user);
        put_raw(s, family, 1);
        if (family == AF_INET) {
            put_raw(s, inbound ? e.remote[0] : e.local[0], 4);
            put_raw(s, inbound ? e.remote_port : e.local_port, 2);
            put_raw(s, inbound ? e.local[0] : e.remote[0], 4);
        } else {
            put_v6(s, inbound ? e.remote : e.local);
            put_raw(s, inbound ? e.remote_port : e.local_port, 2);
            put_v6(s, inbound ? e.local : e.remote);
        }
        put_raw(s, inbound ? e.local_port : e.remote_port, 2);
    } else if (family == AF_UNIX) {
        struct unix_sock *here = (struct unix_sock *)sk;
        struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(here, peer);
        struct unix_address *address;
        put_raw(s, AF_UNIX, 1);
        put_raw(s, inbound ? (u64)here : (u64)peer, 8);
        put_raw(s, inbound ? (u64)peer : (u64)here, 8);
        address = BPF_CORE_READ(inbound || !peer ? here : peer, addr);
        if (!inbound && !peer && user)
            put_unix_path(s, (char *)user + 2, 1);
        else if (!inbound && !peer)
            put_byte(s, 0);
        else if (address)
            put_unix_path(s, (char *)address + bpf_core_field_offset(struct unix_address, name) + 2, 0);
        else
            put_byte(s, 0);
    }
out:
    s->tuple = s->pos != before;
    put_len(s, s->pos - before);
    return 0;
}

/* The local end alone, as a TLV of the extra parameter (LOCAL). */
__noinline int extra_local(s32 fd)
{
    struct scratch *s = scratch();
    struct inet_ends e = {};
    struct sock *sk;
    u16 family;
    if (!s)
        return 0;
    sk = sock_of_fd(fd);
    if (!sk)
        return 0;
    family = BPF_CORE_READ(sk, __sk_common.skc_family);
    if (family != AF_INET && family != AF_INET6)
        return 0;
    read_ends(&e, sk, family, 0);
    if (!e.local_port)
        return 0;
    put_raw(s, EXTRA_LOCAL, 1);
    put_raw(s, family == AF_INET ? 7 : 19, 2);
    put_raw(s, family, 1);
    if (family == AF_INET)
        put_raw(s, e.local[0], 4);
    else
        put_v6(s, e.local);
    put_raw(s, e.local_port, 2);
    return 0;
}

/* accept's queue: 0 percent, 1 length, 2 maximum */
__noinline int op_queue(s32 fd, u32 which)
{
    struct scratch *s = scratch();
    u64 len = 0, max = 0;
    struct sock *sk;
    if (!s)
        return 0;
    sk = s->ret >= 0 ? sock_of_fd(fd) : 0;
    if (sk) {
        len = BPF_CORE_READ(sk, sk_ack_backlog);
        max = BPF_CORE_READ(sk, sk_max_ack_backlog);
    }
    if (which == 0)
        put(s, len && max ? len * 100 / max : 0, 1);
    else
        put(s, which == 1 ? len : max, 4);
    return 0;
}
