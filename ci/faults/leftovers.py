"""What a run leaves behind: files, boxes, mounts, cgroups, processes, network namespaces; of this run's scans and
folder alone, so that other scans on the machine do not count."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ci.faults.marks import Mark, describe

from package_hunter.sandbox import cgroups, mounts

# What a data folder keeps on purpose: caches, keys, the store, workers' (empty) locks.
_KEPT = ("image", "probe", "clock", "runner", "cache", "store", "audit", "notices", "locks", "artefacts")
# ... and folders that stay, empty.
_EMPTIED = ("runs", "uploads", "private", "lost+found")
_SCAN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAMESPACE = re.compile(r"net:\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is at a moment, by kind, each as text that names it."""

    files: frozenset[str] = frozenset()
    boxes: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()
    cgroups: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    rows: frozenset[str] = field(default=frozenset())


def compare(before: Seen, after: Seen) -> tuple[str, ...]:
    """What is there after and was not before, a line each, sorted."""
    found = []
    for kind in Seen.__dataclass_fields__:
        new: Collection[str] = getattr(after, kind) - getattr(before, kind)
        found += [f"{kind}: {what}" for what in sorted(new)]
    return tuple(found)


def look(
    folders: Iterable[Path],
    scans: Collection[str],
    mark: Mark,
    rows: Iterable[str] = (),
    running: Collection[int] = (),
) -> Seen:
    """What there is now of these data folders and scans. ``running``: processes that are meant to run (servers,
    workers); what else lives in ``mark`` is one that was left."""
    own = [pid for pid in mark.pids() if pid not in running]
    return Seen(
        files=frozenset(name for folder in folders for name in files(folder)),
        boxes=frozenset(boxes(scans)),
        mounts=frozenset(mounted(Path("/proc/self/mounts").read_text(encoding="utf-8"), folders, scans)),
        cgroups=frozenset(_cgroups(scans)),
        processes=frozenset(describe(pid) for pid in own),
        namespaces=frozenset(_namespaces([*own, *running])),
        rows=frozenset(rows),
    )


def files(folder: Path) -> Iterator[str]:
    """What lies in a data folder and is not kept on purpose; of a cache, what looks half-written."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_symlink() or (path.is_dir() and any(path.iterdir())) or inner.name in _EMPTIED:
            continue
        half = any(part.startswith((".part-", ".build-", ".tmp", "tmp", "part-")) for part in inner.parts[1:])
        if inner.parts[0] not in _KEPT or half:
            yield str(inner)


def boxes(scans: Collection[str]) -> Iterator[str]:
    """Folders and runc's states of these scans' boxes; what is pinned for them."""
    for place in ("boxes", "runc", "probe/bpf"):
        root = mounts.RUN_DIR / place
        if root.is_dir():
            yield from (f"{place}/{path.name}" for path in root.iterdir() if _of(path.name, scans))


def mounted(table: str, folders: Iterable[Path], scans: Collection[str]) -> Iterator[str]:
    """Mounts (of the text of /proc/mounts) below these folders, or of these scans."""
    roots = tuple(f"{folder}/" for folder in folders)
    for line in table.splitlines():
        point = line.split()[1]
        if point.startswith(roots) or _of(point, scans):
            yield point


def _cgroups(scans: Collection[str]) -> Iterator[str]:
    for root in cgroups.roots():
        place = root / cgroups.PARENT
        if place.is_dir():
            yield from (str(path) for path in place.iterdir() if _of(path.name, scans))


def _namespaces(pids: Iterable[int]) -> Iterator[str]:
    """Network namespaces that these processes are in or hold open, beside our own. A worker keeps two ready for the
    next box, so what counts is how many a process holds beyond its own first two."""
    here = _link(Path("/proc/self/ns/net"))
    for pid in pids:
        held = {link for link in _links(pid) if _NAMESPACE.fullmatch(link) and link != here}
        own = _link(Path(f"/proc/{pid}/ns/net"))
        held.discard(own)
        if len(held) > 2:
            yield f"{len(held)} network namespaces held by {describe(pid)}"


def _links(pid: int) -> Iterator[str]:
    try:
        opened = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    yield from map(_link, opened)


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _of(text: str, scans: Collection[str]) -> bool:
    return any(found in scans for found in _SCAN.findall(text))
