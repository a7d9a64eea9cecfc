"""Fields of descriptors and paths (facts: falcosecurity/libs sinsp_filtercheck_fd.cpp, _fspath.cpp)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from package_hunter.enrich import render
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import LOWER_LAYER, PROTOCOLS, UPPER_LAYER, Fd
from package_hunter.enrich.kinds import AT_FDCWD, kinds
from package_hunter.enrich.paths import join
from package_hunter.enrich.text import name_of
from package_hunter.model.event import Extra
from package_hunter.model.fields import Extract

_Of = Callable[[Fd], Any]


def fd_of(ev: Ev) -> Fd | None:
    """The descriptor that the event is about."""
    fd = ev.fd
    if fd is None and ev.fd_num >= 0 and ev.thread is not None:
        fd = ev.thread.fd(ev.fd_num)
    return fd


def _own(of: _Of) -> Extract:
    def get(ev: Ev) -> Any:
        if not ev.kind.touches_fd or ev.thread is None:
            return None
        fd = fd_of(ev)
        return None if fd is None else of(fd)

    return get


def name(ev: Ev) -> str | None:
    """``fd.name``: of the descriptor, or of what the failed call asked for."""
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    fd = ev.fd
    if fd is None:
        fd = fd_of(ev)
        if fd is None:
            return _asked(ev, raw=False)
    return fd.name


def _asked(ev: Ev, raw: bool) -> str | None:
    """The name in the arguments of a call that gave no descriptor."""
    key = ev.kind.key
    if not ev.kind.is_exit or ev.thread is None:
        return None
    if key in _ASKED_AT_1:
        return render.shown(ev, 1)
    if key in ("syscall_openat_2_x", "syscall_openat2_x"):
        if not ev.param(2):
            return None
        path = name_of(ev.param(2))
        if raw:
            return path
        if not ev.param(1):
            return None
        if ev.kernel_path:
            return ev.kernel_path
        base = ev.state.dir_of(ev.thread, path, ev.sint(1))
        return join("" if base == "." else base, path)
    if key == "syscall_open_by_handle_at_x":
        return name_of(ev.param(3))
    return ""


_ASKED_AT_1 = frozenset(
    {
        *("syscall_open_x", "syscall_creat_x", "socket_accept_5_x", "socket_accept4_6_x", "socket_connect_x"),
    }
)


def _nameraw(ev: Ev) -> Any:
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    fd = fd_of(ev)
    text = _asked(ev, raw=True) if fd is None else fd.raw_name
    return None if text is None else one_slash(text)


def one_slash(text: str) -> str:
    """A path with one slash where several follow each other."""
    return text if "//" not in text else _SLASHES.sub("/", text)


_SLASHES = re.compile("/+")


@cache
def asked_of(number: int, raw: bool) -> Extract:
    """``_asked`` for one event type: the path of an openat that failed is asked for most often of all."""
    kind = kinds()[number]
    assert kind is not None
    if raw or kind.key not in ("syscall_openat_2_x", "syscall_openat2_x"):
        return lambda ev: one_slash(text) if raw and (text := _asked(ev, raw)) else _asked(ev, raw)

    def get(ev: Ev) -> str | None:
        data = ev.param(2)
        if not data or not ev.param(1):
            return None
        known = ev.kernel_path
        if known:
            return known
        path = name_of(data)
        if path[:1] == "/":
            return join("", path)
        assert ev.thread is not None
        base = ev.state.dir_of(ev.thread, path, ev.sint(1))
        return join("" if base == "." else base, path)

    return get


def _directory(ev: Ev) -> Any:
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    fd = fd_of(ev)
    return directory_of(fd, _asked(ev, raw=False) if fd is None else fd.name)


def directory_of(fd: Fd | None, text: str | None) -> str | None:
    """The directory of a path: of a descriptor, or of one that was asked for in vain."""
    if text is None:
        return None
    if fd is not None and fd.kind != "file":
        return text if fd.kind == "directory" else None
    cut = text.rfind("/")
    if cut <= 0:
        return "/"
    return text[:cut] if cut < len(text) - 1 else text


def filename_of(fd: Fd) -> Any:
    """The last part of a file's path."""
    if fd.kind != "file":
        return None
    cut = fd.name.rfind("/")
    if cut < 0:
        return "/"
    return fd.name[cut + 1 :] or fd.name


def _typechar(ev: Ev) -> Any:
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    fd = fd_of(ev)
    return fd.type_char if fd is not None else CHARS.get(ev.kind.name, "o")


CHARS = {
    **dict.fromkeys(("openat", "openat2", "creat"), "f"),
    **dict.fromkeys(("socket", "accept", "accept4"), "4"),
    **dict.fromkeys(("pipe", "pipe2"), "p"),
    **dict.fromkeys(("eventfd", "eventfd2"), "e"),
    **dict.fromkeys(("signalfd", "signalfd4"), "s"),
    "timerfd_create": "t",
    **dict.fromkeys(("inotify_init", "inotify_init1"), "i"),
}


def _types(arg: str | None) -> Extract:
    def get(ev: Ev) -> Any:
        if not ev.kind.touches_fd or ev.thread is None:
            return None
        table = ev.thread.table() or {}
        if arg is not None and arg != "-1":  # -1 is how Falco itself writes "all"
            fd = table.get(int(arg))
            return None if fd is None else fd.kind or "<NA>"
        return tuple(dict.fromkeys(fd.kind or "<NA>" for fd in table.values()))

    return get


def _both(ip: bool) -> Extract:
    def of(fd: Fd) -> Any:
        if not fd.is_ip:
            return None
        if fd.listens:
            return (fd.dip,) if ip else (fd.dport,)
        return (fd.sip or _zero(fd), fd.dip or _zero(fd)) if ip else (fd.sport, fd.dport)

    return _own(of)


def _zero(fd: Fd) -> bytes:
    return bytes(4 if fd.kind == "ipv4" else 16)


def _client(of: _Of) -> Extract:
    return _own(lambda fd: of(fd) if fd.is_ip and fd.role and not fd.listens else None)


def _server(of: _Of) -> Extract:
    return _own(lambda fd: of(fd) if fd.is_ip and (fd.role or fd.listens) else None)


def _side(local: bool, of: Callable[[bytes, int], Any]) -> Extract:
    """Of the end that is (or is not) an address of this machine."""

    def get(ev: Ev) -> Any:
        if not ev.kind.touches_fd or ev.thread is None:
            return None
        fd = fd_of(ev)
        if fd is None or not fd.is_ip or fd.listens or not fd.role:
            return None
        first = ev.state.is_local(fd.sip) == local
        ip, port = (fd.sip, fd.sport) if first else (fd.dip, fd.dport)
        return of(ip or _zero(fd), port)

    return get


def _ip(packed: bytes, port: int) -> bytes:
    return packed


def _port(packed: bytes, port: int) -> int:
    return port


def _port_text(packed: bytes, port: int) -> str:
    return str(port)


def _named(end: Callable[[Ev], Any]) -> Extract:
    """The name behind an address."""

    def get(ev: Ev) -> Any:
        packed = end(ev)
        names = ev.state.names
        return names.get(packed) if packed and names is not None else None

    return get


def _is_server(ev: Ev) -> Any:
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    fd = fd_of(ev)
    if fd is None:
        return None
    return fd.listens or (fd.is_ip and ev.state.is_local(fd.dip))


def _cproto(fd: Fd) -> Any:
    if not fd.role:
        return None
    return str(fd.sport) if fd.is_ip and not fd.listens else ""


def _sproto(fd: Fd) -> Any:
    if not fd.is_ip or (not fd.listens and not fd.role):
        return None
    return "" if fd.listens else str(fd.dport)


_CIP = _client(lambda fd: fd.sip or _zero(fd))
_SIP = _server(lambda fd: (fd.dip or _zero(fd)) if fd.role else None)
_LIP, _RIP = _side(True, _ip), _side(False, _ip)


def _number(ev: Ev) -> Any:
    if not ev.kind.touches_fd or ev.thread is None:
        return None
    return ev.fd_num


PLAIN: dict[str, Extract] = {
    "fd.num": _number,
    "fd.type": _own(lambda fd: fd.kind or "<NA>"),
    "fd.typechar": _typechar,
    "fd.name": name,
    "fd.nameraw": _nameraw,
    "fd.directory": _directory,
    "fd.filename": _own(filename_of),
    "fd.ip": _both(True),
    "fd.net": _both(True),
    "fd.port": _both(False),
    "fd.proto": _both(False),
    "fd.cip": _CIP,
    "fd.cnet": _CIP,
    "fd.sip": _SIP,
    "fd.snet": _SIP,
    "fd.lip": _LIP,
    "fd.lnet": _LIP,
    "fd.rip": _RIP,
    "fd.rnet": _RIP,
    "fd.cport": _client(lambda fd: fd.sport),
    "fd.sport": _server(lambda fd: fd.dport),
    "fd.lport": _side(True, _port),
    "fd.rport": _side(False, _port),
    "fd.cproto": _own(_cproto),
    "fd.sproto": _own(_sproto),
    "fd.lproto": _side(True, _port_text),
    "fd.rproto": _side(False, _port_text),
    "fd.l4proto": _own(lambda fd: PROTOCOLS[fd.protocol]),
    "fd.sockfamily": _own(lambda fd: "ip" if fd.is_ip else "unix" if fd.kind == "unix" else None),
    "fd.is_server": _is_server,
    "fd.uid": lambda ev: f"{ev.tid}{ev.fd_num}" if ev.kind.touches_fd and ev.thread is not None else None,
    "fd.connected": _own(lambda fd: fd.connected),
    "fd.name_changed": lambda ev: ev.name_changed if ev.kind.touches_fd and ev.thread and fd_of(ev) else None,
    "fd.cip.name": _named(_CIP),
    "fd.sip.name": _named(_SIP),
    "fd.lip.name": _named(_LIP),
    "fd.rip.name": _named(_RIP),
    "fd.dev": _own(lambda fd: fd.dev),
    "fd.dev.major": _own(lambda fd: (fd.dev & 0xFFF00) >> 8),
    "fd.dev.minor": _own(lambda fd: (fd.dev & 0xFF) | (fd.dev >> 12 & 0xFFF00)),
    "fd.ino": _own(lambda fd: fd.ino),
    "fd.is_upper_layer": _own(lambda fd: bool(fd.flags & UPPER_LAYER)),
    "fd.is_lower_layer": _own(lambda fd: bool(fd.flags & LOWER_LAYER)),
    "fd.containername": lambda ev: _contained(ev, name(ev)),
    "fd.containerdirectory": lambda ev: _contained(ev, _directory(ev)),
}


def _contained(ev: Ev, text: str | None) -> str | None:
    box = ev.state.container
    return None if text is None else f"{box.id if box is not None else ''}:{text}"


WITH_ARG: dict[str, Callable[[str | None], Extract]] = {"fd.types": _types}

# Which parameters are path, source and target of a call that works on paths; "fd" is the descriptor
_PATHS = {
    **dict.fromkeys(("mkdir_2_x", "mkdirat_x", "rmdir_2_x", "unlink_2_x", "chown_x", "lchown_x"), ("path",)),
    **dict.fromkeys(
        ("unlinkat_2_x", "open_x", "openat_2_x", "openat2_x", "umount_1_x", "umount2_x"), ("name",)
    ),
    **dict.fromkeys(("fchmodat_x", "chmod_x"), ("filename",)),
    **dict.fromkeys(("fchmod_x", "fchown_x"), ("fd",)),
    "fchownat_x": ("pathname",),
    "quotactl_x": ("special",),
    **dict.fromkeys(("rename_x", "renameat_x", "renameat2_x"), ("", "oldpath", "newpath")),
    **dict.fromkeys(("link_2_x", "linkat_2_x"), ("", "newpath", "oldpath")),
    **dict.fromkeys(("symlink_x", "symlinkat_x"), ("", "linkpath", "target")),
    "mount_x": ("", "dev", "dir"),
}
_BY_DIRFD = frozenset(
    f"syscall_{k}"
    for k in ("newfstatat_x", "fchownat_x", "fchmodat_x", "mkdirat_x", "unlinkat_2_x", "mknodat_x")
)


@cache
def _path_parameter(number: int, which: int) -> int | None:
    """The parameter that is an event type's path; -1: its descriptor's name; None: it has none."""
    kind = kinds()[number]
    assert kind is not None
    row = _PATHS.get(kind.key.removeprefix("syscall_"), ())
    wanted = row[which] if which < len(row) else ""
    if not wanted:
        return None
    return -1 if wanted == "fd" else kind.index.get(wanted)


def _path(which: int, raw: bool) -> Extract:
    """which: 0 name, 1 source, 2 target; of calls that succeeded."""

    def get(ev: Ev) -> Any:
        at = _path_parameter(ev.type, which)
        if at is None or not ev.nparams:
            return None
        opens = ev.kind.params[0].name == "fd"
        if ev.res == -1 if opens else ev.res != 0:
            return None
        text = name(ev) if at < 0 else name_of(ev.param(at)) if ev.param(at) else "<NA>"
        if raw or text is None:
            return text
        if ev.thread is None:
            return None
        resolved = _kernel_path(ev, which)
        if resolved is not None:
            return resolved
        if text.startswith("/"):
            return join("", text)
        return _relative(ev, which, text)

    return get


def _kernel_path(ev: Ev, which: int) -> str | None:
    """Our probe's word, where it has one for this path."""
    extra = ev.extra
    if not extra:
        return None
    link = "link" in ev.kind.name
    tag = Extra.PATH if which == 0 or (which == 1) != (link and "sym" not in ev.kind.name) else Extra.PATH2
    if "symlink" in ev.kind.name:
        if which == 2:
            return None
        tag = Extra.PATH2 if Extra.PATH2 in extra else Extra.PATH
    data = extra.get(tag)
    return name_of(data) if data else None


def _relative(ev: Ev, which: int, text: str) -> str:
    key, thread = ev.kind.key, ev.thread
    assert thread is not None
    if key in ("syscall_openat_2_x", "syscall_openat2_x"):
        return join("", ev.fd.name if ev.fd is not None else "<UNKNOWN>")
    if key in _BY_DIRFD or (key == "syscall_symlinkat_x" and which == 1):
        if ev.state.container is not None and ev.fd_num == AT_FDCWD:
            return join(thread.working_dir(), text)  # Falco says <UNKNOWN> here, in recordings of its own
        return join(_dir_format(ev), text)
    if key == "syscall_symlinkat_x":
        return join("<UNKNOWN>", text)
    if key == "syscall_renameat2_x":
        base = ev.state.dir_of(thread, text, ev.sint(3 if which == 2 else 1))
        return join(base, text)
    return join(thread.working_dir(), text)


def _dir_format(ev: Ev) -> str:
    fd = ev.fd
    if fd is None or fd.kind != "directory":
        return "<UNKNOWN>"
    return fd.name if not fd.name or fd.name.endswith("/") else fd.name + "/"


def changed_path(ev: Ev, which: int) -> str | None:
    """The path that a successful call worked on (0), took from (1) or made (2), as well as it is known."""
    at = _path_parameter(ev.type, which)
    if at is None or ev.res != 0:
        return None
    if at < 0:
        return _kernel_path(ev, which) or (ev.fd.name if ev.fd is not None else None)
    known = _kernel_path(ev, which) or render.shown(ev, at)
    return join("", known) if known and known.startswith("/") else known


PLAIN |= {
    "fs.path.name": _path(0, False),
    "fs.path.nameraw": _path(0, True),
    "fs.path.source": _path(1, False),
    "fs.path.sourceraw": _path(1, True),
    "fs.path.target": _path(2, False),
    "fs.path.targetraw": _path(2, True),
}
