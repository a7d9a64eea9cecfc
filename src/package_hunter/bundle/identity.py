"""Whose a report is: all that it and the recordings beside it both know of one scan, held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from package_hunter.inventory.rejudge import JUDGED_AGAIN
from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.model.scan import Coverage, ScanStatus, Target
from package_hunter.pipeline.closing import Box, Closing
from package_hunter.pipeline.rederive import Kept
from package_hunter.queue.reuse import NOTHING_RUN
from package_hunter.storage.base import Kind

_MOST = 160  # characters of a value that is told


def told(report: Report, kept: Sequence[Kept], digests: Sequence[str] | None = None) -> list[str]:
    """What the report says otherwise than its recordings, as sentences. ``digests``: the recordings' SHA-256 (hex),
    where those are known."""
    return [
        *_of_report(report),
        *_of_scans(report, kept),
        *_of_closings(report, [one.closing for one in kept if one.closing is not None]),
        *_of_boxes(kept),
        *_of_images(kept),
        *_of_what_boxes_missed(report, kept),
        *(_of_kept_files(report, digests) if kept and digests is not None else ()),
    ]


def _of_report(report: Report) -> Iterator[str]:
    if report.status is not ScanStatus.FINISHED or report.error is not None:
        yield f"The report is of a scan that is {report.status}, and not of one that came to its end."
    if report.baseline is not None:
        yield "The report was read beside a baseline: its verdict is about what is new alone."


def _of_scans(report: Report, kept: Sequence[Kept]) -> Iterator[str]:
    run = report.known_from or report.id
    for number, one in enumerate(kept, 1):
        if one.scan != run or (one.closing is not None and one.closing.scan != run):
            yield f"{which(number, len(kept))} is of another scan than the report."


def _of_closings(report: Report, closings: Sequence[Closing]) -> Iterator[str]:
    if not closings:
        return
    first = closings[0]
    if any(other != first for other in closings):
        yield "The recordings do not say the same of their scan."
    targets = report.targets or (report.target,)
    for name, said, shown in (
        ("target", _target(report.target), _target(first.target)),
        ("targets", tuple(map(_target, targets)), tuple(map(_target, first.targets))),
        ("started", report.started, first.started),
        ("finished", report.finished, first.finished),
        ("hostname", report.hostname, first.hostname),
        ("depth", str(report.depth or ""), first.depth),
        ("canaries.replaced", report.canaries.replaced, first.replaced),
    ):
        if said != shown:
            yield f"The report's {name} is {_short(said)}, the recording's {_short(shown)}."
    yield from _of_coverage(_as_scanned(report), first.coverage)


def _of_coverage(said: Coverage, shown: Coverage) -> Iterator[str]:
    one, other = (wire.plain(Coverage, coverage) for coverage in (said, shown))
    for key in one:
        if one[key] != other[key]:
            yield (
                f"The report's coverage.{key} is {_short(one[key])}, and the recording says "
                f"{_short(other[key])}."
            )


def _as_scanned(report: Report) -> Coverage:
    """Its coverage without the notes that came after the scan."""
    notes = list(report.coverage.notes)
    while notes and (notes[0] == JUDGED_AGAIN or (report.known_from and notes[0].startswith(NOTHING_RUN))):
        del notes[0]
    return replace(report.coverage, notes=tuple(notes))


def _of_boxes(kept: Sequence[Kept]) -> Iterator[str]:
    """Whether each recorded box of the scan is there, once."""
    closing = next((one.closing for one in kept if one.closing is not None), None)
    if closing is None:
        return
    wanted = [box for box in closing.boxes if box.recorded]
    there = Counter(
        (one.surroundings.began_ns, one.surroundings.ended_ns, one.surroundings.world)
        for one in kept
        if one.surroundings is not None
    )
    lost = [box for box in wanted if not there[box.began_ns, box.ended_ns, box.world]]
    for box in lost:
        yield f"The recording of {_named(box)} is missing: the scan had {len(wanted)} that were recorded."
    if not lost and len(kept) > len(wanted):
        yield f"There are {len(kept)} recordings, and the scan had {len(wanted)} boxes that were recorded."


def _of_images(kept: Sequence[Kept]) -> Iterator[str]:
    if len({one.surroundings.image for one in kept if one.surroundings is not None}) > 1:
        yield "The recordings are of boxes from several images, which no scan has."


def _of_what_boxes_missed(report: Report, kept: Sequence[Kept]) -> Iterator[str]:
    """What makes a scan inconclusive stands in each box's own words too."""
    own = [
        one.surroundings.facts.coverage for one in kept if one.surroundings and not one.surroundings.hurried
    ]
    said = report.coverage.reasons
    for reason in dict.fromkeys(reason for coverage in own for reason in coverage.reasons):
        if not any(sentence.endswith(reason) for sentence in said):
            yield f"A box of the recording missed something that the report does not say: {_short(reason)}"
    if sum(coverage.dropped for coverage in own) > report.coverage.dropped:
        yield "More events were dropped in the recordings' boxes than the report says."


def _of_kept_files(report: Report, digests: Sequence[str]) -> Iterator[str]:
    """The recordings that the report names, against those that are there."""
    named = Counter(file.sha256 for file in report.kept if file.kind == Kind.RECORDING.value)
    if not named:
        return
    for digest in (named - Counter(digests)).elements():
        yield f"The recording {digest[:12]}… that the report names is missing."
    for digest in (Counter(digests) - named).elements():
        yield f"The recording {digest[:12]}… is none of those that the report names."


def which(number: int, of: int) -> str:
    """A recording, in a sentence."""
    return f"Recording {number}" if of > 1 else "The recording"


def _named(box: Box) -> str:
    further = f", {box.further}" if box.further else ""
    return f"the box in the world {box.world[:80]} ({box.ecosystem[:80]}{further})"


def _target(target: Target) -> tuple[Any, ...]:
    return target.name, target.ecosystem, target.purl, target.sha256


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
