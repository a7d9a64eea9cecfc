"""What a scan says at its end, in the recording of each of its boxes: what was scanned, where and when, which boxes
there were, what it covered, and the digests of what its report shows.

So a recording by itself tells whose report may stand beside it, whether another box's recording is missing, and whether
there was a further box at all of which somebody says that it saw something (docs/bundle.md).
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from package_hunter.model import wire
from package_hunter.model.observation import NetworkLog
from package_hunter.model.report import Report
from package_hunter.model.report_form import Json, from_json, to_json
from package_hunter.model.scan import Coverage, Target
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Round
from package_hunter.pipeline.surroundings import Surroundings
from package_hunter.sensor.scap import append_closing
from package_hunter.sensor.scap.reader import MAX_ROUND

FORM = 1
_MAX_PLAIN = 64 << 20  # bytes of what is unpacked
SECTIONS = ("packages", "alerts", "network", "canaries", "processes", "files", "cut")
"""The parts of a report whose digests are kept; findings have one each."""


@dataclass(frozen=True)
class Box:
    """A box that a scan had. ``further``: "" for one of the scan's own, else why there was another (``hurried``,
    ``narrow``, ``encoded``). ``began_ns`` and ``ended_ns``: between them it lived, ns since the epoch."""

    ecosystem: str
    project: str  # its folder in the box
    world: str
    further: str
    recorded: bool
    began_ns: int
    ended_ns: int


@dataclass(frozen=True)
class Closing:
    """See above. ``replaced``: the credential files that were kept out (`Canaries.replaced`). ``sections`` are SHA-256
    (hex) by name, ``findings`` by fingerprint, as `digests_of` makes them."""

    form: int
    scan: str
    target: Target
    targets: tuple[Target, ...]
    started: int
    finished: int
    hostname: str
    depth: str
    replaced: tuple[str, ...]
    coverage: Coverage
    boxes: tuple[Box, ...]
    sections: Mapping[str, str]
    findings: Mapping[str, str]


@dataclass
class Boxes:
    """The boxes of a scan, as they are made."""

    _made: list[Box] = field(default_factory=list)
    _recordings: list[Path] = field(default_factory=list)

    def add(self, item: RoundResult, kept: Surroundings | None) -> None:
        """One that has been judged; ``kept`` is what its recording keeps of it, None where it has none."""
        turn, began = item.round, min((run.started_ns for run in item.runs), default=time.time_ns())
        span = (began, time.time_ns()) if kept is None else (kept.began_ns, kept.ended_ns)
        plan = turn.plan
        self._made.append(
            Box(plan.target.ecosystem, plan.project, turn.world.name, _further(turn), kept is not None, *span)
        )
        if kept is not None and turn.record is not None:
            self._recordings.append(turn.record)

    def close(self, report: Report) -> None:
        """Say it in each recording, where it is not too large for one."""
        packed = pack(closing_of(report, tuple(self._made)))
        if len(packed) <= MAX_ROUND:
            for path in self._recordings:
                append_closing(path, packed)


def closing_of(report: Report, boxes: tuple[Box, ...]) -> Closing:
    """What a scan with this report says."""
    sections, findings = digests_of(to_json(report))
    report = _as_read(report)
    return Closing(
        form=FORM,
        scan=report.id,
        target=report.target,
        targets=report.targets or (report.target,),
        started=report.started,
        finished=report.finished,
        hostname=report.hostname,
        depth=str(report.depth or ""),
        replaced=report.canaries.replaced,
        coverage=report.coverage,
        boxes=boxes,
        sections=sections,
        findings=findings,
    )


def _as_read(report: Report) -> Report:
    """As whoever reads the JSON form has it (text made well formed, numbers as they are written), without its lists."""
    canaries = replace(report.canaries, placed=(), read=(), sent=())
    bare = replace(report, packages=(), alerts=(), findings=(), processes=(), files=(), canaries=canaries)
    return from_json(to_json(replace(bare, network=NetworkLog(), baseline=None)))


def digests_of(report: Json) -> tuple[dict[str, str], dict[str, str]]:
    """Of a report's JSON form: of its sections by name, of its findings by fingerprint; whatever a policy made of
    those."""
    findings = {one["fingerprint"]: digest_of({**one, "waived": None}) for one in report["findings"]}
    return {name: digest_of(report[name]) for name in SECTIONS}, findings


def digest_of(value: Any) -> str:
    """SHA-256 (hex) of JSON values, however their keys are ordered."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def pack(closing: Closing) -> bytes:
    """As a recording keeps it."""
    return zlib.compress(wire.to_bytes(Closing, closing))


def unpack(packed: bytes) -> Closing | None:
    """What `pack` made; None where it is none, or of a form that is not known here."""
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(packed, _MAX_PLAIN)
        if not opened.eof or opened.unused_data:
            return None
        made: Closing = wire.from_bytes(Closing, plain)
    except (zlib.error, ValueError):
        return None
    return made if made.form == FORM else None


def _further(turn: Round) -> str:
    if turn.hurry is not None:
        return "hurried"
    if turn.apart is not None:
        return "narrow"
    return "" if turn.encoding is None else "encoded"
