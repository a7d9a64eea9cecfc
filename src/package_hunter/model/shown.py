"""Findings as people read them: one for one behaviour, however many hosts or files it was done to.

A finding stays what it is (its fingerprint, its waiver); only what is shown is put together:

- findings of one act, by one script, equally grave, whose sentences differ in what it was done to alone, are shown as
  one that names the first and counts the rest;
- that a host was contacted is part of whatever else the same package did there, and shown with that; where it was
  a program that the package is told to have started, with that;
- the steps of a proof, and the reading of secrets that were seen leaving, are part of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from package_hunter.model.finding import Evidence, Finding, in_words

MAX_EVIDENCE = 20
MAX_SUBJECTS = 1_000
_MAX_KEY = 500  # characters that findings are sorted by
_MAX_PARTS = 10  # of which the evidence is told
_CONTACT = "outbound_connection"
_READ = "credential_access"
_HOLE = "\0"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown as one: ``finding`` says it, ``members`` are the findings of that act, ``parts`` those that it
    includes."""

    finding: Finding
    members: tuple[Finding, ...]
    parts: tuple[Finding, ...] = ()

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of everything that is shown here, each to be waived for itself."""
        return tuple(f.fingerprint for f in (*self.members, *self.parts))

    @property
    def mark(self) -> str:
        """32 hex digits: the finding's own where it is one, else of them all, so that one more is told anew."""
        if len(self.members) == 1:
            return self.finding.fingerprint
        joined = "\0".join(sorted(f.fingerprint for f in self.members))
        return hashlib.sha256(joined.encode()).hexdigest()[:32]


def shown(findings: Iterable[Finding]) -> tuple[Shown, ...]:
    """The findings put together, in the order of the first of each."""
    told = list(findings)
    homes = _homes(told)
    groups: dict[Hashable, list[Finding]] = {}
    parts: dict[str, list[Finding]] = {}
    for finding in told:
        home = homes.get(finding.fingerprint)
        if home is None:
            groups.setdefault(_act(finding), []).append(finding)
        else:
            parts.setdefault(home, []).append(finding)
    return tuple(
        _one(members, [p for m in members for p in parts.get(m.fingerprint, ())])
        for members in groups.values()
    )


def _homes(findings: Sequence[Finding]) -> dict[str, str]:
    """Fingerprint of a contact -> that of the gravest other finding of the same package about the same host."""
    about: dict[tuple[str | None, str], Finding] = {}  # by host, or by command line
    for finding in findings:
        if finding.kind != _CONTACT and finding.waived is None and finding.severity != "info":
            for subject in finding.subjects:
                about.setdefault((_package(finding), subject), finding)
    found = _steps(findings)
    for contact in findings:
        if contact.fingerprint in found or contact.proof:
            continue
        if contact.kind == _CONTACT and contact.waived is None and len(contact.subjects) == 1:
            home = about.get((_package(contact), contact.subjects[0])) or _command(contact, about)
            if home is not None:
                found[contact.fingerprint] = found.get(home.fingerprint, home.fingerprint)
    return found


def _steps(findings: Sequence[Finding]) -> dict[str, str]:
    """Fingerprint of what is not proof -> that of the proof of the same package which tells all of it: its steps, or
    the files of the secrets that it sent."""
    proofs: dict[str | None, list[tuple[str, set[str]]]] = {}
    for finding in findings:
        if finding.proof and finding.waived is None:
            told = {e.what for e in finding.evidence} | {str(e.data.get("place")) for e in finding.evidence}
            proofs.setdefault(_package(finding), []).append((finding.fingerprint, told))
    found: dict[str, str] = {}
    for finding in findings:
        if finding.proof or finding.waived is not None or finding.severity == "info":
            continue
        sentences = {e.what for e in finding.evidence}
        files = set(finding.subjects) if finding.kind == _READ else sentences
        for mark, told in proofs.get(_package(finding), ()):
            if sentences and (sentences <= told or (files and files <= told)):
                found.setdefault(finding.fingerprint, mark)
    return found


def _command(contact: Finding, about: Mapping[tuple[str | None, str], Finding]) -> Finding | None:
    """The finding about the very command line that made the contact, where no other process made it too."""
    lines = {_cmdline(evidence) for evidence in contact.evidence}
    return about.get((_package(contact), lines.pop())) if len(lines) == 1 else None


def _cmdline(evidence: Evidence) -> str:
    fields = evidence.data.get("fields")
    return str(fields.get("proc.cmdline") or "") if isinstance(fields, Mapping) else ""


def _package(finding: Finding) -> str | None:
    return finding.blame.package if finding.blame else None


def _act(finding: Finding) -> Hashable:
    """What findings of one act share; a finding whose sentence names nothing stands alone."""
    words = in_words(finding.subjects)
    if not words or words not in finding.title:
        return finding.fingerprint
    said = finding.title.replace(words, _HOLE, 1)
    blame = finding.blame
    doer = (blame.package, blame.phase, blame.script, blame.confidence) if blame else None
    return (finding.kind, finding.form, finding.severity, finding.proof, finding.waived, doer, said)


def _one(members: Sequence[Finding], parts: Sequence[Finding]) -> Shown:
    if len(members) > 1:  # in one order, whichever came first in this run
        members = sorted(members, key=lambda f: (_natural(f.subjects), f.fingerprint))
    finding = members[0] if len(members) == 1 else _together(members)
    if parts:
        told = [e for part in parts[:_MAX_PARTS] for e in _of_part(part)]
        evidence = (*finding.evidence[: MAX_EVIDENCE - len(told)], *told)
        attack = sorted({*finding.attack, *(t for p in parts for t in p.attack)})
        finding = replace(finding, evidence=evidence, attack=tuple(attack))
    return Shown(finding, tuple(members), tuple(parts))


def _natural(subjects: Sequence[str]) -> list[tuple[str, int]]:
    """For sorting as people count: h2 before h10."""
    parts = re.findall(r"([^0-9]*)([0-9]{0,18})", " ".join(subjects)[:_MAX_KEY])
    return [(text, int(digits or 0)) for text, digits in parts]


def _of_part(part: Finding) -> Iterator[Evidence]:
    """What a finding says of a part of it: a contact in its own words, anything else by its sentence; and the rule."""
    for first in part.evidence[:1]:
        rule = {key: first.data[key] for key in ("rule", "priority") if key in first.data}
        yield Evidence(first.time_ns, first.what if part.kind == _CONTACT else part.title, rule)


def _together(members: Sequence[Finding]) -> Finding:
    first = members[0]
    subjects = tuple(dict.fromkeys(s for f in members for s in f.subjects))
    kept = {e.what: e for f in reversed(members) for e in reversed(f.evidence)}
    order = list(dict.fromkeys(e.what for f in members for e in f.evidence))
    return replace(
        first,
        title=first.title.replace(in_words(first.subjects), in_words(subjects), 1),
        subjects=subjects[:MAX_SUBJECTS],
        evidence=tuple(kept[what] for what in order[:MAX_EVIDENCE]),
        attack=tuple(sorted({t for f in members for t in f.attack})),
        count=sum(f.count for f in members),
        explain=tuple(dict.fromkeys(line for f in members for line in f.explain)),
        advice=tuple(dict.fromkeys(line for f in members for line in f.advice)),
    )
