"""The probe in the running kernel, and scans that it watches.

    probe = Probe(object_path()); probe.attach()
    scan = probe.open_scan(8 << 20)
    scan.register(pid)          # before that process may run
    Ring(scan.ring_fd, scan.ring_bytes).drain()

One loaded probe serves up to 32 scans. Several processes may each load a copy: their memberships live in
different maps and never mix, every copy costs every system call of the host its own look.
"""

from __future__ import annotations

import ctypes
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from package_hunter.errors import SensorError
from package_hunter.model.event import event_table
from package_hunter.sensor import flags, layout, libbpf, table

_RINGBUF, _ENOSPC = 27, 28
_HALF_RING_NS = 50_000_000  # a flood needs at least so long for the second half of a ring: time to freeze it
_HOOKS = ("sys_enter", "sys_exit", "sched_process_fork", "sched_process_exec", "sched_process_exit")


@dataclass(frozen=True, slots=True)
class Stats:
    """What a scan's probe counted. ``by_type``, ``lost_by_type`` and ``filtered`` go by event name.

    ``orphans``: children that could not be made members (no memory), whose events are missing: as bad as
    lost events. ``alive``: threads of the scan that have not ended. ``held_ns``: how long its threads were made
    to wait in the probe, all together. Times in ns since the epoch, 0: never.
    """

    events: int = 0
    bytes: int = 0
    lost: int = 0
    first_lost_ns: int = 0
    last_lost_ns: int = 0
    last_lost_tid: int = 0
    orphans: int = 0
    alive: int = 0
    held_ns: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    lost_by_type: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)


class Probe:
    """The loaded probe. Needs root; SensorError explains why it could not be loaded."""

    def __init__(self, path: Path, verbose: bool = False) -> None:
        _check_host()
        self._lib = libbpf.library()
        self._links: list[int] = []
        self._cpus = libbpf.possible_cpus()
        self._next = 1
        self._slots: dict[int, ScanSensor] = {}
        self.boot_ns = _boot_ns()
        libbpf.log.clear()
        self._object = self._lib.bpf_object__open_file(os.fsencode(path), None)
        if not self._object:
            raise SensorError(
                f"The compiled probe {path} cannot be opened.", "Delete it and build the probe again."
            )
        self._prepare()
        code = self._lib.bpf_object__load(self._object)
        if code:
            self._lib.bpf_object__close(self._object)
            self._object = None
            raise _load_error(-code, verbose)
        self._fds = {name: self._map_fd(name) for name in _MAPS}
        self._fill_tables()

    def _prepare(self) -> None:
        scratches = self._lib.bpf_object__find_map_by_name(self._object, b"scratches")
        self._lib.bpf_map__set_max_entries(scratches, self._cpus)
        entry = None
        value = ctypes.c_uint64(self.boot_ns)
        while entry := self._lib.bpf_object__next_map(self._object, entry):
            if self._lib.bpf_map__name(entry).endswith(b".rodata"):
                if self._lib.bpf_map__value_size(entry) != 8:
                    raise SensorError(
                        "The compiled probe does not fit this program.", "Build the probe again."
                    )
                self._lib.bpf_map__set_initial_value(entry, ctypes.byref(value), 8)

    def _map_fd(self, name: str) -> int:
        return int(self._lib.bpf_map__fd(self._lib.bpf_object__find_map_by_name(self._object, name.encode())))

    def _fill_tables(self) -> None:
        machine = platform.machine()
        numbers = self._fill_flags(machine)
        for index, row in enumerate(table.rows()):
            program = compile_row(row, numbers)
            libbpf.update(self._fds["programs"], ctypes.c_uint32(index), program, f"the program of {row.key}")
        foreign = ((layout.ABI_TABLE, table.dispatch("i386")),) if machine == "x86_64" else ()
        for base, calls in ((0, table.dispatch(machine)), *foreign):
            for number, (place, falco) in calls.items():
                value = ctypes.c_uint32(place + 1 | falco << 16)
                libbpf.update(
                    self._fds["dispatch"], ctypes.c_uint32(base + number), value, "a system call number"
                )

    def _fill_flags(self, machine: str) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for index, entry in enumerate(flags.tables(machine), start=1):
            bits = layout.FlagTable()
            if isinstance(entry, flags.BitTable):
                numbers[entry.name] = index
                for bit, falco in entry.bits.items():
                    bits.bit[bit.bit_length() - 1] = falco
            else:
                numbers[entry.name] = index | 0x80
                bits.bit[0] = entry.default
                for value, falco in entry.values.items():
                    key = layout.EnumKey(index, value)
                    libbpf.update(self._fds["enums"], key, ctypes.c_uint32(falco), f"the table {entry.name}")
            libbpf.update(self._fds["flag_tables"], ctypes.c_uint32(index), bits, f"the table {entry.name}")
        return numbers

    def attach(self) -> None:
        """Hooks the probe into the kernel; from now on every system call of the host is looked at."""
        if self._links:
            return
        program = None
        while program := self._lib.bpf_object__next_program(self._object, program):
            link = self._lib.bpf_program__attach(program)
            if not link:
                number = ctypes.get_errno()
                self.detach()
                name = self._lib.bpf_program__name(program).decode()
                raise SensorError(f"The probe's hook {name} was refused: {os.strerror(number)}.", _ADVICE)
            self._links.append(link)

    def detach(self) -> None:
        """Takes the hooks out; membership and rings stay."""
        while self._links:
            self._lib.bpf_link__destroy(self._links.pop())

    @property
    def attached(self) -> bool:
        """Are the hooks in place?"""
        return bool(self._links)

    def open_scan(self, ring_bytes: int, filter: Iterable[int] | None = None) -> ScanSensor:
        """A scan with a ring of its own (a power of two of bytes). ``filter`` are the event numbers wanted;
        state events are always taken; None takes everything but high-volume calls (table.default_events).
        Takes 5-8 ms: do it ahead of time."""
        if ring_bytes & (ring_bytes - 1) or ring_bytes < os.sysconf("SC_PAGESIZE"):
            raise SensorError(
                f"A ring of {ring_bytes} bytes is not possible.",
                "Use a power of two of bytes, such as 8388608.",
            )
        number = next(
            (n for n in range(self._next, self._next + layout.SLOTS) if n % layout.SLOTS not in self._slots),
            None,
        )
        if number is None:
            raise SensorError(
                f"All {layout.SLOTS} places of the probe are taken.", "Run fewer scans at a time."
            )
        self._next = number + 1
        fd = self._lib.bpf_map_create(_RINGBUF, b"scan_ring", 0, 0, ring_bytes, None)
        if fd < 0:
            raise SensorError(
                f"No ring of {ring_bytes} bytes: {os.strerror(-fd)}.",
                "Give the scan less, or the host more memory.",
            )
        sensor = ScanSensor(self, number, fd, ring_bytes)
        self._slots[number % layout.SLOTS] = sensor
        slot = ctypes.c_uint32(number % layout.SLOTS)
        libbpf.update(self._fds["rings"], slot, ctypes.c_uint32(fd), "a ring")
        zero = (layout.Counts * self._cpus)()
        libbpf.update(self._fds["counters"], slot, zero, "counters")
        sensor.set_filter(filter)
        return sensor

    def close(self) -> None:
        """Ends all scans and unloads the probe."""
        self.detach()
        for sensor in list(self._slots.values()):
            sensor.close()
        if self._object:
            self._lib.bpf_object__close(self._object)
            self._object = None

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ScanSensor:
    """One scan: its ring, its filter, its members and what was counted."""

    def __init__(self, probe: Probe, number: int, ring_fd: int, ring_bytes: int) -> None:
        self._probe = probe
        self.number = number
        self.ring_fd = ring_fd
        self.ring_bytes = ring_bytes
        self.boot_ns = probe.boot_ns
        self._open = True
        self._registered = 0
        self._prefixes: frozenset[bytes] = frozenset()

    def register(self, pid: int) -> None:
        """Makes a process (its main thread) a member: it and all that descends from it are watched. Call it
        before the process may run code of its own; what it forked before is not covered."""
        try:
            handle = os.pidfd_open(pid)
        except OSError as error:
            raise SensorError(
                f"Process {pid} cannot be watched: {error.strerror}.", "It ended too early; try again."
            ) from None
        try:
            member = layout.Member(self.number, 0)
            libbpf.update(self._probe._fds["members"], ctypes.c_int(handle), member, f"process {pid}")
        finally:
            os.close(handle)
        self._registered += 1

    def set_filter(self, events: Iterable[int] | None, open_prefixes: Iterable[bytes] | None = None) -> None:
        """Changes which events are taken, at once; see Probe.open_scan.

        With ``open_prefixes``, an openat that only reads and succeeds is taken only for files whose path, as
        the kernel resolved it, begins with one of them; all other opens always are. What is left out is
        counted under ``filtered``.
        """
        wanted = table.default_events() if events is None else frozenset(events) | table.state_events()
        scan = layout.Scan(self.number, layout.SCAN_OPEN if self._open else 0)
        for number in wanted:
            scan.filter[number // 64] |= 1 << number % 64
        if events is not None and table.FCNTL not in frozenset(events):
            scan.flags |= layout.SCAN_DUP_ONLY
        self._set_prefixes(open_prefixes)
        if open_prefixes is not None:
            scan.flags |= layout.SCAN_PREFIXES
        scan.ring_bytes = self.ring_bytes
        scan.hold = _HALF_RING_NS * self._probe._cpus * 1024 // (self.ring_bytes // 2)
        libbpf.update(
            self._probe._fds["scans"], ctypes.c_uint32(self.number % layout.SLOTS), scan, "a filter"
        )

    def _set_prefixes(self, wanted: Iterable[bytes] | None) -> None:
        new = frozenset(p[: layout.PREFIX_BYTES] for p in wanted or ())
        for prefix in new - self._prefixes:
            key = self._prefix(prefix)
            libbpf.update(self._probe._fds["prefixes"], key, ctypes.c_uint8(1), "a path prefix")
        for prefix in self._prefixes - new:
            key = self._prefix(prefix)
            self._probe._lib.bpf_map_delete_elem(self._probe._fds["prefixes"], ctypes.byref(key))
        self._prefixes = new

    def _prefix(self, path: bytes) -> layout.PrefixKey:
        key = layout.PrefixKey((4 + len(path)) * 8, self.number)
        ctypes.memmove(key.path, path, len(path))
        return key

    def stats(self) -> Stats:
        """What was counted so far, over all cpus."""
        values = (layout.Counts * self._probe._cpus)()
        slot = ctypes.c_uint32(self.number % layout.SLOTS)
        code = self._probe._lib.bpf_map_lookup_elem(
            self._probe._fds["counters"], ctypes.byref(slot), ctypes.byref(values)
        )
        if code:
            raise SensorError(f"The probe's counters cannot be read: {os.strerror(-code)}.")
        return self._sum(values)

    def _sum(self, values: Any) -> Stats:
        lost = [v for v in values if v.lost]
        boot = self._probe.boot_ns
        last = max(lost, key=lambda v: v.last_lost_ns, default=None)
        return Stats(
            events=sum(v.events for v in values),
            bytes=sum(v.bytes for v in values),
            lost=sum(v.lost for v in values),
            first_lost_ns=min((v.first_lost_ns for v in lost), default=-boot) + boot,
            last_lost_ns=last.last_lost_ns + boot if last is not None else 0,
            last_lost_tid=last.last_lost_tid if last is not None else 0,
            orphans=sum(v.orphans for v in values),
            held_ns=sum(v.held_ns for v in values),
            alive=self._registered + sum(v.started for v in values) - sum(v.ended for v in values),
            by_type=_by_name(values, "by_type"),
            lost_by_type=_by_name(values, "lost_by_type"),
            filtered=_by_name(values, "filtered"),
        )

    def close(self) -> None:
        """Ends the scan: members that still live are not watched any more, the ring is given back."""
        if not self._open:
            return
        self._open = False
        self._set_prefixes(None)
        slot = ctypes.c_uint32(self.number % layout.SLOTS)
        libbpf.update(self._probe._fds["scans"], slot, layout.Scan(), "the end of a scan")
        self._probe._lib.bpf_map_delete_elem(self._probe._fds["rings"], ctypes.byref(slot))
        os.close(self.ring_fd)
        self._probe._slots.pop(self.number % layout.SLOTS, None)


_MAPS = ("members", "scans", "counters", "dispatch", "programs", "flag_tables", "enums", "rings", "prefixes")
_ADVICE = "Run as root on a kernel of 6.1 or later with BTF (CONFIG_DEBUG_INFO_BTF), outside of lockdown."


def compile_row(row: table.Row, numbers: dict[str, int]) -> layout.Program:
    """A row of the table as a program for the probe; ``numbers`` are those of the flag tables."""
    program = layout.Program(event=row.event.number, params=len(row.steps), flags=int(row.flags))
    program.prep, program.prep_arg = int(row.prep), row.prep_arg
    for i, step in enumerate(row.steps):
        program.ops[i] = layout.OpCode(
            int(step.op), step.arg, step.aux, numbers[step.table] if step.table else 0
        )
    if row.address:
        program.watch[0], program.watch_len = row.address[0] + 1, row.address[1] + 1
    for i, argument in enumerate(row.watched):
        program.watch[i] = argument + 1
    return program


def _by_name(values: Any, name: str) -> dict[str, int]:
    names = event_table()
    sums: dict[str, int] = {}
    for number in range(layout.EVENT_TYPES):
        total = sum(getattr(v, name)[number] for v in values)
        if total:
            key = names[number].name if number in names else str(number)
            sums[key] = sums.get(key, 0) + total
    return sums


def _boot_ns() -> int:
    """Wall clock minus time since boot, from the narrowest of some samples."""
    best, offset = 1 << 62, 0
    for _ in range(20):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.time_ns()
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < best:
            best, offset = after - before, wall - (before + after) // 2
    return offset


def _check_host() -> None:
    if os.geteuid() != 0:
        raise SensorError(
            "The probe can only be loaded by root.", "Run with sudo, or use the server's worker."
        )
    if not Path("/sys/kernel/btf/vmlinux").exists():
        raise SensorError(
            "This kernel carries no type information (BTF).",
            "Use a kernel with CONFIG_DEBUG_INFO_BTF, such as Debian's.",
        )
    lockdown = Path("/sys/kernel/security/lockdown")
    if lockdown.exists() and "[confidentiality]" in lockdown.read_text(encoding="ascii"):
        raise SensorError(
            "The kernel is locked down (confidentiality): no program may look into it.",
            "Boot without lockdown=confidentiality.",
        )


def _load_error(number: int, verbose: bool) -> SensorError:
    reason = os.strerror(number)
    lines = (
        libbpf.log[-200:]
        if verbose
        else [line for line in libbpf.log if "libbpf:" in line or "failed" in line][-3:]
    )
    detail = " ".join(line.strip() for line in lines) if not verbose else "\n" + "\n".join(lines)
    if number in (1, 13):
        return SensorError(
            f"The kernel does not let us load the probe: {reason}.",
            "Give this process CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN.",
        )
    release = platform.release()
    return SensorError(f"The kernel {release} refused the probe: {reason}. {detail}"[:20000], _ADVICE)
