"""A set of Falco rules that scans in a place are judged by, beside the built-in ones.

``{"name": "team", "rules": "- rule: ..."}``; empty rules: the set is there no more. It is kept by its digest, and
loaded after the built-in files and the sets of the places above it, so it may change or disable their rules."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.acting import acting_as_ourselves
from package_hunter.errors import HunterError, UsageError
from package_hunter.governance.proposals.impact import scans_of
from package_hunter.governance.proposals.kind import Act, Budget, Flip, Impact, Wanted
from package_hunter.governance.proposals.settings import keys_up
from package_hunter.model.scan import Decision
from package_hunter.queue import recordings
from package_hunter.store import documents, history, rule_sets
from package_hunter.store.access_tables import Project
from package_hunter.store.artefacts import store_of
from package_hunter.store.history import Change
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.store.rule_sets import KIND

if TYPE_CHECKING:
    from package_hunter.rules import Matcher

MAX_RULES = 1 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MAX_PROBLEMS = 5
_MAX_EFFECTS = 20
_BYTES_A_SECOND = 4 << 20  # of a recording, by far less than a replay reads: what is larger would not fit
_Texts = list[tuple[str, str]]


class RuleSetKind:
    """See `ChangeKind`."""

    name = KIND
    what = "the rules that scans are judged by"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """Refused with each error and its line, as ``rules check`` tells them."""
        if not isinstance(document, Mapping) or set(document) != {"name", "rules"}:
            raise UsageError("A rule set has the keys name and rules.", "See docs/proposals.md.")
        name, text = document["name"], document["rules"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError("The name is none.", "Small letters, digits and _.- ; 64 at most.")
        if not isinstance(text, str) or len(text) > MAX_RULES:
            raise UsageError(f"rules is no text of at most {MAX_RULES} characters.", "Split or shorten it.")
        made = {"name": name, "rules": text}
        _check(_with(session, place, name, text))
        return Wanted(made, f"the rule set {name} for {place.name}")

    def base(self, session: Session, place: Place, wanted: Wanted) -> Any:
        """The set of that name at the place itself."""
        name = wanted.document["name"]
        return documents.value(session, KIND, place.key, name)

    def impact(self, session: Session, place: Place, wanted: Wanted, budget: Budget) -> Impact:
        """Kept recordings of scans in the place are replayed, by the rules as they are and as they would be."""
        before = _in_force(session, place)
        after = _with(session, place, wanted.document["name"], wanted.document["rules"])
        return _Replays(session, place, budget).compare(before, after)

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """Scans that begin from now on are judged by it."""
        name = wanted.document["name"]
        before = documents.current_hash(session, KIND, place.key, name)
        made = documents.put(session, KIND, place.key, name, wanted.document, act.by)
        project = None if place.project is None else place.project.id
        said = {"version": made.version, "digest": made.content_hash}
        change = Change("rules.put", f"{name} ({place.name})", {"digest": before}, said, act.why, project)
        history.record(session, act.by, change)


def _in_force(session: Session, place: Place) -> _Texts:
    return rule_sets.in_force(session, keys_up(session, place)[::-1])


def _with(session: Session, place: Place, name: str, text: str) -> _Texts:
    """What would hold at the place, this set in its order."""
    above = rule_sets.in_force(session, keys_up(session, place)[:0:-1])
    own = dict(rule_sets.in_force(session, [place.key])) | {name: text}
    return [*above, *((n, own[n]) for n in sorted(own) if own[n].strip())]


def _check(texts: _Texts) -> None:
    """UsageError with the first errors."""
    with acting_as_ourselves():  # the store may be open, with its owner's rights to files
        from package_hunter.rules.load import load_texts  # late: the command line loads what it needs

        errors = load_texts([*_builtin(), *texts]).errors
    if errors:
        shown = "\n".join(str(problem) for problem in errors[:_MAX_PROBLEMS])
        raise UsageError(f"The rules cannot be loaded.\n{shown}", "Mend them: package-hunter rules check.")


_known_builtin: _Texts = []


def _builtin() -> _Texts:
    """Our own rule files, read once: a server that gave up its rights may not reach them later."""
    from package_hunter.rules.document import read_file
    from package_hunter.rules.load import builtin_files

    if not _known_builtin:
        _known_builtin.extend((path.name, read_file(path)) for path in builtin_files())
    return _known_builtin


def preload() -> None:
    """Read what a check needs."""
    _check([])


class _Replays:
    """Recordings of scans in a place, replayed within a budget."""

    def __init__(self, session: Session, place: Place, budget: Budget) -> None:
        self._session, self._place, self._budget = session, place, budget
        self._end = budget.end()
        self._before: Counter[str] = Counter()
        self._after: Counter[str] = Counter()

    def compare(self, before: _Texts, after: _Texts) -> Impact:
        """What the second rules would decide otherwise than the first."""
        query = scans_of(self._session, self._place)
        scans = self._session.scalars(query.order_by(Scan.created.desc(), Scan.id.desc())).all()
        paths = {p.id: p.path for p in self._session.scalars(select(Project))}
        with acting_as_ourselves():  # the files that recordings are read into are ours, and so are the rules
            return self._compared(scans, paths, before, after)

    def _compared(
        self, scans: Sequence[Scan], paths: Mapping[uuid.UUID, str], before: _Texts, after: _Texts
    ) -> Impact:
        total, kept = len(scans), self._kept(scans)
        if not kept:
            return Impact("recordings", total, 0, effects=(self._why_none(),))
        old, new = _matcher(before), _matcher(after)
        tried, flips = 0, []
        for scan, size in kept:
            decided = self._replayed(scan, size, old, new)
            if decided is None:
                continue
            tried += 1
            was, becomes = decided
            if was is not becomes:
                place = paths.get(scan.project_id, str(scan.project_id))
                flips.append(Flip(str(scan.id), scan.target, place, was.value, becomes.value))
        return Impact("recordings", total, tried, tuple(flips), self._effects())

    def _why_none(self) -> str:
        if self._budget.recordings is None:
            return "This server keeps no recordings (PACKAGE_HUNTER_RECORDINGS_BYTES): nothing was replayed."
        return "No recording of these scans is kept: nothing was replayed."

    def _kept(self, scans: Sequence[Scan]) -> list[tuple[Scan, int]]:
        """Those of which a recording is kept, and its size."""
        if self._budget.recordings is None:
            return []
        sizes = recordings.sizes(self._session, [scan.id for scan in scans])
        return [(scan, sizes[scan.id]) for scan in scans if scan.id in sizes]

    def _replayed(
        self, scan: Scan, size: int, old: Matcher, new: Matcher
    ) -> tuple[Decision, Decision] | None:
        """The gravest decisions by both; None where it does not fit the budget, or is no recording."""
        left = self._end - time.monotonic()
        if self._budget.recordings is None or left <= 0 or 2 * size > left * _BYTES_A_SECOND:
            return None
        try:
            with recordings.fetched(store_of(self._session), self._budget.recordings, scan.id) as files:
                return self._judged(files, old, self._before), self._judged(files, new, self._after)
        except HunterError:
            return None

    def _judged(self, files: list[Path], matcher: Matcher, counts: Counter[str]) -> Decision:
        from package_hunter.pipeline.replay import replay

        gravest = Decision.PASS
        for path in files:
            found = replay(path, matcher)
            counts.update(alert.rule for alert in found.observation.alerts)
            if found.report.decision is not None:
                gravest = max(gravest, found.report.decision, key=lambda decision: decision.rank)
        return gravest

    def _effects(self) -> tuple[str, ...]:
        changed = [
            f"{rule}: {self._before[rule]} alerts before, {self._after[rule]} then."
            for rule in sorted(self._before | self._after)
            if self._before[rule] != self._after[rule]
        ]
        if len(changed) > _MAX_EFFECTS:
            changed[_MAX_EFFECTS:] = [f"And {len(changed) - _MAX_EFFECTS} more rules."]
        said = "Replays have no network and no host facts: they compare what rules say, not whole scans."
        return (said, *changed)


def _matcher(texts: _Texts) -> Matcher:
    from package_hunter.observe.events import compile_rules
    from package_hunter.rules.load import load_texts

    return compile_rules(load_texts([*_builtin(), *texts]))
