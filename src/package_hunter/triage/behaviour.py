"""What a finding does, without what differs from run to run: so that a decision about it holds for that alone.

A fingerprint survives versions; the behaviour behind it may grow. What was decided about the one is asked again about
the other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from package_hunter.findings.signals import stable
from package_hunter.model.finding import Finding, in_words
from package_hunter.model.scales import severity_rank
from package_hunter.store.scans import clean_text

_MAX_SUBJECTS = 300
_MAX_SUBJECT = 300  # characters


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``forms`` are which acts of its kind, ``subjects`` what it was done to (hosts, files, programs), ``attack``
    ATT&CK techniques; all sorted. ``more``: there were subjects beyond what is kept."""

    forms: tuple[str, ...]
    severity: str
    proof: bool
    attack: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    more: bool = False

    @classmethod
    def of(cls, finding: Finding) -> Behaviour:
        """Of a finding as a scan told it."""
        subjects = sorted({clean_text(stable(s), _MAX_SUBJECT) for s in finding.subjects})
        return cls(
            (finding.form[:100],),
            finding.severity,
            finding.proof,
            tuple(sorted({t[:40] for t in finding.attack})),
            tuple(subjects[:_MAX_SUBJECTS]),
            len(subjects) > _MAX_SUBJECTS,
        )

    def with_(self, other: Behaviour) -> Behaviour:
        """Both: what somebody saw who decided about both at once."""
        subjects = sorted({*self.subjects, *other.subjects})
        return Behaviour(
            tuple(sorted({*self.forms, *other.forms})),
            max(self.severity, other.severity, key=severity_rank),
            self.proof or other.proof,
            tuple(sorted({*self.attack, *other.attack})),
            tuple(subjects[:_MAX_SUBJECTS]),
            self.more or other.more or len(subjects) > _MAX_SUBJECTS,
        )

    def to_json(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Behaviour:
        """What `to_json` wrote."""
        data = json.loads(text)
        lists = {key: tuple(data[key]) for key in ("forms", "attack", "subjects")}
        return cls(severity=data["severity"], proof=data["proof"], more=data["more"], **lists)

    @property
    def digest(self) -> str:
        """32 hex digits; equal for equal behaviour."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:32]


def grown(known: Behaviour, now: Behaviour) -> tuple[str, ...]:
    """What ``now`` does that ``known`` did not, in sentences; none where it does no more."""
    said = []
    if now.proof and not known.proof:
        said.append("It is proof of malice now.")
    if severity_rank(now.severity) > severity_rank(known.severity):
        said.append(f"Its severity is {now.severity}; it was {known.severity}.")
    if acts := sorted(set(now.forms) - set(known.forms)):
        said.append(f"It is another act of its kind: {in_words([a or 'the kind itself' for a in acts])}.")
    if techniques := sorted(set(now.attack) - set(known.attack)):
        said.append(f"New techniques: {in_words(techniques)}.")
    if subjects := sorted(set(now.subjects) - set(known.subjects)):
        said.append(f"New: {in_words(subjects)}.")
    if now.more and not known.more:
        said.append("It is done to more things than are kept.")
    return tuple(said)
