"""Verify: signature, digests, then the recordings judged again by the bundle's rules and policy, all of it here."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from package_hunter import __version__, given
from package_hunter.audit.keys import key_name
from package_hunter.bundle import agreed, archive, checked, identity, judged, policy, signing, statement
from package_hunter.bundle.agreed import Content
from package_hunter.bundle.archive import Reader
from package_hunter.bundle.checked import How
from package_hunter.bundle.errors import BadBundleError
from package_hunter.bundle.findings import Origin
from package_hunter.bundle.replayed import Compared, closing_in, compare, replay_all, surroundings_in
from package_hunter.bundle.statement import InBundle, Predicate, Statement
from package_hunter.errors import UsageError
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scan import Decision, Verdict
from package_hunter.pipeline.rederive import Rederived
from package_hunter.storage.base import Kind

_MAX_RULES = 64 << 20  # bytes of all rule texts together
_MAX_RECORDINGS = 100


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signature counts: these keys, and a key in the bundle whose name (32 hex digits) is one of ``names``, or
    any at all."""

    keys: tuple[Ed25519PublicKey, ...] = ()
    names: frozenset[str] = frozenset()
    anybody: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it. ``verdict`` and ``decision`` are those that are attested, ``again_*`` those of the replay.
    ``differences``: what is not as attested; ``unknown``: what could not be told; ``notes`` are for people. All are
    sentences. ``checked``: how each thing that the bundle says was checked."""

    key: str
    statement: Statement
    verdict: Verdict
    decision: Decision
    again_verdict: Verdict
    again_decision: Decision
    origins: tuple[Origin, ...]
    alerts: int
    attested_alerts: int
    differences: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    checked: Mapping[str, How] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0: the same verdict again; 1: something differs; 4: some of it could not be judged again."""
        if self.differences:
            return 1
        return 4 if self.unknown else 0


@dataclass(frozen=True, slots=True)
class _Signed:
    """What was signed; ``extra`` are keys of it that this version does not know."""

    statement: Statement
    extra: tuple[str, ...]


def verify(path: Path, trust: Trust) -> Verified:
    """See above. UsageError: no such file; BadBundleError: it is no bundle, is damaged, is not what was signed, or the
    key is another."""
    try:
        file = given.open_file(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    with file, tempfile.TemporaryDirectory(prefix="package-hunter-verify-") as folder:
        bundle = Reader(file)
        payload, name = signing.signed_payload(bundle.read(archive.ATTESTATION), _keys(bundle, trust))
        signed = _Signed(statement.read(payload), statement.unknown_keys(payload))
        content = _content(bundle, signed.statement.predicate, Path(folder))
        return _verified(name, signed, content)


def _keys(bundle: Reader, trust: Trust) -> Sequence[Ed25519PublicKey]:
    keys = list(trust.keys)
    if trust.names or trust.anybody:
        own = signing.public_key(bundle.read(archive.KEY))
        if trust.anybody or key_name(own) in trust.names:
            keys.append(own)
    return keys


def _content(bundle: Reader, said: Predicate, folder: Path) -> Content:
    listed = [one.name for one in said.files()]
    if len(set(listed)) < len(listed):
        raise BadBundleError("What is signed names a file twice.")
    if listed != _names(said):
        raise BadBundleError("What is signed names its files otherwise than a bundle does.")
    unknown = bundle.names - {*listed, archive.ATTESTATION, archive.KEY}
    if unknown:
        raise BadBundleError(f"The bundle holds {sorted(unknown)[0]}, which nobody signed.")
    if len(said.recordings) > _MAX_RECORDINGS:
        raise BadBundleError(f"The bundle has more than {_MAX_RECORDINGS} recordings.")
    raw, report = _report(_small(bundle, said.report))
    rules, size = [], 0
    for one in said.rules:
        data = _small(bundle, one)
        size += len(data)
        if size > _MAX_RULES:
            raise BadBundleError(f"The bundle's rules are larger than {_MAX_RULES} bytes.")
        rules.append((one.annotations.get("loaded_as", one.name), data.decode("utf-8", "replace")))
    recordings = tuple(
        _large(bundle, one, folder / str(number)) for number, one in enumerate(said.recordings)
    )
    return Content(report, raw, policy.read(_small(bundle, said.policy)), tuple(rules), recordings)


def _names(said: Predicate) -> list[str]:
    """The files of a bundle with so many rules and recordings, as `make` names them."""
    rules, recordings = range(len(said.rules)), range(len(said.recordings))
    numbered = (*map(archive.rules_name, rules), *map(archive.recording_name, recordings))
    return [archive.REPORT, archive.POLICY, *numbered]


def _small(bundle: Reader, one: InBundle) -> bytes:
    data = bundle.read(one.name)
    _check(one, hashlib.sha256(data).hexdigest())
    return data


def _large(bundle: Reader, one: InBundle, target: Path) -> Path:
    _check(one, bundle.copy(one.name, target))
    return target


def _check(one: InBundle, digest: str) -> None:
    if digest != one.sha256:
        raise BadBundleError(f"{one.name} is not the one that was signed: its digest is another.")


def _report(data: bytes) -> tuple[dict[str, Any], Report]:
    try:
        raw = json.loads(data)
        return raw, from_json(raw)
    except (ValueError, RecursionError) as error:
        raise BadBundleError(f"The bundle's report cannot be read: {error}") from None


def _verified(key: str, signed: _Signed, content: Content) -> Verified:
    said, report = signed.statement, content.report
    rounds = replay_all(content.recordings, content.rules)
    found = compare(report, rounds, content.rules)
    again = policy.judged(replace(report, findings=found.findings.findings, notices=()), content.policy)
    judgement = judged.compare(report, again, content.policy)
    signed_as = agreed.compare(signed.statement, signed.extra, content, rounds)
    kept = [item.kept for item in rounds]
    digests = [one.sha256 for one in said.predicate.recordings]
    differences = [
        *found.differences,
        *identity.told(report, kept, digests),
        *signed_as.differences,
        *judgement.differences,
        *_of_verdict(said, again),
    ]
    versions = {one.program for one in surroundings_in(rounds)} - {__version__}
    notes = [f"It was scanned by version {v[:40]}; this is {__version__}." for v in sorted(versions)]
    unknown = [
        *found.unknown,
        *_nothing_recorded(content),
        *judged.resting(report, again, found, content.policy),
    ]
    return Verified(
        key,
        said,
        said.predicate.verdict,
        said.predicate.decision,
        again.verdict,
        again.decision,
        found.findings.origins,
        found.alerts,
        found.attested_alerts,
        tuple(dict.fromkeys(differences)),
        tuple(dict.fromkeys(unknown)),
        tuple(notes),
        {**_checked(report, found, rounds), **judgement.checked, **signed_as.checked},
    )


def _checked(report: Report, found: Compared, rounds: Sequence[Rederived]) -> dict[str, How]:
    """How each part of the report was."""
    every = {f"report.{name}": how for row in checked.REPORT.values() for name, how in row.items()}
    every |= {f"report.{name}": how for name, how in found.checked.items()}
    if closing_in(rounds) is None:  # then nothing but the report says so
        kept = [name for name, how in every.items() if how is How.KEPT and name not in found.checked]
        every |= checked.weakened(name for name in kept if name.removeprefix("report.") not in checked.PARTS)
    if every["report.findings"] is How.SIGNED:
        every["report.shown"] = How.SIGNED
    if not any(file.kind == Kind.DROPPED.value for file in report.kept):
        del every["report.kept (dropped files)"]
    return every


def _nothing_recorded(content: Content) -> list[str]:
    return [] if content.recordings else ["The bundle has no recording: nothing of it could be judged again."]


def _of_verdict(said: Statement, again: Report) -> list[str]:
    told = []
    if again.verdict is not said.predicate.verdict:
        told.append(f"The verdict is {again.verdict} when it is judged again, not {said.predicate.verdict}.")
    if again.decision is not said.predicate.decision:
        told.append(
            f"The decision is {again.decision} when it is judged again, not {said.predicate.decision}."
        )
    return told
