"""The probe in the running kernel, and scans that it watches.

    probe = Probe(object_path()); probe.attach()
    scan = probe.open_scan(8 << 20)
    scan.register(pid)          # before that process may run
    Ring(scan.ring_fd, scan.ring_bytes).drain()

One loaded probe serves up to 32 scans, of several processes where it is shared (objects.py, slots.py). Several
may each load a copy as well: their memberships live in different maps and never mix, every copy costs every
system call of the host its own look.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

from package_hunter.errors import SensorError
from package_hunter.model.event import event_table
from package_hunter.sensor import layout, libbpf, table
from package_hunter.sensor.fill import fill_tables
from package_hunter.sensor.objects import (
    RUN_DIR,
    Objects,
    check_host,
    hook,
    hooked,
    load,
    locked,
    pin,
    pin_dir,
    pinned,
)
from package_hunter.sensor.slots import Slots
from package_hunter.sensor.stats import Stats

_RINGBUF, _ENOSPC = 27, 28
_HALF_RING_NS = 200_000_000  # a flood needs at least so long for the second half of a ring: time to freeze it


class Probe:
    """The probe in the kernel. Needs root; SensorError explains why it could not be loaded.

    ``shared``: one copy for all scans of the host, whatever process they are in; it stays ready in the kernel
    after this process, and is hooked in only while somebody has it attached. Otherwise the copy is this object's.
    """

    def __init__(self, path: Path, verbose: bool = False, shared: bool = False) -> None:
        check_host()
        self._cpus = libbpf.possible_cpus()
        self._links: dict[str, int] = {}
        self._open: list[ScanSensor] = []
        self._closing: list[threading.Thread] = []
        self.boot_ns = _boot_ns()
        self._home: Path | None = None
        self._objects = _shared(path, self._cpus, verbose) if shared else None
        if self._objects is not None:
            self._home = RUN_DIR
        else:
            self._objects = _filled(path, self._cpus, verbose)
        self._fds = self._objects.maps
        self._slots = Slots(RUN_DIR / _name(path) if self._home else None)

    def attach(self) -> None:
        """Hooks the probe into the kernel; from now on every system call of the host is looked at."""
        if self._links:
            return
        assert self._objects is not None
        with locked(self._home) if self._home else contextlib.nullcontext():
            try:
                for name, program in self._objects.programs.items():
                    there = hooked(program) if self._home else None
                    self._links[name] = hook(program, name) if there is None else there
            except SensorError:
                self.detach()
                raise

    def detach(self) -> None:
        """Lets go of the hooks: they are gone with the last who holds them. Membership and rings stay."""
        while self._links:
            os.close(self._links.popitem()[1])

    def open_scan(
        self, ring_bytes: int, filter: Iterable[int] | None = None, hold: bool = True
    ) -> ScanSensor:
        """A scan with a ring of its own (a power of two of bytes). ``filter`` are the event numbers wanted;
        state events are always taken; None takes everything but high-volume calls (table.default_events).
        Without ``hold`` a scan that fills its ring faster than it is read is not held back, and loses events.
        The ring is ready when ``register`` returns."""
        if ring_bytes & (ring_bytes - 1) or ring_bytes < os.sysconf("SC_PAGESIZE"):
            raise SensorError(
                f"A ring of {ring_bytes} bytes is not possible.",
                "Use a power of two of bytes, such as 8388608.",
            )
        place = self._slots.take() or self._wait_for_place()
        if place is None:
            raise SensorError(
                f"All {layout.SLOTS} places of the probe are taken.", "Run fewer scans at a time."
            )
        fd = libbpf.library().bpf_map_create(_RINGBUF, b"scan_ring", 0, 0, ring_bytes, None)
        if fd < 0:
            os.close(place[1])
            raise SensorError(
                f"No ring of {ring_bytes} bytes: {os.strerror(-fd)}.",
                "Give the scan less, or the host more memory.",
            )
        self._sweep()
        sensor = ScanSensor(self, self._number(place[0]), place[1], fd, ring_bytes, hold)
        self._open.append(sensor)
        slot = ctypes.c_uint32(place[0])
        # the kernel waits for all cpus here (10 to 50 ms): meanwhile the caller may build the box
        sensor.later(lambda: libbpf.update(self._fds["rings"], slot, ctypes.c_uint32(fd), "a ring"))
        zero = (layout.Counts * self._cpus)()
        libbpf.update(self._fds["counters"], slot, zero, "counters")
        sensor.set_filter(filter)
        return sensor

    def _wait_for_place(self) -> tuple[int, int] | None:
        while self._closing:
            self._closing.pop().join()
        return self._slots.take()

    def _number(self, slot: int) -> int:
        """The scan's number: never one that an earlier scan of this place had, for its processes may live on."""
        before = layout.Scan()
        key = ctypes.c_uint32(slot)
        libbpf.library().bpf_map_lookup_elem(self._fds["scans"], ctypes.byref(key), ctypes.byref(before))
        return int(before.id + layout.SLOTS if before.id else slot + layout.SLOTS) % (1 << 32)

    def _sweep(self) -> None:
        """Gives back the rings of scans whose process is gone without a word."""
        lib, rings = libbpf.library(), self._fds["rings"]
        for slot in self._slots.free():
            key, found = ctypes.c_uint32(slot), ctypes.c_uint32()
            if lib.bpf_map_lookup_elem(rings, ctypes.byref(key), ctypes.byref(found)) == 0:
                lib.bpf_map_delete_elem(rings, ctypes.byref(key))

    def close(self) -> None:
        """Ends this object's scans and unloads the probe, or leaves it to those who share it."""
        self.detach()
        for sensor in list(self._open):
            sensor.close()
        self._slots.close()
        if self._objects is not None:
            self._objects.close()
            self._objects = None

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ScanSensor:
    """One scan: its ring, its filter, its members and what was counted."""

    def __init__(
        self, probe: Probe, number: int, place: int, ring_fd: int, ring_bytes: int, hold: bool
    ) -> None:
        self._probe = probe
        self.number = number
        self.ring_fd = ring_fd
        self.ring_bytes = ring_bytes
        self.boot_ns = probe.boot_ns
        self._hold = hold
        self._place = place  # keeps the slot ours
        self._open = True
        self._registered = 0
        self._waiting: Future[None] | None = None
        self._prefixes: frozenset[bytes] = frozenset()

    def later(self, work: Callable[[], None]) -> None:
        """Starts a call into the kernel that takes long; ``ready`` waits for it."""
        self._waiting = Future()
        threading.Thread(target=_do, args=(work, self._waiting)).start()

    def ready(self) -> None:
        """Waits until the ring is in its place; SensorError where it cannot be."""
        if self._waiting is not None:
            self._waiting.result()

    def register(self, pid: int) -> None:
        """Makes a process (its main thread) a member: it and all that descends from it are watched. Call it
        before the process may run code of its own; what it forked before is not covered."""
        self.ready()
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

    def set_filter(
        self,
        events: Iterable[int] | None,
        open_prefixes: Iterable[bytes] | None = None,
        failing: Iterable[int] | None = None,
    ) -> None:
        """Changes which events are taken, at once; see Probe.open_scan.

        With ``open_prefixes``, an openat that only reads and succeeds is taken only for files whose path, as
        the kernel resolved it, begins with one of them, or for files whose own name begins with one that
        has no slash in front, or for files whose inode one of them names (``inode_prefix``); all other
        opens always are. With ``failing``, calls that failed are taken only
        of these event numbers. What is left out is counted under ``filtered``. Where the kernel has no room
        for so many prefixes, all opens are taken.
        """
        wanted = table.default_events() if events is None else frozenset(events) | table.state_events()
        scan = layout.Scan(self.number, layout.SCAN_OPEN if self._open else 0)
        for number in wanted:
            scan.filter[number // 64] |= 1 << number % 64
        for number in () if failing is None else wanted - frozenset(failing):
            scan.done[number // 64] |= 1 << number % 64
        if events is not None and table.FCNTL not in frozenset(events):
            scan.flags |= layout.SCAN_DUP_ONLY
        if open_prefixes is None:
            self._set_prefixes(())
        elif self._set_prefixes(open_prefixes):
            scan.flags |= layout.SCAN_PREFIXES
        scan.ring_bytes = self.ring_bytes
        scan.boot_ns = self.boot_ns
        if self._hold:
            scan.hold = _HALF_RING_NS * self._probe._cpus * 1024 // (self.ring_bytes // 2)
        libbpf.update(
            self._probe._fds["scans"], ctypes.c_uint32(self.number % layout.SLOTS), scan, "a filter"
        )

    def _set_prefixes(self, wanted: Iterable[bytes]) -> bool:
        """Makes these the scan's prefixes; False, and none are, where there is no room for all."""
        new = frozenset(p[: layout.PREFIX_BYTES] for p in wanted)
        if new and not self._prefixes:
            self._drop_stale_prefixes()
        fd, value = self._probe._fds["prefixes"], ctypes.c_uint8(1)
        fits = True
        for prefix in new - self._prefixes:
            key = self._prefix(prefix)
            if libbpf.library().bpf_map_update_elem(fd, ctypes.byref(key), ctypes.byref(value), 0) < 0:
                fits = False
                break
        for prefix in (self._prefixes - new) if fits else (self._prefixes | new):
            key = self._prefix(prefix)
            libbpf.library().bpf_map_delete_elem(fd, ctypes.byref(key))
        self._prefixes = new if fits else frozenset()
        return fits

    def _drop_stale_prefixes(self) -> None:
        """Those of a scan that had this place before and was killed before it could give them back."""
        library, fd = libbpf.library(), self._probe._fds["prefixes"]
        key, stale, last = layout.PrefixKey(), [], None
        while not library.bpf_map_get_next_key(fd, last, ctypes.byref(key)):
            if key.scan % layout.SLOTS == self.number % layout.SLOTS and key.scan != self.number:
                stale.append(layout.PrefixKey.from_buffer_copy(key))
            last = ctypes.byref(layout.PrefixKey.from_buffer_copy(key))
        for old in stale:
            library.bpf_map_delete_elem(fd, ctypes.byref(old))

    def _prefix(self, path: bytes) -> layout.PrefixKey:
        key = layout.PrefixKey((4 + len(path)) * 8, self.number)
        ctypes.memmove(key.path, path, len(path))
        return key

    def stats(self) -> Stats:
        """What was counted so far, over all cpus."""
        values = (layout.Counts * self._probe._cpus)()
        slot = ctypes.c_uint32(self.number % layout.SLOTS)
        code = libbpf.library().bpf_map_lookup_elem(
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
        if self._waiting is not None:
            self._waiting.exception()
        self._set_prefixes(())
        slot = ctypes.c_uint32(self.number % layout.SLOTS)
        libbpf.update(self._probe._fds["scans"], slot, layout.Scan(self.number), "the end of a scan")
        os.close(self.ring_fd)
        self._probe._open.remove(self)
        rings, place = os.dup(self._probe._fds["rings"]), self._place

        def give_back() -> None:
            libbpf.library().bpf_map_delete_elem(rings, ctypes.byref(slot))
            os.close(rings)
            os.close(place)

        last = threading.Thread(
            target=give_back
        )  # the kernel waits for all cpus here too; nobody else has to
        last.start()
        self._probe._closing.append(last)


def inode_prefix(inode: int) -> bytes:
    """For ScanSensor.set_filter: the file of this number, by whatever name it is opened."""
    return b"\0" + inode.to_bytes(8, "little")


def _do(work: Callable[[], None], done: Future[None]) -> None:
    try:
        work()
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(None)


def _filled(path: Path, cpus: int, verbose: bool) -> Objects:
    objects = load(path, cpus, verbose)
    fill_tables(objects.maps, platform.machine())
    return objects


def _shared(path: Path, cpus: int, verbose: bool) -> Objects | None:
    """The host's copy, loaded now if nobody has yet; None where nothing can be shared on this host."""
    try:
        RUN_DIR.parent.mkdir(mode=0o711, exist_ok=True)
        RUN_DIR.mkdir(mode=0o700, exist_ok=True)
        with locked(RUN_DIR):
            home = pin_dir()
            if home is None:
                return None
            found = pinned(home / _name(path))
            if found is None:
                found = _filled(path, cpus, verbose)
                if not pin(found, home / _name(path)):
                    found.close()
                    return None
            return found
    except OSError:
        return None


def _name(path: Path) -> str:
    """What a loaded probe is called: the object's name and a hash of the tables that were filled in."""
    h = hashlib.sha256(path.stem.encode())
    for part in ("calls.py", "steps.py", "flags.py", "table.py", "layout.py", "syscalls.tsv"):
        h.update((Path(__file__).parent / part).read_bytes())
    h.update(repr(sorted((n, i.key) for n, i in event_table().items())).encode())
    return h.hexdigest()[:16]


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
