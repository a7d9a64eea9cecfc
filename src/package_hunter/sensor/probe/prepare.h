/* What a call's arguments point to, where members of it are parameters. */
#pragma once

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
