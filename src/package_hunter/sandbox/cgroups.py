"""The box's cgroups on both layouts: pure v2, and v1 controllers with or without a v2 beside them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from package_hunter.model.box import full_container_id
from package_hunter.sandbox.base import CgroupPaths

_ROOT = Path("/sys/fs/cgroup")
PARENT = "package-hunter"
_END_SECONDS = 10.0  # for every process of a box to be gone
_AGAIN_SECONDS = 0.005  # between two tries to remove a cgroup


def is_unified() -> bool:
    """Pure v2."""
    return (_ROOT / "cgroup.controllers").exists()


def roots() -> list[Path]:
    """The mount point of every hierarchy."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            found.append(Path(fields[4]))
    return found


def counts_swap() -> bool:
    """Whether the memory controller limits swap too."""
    if is_unified():
        return any(_ROOT.glob("*/memory.swap.max"))
    return (_ROOT / "memory/memory.memsw.limit_in_bytes").exists()


def name_of(scan_id: str) -> str:
    """What runc is given as cgroupsPath."""
    return f"/{_inner(scan_id)}"


def _inner(scan_id: str) -> str:
    # Falco and sysdig know a container by 64 hexadecimal digits at the end of a cgroup's path, and show the
    # first twelve as container.id (falcosecurity/plugins, container plugin, matchers/docker.cpp).
    return f"{PARENT}/{scan_id}/{full_container_id(scan_id)}"


def paths_of(scan_id: str) -> CgroupPaths:
    """Where the box's cgroups are (after runc has made them)."""
    inner = _inner(scan_id)
    if is_unified():
        return CgroupPaths(None, _ROOT / inner, _ROOT / inner)
    freezer = _ROOT / "freezer" / inner
    unified = _ROOT / "unified" / inner
    found = freezer if freezer.exists() else None
    return CgroupPaths(found, unified if unified.exists() else None, found or _ROOT / "pids" / inner)


def processes(paths: CgroupPaths) -> list[int]:
    """Host pids of every process in the box; empty where it is gone."""
    return _pids(paths.procs)


def _pids(path: Path) -> list[int]:
    try:
        return [int(line) for line in (path / "cgroup.procs").read_text(encoding="ascii").split()]
    except OSError:
        return []


def kill_all(paths: CgroupPaths, seconds: float = _END_SECONDS) -> bool:
    """End every process, frozen or not, however fast they fork; True where none is left."""
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        _write(paths.unified, "cgroup.kill", "1")
        # Without cgroup.kill: hold them still, mark each, let them go into their death.
        _write(paths.freezer, "freezer.state", "FROZEN")
        left = processes(paths)
        for pid in filter(None, left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _write(paths.freezer, "freezer.state", "THAWED")
        _write(paths.unified, "cgroup.freeze", "0")
        if not processes(paths):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def remove(scan_id: str, seconds: float) -> bool:
    """Remove the box's cgroups in every hierarchy, and end what is in them; False where some are still in use.

    Without v2 a process joins one hierarchy after the other: that of a box whose making was cut short may be in
    one only, and not in the one that `processes` reads.
    """
    end = time.monotonic() + seconds
    while left := [path for path in _directories(scan_id) if not _removed(path)]:
        if time.monotonic() > end:
            return False
        for path in left:
            _kill_in(path)
        time.sleep(_AGAIN_SECONDS)
    return True


def is_empty(scan_id: str) -> bool:
    """Whether no process is in the box's cgroup of any hierarchy."""
    return not any(_pids(path) for path in _directories(scan_id))


def _directories(scan_id: str) -> list[Path]:
    """Of every hierarchy, the inner ones first; whoever ends the box may be removing them meanwhile."""
    found: list[str] = []
    for root in roots():
        found += (place for place, _, _ in os.walk(root / PARENT / scan_id))  # passes over what is gone
    return sorted(map(Path, found), key=lambda path: -len(path.parts))


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except OSError:
        return not path.exists()
    return True


def _kill_in(path: Path) -> None:
    for pid in filter(None, _pids(path)):  # 0 is one of another pid namespace
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def counters(scan_id: str) -> dict[str, int]:
    """``oom_kills`` (processes), ``pids_refused`` (forks), ``memory_peak`` (bytes), ``cpu_ns``."""
    inner = _inner(scan_id)
    memory, pids = (
        (_ROOT / inner,) * 2 if is_unified() else (_ROOT / "memory" / inner, _ROOT / "pids" / inner)
    )
    return {
        "oom_kills": _value(memory / "memory.events", "oom_kill")
        or _value(memory / "memory.oom_control", "oom_kill"),
        "pids_refused": _value(pids / "pids.events", "max"),
        "memory_peak": _value(memory / "memory.peak") or _value(memory / "memory.max_usage_in_bytes"),
        "cpu_ns": _value(memory / "cpu.stat", "usage_usec") * 1000
        or _value(_ROOT / "cpuacct" / inner / "cpuacct.usage"),
    }


def _value(path: Path, key: str | None = None) -> int:
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return 0
    if key is None:
        return int(text)
    return next((int(line.split()[1]) for line in text.splitlines() if line.split()[0] == key), 0)


def _write(directory: Path | None, name: str, value: str) -> None:
    if directory is None:
        return
    try:
        (directory / name).write_text(value, encoding="ascii")
    except OSError:
        pass  # not in this layout, or the cgroup is gone already; whoever calls looks at what is left
