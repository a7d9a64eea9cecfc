/* The path of an open file as the kernel sees it: from the dentry upwards, across mounts, to the root of the
 * mount namespace. Neither symlinks nor chroot nor the names that the caller used matter.
 * A plain loop is too long for the verifier; bpf_loop (5.17) is not. */
#pragma once

struct walk {
    struct scratch *s;
    struct dentry *dentry, *root;
    struct mount *mount;
    u64 pos;
    u32 done;
};

#define WALK_STEPS 192
#define WALK_DONE 1
#define WALK_CUT 2

static long walk_step(u32 i, struct walk *w)
{
    struct dentry *dentry = w->dentry;
    struct dentry *parent = GET(struct dentry, dentry, d_parent);
    struct mount *mount = w->mount;
    u64 len, at;

    if (dentry == w->root || dentry == parent) {
        struct mount *up;
        if (dentry != w->root) {
            w->done = WALK_DONE;
            return 1;
        }
        up = GET(struct mount, mount, mnt_parent);
        if (up == mount) {
            w->done = WALK_DONE;
            return 1;
        }
        w->dentry = GET(struct mount, mount, mnt_mountpoint);
        w->mount = up;
        w->root = GET(struct mount, up, mnt.mnt_root);
        return 0;
    }
    len = GET(struct dentry, dentry, d_name.len);
    if (len > 255)
        len = 255;
    at = w->pos;
    if (at < len + 8) {
        w->done = WALK_CUT;
        return 1;
    }
    at -= len + 1;
    BOUND(at, 0xfff);
    w->pos = at;
    struct scratch *s = scratch();
    if (!s)
        return 1;
    s->tmp[at] = '/';
    BOUND(len, 0xff);
    bpf_probe_read_kernel(&s->tmp[at + 1], len, GET(struct dentry, dentry, d_name.name));
    w->dentry = parent;
    return 0;
}

/* Puts the path into s->tmp and returns where it starts; it ends before PATH_BYTES with a NUL. */
__noinline int walk_path(u64 path_address)
{
    struct path *path = (struct path *)path_address;
    struct scratch *s = scratch();
    struct walk w = {};
    struct vfsmount *vfs;
    u64 at;

    if (!s || !path)
        return 0;
    vfs = GET(struct path, path, mnt);
    w.dentry = GET(struct path, path, dentry);
    w.mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
    w.root = GET(struct vfsmount, vfs, mnt_root);
    w.pos = PATH_BYTES - 1;
    if (!w.dentry || !vfs)
        return 0;
    bpf_loop(WALK_STEPS, walk_step, &w, 0);
    s->tmp[PATH_BYTES - 1] = 0;
    at = w.pos;
    if (at == PATH_BYTES - 1) { /* a root, or something that is in no tree: memfd, pipe */
        struct dentry *last = w.dentry;
        at = PATH_BYTES - 256;
        bpf_probe_read_kernel_str(&s->tmp[PATH_BYTES - 256], 255, BPF_CORE_READ(last, d_name.name));
        return at;
    }
    if (w.done != WALK_DONE && at > 3) { /* too deep: what is known, marked as no absolute path */
        at -= 3;
        BOUND(at, 0xfff);
        s->tmp[at] = '.';
        s->tmp[at + 1] = '.';
        s->tmp[at + 2] = '.';
    }
    return at;
}

/* Appends the path that walk_path() left, with its NUL; returns its length. */
static __always_inline u32 put_walked(struct scratch *s, u64 start)
{
    if (!start)
        return 0;
    BOUND(start, 0xfff);
    return put_kernel_string(s, &s->tmp[start], PATH_BYTES);
}

static __always_inline u32 put_file_path(struct scratch *s, struct file *file)
{
    if (!file)
        return 0;
    return put_walked(s, walk_path((u64)file + bpf_core_field_offset(struct file, f_path)));
}

/* Of the current task. */
static __always_inline struct file *file_of_fd(s32 fd)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct files_struct *files = task->files;
    struct fdtable *fdt;
    struct file **slots, *file = 0;
    if (!files || fd < 0)
        return 0;
    fdt = GET(struct files_struct, files, fdt);
    if (!fdt || (u32)fd >= GET(struct fdtable, fdt, max_fds))
        return 0;
    slots = GET(struct fdtable, fdt, fd);
    bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
    return file;
}

/* The device number as stat(2) and Falco encode it. */
static __always_inline u32 encode_dev(u32 dev)
{
    u32 major = dev >> 20, minor = dev & 0xfffff;
    return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/* 0: not on an overlay, 1: lower layer, 2: upper layer. The overlay's inode is followed in memory by the
 * dentry of its upper file (struct ovl_inode), as Falco too relies on. */
static __always_inline u32 overlay_layer(struct file *file)
{
    struct dentry *dentry = GET(struct file, file, f_path.dentry);
    struct dentry *upper = 0;
    void *inode;
    if (GET(struct super_block, GET(struct dentry, dentry, d_sb), s_magic) != OVERLAYFS_MAGIC)
        return 0;
    inode = GET(struct dentry, dentry, d_inode);
    bpf_probe_read_kernel(&upper, sizeof(upper), inode + bpf_core_type_size(struct inode));
    if (upper && BPF_CORE_READ(upper, d_inode, i_ino))
        return 2;
    return 1;
}
