"""One event, decoded as far as somebody asks.

Decoding a header and the table of parameter lengths is all that every event costs; parameters are cut out
of the raw bytes when they are asked for. Lengths are checked once, here: after that no parameter can
reach beyond the event, whatever the bytes were.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Literal

from package_hunter.enrich.fds import Fd
from package_hunter.enrich.kinds import LENGTHS, Kind, kinds
from package_hunter.enrich.state import State
from package_hunter.enrich.text import name_of, text_of
from package_hunter.enrich.threads import Thread
from package_hunter.model.event import EXTRA_MAGIC, HEADER, Extra

_HEADER_BYTES = HEADER.size
_unpack_header = HEADER.unpack_from
_KINDS = kinds()
_TYPES = len(_KINDS)
_LENGTHS_2 = LENGTHS[2]
_LENGTHS_4 = LENGTHS[4]
MAX_PARAMS = len(_LENGTHS_2) - 1
_PATH = int(Extra.PATH)
NO_EXTRA: dict[int, bytes] = {}


class MalformedEvent(ValueError):
    """The bytes are no event: its lengths contradict each other. The caller counts it and goes on."""


class UnknownEvent(ValueError):
    """An event type that we do not know (a newer recording). The caller counts it and goes on."""


class Ev:
    """An event. ``pid`` is 0 until its thread is known; ``res`` is the result of a system call, else 0.

    ``fd_num`` is the descriptor that the event works on or makes (-1: none), ``fd`` what is known of it.
    ``at`` holds the offsets of the parameters, one more than there are.
    """

    __slots__ = (
        "at",
        "cpu",
        "enter",
        "extra_",
        "fd",
        "fd_num",
        "kind",
        "name_changed",
        "nparams",
        "num",
        "path_",
        "raw",
        "res",
        "state",
        "thread",
        "tid",
        "ts",
        "type",
    )

    num: int
    ts: int
    cpu: int
    tid: int
    type: int
    res: int
    nparams: int
    fd_num: int
    raw: bytes
    at: tuple[int, ...]
    kind: Kind
    thread: Thread | None
    fd: Fd | None
    name_changed: bool
    state: State

    def __init__(self, raw: bytes, cpu: int) -> None:
        """Decode header and lengths. Raises MalformedEvent or UnknownEvent."""
        if len(raw) < _HEADER_BYTES:
            raise MalformedEvent("shorter than an event header")
        self.ts, self.tid, size, number, count = _unpack_header(raw)
        kind = _KINDS[number] if number < _TYPES else None
        if kind is None:
            raise UnknownEvent(number)
        if count > MAX_PARAMS:
            raise MalformedEvent("too many parameters")
        start = _HEADER_BYTES + kind.length_size * count
        if size > len(raw) or start > size:
            raise MalformedEvent("parameter lengths beyond the event's end")
        table = _LENGTHS_2 if kind.length_size == 2 else _LENGTHS_4
        at = tuple(accumulate(table[count].unpack_from(raw, _HEADER_BYTES), initial=start))
        if at[-1] > size:
            raise MalformedEvent("parameters beyond the event's end")
        self.raw = raw
        self.cpu = cpu
        self.type = number
        self.kind = kind
        self.nparams = count
        self.at = at
        self.num = 0
        self.thread = None
        self.fd = None
        self.fd_num = -1
        self.name_changed = False
        self.extra_: dict[int, bytes] | None = None
        self.path_: str | Literal[False] | None = False
        self.enter: Ev | None = None
        self.res = int.from_bytes(raw[start : at[1]], "little", signed=True) if count and kind.returns else 0

    @property
    def pid(self) -> int:
        """The process, as the host sees it; 0 where its thread is unknown."""
        return self.thread.pid if self.thread is not None else 0

    def param(self, i: int) -> bytes:
        """Parameter ``i`` as it stands, empty where the event does not have it."""
        if i >= self.nparams:
            return b""
        at = self.at
        return self.raw[at[i] : at[i + 1]]

    def uint(self, i: int) -> int:
        """Parameter ``i`` as an unsigned number, 0 where it is absent."""
        if i >= self.nparams:
            return 0
        at = self.at
        return int.from_bytes(self.raw[at[i] : at[i + 1]], "little")

    def sint(self, i: int) -> int:
        """Parameter ``i`` as a signed number, 0 where it is absent."""
        if i >= self.nparams:
            return 0
        at = self.at
        return int.from_bytes(self.raw[at[i] : at[i + 1]], "little", signed=True)

    def text(self, i: int) -> str:
        """Parameter ``i`` as text: without its end mark; ``<NA>`` where it is absent, as Falco says it."""
        if i >= self.nparams:
            return "<NA>"
        at = self.at
        return text_of(self.raw[at[i] : at[i + 1]])

    @property
    def extra(self) -> dict[int, bytes]:
        """What our probe knows beyond Falco's parameters, by ``model.event.Extra``; else empty.

        It is the parameter after the schema's last, or, in a recording, the bytes after the last parameter.
        """
        found = self.extra_
        if found is None:
            if self.at[-1] == len(self.raw) and self.nparams <= self.kind.known:
                found = self.extra_ = NO_EXTRA
            else:
                found = self.extra_ = self._read_extra()
        return found

    def _read_extra(self) -> dict[int, bytes]:
        raw, at = self.raw, self.at
        known = len(self.kind.params)
        start = at[known] if self.nparams > known else at[-1]
        if not raw.startswith(EXTRA_MAGIC, start):
            return NO_EXTRA
        found: dict[int, bytes] = {}
        pos, size = start + len(EXTRA_MAGIC) + 3, len(raw)
        while pos <= size:
            end = pos + (raw[pos - 2] | raw[pos - 1] << 8)
            if end > size:
                break
            tag = raw[pos - 3]
            if tag not in found:
                found[tag] = raw[pos:end]
            pos = end + 3
        return found

    @property
    def kernel_path(self) -> str | None:
        """The first path argument as the kernel resolved it, where our probe saw it."""
        known = self.path_
        if known is False:
            extra = self.extra
            path = extra.get(_PATH) if extra else None
            known = self.path_ = name_of(path) if path else None
        return known

    def made(self, number: int, fd: Fd) -> None:
        """The event made this descriptor."""
        assert self.thread is not None
        self.thread.add_fd(number, fd)
        self.fd, self.fd_num = fd, number

    def change(self) -> Fd:
        """The event's descriptor as a copy of its process's own that may be changed."""
        assert self.thread is not None and self.fd is not None
        fd = self.fd.copy()
        self.thread.add_fd(self.fd_num, fd)
        self.fd = fd
        return fd

    def __repr__(self) -> str:
        return f"<Ev {self.num} {self.kind.name} tid={self.tid} res={self.res}>"
