"""Writes a scan as a .scap recording that Falco, sysdig and Stratoshark open.

Events are taken byte for byte, but for what our probe appends: it goes behind the last parameter, where the
others do not look (they refuse an event with more parameters than they know), and so does what an older Falco
has no place for (older.py). Names that the gateway gave out
are notification events; our own facts are a block ahead of the first event, where unknown blocks are skipped.
"""

from __future__ import annotations

import base64
import errno
import gzip
import json
import os
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from package_hunter import given
from package_hunter.errors import UsageError
from package_hunter.model.event import HEADER, event_numbers, event_table
from package_hunter.model.scan import CommandRun
from package_hunter.model.table import ContainerInfo, FdEntry, ProcEntry, StartState
from package_hunter.sensor.scap import blocks, older

_FLUSH_BYTES = 256 << 10
_LEVEL = 3  # a ninth larger than zlib's 6, in less than half of its time
_FLUSH_SECONDS = 1.0
_MAX_STRING = 0xFFFF
_MAX_PATH = 1023  # libscap refuses longer ones
_MAX_ARGS = 4095
_KIND_NUMBERS = {kind: number for number, kind in reversed(blocks.FD_KINDS.items()) if number != 1}
_L4 = {1: 2, 2: 3, 3: 4, 4: 5}
_LARGE = frozenset(n for n, info in event_table().items() if "large_payload" in info.flags)
_SCHEMA = {n: len(info.params) for n, info in event_table().items()}
NAMES_ID = b"package-hunter.name"
RUNS_ID = b"package-hunter.run"
ROUND_ID = b"package-hunter.round"
CLOSING_ID = b"package-hunter.closing"
_CHUNK = 45_000  # bytes of such facts in one event: base64 makes 60,000 of them, a parameter has 65,535
_NOTIFICATION = event_numbers()["notification_e"]
_CONTAINER_EVENT = event_numbers()["container_json_2_e"]
# libscap's numbers (container_type): what runs a container decides where others look for its id
_CONTAINER_TYPES = {"docker": 0, "oci": 0, "containerd": 7, "podman": 11}


class ScapWriter:
    """A recording being written.

        with ScapWriter(path, start, facts={"target": ...}) as recording:
            recording.append(raw, cpu)

    The file is gzip, flushed every 256 KiB of events or second (where ``idle`` is called while there are no
    events): after a crash everything up to the last flush is read. ``facts`` are JSON values for our own replay.
    ``failed`` says why nothing more could be written (a full disk), else it is empty: what is watched goes on.
    """

    def __init__(
        self, target: Path | IO[bytes], start: StartState, facts: dict[str, Any] | None = None, cpus: int = 0
    ) -> None:
        self._file = target.open("wb") if isinstance(target, Path) else target
        self._zip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._pending: list[bytes] = []
        self._size = 0
        self._flushed = time.monotonic()
        self._last_ts = 0
        self.events = 0
        self.failed = ""
        self._tables(start, facts or {}, cpus or os.cpu_count() or 1)

    def __enter__(self) -> ScapWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tables(self, start: StartState, facts: dict[str, Any], cpus: int) -> None:
        section = blocks.BYTE_ORDER.to_bytes(4, "little") + b"\x01\0\x02\0" + b"\xff" * 8
        self._block(blocks.SECTION, section)
        host = start.hostname.encode()[:127].ljust(128, b"\0")
        self._block(
            blocks.MACHINE[0],
            cpus.to_bytes(4, "little")
            + bytes(8)
            + (1 << 22).to_bytes(8, "little")
            + host
            + _u64(start.boot_ns)
            + bytes(24),
        )
        self._block(blocks.INTERFACES_2, b"".join(_interface(ip) for ip in start.interfaces))
        self._block(blocks.USERS_2, b"".join(_users(start)))
        if start.container is not None:
            box = start.container
            facts = {
                **facts,
                "container": {
                    **{"id": box.id, "name": box.name, "image_repository": box.image_repository},
                    **{"image_tag": box.image_tag, "type": box.type, "privileged": box.privileged},
                    **{"full_id": box.full_id, "ip": box.ip},
                },
            }
        if facts:
            self._block(blocks.OURS, json.dumps(facts).encode())
        self._block(blocks.PROCESSES_9, b"".join(_process(p) for p in start.processes))
        for process in start.processes:
            self._block(blocks.FDS_2, _u64(process.tid) + b"".join(_fd(fd) for fd in process.fds))
        if start.container is not None:
            self._event(
                _container_event(start.container, start.processes[0].tid if start.processes else 0), 0
            )
        self.flush()

    def _block(self, type_: int, data: bytes) -> None:
        padding = -len(data) % 4
        size = len(data) + padding + 12
        self._pending.append(
            blocks.HEAD.pack(type_, size) + data + bytes(padding) + size.to_bytes(4, "little")
        )
        self._size += size

    def append(self, raw: bytes, cpu: int) -> None:
        """One event as the probe gave it."""
        number = raw[20] | raw[21] << 8
        known = _SCHEMA.get(number)
        if known is not None and raw[22] | raw[23] << 8 > known:
            raw = _without_extra(raw, known, 4 if number in _LARGE else 2)
        self._event(older.shorten(raw) if number in older.NEWER else raw, cpu)
        self.events += 1
        self._last_ts = int.from_bytes(raw[:8], "little")
        if self._size >= _FLUSH_BYTES or (
            self.events & 0xFF == 0 and time.monotonic() - self._flushed > _FLUSH_SECONDS
        ):
            self.flush()

    def _event(self, raw: bytes, cpu: int) -> None:
        block = _block_of(raw, cpu)
        self._pending.append(block)
        self._size += len(block)

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names of addresses, for the events that follow."""
        for address, name in pairs:
            ts = self._last_ts or time.time_ns()
            self.append(_notification(ts, NAMES_ID, f"{address} {name}".encode()[:1000]), 0)

    def flush(self) -> None:
        """Everything so far can be read from the file."""
        if self._pending:
            if not self.failed:
                self._write(self._zip.compress(b"".join(self._pending)) + self._zip.flush(zlib.Z_SYNC_FLUSH))
            self._pending.clear()
            self._size = 0
        self._flushed = time.monotonic()

    def idle(self) -> None:
        """There are no events just now: what waits is written once it has waited for a second."""
        if self._pending and time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def close(self) -> None:
        """Ends the recording."""
        self.flush()
        if not self.failed:
            self._write(self._zip.flush(zlib.Z_FINISH))
        try:
            self._file.close()
        except OSError:  # bytes that could not be written, which ``failed`` tells of already
            self.failed = self.failed or "it could not be closed"

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            self.failed = os.strerror(error.errno or errno.EIO)


def _container_event(box: ContainerInfo, tid: int) -> bytes:
    """The event by which Falco and sysdig learn a container's name and image (falcosecurity/plugins,
    container_info_json.cpp); which processes are in it they see by the cgroup's path."""
    facts = {
        **{"id": box.id, "full_id": box.full_id or box.id, "name": box.name, "privileged": box.privileged},
        "type": _CONTAINER_TYPES.get(box.type, _CONTAINER_TYPES["oci"]),
        "image": f"{box.image_repository}:{box.image_tag}",
        **{"imagerepo": box.image_repository, "imagetag": box.image_tag, "imageid": "", "imagedigest": ""},
        **{"is_pod_sandbox": False, "lookup_state": 1, "created_time": 0, "env": [], "labels": {}},
        **{"ip": box.ip, "Mounts": [], "port_mappings": [], "User": "", "cni_json": ""},
        **{"cpu_shares": 1024, "cpu_quota": 0, "cpu_period": 100_000, "cpuset_cpu_count": 0},
        **{"memory_limit": 0, "swap_limit": 0, "mesos_task_id": "", "metadata_deadline": 0},
    }
    data = json.dumps({"container": facts}).encode() + b"\0"
    body = len(data).to_bytes(4, "little") + data
    return HEADER.pack(time.time_ns(), tid, HEADER.size + len(body), _CONTAINER_EVENT, 1) + body


def check_writable(path: Path) -> None:
    """UsageError where no recording can be written to ``path``; leaves a file that is there as it is."""
    new = not path.exists()
    try:
        if not new:
            given.check(path)
        path.open("ab").close()
    except OSError as error:
        raise UsageError(
            f"The recording cannot be written to {path}: {error.strerror or os.strerror(errno.EIO)}.",
            "Give --record a file in a directory that exists and has room.",
        ) from None
    if new:
        path.unlink()


def _block_of(raw: bytes, cpu: int) -> bytes:
    size = len(raw) + 2
    padding = -size % 4
    total = size + padding + 12
    type_ = blocks.EVENT_LARGE if (raw[20] | raw[21] << 8) in _LARGE else blocks.EVENT
    return b"".join(
        (
            blocks.HEAD.pack(type_, total),
            cpu.to_bytes(2, "little"),
            raw,
            bytes(padding),
            total.to_bytes(4, "little"),
        )
    )


def append_runs(path: Path, runs: Iterable[CommandRun]) -> None:
    """Adds the commands that ran in the box to a recording that is complete, as a gzip member of its own: a replay
    then knows what descended from which. Does nothing where the file cannot be written any more."""
    blocks_ = (_block_of(_notification(run.ended_ns, RUNS_ID, _run_facts(run)), 0) for run in runs)
    try:
        with path.open("ab") as file:
            file.write(gzip.compress(b"".join(blocks_)))
    except OSError:
        pass  # the disk is full: the writer's ``failed`` has said it already


def append_round(path: Path, packed: bytes) -> None:
    """Adds what a whole judgement needs beside the events (pipeline/surroundings.py packs it), in as many events as it
    takes, as a gzip member of its own. Does nothing where the file cannot be written any more."""
    _append(path, ROUND_ID, packed)


def append_closing(path: Path, packed: bytes) -> None:
    """Adds what the whole scan says at its end (pipeline/closing.py packs it), in the same way."""
    _append(path, CLOSING_ID, packed)


def _append(path: Path, id_: bytes, packed: bytes) -> None:
    chunks = (base64.b64encode(packed[at : at + _CHUNK]) for at in range(0, len(packed), _CHUNK))
    blocks_ = (_block_of(_notification(0, id_, chunk), 0) for chunk in chunks)
    try:
        with path.open("ab") as file:
            file.write(gzip.compress(b"".join(blocks_), 1))  # it is packed already
    except OSError:
        pass  # as above


def _run_facts(run: CommandRun) -> bytes:
    command = run.command
    facts = {"phase": run.phase, "pid": run.pid, "started": run.started_ns, "ended": run.ended_ns}
    named = {"purl": command.blame_purl, "script": command.script}
    return json.dumps({**facts, **{k: v[:1000] for k, v in named.items() if v is not None}}).encode()


def _notification(ts: int, id_: bytes, text: bytes) -> bytes:
    params = [id_ + b"\0", text + b"\0"]
    body = b"".join(len(p).to_bytes(2, "little") for p in params) + b"".join(params)
    return HEADER.pack(ts, 0, HEADER.size + len(body), _NOTIFICATION, 2) + body


def _without_extra(raw: bytes, known: int, width: int) -> bytes:
    """The event with its schema's number of parameters; the appended one stays as bytes behind them."""
    ts, tid, size, number, count = HEADER.unpack_from(raw)
    start = HEADER.size
    head = HEADER.pack(ts, tid, size - width * (count - known), number, known)
    return head + raw[start : start + width * known] + raw[start + width * count :]


def _u64(value: int) -> bytes:
    return (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")


def _u32(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


def _string(data: bytes, limit: int = _MAX_PATH) -> bytes:
    data = data[: min(limit, _MAX_STRING)]
    return len(data).to_bytes(2, "little") + data


def _sized(data: bytes) -> bytes:
    return _u32(len(data) + 4) + data


def _interface(ip: bytes) -> bytes:
    four = len(ip) == 4
    mask = b"\xff" * (3 if four else 8) + bytes(1 if four else 8)
    data = (b"\x01\0" if four else b"\x02\0") + b"\x02\0" + ip + mask + bytes(len(ip)) + bytes(8) + b"if"
    return _u32(len(data)) + data


def _users(start: StartState) -> Iterable[bytes]:
    for uid, (name, home, shell) in start.users.items():
        strings = b"".join(_string(s.encode(), 255) for s in (name, home, shell))
        yield _sized(b"\0" + _u32(uid) + _u32(0) + strings)
    for gid, name in start.groups.items():
        yield _sized(b"\1" + _u32(gid) + _string(name.encode(), 255))


def _process(p: ProcEntry) -> bytes:
    args = b"".join(a + b"\0" for a in p.args)
    env = b"".join(e + b"\0" for e in p.env)
    cgroups = b"".join(f"{name}={path}".encode() + b"\0" for name, path in p.cgroups)
    return _sized(
        b"".join(
            (
                *(_u64(n) for n in (p.tid, p.pid, p.ptid, p.sid, p.vpgid)),
                *(_string(s) for s in (p.comm, p.exe, p.exepath)),
                _string(args, _MAX_ARGS),
                _string(p.cwd),
                _u64(p.fdlimit),
                *(_u32(n) for n in (p.flags, p.uid, p.gid, p.vmsize_kb, p.vmrss_kb, p.vmswap_kb)),
                _u64(p.pfmajor),
                _u64(p.pfminor),
                _string(env, _MAX_ARGS),
                _u64(p.vtid),
                _u64(p.vpid),
                _string(cgroups, _MAX_ARGS),
                _string(p.root),
                _u64(p.pidns_init_start_ts),
                _u32(p.tty),
                _u32(p.loginuid),
                bytes([p.exe_writable]),
                *(_u64(n) for n in (p.cap_inheritable, p.cap_permitted, p.cap_effective)),
                bytes([p.exe_upper_layer]),
                *(_u64(n) for n in (p.exe_ino, p.exe_ino_ctime, p.exe_ino_mtime)),
                bytes([p.exe_from_memfd, p.exe_lower_layer]),
                _u64(p.pgid),
            )
        )
    )


def _fd(fd: FdEntry) -> bytes:
    head = _u64(fd.fd) + _u64(fd.ino)
    name = _string(fd.name.encode())
    if fd.kind in ("ipv4", "ipv6") and fd.local is not None:
        type_ = 3 if fd.kind == "ipv4" else 4
        l4 = bytes([_L4.get(fd.l4proto, 0)])
        if fd.remote is None:
            port = fd.local[1].to_bytes(2, "little")
            return _sized(head + bytes([type_ + 2]) + fd.local[0] + port + l4)
        ports = b"".join(end[1].to_bytes(2, "little") for end in (fd.local, fd.remote))
        return _sized(head + bytes([type_]) + fd.local[0] + fd.remote[0] + ports + l4)
    if fd.kind == "unix":
        return _sized(head + b"\x08" + bytes(16) + name)
    if fd.kind == "file":
        return _sized(head + b"\x10" + _u32(fd.flags) + name + _u32(fd.dev))
    return _sized(head + bytes([_KIND_NUMBERS.get(fd.kind, 10)]) + name)
