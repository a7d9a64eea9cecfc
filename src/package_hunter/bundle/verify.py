"""Verify: signature, digests, then the recordings judged again by the bundle's rules and policy, all of it here."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from package_hunter import __version__
from package_hunter.audit.keys import key_name
from package_hunter.bundle import archive, policy, signing, statement
from package_hunter.bundle.archive import Reader
from package_hunter.bundle.errors import BadBundleError
from package_hunter.bundle.replayed import Compared, Origin, compare, replay_all, surroundings_in
from package_hunter.bundle.statement import InBundle, Predicate, Statement
from package_hunter.errors import UsageError
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scan import Decision, Verdict

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
    sentences."""

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

    @property
    def exit_code(self) -> int:
        """0: the same verdict again; 1: something differs; 4: some of it could not be judged again."""
        if self.differences:
            return 1
        return 4 if self.unknown else 0


@dataclass(frozen=True, slots=True)
class _Content:
    """What the bundle holds, each file as its digest says."""

    report: Report
    policy: policy.AnyPolicy
    rules: tuple[tuple[str, str], ...]
    recordings: tuple[Path, ...]


def verify(path: Path, trust: Trust) -> Verified:
    """See above. UsageError: no such file; BadBundleError: it is no bundle, is damaged, is not what was signed, or the
    key is another."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    with file, tempfile.TemporaryDirectory(prefix="package-hunter-verify-") as folder:
        bundle = Reader(file)
        payload, name = signing.signed_payload(bundle.read(archive.ATTESTATION), _keys(bundle, trust))
        said = statement.read(payload)
        content = _content(bundle, said.predicate, Path(folder))
        return _verified(name, said, content)


def _keys(bundle: Reader, trust: Trust) -> Sequence[Ed25519PublicKey]:
    keys = list(trust.keys)
    if trust.names or trust.anybody:
        own = signing.public_key(bundle.read(archive.KEY))
        if trust.anybody or key_name(own) in trust.names:
            keys.append(own)
    return keys


def _content(bundle: Reader, said: Predicate, folder: Path) -> _Content:
    listed = [one.name for one in said.files()]
    if len(set(listed)) < len(listed):
        raise BadBundleError("What is signed names a file twice.")
    unknown = bundle.names - {*listed, archive.ATTESTATION, archive.KEY}
    if unknown:
        raise BadBundleError(f"The bundle holds {sorted(unknown)[0]}, which nobody signed.")
    if len(said.recordings) > _MAX_RECORDINGS:
        raise BadBundleError(f"The bundle has more than {_MAX_RECORDINGS} recordings.")
    report = _report(_small(bundle, said.report))
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
    return _Content(report, policy.read(_small(bundle, said.policy)), tuple(rules), recordings)


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


def _report(data: bytes) -> Report:
    try:
        return from_json(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise BadBundleError(f"The bundle's report cannot be read: {error}") from None


def _verified(key: str, said: Statement, content: _Content) -> Verified:
    rounds = replay_all(content.recordings, content.rules)
    found = compare(content.report, rounds, content.rules)
    again = policy.judged(replace(content.report, findings=found.findings), content.policy)
    differences = [
        *found.differences,
        *_of_statement(said.predicate, content.report),
        *_of_verdict(said, again),
    ]
    versions = {one.program for one in surroundings_in(rounds)} - {__version__}
    notes = [f"It was scanned by version {v[:40]}; this is {__version__}." for v in sorted(versions)]
    return Verified(
        key,
        said,
        said.predicate.verdict,
        said.predicate.decision,
        again.verdict,
        again.decision,
        found.origins,
        found.alerts,
        found.attested_alerts,
        tuple(dict.fromkeys(differences)),
        (*found.unknown, *_nothing_recorded(found, content)),
        tuple(notes),
    )


def _nothing_recorded(found: Compared, content: _Content) -> list[str]:
    return [] if content.recordings else ["The bundle has no recording: nothing of it could be judged again."]


def _of_statement(said: Predicate, report: Report) -> list[str]:
    """What is signed, held against the report that it names."""
    told = []
    if said.scan.get("id") != report.id:
        told.append("What is signed is about another scan than the report.")
    for name, one, other in (
        ("verdict", said.verdict, report.verdict),
        ("decision", said.decision, report.decision),
    ):
        if one != other:
            told.append(f"The {name} that is signed is {one}, the report's is {other}.")
    return told


def _of_verdict(said: Statement, again: Report) -> list[str]:
    told = []
    if again.verdict is not said.predicate.verdict:
        told.append(f"The verdict is {again.verdict} when it is judged again, not {said.predicate.verdict}.")
    if again.decision is not said.predicate.decision:
        told.append(
            f"The decision is {again.decision} when it is judged again, not {said.predicate.decision}."
        )
    return told
