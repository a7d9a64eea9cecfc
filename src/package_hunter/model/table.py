"""The state of processes and descriptors when events begin: from /proc for a live scan, from the recording's
tables for a replay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

RawEvent = tuple[bytes, int]
"""An event as the probe or a recording gives it, and the number of the processor that it happened on."""


@dataclass(frozen=True, slots=True)
class FdEntry:
    """An open descriptor. ``kind`` is a Falco fd type (``file``, ``directory``, ``ipv4``, ``ipv6``, ``unix``,
    ``pipe``, ``event``, ...); ``name`` is as Falco prints it; addresses are packed bytes."""

    fd: int
    kind: str
    name: str
    ino: int = 0
    dev: int = 0
    flags: int = 0
    l4proto: int = 0  # 0 unknown, 1 tcp, 2 udp, 3 icmp, 4 raw
    local: tuple[bytes, int] | None = None
    remote: tuple[bytes, int] | None = None
    is_server: bool = False


@dataclass(frozen=True, slots=True)
class ProcEntry:
    """A thread at the start. Strings are as the kernel gave them (bytes); ids are the host's unless ``v…``."""

    tid: int
    pid: int
    ptid: int
    sid: int
    vpgid: int
    vtid: int
    vpid: int
    pgid: int
    comm: bytes
    exe: bytes
    exepath: bytes
    args: tuple[bytes, ...]
    env: tuple[bytes, ...]
    cwd: bytes
    uid: int
    gid: int
    loginuid: int
    cap_inheritable: int = 0
    cap_permitted: int = 0
    cap_effective: int = 0
    tty: int = 0
    flags: int = 0
    fdlimit: int = 0
    vmsize_kb: int = 0
    vmrss_kb: int = 0
    vmswap_kb: int = 0
    pfmajor: int = 0
    pfminor: int = 0
    clone_ts: int = 0
    pidns_init_start_ts: int = 0
    exe_ino: int = 0
    exe_ino_ctime: int = 0
    exe_ino_mtime: int = 0
    exe_writable: bool = False
    exe_upper_layer: bool = False
    exe_lower_layer: bool = False
    exe_from_memfd: bool = False
    cgroups: tuple[tuple[str, str], ...] = ()
    root: bytes = b"/"
    fds: tuple[FdEntry, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """What ``container.*`` fields say of the box."""

    id: str
    name: str
    image_repository: str
    image_tag: str = "latest"
    type: str = "oci"
    privileged: bool = False
    full_id: str = ""  # 64 digits, of which ``id`` is the beginning
    ip: str = ""  # the box's own IPv4 address: which end of a connection is the near one


@dataclass(frozen=True, slots=True)
class StartState:
    """All that is known before the first event. ``users`` and ``groups`` map the host's ids to names."""

    processes: tuple[ProcEntry, ...] = ()
    users: dict[int, tuple[str, str, str]] = field(default_factory=dict)  # uid -> name, home, shell
    groups: dict[int, str] = field(default_factory=dict)
    hostname: str = ""
    container: ContainerInfo | None = None
    boot_ns: int = 0  # wall clock minus boot time, ns
    interfaces: tuple[bytes, ...] = ()  # packed addresses of the machine's own interfaces


class Section(NamedTuple):
    """Events that follow each other, and what was known before the first. A live scan is one section; a recording
    may hold several, one behind the other. The events can be read once, and before the next section's."""

    start: StartState
    events: Iterable[RawEvent]
