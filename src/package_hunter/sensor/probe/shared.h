/* What the probe and its Python side (sensor/layout.py) share. tests/unit/sensor compares both. */
#pragma once

#define SLOTS 32          /* scans at a time, per loaded probe */
#define EVENT_TYPES 512   /* Falco has 458 of them today */
#define MAX_OPS 32        /* parameters of an event, at most (execve has 31) */
#define MAX_PROGRAMS 256
#define ABI_TABLE 1024    /* syscall numbers kept for each of the two tables (native, 32-bit) */
#define MAX_TABLES 64     /* flag tables */
#define PREFIX_BYTES 240  /* longest path prefix of the kernel-side filter for read-only opens */

/* In front of every event in a ring. The event follows as a .scap event block holds it. */
struct record {
    u32 cpu;
    u32 scan;
};

/* A scan as the kernel side knows it: scans[scan % SLOTS]. */
struct scan {
    u32 id;
    u32 flags;                     /* SCAN_* */
    u64 filter[EVENT_TYPES / 64];  /* event types that are wanted */
    u64 done[EVENT_TYPES / 64];    /* those of which only calls that succeeded are */
    u64 ring_bytes;
    u64 boot_ns;                   /* wall clock minus time since boot */
    u64 hold;                      /* ns that a KiB of event costs while the ring is half full or more */
};
#define SCAN_OPEN 1        /* events flow */
#define SCAN_PREFIXES 2    /* read-only opens only below the prefixes of the map `prefixes` */
#define SCAN_DUP_ONLY 4    /* of fcntl only what makes descriptors */

/* Per scan and cpu. */
struct counts {
    u64 events;    /* written to the ring */
    u64 bytes;
    u64 lost;      /* the ring was full */
    u64 first_lost_ns, last_lost_ns;  /* boot time */
    u32 last_lost_tid;
    u32 orphans;   /* a child could not be made a member: no memory */
    u64 started;   /* members registered or forked */
    u64 ended;
    u64 held_ns;   /* that members were made to wait in the hooks */
    u32 by_type[EVENT_TYPES];
    u32 lost_by_type[EVENT_TYPES];
    u32 filtered[EVENT_TYPES];
};

/* Membership of a thread, in task storage. */
struct member {
    u32 scan;
    u32 vanished; /* not used in the kernel; keeps the size even */
};

/* One step of writing an event: one parameter. */
struct op {
    u8 code;  /* OP_* */
    u8 arg;   /* syscall argument 0-5, or 8-15 for a value that `prep` fetched */
    u8 aux;   /* OP's own */
    u8 table; /* flag table for conversion, 0: none; 0x80 set: enumeration */
};

/* How to write one event. */
struct program {
    u16 event;
    u8 params;
    u8 flags;   /* PROG_* */
    u8 prep;    /* PREP_*: values to fetch from user memory before the parameters */
    u8 prep_arg;
    u8 watch[2];  /* 1 + number of the argument whose content is compared between entry and exit, 0: none */
    u8 watch_len; /* 1 + argument that holds the length of watch[0]: an address and not a path; 0: path */
    u8 pad;
    struct op ops[MAX_OPS];
};
#define PROG_FILE_RET 1   /* the result is a descriptor: its file is looked at */
#define PROG_FILE_ARG 2   /* argument 0 is a descriptor */
#define PROG_EXTRA 4      /* the event always carries our own parameter, even if empty */
#define PROG_PATH 8       /* with the path of the file */
#define PROG_CWD 16       /* with the task's working directory as path */
#define PROG_START 32     /* with the start of the process */
#define PROG_SKIP_ZERO 64 /* result 0 is reported by another hook (exec, fork) */
#define PROG_LOCAL 128    /* with the local address of the socket in argument 0, where no tuple was written */

struct prefix_key {
    u32 bits;
    u32 scan;
    u8 path[PREFIX_BYTES];
};
