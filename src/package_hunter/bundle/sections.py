"""The parts of a report beside its findings, held against what its recordings show, field by field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from package_hunter.bundle.checked import PARTS, How
from package_hunter.model.report_form import Json
from package_hunter.pipeline.closing import SECTIONS, digest_of

_MOST = 200  # characters of an entry that is told


@dataclass(frozen=True, slots=True)
class Ground:
    """What a report is held against. ``shown``: the report's JSON form as the recordings give it; ``surely``: without
    what a hurried box may have added. ``further``: the scan had boxes that are not recorded, whose entries nobody can
    check but by the ``digests`` that the scan left of each section; None: it is not known whether it had. ``whole``:
    each recording is, and keeps its surroundings."""

    shown: Json
    surely: Json
    further: bool | None
    whole: bool
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """``checked`` is how each part of the report was."""

    checked: Mapping[str, How]
    differences: tuple[str, ...]
    unknown: tuple[str, ...]


def compare(report: Json, ground: Ground) -> Found:
    """All sections."""
    checked: dict[str, How] = {}
    differences: list[str] = []
    unsure: list[str] = []
    for section in SECTIONS:
        same = not ground.digests or digest_of(report[section]) == ground.digests.get(section)
        for name, entries in _parts(section, report[section]):
            part = name if name in PARTS else section
            told = list(_differences(name, entries, ground, same)) if ground.whole else []
            if told:
                differences += told
            exact = ground.whole and entries == _part(name, ground.shown)
            if exact:
                checked.setdefault(part, PARTS[part])
                continue
            checked[part] = How.SIGNED
            if ground.whole and not told and ground.further is None:
                unsure.append(f"Whether all of the report's {name} was seen in a box is not known.")
    return Found(checked, tuple(differences), tuple(unsure))


def _differences(name: str, said: Sequence[Any], ground: Ground, same: bool) -> Iterator[str]:
    shown = _part(name, ground.shown)
    if said == shown:
        return
    if ground.further is False:
        yield from _told(name, said, shown)
        return
    surely = _part(name, ground.surely)
    if name == "cut" or name.endswith(".cut"):
        lost: list[str] = []  # counts of several boxes: they only grow
    else:
        lost = list((Counter(map(_bare, surely)) - Counter(map(_bare, said))).elements())
    if lost:
        yield _lacks(name, lost)
    elif not same:
        yield f"The report's {name} are not those that the scan left the digest of."


def _told(name: str, said: Sequence[Any], shown: Sequence[Any]) -> Iterator[str]:
    ours, theirs = Counter(map(_text, said)), Counter(map(_text, shown))
    lost, more = list((theirs - ours).elements()), list((ours - theirs).elements())
    if lost:
        yield _lacks(name, lost)
    if more:
        yield (
            f"The report has in its {name} what the recording does not show: {_short(more[0])}{_more(len(more))}."
        )
    if not lost and not more:
        yield f"The order of the report's {name} is another than that of the recording."


def _lacks(name: str, lost: Sequence[str]) -> str:
    return f"The report lacks in its {name} what the recording shows: {_short(lost[0])}{_more(len(lost))}."


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def _parts(section: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    """A section's lists, by name; counts are pairs."""
    if isinstance(value, list):
        yield section, value
    elif section == "cut":
        yield section, sorted(value.items())
    else:
        for key, part in value.items():
            yield f"{section}.{key}", part if isinstance(part, list) else sorted(part.items())


def _part(name: str, report: Json) -> list[Any]:
    section = name.partition(".")[0]
    return next(entries for one, entries in _parts(section, report[section]) if one == name)


def _bare(entry: Any) -> str:
    """An entry without whom it is blamed on: that may have been found out in a further box."""
    return _text({k: v for k, v in entry.items() if k != "blame"} if isinstance(entry, dict) else entry)


def _text(entry: Any) -> str:
    return json.dumps(entry, sort_keys=True)


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
