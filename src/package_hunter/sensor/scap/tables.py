"""The tables at the head of a recording: machine, processes, descriptors, users, interfaces."""

from __future__ import annotations

from package_hunter.model.table import FdEntry, ProcEntry
from package_hunter.sensor.scap.blocks import FD_KINDS, Fields, RecordingError

_L4 = {2: 1, 3: 2, 4: 3, 5: 4}  # libscap's number of a protocol -> ours (model.table.FdEntry)
_MAX_ENTRIES = 200_000
_LATE_FIELDS_BEFORE_0_10 = 29


def read_machine(data: bytes) -> tuple[str, int]:
    """Host name, and wall clock minus boot time in ns."""
    fields = Fields(data)
    fields.take(20)
    name = fields.take(128).split(b"\0", 1)[0].decode("utf-8", "replace")
    return name, fields.number(8) if fields.left >= 8 else 0


def read_processes(data: bytes, version: int) -> list[ProcEntry]:
    """The threads that were alive when the recording began."""
    fields = Fields(data)
    found: list[ProcEntry] = []
    while fields.left >= 4:
        if len(found) >= _MAX_ENTRIES:
            raise RecordingError("the recording's process table is longer than any machine's.")
        entry, end = fields, 0
        if version >= 9:
            size = fields.number(4)
            end = fields.pos - 4 + size
            if size < 4 or end > fields.end:
                raise RecordingError("the recording's process table contradicts itself.")
            entry = Fields(data, fields.pos, end)
        found.append(_process(entry, version))
        if version >= 9:
            fields.pos = end
    return found


def _process(fields: Fields, version: int) -> ProcEntry:
    """One thread; which fields there are grew with the block's version, then with the entry's length."""
    num, text = fields.number, fields.string
    tid, pid, ptid = num(8, True), num(8, True), num(8, True)
    sid = num(8, True) if version >= 6 else -1
    vpgid = num(8, True) if version >= 8 else -1
    comm, exe = text(), text()
    exepath = text() if version >= 7 else b""
    args, cwd = text(), text()
    fdlimit, flags, uid, gid = num(8, True), num(4), num(4), num(4)
    memory = (num(4), num(4), num(4), num(8), num(8)) if version >= 2 else (0, 0, 0, 0, 0)
    env = text() if version >= 3 else b""
    vtid, vpid, cgroups = (num(8, True), num(8, True), text()) if version >= 4 else (-1, -1, b"")
    root = text() if version >= 5 else b""
    late = _Late(fields, version)
    if fields.left > _LATE_FIELDS_BEFORE_0_10:
        pidns, tty = late.number(8), late.number(4)
    else:
        pidns, tty = 0, 0
    loginuid = late.number(4, 0xFFFFFFFF)
    writable = late.number(1)
    caps = late.number(8), late.number(8), late.number(8)
    upper = late.number(1)
    inode = late.number(8), late.number(8), late.number(8)
    memfd, lower = late.number(1), late.number(1)
    pgid = late.number(8, -1, signed=True)
    return ProcEntry(
        *(tid, pid, ptid, sid, vpgid, vtid, vpid, pgid, comm, exe, exepath, _words(args), _words(env), cwd),
        *(uid, gid, loginuid, *caps, tty, flags, fdlimit, *memory),
        pidns_init_start_ts=pidns,
        exe_ino=inode[0],
        exe_ino_ctime=inode[1],
        exe_ino_mtime=inode[2],
        exe_writable=bool(writable),
        exe_upper_layer=bool(upper),
        exe_lower_layer=bool(lower),
        exe_from_memfd=bool(memfd),
        cgroups=_pairs(cgroups),
        root=root,
    )


class _Late:
    """Fields that only longer entries have."""

    def __init__(self, fields: Fields, version: int) -> None:
        self._fields = fields
        self._any = version >= 9

    def number(self, size: int, missing: int = 0, signed: bool = False) -> int:
        if not self._any or self._fields.left < size:
            return missing
        return self._fields.number(size, signed)


def _words(data: bytes) -> tuple[bytes, ...]:
    if not data:
        return ()
    return tuple((data[:-1] if data[-1] == 0 else data).split(b"\0"))


def _pairs(data: bytes) -> tuple[tuple[str, str], ...]:
    words = (w.decode("utf-8", "replace").partition("=") for w in _words(data))
    return tuple((_controller(name), path) for name, equals, path in words if equals)


def _controller(name: str) -> str:
    name = name.replace("_cgroup", "", 1)
    return {"perf": "perf_event", "mem": "memory", "io": "blkio"}.get(name, name)


def read_fds(data: bytes, version: int) -> tuple[int, list[FdEntry]]:
    """A thread's number and its descriptors."""
    fields = Fields(data)
    tid = fields.number(8, True)
    found: list[FdEntry] = []
    while fields.left >= 4:
        if len(found) >= _MAX_ENTRIES:
            raise RecordingError("a descriptor table of the recording is longer than any process's.")
        if version < 2:
            entry = _fd(fields)
        else:
            size = fields.number(4)
            end = fields.pos - 4 + size
            if size < 4 or end > fields.end:
                raise RecordingError("a descriptor table of the recording contradicts itself.")
            entry = _fd(Fields(data, fields.pos, end))
            fields.pos = end
        if entry is not None:
            found.append(entry)
    return tid, found


def _fd(fields: Fields) -> FdEntry | None:
    number, ino, type_ = fields.number(8, True), fields.number(8), fields.number(1)
    kind = FD_KINDS.get(type_)
    if kind is None:
        return None
    if type_ in (3, 4):
        size = 4 if type_ == 3 else 16
        sip, dip = fields.take(size), fields.take(size)
        sport, dport, l4 = fields.number(2), fields.number(2), _L4.get(fields.number(1), 0)
        return FdEntry(number, kind, "", ino, l4proto=l4, local=(sip, sport), remote=(dip, dport))
    if type_ in (5, 6):
        ip = fields.take(4 if type_ == 5 else 16)
        port, l4 = fields.number(2), _L4.get(fields.number(1), 0)
        return FdEntry(number, kind, "", ino, l4proto=l4, local=(ip, port), is_server=True)
    flags = dev = 0
    if type_ == 8:
        fields.take(16)
    elif type_ == 16:
        flags = fields.number(4)
    name = fields.string().decode("utf-8", "replace")
    if type_ == 16 and fields.left >= 4:
        dev = fields.number(4)
    return FdEntry(number, kind, name, ino, dev, flags)


def read_users(data: bytes, version: int) -> tuple[dict[int, tuple[str, str, str]], dict[int, str]]:
    """Users (id -> name, home, shell) and groups (id -> name)."""
    fields = Fields(data)
    users: dict[int, tuple[str, str, str]] = {}
    groups: dict[int, str] = {}
    while fields.left >= 4:
        end = 0
        if version >= 2:
            size = fields.number(4)
            end = fields.pos - 4 + size
            if size < 4 or end > fields.end:
                raise RecordingError("the recording's user table contradicts itself.")
        if fields.number(1) == 0:
            uid, _ = fields.number(4), fields.number(4)
            name, home, shell = (fields.string().decode("utf-8", "replace") for _ in range(3))
            users[uid] = (name, home, shell)
        else:
            gid = fields.number(4)
            groups[gid] = fields.string().decode("utf-8", "replace")
        if version >= 2:
            fields.pos = end
    return users, groups


def read_interfaces(data: bytes, version: int) -> tuple[bytes, ...]:
    """Packed addresses of the machine's interfaces."""
    fields = Fields(data)
    found: list[bytes] = []
    while fields.left >= 4:
        size = fields.number(4) if version >= 2 else 0
        start = fields.pos
        type_, name = fields.number(2), fields.number(2)
        width = {1: 4, 2: 16, 3: 4, 4: 16}.get(type_)
        speed = 8 if type_ in (1, 2) else 0
        if width is None:
            raise RecordingError("the recording's interface table holds a kind that is not known.")
        found.append(fields.take(width))
        fields.take(2 * width + speed + name)
        if version >= 2:
            fields.pos = min(max(start + size, start + 4), fields.end)
    return tuple(found)
