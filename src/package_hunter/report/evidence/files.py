"""Files that were changed, outside of where package managers unpack: by where they are, with who did it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_hunter.model.observation import FileChange
from package_hunter.model.report import Report

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

_MANAGERS = ("/node_modules/", "/.npm/_", "/site-packages/", "/.cache/", "/tmp/node-compile-cache/")  # noqa: S108 - paths in the box
_MAX_OF_PLACE = 100
_PLACES = (
    ("/home/dev/projects/", "In the project"),
    ("/home/dev/", "In the home folder"),
    ("/tmp/", "In temporary folders"),  # noqa: S108 - a path in the box
    ("/var/tmp/", "In temporary folders"),  # noqa: S108
    ("/dev/shm/", "In temporary folders"),  # noqa: S108
)
_ELSEWHERE = "Elsewhere in the system"
_ORDER = ("In the home folder", _ELSEWHERE, "In temporary folders", "In the project")


@dataclass(slots=True)
class Change:
    """``process`` is the key of who did it first, ``program`` its name; ``count``: so often, in all boxes."""

    action: str
    path: str
    other: str
    process: int
    program: str
    count: int = 1


@dataclass(slots=True)
class Place:
    """A part of the file system: ``changes`` by processes of note, ``others``; ``more`` are not shown."""

    name: str
    changes: list[Change] = field(default_factory=list)
    others: list[Change] = field(default_factory=list)
    more: int = 0


@dataclass(slots=True)
class Files:
    """``total`` changes; ``unpacked`` are in the folders of package managers, and left out."""

    places: list[Place]
    total: int
    unpacked: int


def worth_showing(report: Report) -> Iterator[FileChange]:
    """Those outside of where package managers unpack and cache."""
    return (change for change in report.files if not any(part in change.path for part in _MANAGERS))


def listed(evidence: Exhibits) -> Files:
    """Of a report."""
    names = {p.key: p.name for p in evidence.report.processes}
    noted = evidence.marks.by_process
    places: dict[str, Place] = {}
    known: dict[tuple[str, str, str, str, bool], Change] = {}
    total = 0
    for change in sorted(worth_showing(evidence.report), key=lambda c: c.time_ns):
        total += 1
        place = places.setdefault(_place(change.path), Place(_place(change.path)))
        program, counts = names.get(change.process, ""), change.process in noted
        key = (change.action, change.path, change.other_path or "", program, counts)
        if key in known:
            known[key].count += 1
            continue
        to = place.changes if counts else place.others
        if len(to) >= _MAX_OF_PLACE:
            place.more += 1
            continue
        known[key] = Change(change.action, change.path, change.other_path or "", change.process, program)
        to.append(known[key])
    ordered = sorted(places.values(), key=lambda place: _ORDER.index(place.name))
    return Files(ordered, total, len(evidence.report.files) - total)


def _place(path: str) -> str:
    return next((said for begin, said in _PLACES if path.startswith(begin)), _ELSEWHERE)
