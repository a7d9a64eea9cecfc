"""Parameters as text, the way Falco prints them in ``evt.arg`` and ``evt.args``.

Each gives a pair: the plain form (``4``) and the resolved one (``<f>/etc/passwd``), "" where there is none.
"""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Callable
from functools import lru_cache

from package_hunter.enrich.addresses import address_text, tuple_text
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import PROTOCOLS
from package_hunter.enrich.kinds import AT_FDCWD, SIGNED, Kind, flag_sets, syscall_names
from package_hunter.enrich.paths import join
from package_hunter.enrich.text import name_of, text_of
from package_hunter.model.event import ParamInfo

Pair = tuple[str, str]
_EMPTY_IS_NULL = frozenset({"bytebuf", "socktuple", "fdlist", "charbufarray", "charbuf_pair_array", "dyn"})
_MAX_BUFFER = 64 << 10
_NONE = 0xFFFFFFFF
_DYNAMIC = {
    "sockopt_dynamic_param": ("bytebuf", "errno", "uint32", "uint64", "reltime"),
    "ptrace_dynamic_param": ("uint64", "sigtype"),
    "bpf_dynamic_param": ("fd", "errno"),
    "keyctl_dynamic_param": ("int64", "charbuf"),
}
_ERRNO = dict(errno.errorcode) | {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
}
_ERRNO |= {514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK", 11: "EAGAIN", 35: "EDEADLK", 95: "EOPNOTSUPP"}
_SIGNALS = {int(s): s.name for s in signal.Signals}


def argument(ev: Ev, index: int) -> Pair | None:
    """Parameter ``index`` of an event as text; None where the event does not have it."""
    kind = ev.kind
    if index >= ev.nparams or index >= len(kind.params):
        return None
    info = kind.params[index]
    data = ev.param(index)
    if not data and info.type not in ("charbuf", "fspath", "fsrelpath"):
        return ("NULL" if info.type in _EMPTY_IS_NULL else "<NA>"), ""
    type_ = info.type
    if type_ == "dyn":
        kinds = _DYNAMIC.get(info.extra, ())
        if data[0] < len(kinds):
            type_, data = kinds[data[0]], data[1:]
            if not data:
                return "<NA>", ""
    render = _RENDERERS.get(type_)
    return render(ev, kind, index, info, data) if render is not None else ("(n.a.)", "")


def shown(ev: Ev, index: int) -> str | None:
    """Parameter ``index`` as ``evt.arg`` gives it: resolved where it can be."""
    pair = argument(ev, index)
    return None if pair is None else pair[1] or pair[0]


def everything(ev: Ev) -> str:
    """All parameters as ``evt.args`` gives them."""
    if ev.kind.key == "generic_x":
        return ""
    parts = []
    for i, info in enumerate(ev.kind.params[: ev.nparams]):
        plain, resolved = argument(ev, i) or ("", "")
        parts.append(f"{info.name}={plain}({resolved})" if resolved else f"{info.name}={plain}")
    return " ".join(parts)


def _number(value: int, info: ParamInfo, width: int) -> str:
    if info.format == "hex":
        return f"{value & ((1 << 8 * max(width, 1)) - 1):X}"
    if info.format == "oct":
        return f"0{value:o}" if value else "0"
    return str(value)


def _int(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return _number(int.from_bytes(data, "little", signed=True), info, len(data)), ""


def _uint(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    signed = info.type == "uint64" and info.format == "dec"  # Falco prints these as signed
    return _number(int.from_bytes(data, "little", signed=signed), info, len(data)), ""


def error_name(number: int) -> str:
    """``ENOENT`` for -2."""
    return _ERRNO.get(-number, "")


def _errno(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little", signed=True)
    return str(value), error_name(value) if value < 0 else ""


def _fd(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    number = int.from_bytes(data, "little", signed=True)
    if ev.thread is None:
        return str(number), ""
    if number >= 0:
        fd = ev.thread.fd(number)
        if fd is None:
            return str(number), ""
        protocol = PROTOCOLS[fd.protocol][0] if fd.is_ip and fd.protocol else ""
        return str(number), f"<{fd.type_char}{protocol}>{fd.name}"
    return str(number), "AT_FDCWD" if number == AT_FDCWD else error_name(number)


def _pid(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    number = int.from_bytes(data, "little", signed=True)
    thread = ev.state.threads.get(number)
    return str(number), thread.comm if thread is not None else ""


def _charbuf(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return text_of(data), ""


def _path(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    path = name_of(data) if data and data != b"(NULL)\0" else "<NA>"
    if ev.thread is None or path == "<NA>" or not path or path[0] == "/":
        return path, ""
    base = ev.thread.working_dir()
    at = kind.dirfd_of[index]
    if info.type == "fsrelpath" and at >= 0 and ev.param(at):
        number = ev.sint(at)
        if number != AT_FDCWD:
            fd = ev.thread.fd(number)
            base = "" if fd is None or not fd.name else fd.name if fd.name.endswith("/") else fd.name + "/"
    return path, join(base, path)


def _buffer(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return data[:_MAX_BUFFER].decode("latin-1").translate(_DOTS), ""


_DOTS = {c: "." for c in range(256) if not 32 <= c < 127}


def _sockaddr(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return address_text(data), ""


def _socktuple(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return tuple_text(data), ""


def _fdlist(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    words = []
    for i in range(min(int.from_bytes(data[:2], "little"), (len(data) - 2) // 10)):
        entry = data[2 + 10 * i : 12 + 10 * i]
        number = int.from_bytes(entry[:8], "little", signed=True)
        fd = ev.thread.fd(number) if ev.thread is not None else None
        words.append(
            f"{number}:{fd.type_char if fd is not None else '?'}{int.from_bytes(entry[8:], 'little'):x}"
        )
    return " ".join(words), ""


def _syscall(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    number = int.from_bytes(data, "little")
    name = syscall_names()[0].get(number)
    return (str(number), name) if name is not None else ("<unknown syscall>", "")


def _signal(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    return str(data[0]), _SIGNALS.get(data[0], "")


def _reltime(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    return ("none", "") if value == (1 << 64) - 1 else (str(value), f"{value / 1e9:g}s")


def _abstime(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    seconds, rest = divmod(int.from_bytes(data, "little"), 1_000_000_000)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds % (1 << 40))) + f".{rest:09d}", ""


@lru_cache(4096)
def flags_text(set_: str, value: int, exact: bool) -> str:
    """The names of the flags of a set that a value has; of the one value that it is, where ``exact``."""
    names: list[str] = []
    rest = value
    for name, bits in flag_sets().get(set_, ()):
        if exact:
            if bits == value:
                names.append(name)
        elif (not bits and not value) or (bits and rest and rest & bits == bits):
            names.append(name)
            rest &= ~bits
            if bits == value:
                break
    return "|".join(names)


def _flags(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    return str(value), flags_text(info.extra, value, False)


def _enum(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    return str(value), flags_text(info.extra, value, True)


def _mode(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    return _number(value, info, len(data)), _mode_text(info.extra, value)


@lru_cache(4096)
def _mode_text(set_: str, value: int) -> str:
    names: list[str] = []
    rest = value
    for name, bits in flag_sets().get(set_, ()):
        if bits == value:
            names.append(name)
            break
        if bits and rest and rest & bits == bits:
            names.append(name)
            rest &= ~bits
    return "|".join(names)


def _uid(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    if value == _NONE:
        return "-1", "<NONE>"
    known = ev.state.users.get(value)
    return str(value), (known[0] if known is not None and known[0] else _nameless(value))


def _gid(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    if value == _NONE:
        return "-1", "<NONE>"
    return str(value), ev.state.groups.get(value) or _nameless(value)


def _nameless(value: int) -> str:
    """How a number without a name in the recording's tables is shown: that of root everybody knows."""
    return "root" if value == 0 else "<NA>"


def _sigset(ev: Ev, kind: Kind, index: int, info: ParamInfo, data: bytes) -> Pair:
    value = int.from_bytes(data, "little")
    return " ".join(_SIGNALS[i + 1] for i in range(32) if value >> i & 1 and i + 1 in _SIGNALS), ""


_Renderer = Callable[[Ev, Kind, int, ParamInfo, bytes], Pair]
_RENDERERS: dict[str, _Renderer] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), _int),
    **dict.fromkeys(("uint8", "uint16", "uint32", "uint64"), _uint),
    **dict.fromkeys(("flags8", "flags16", "flags32"), _flags),
    **dict.fromkeys(("enumflags8", "enumflags16", "enumflags32"), _enum),
    **dict.fromkeys(("fspath", "fsrelpath"), _path),
    "errno": _errno,
    "fd": _fd,
    "pid": _pid,
    "charbuf": _charbuf,
    "bytebuf": _buffer,
    "sockaddr": _sockaddr,
    "socktuple": _socktuple,
    "fdlist": _fdlist,
    "syscallid": _syscall,
    "sigtype": _signal,
    "reltime": _reltime,
    "abstime": _abstime,
    "mode": _mode,
    "uid": _uid,
    "gid": _gid,
    "sigset": _sigset,
}


def raw_value(ev: Ev, index: int) -> object:
    """A parameter as ``evt.rawarg`` gives it: number, text or bytes; None where it is absent."""
    if index >= ev.nparams:
        return None
    data, info = ev.param(index), ev.kind.params[index]
    type_ = info.type
    if type_ in ("charbuf", "fspath", "fsrelpath"):
        return text_of(data)
    if not data:
        return None
    if type_ == "dyn":
        data = data[1:]
        return int.from_bytes(data, "little", signed=True) if len(data) <= 8 else data
    if type_ in ("bytebuf", "sockaddr", "socktuple", "fdlist", "charbufarray", "charbuf_pair_array"):
        return data
    return int.from_bytes(data, "little", signed=type_ in SIGNED)
