/* Where an event is put together: one buffer a cpu (a tracepoint's program is not preempted by another one of
 * the same cpu), then copied into the scan's ring in one go. */
#pragma once

#define DATA_MASK 0xffffULL
#define DATA_SIZE (0x10000 + 0x8000 + 64)
#define TMP_SIZE (4096 + 512)
#define PATH_BYTES 4096
#define ARGS_BYTES 0x5fff /* of argv and of envp: Falco keeps 4096 of both together */
#define ENV_BYTES 0x3fff
#define SNAP_BYTES 80     /* of data sent or received, as Falco's default */

#define HOLD_MAX_NS 4000000 /* longest wait for one event: the cpu does nothing else meanwhile */

#define EVENT_AT 8                  /* the event begins behind struct record */
#define LENS_AT (EVENT_AT + 26)     /* behind ts, tid, len, type, nparams */

#define BOUND(var, mask) asm volatile("%0 &= %1" : "+r"(var) : "i"(mask))

struct scratch {
    u64 pos;      /* next byte of parameters */
    u64 lens;     /* next length */
    u64 args[16]; /* 0-5 the syscall's, 8-15 what prep fetched */
    s64 ret;
    u64 regs;
    u64 task;     /* whose event it is: current, or the child at fork */
    u64 file;
    u64 bprm;
    u64 start_path;
    u32 nr;
    u32 abi;      /* 0 native, 1 32-bit or x32 */
    u32 compat;   /* pointers and longs of this call have 4 bytes */
    u32 tampered; /* bit 0: first watched argument, bit 1: second */
    u32 program;
    u32 event;
    u32 params;
    u32 scan;
    u32 tuple;    /* a socket tuple was written */
    u32 exe_len;
    s64 moved;    /* bytes that the call sent or received: its result, or what a message says */
    u64 left, total, at; /* state of loops: on the stack the verifier would follow every value of it */
    u32 falco_id; /* PPM_SC number of the call, for generic events */
    u64 raw[20];  /* what prep read */
    u8 data[DATA_SIZE];
    u8 tmp[TMP_SIZE];
};

/* What the watched arguments were when the call began, one per thread, made when first needed. */
struct entry {
    u32 nr;
    u32 len[2];
    u32 pad;
    u8 data[2][PATH_BYTES + 64];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* set to the number of cpus before loading */
    __type(key, u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct member);
} members SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct entry);
} entries SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, u32);
    __type(value, struct scan);
} scans SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, u32);
    __type(value, struct counts);
} counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2 * ABI_TABLE);
    __type(key, u32);
    __type(value, u32); /* 1 + program, PPM_SC number from bit 16; 0: not reported */
} dispatch SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_PROGRAMS);
    __type(key, u32);
    __type(value, struct program);
} programs SEC(".maps");

/* Falco's flag for each bit of the kernel's. */
struct flag_table {
    u32 bit[32];
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_TABLES);
    __type(key, u32);
    __type(value, struct flag_table);
} flag_tables SEC(".maps");

struct enum_key {
    u32 table;
    u32 value;
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 512);
    __type(key, struct enum_key);
    __type(value, u32);
} enums SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 16384); /* of all scans: a hundred from our rules, two for each fake of the box */
    __type(key, struct prefix_key);
    __type(value, u8);
} prefixes SEC(".maps");

struct ring {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, SLOTS);
    __type(key, u32);
    __array(values, struct ring);
} rings SEC(".maps");

static __always_inline struct scratch *scratch(void)
{
    u32 cpu = bpf_get_smp_processor_id();
    return bpf_map_lookup_elem(&scratches, &cpu);
}

static __always_inline void put_len(struct scratch *s, u32 len)
{
    u64 at = s->lens;
    BOUND(at, 0x3ff);
    *(u16 *)(s->data + at) = len;
    s->lens = at + 2;
}

static __always_inline void put_byte(struct scratch *s, u8 v)
{
    u64 at = s->pos;
    BOUND(at, DATA_MASK);
    s->data[at] = v;
    s->pos = at + 1;
}

/* `bytes` low bytes of a value, without a length. */
static __always_inline void put_raw(struct scratch *s, u64 v, u32 bytes)
{
    u64 at = s->pos;
    BOUND(at, DATA_MASK);
    *(u64 *)(s->data + at) = v;
    s->pos = at + bytes;
}

static __always_inline void put(struct scratch *s, u64 v, u32 bytes)
{
    put_raw(s, v, bytes);
    put_len(s, bytes);
}

/* Up to `max` (a power of two minus one) bytes of user memory; what cannot be read makes nothing. */
static __always_inline u32 put_user_bytes(struct scratch *s, u64 from, u64 len, u32 max)
{
    u64 at = s->pos;
    if (!from || !len)
        return 0;
    if (len > max)
        len = max;
    BOUND(at, DATA_MASK);
    BOUND(len, 0x7fff);
    if (bpf_probe_read_user(s->data + at, len, (void *)from))
        return 0;
    s->pos = at + len;
    return len;
}

static __always_inline u32 put_kernel_bytes(struct scratch *s, const void *from, u64 len)
{
    u64 at = s->pos;
    BOUND(at, DATA_MASK);
    BOUND(len, 0x1fff);
    if (bpf_probe_read_kernel(s->data + at, len, from))
        return 0;
    s->pos = at + len;
    return len;
}

/* A string with its NUL; unreadable: nothing. */
static __always_inline u32 put_user_string(struct scratch *s, u64 from, u32 max)
{
    u64 at = s->pos;
    long n;
    if (!from)
        return 0;
    BOUND(at, DATA_MASK);
    n = bpf_probe_read_user_str(s->data + at, max, (void *)from);
    if (n <= 0)
        return 0;
    s->pos = at + n;
    return n;
}

static __always_inline u32 put_kernel_string(struct scratch *s, const void *from, u32 max)
{
    u64 at = s->pos;
    long n;
    if (!from)
        return 0;
    BOUND(at, DATA_MASK);
    n = bpf_probe_read_kernel_str(s->data + at, max, from);
    if (n <= 0)
        return 0;
    s->pos = at + n;
    return n;
}

static __always_inline struct task_struct *task_of(struct scratch *s)
{
    return (struct task_struct *)s->task;
}
