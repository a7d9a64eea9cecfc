"""Events that Falco 0.43 does not know in today's form, in a form that it does.

Our table of events is that of Falco 0.44. Its 0.43 refuses a recording at the first event with more parameters than
it knows, and knows no ``close_range`` and ``keyctl``. So recordings are written in the older schema, which the newer
one reads too: later parameters are left off, a call without a type of its own there is a generic one. What that
leaves out stands in a record behind the event (model/event.py, ``Extra.NEWER``), from which our own replay makes
the event whole again: ``type u16, number of parameters u8``, then for each parameter that is left out its length
as u16 and its bytes.
"""

from __future__ import annotations

import platform

from package_hunter.model.event import EXTRA_MAGIC, HEADER, Extra, event_numbers, event_table
from package_hunter.sensor.table import syscalls

# what the event table of Falco 0.43 (libs 0.23) has of these; None: the type came after it
_SHORTER = {
    "syscall_fcntl_x": 3,
    "socket_socket_x": 4,
    "syscall_close_range_x": None,
    "syscall_keyctl_x": None,
}
_KEPT = {event_numbers()[key]: kept for key, kept in _SHORTER.items()}
_GENERIC = event_numbers()["generic_x"]


def _call_of(number: int) -> list[bytes]:
    """The parameters of the generic event for a call: the machine's number of it alone. Falco's own number would be
    looked up by older readers (sysdig 0.29) in a table that ends before it."""
    call = syscalls()[event_table()[number].name]
    machine = platform.machine()
    own = call.number(machine) if machine in ("x86_64", "aarch64") else None
    return [bytes(2), (own or 0).to_bytes(2, "little")]


_CALLS = {
    n: _call_of(n) for n, kept in _KEPT.items() if kept is None
}  # now: a confined reader opens no files later
NEWER = frozenset(_KEPT)
"""Event types that Falco 0.43 does not know in today's form."""
OLDER = frozenset({n for n, kept in _KEPT.items() if kept is not None} | {_GENERIC})
"""As what such events stand in a recording."""


def shorten(raw: bytes) -> bytes:
    """An event of a type in NEWER, its own parameters and what our probe appends behind them, as it is written."""
    ts, tid, _, number, _ = HEADER.unpack_from(raw)
    params, extra = _split(raw)
    kept = _KEPT[number]
    if kept is None:
        said, left, stand_in = _CALLS[number], params, _GENERIC
    else:
        said, left, stand_in = params[:kept], params[kept:], number
    if not left:
        return raw
    record = number.to_bytes(2, "little") + bytes([len(params)])
    record += b"".join(len(p).to_bytes(2, "little") + p for p in left)
    tail = (extra or EXTRA_MAGIC) + bytes([Extra.NEWER]) + len(record).to_bytes(2, "little") + record
    return _event(ts, tid, stand_in, said, tail)


def restore(raw: bytes) -> bytes:
    """An event of a recording as it was before ``shorten``; any other, and one that makes no sense, as it is."""
    params, extra = _split(raw)
    at = _find(extra)
    if at is None:
        return raw
    end = at + 3 + (extra[at + 1] | extra[at + 2] << 8)
    number, count = extra[at + 3] | extra[at + 4] << 8, extra[at + 5]
    stays = params if _KEPT.get(number) is not None else []
    whole = [*stays, *_later(extra[at + 6 : end])]
    if number not in NEWER or len(whole) != count or count > len(event_table()[number].params):
        return raw
    ts, tid, _, _, _ = HEADER.unpack_from(raw)
    left = extra[:at] + extra[end:]
    return _event(ts, tid, number, whole, left if len(left) > len(EXTRA_MAGIC) else b"")


def _later(data: bytes) -> list[bytes]:
    """The parameters that a record holds; none where their lengths do not fit."""
    found, at = [], 0
    while at + 2 <= len(data):
        end = at + 2 + (data[at] | data[at + 1] << 8)
        found.append(data[at + 2 : end])
        at = end
    return found if at == len(data) else []


def _find(extra: bytes) -> int | None:
    """Where among what is appended to an event the record begins."""
    if not extra.startswith(EXTRA_MAGIC):
        return None
    at = len(EXTRA_MAGIC)
    while at + 3 <= len(extra):
        end = at + 3 + (extra[at + 1] | extra[at + 2] << 8)
        if end > len(extra):
            return None
        if extra[at] == Extra.NEWER and end - at >= 6:
            return at
        at = end
    return None


def _split(raw: bytes) -> tuple[list[bytes], bytes]:
    """Parameters, and the bytes behind the last of them; both empty where lengths contradict each other."""
    if len(raw) < HEADER.size:
        return [], b""
    count = HEADER.unpack_from(raw)[4]
    at = HEADER.size + 2 * count
    if at > len(raw):
        return [], b""
    params = []
    for i in range(HEADER.size, at, 2):
        end = at + (raw[i] | raw[i + 1] << 8)
        params.append(raw[at:end])
        at = end
    return (params, raw[at:]) if at <= len(raw) else ([], b"")


def _event(ts: int, tid: int, number: int, params: list[bytes], tail: bytes) -> bytes:
    lengths = b"".join(len(p).to_bytes(2, "little") for p in params)
    body = lengths + b"".join(params) + tail
    return HEADER.pack(ts, tid, HEADER.size + len(body), number, len(params)) + body
