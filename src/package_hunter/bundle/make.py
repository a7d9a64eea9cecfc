"""Make: a report, its recordings, the rules and the policy that judged it, put together and signed."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from package_hunter import __version__, given
from package_hunter.access.view import View
from package_hunter.audit.keys import public_text
from package_hunter.bundle import archive, identity, policy, signing, statement
from package_hunter.bundle.errors import NoBundleError
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.scan import ScanStatus
from package_hunter.model.times import rfc3339
from package_hunter.pipeline.rederive import Kept, kept_in, scan_of
from package_hunter.pipeline.surroundings import Surroundings
from package_hunter.policy.model import Policy
from package_hunter.queue import recordings as kept
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.finding_tables import OwnSayRow
from package_hunter.triage.judge import inputs
from package_hunter.triage.results import Standing

_NO_SURROUNDINGS = (
    "The recording keeps no surroundings, or does not say what was scanned: an older version made it, or its scan was "
    "ended in the middle."
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made of: the report as it is judged, the policy that judged it, the recordings of its boxes."""

    report: Report
    policy: policy.AnyPolicy
    recordings: Sequence[Path]


def of_files(report: Report, recordings: Sequence[Path], said: str | None, own: str | None) -> Source:
    """Of a report and the recordings that `scan --record` made with it, the first box's first. ``said`` is the policy
    file that it was judged by (None: the default), ``own`` the scanned folder's own where it had a say. UsageError: it
    cannot be; BadArchiveError: the first is no recording."""
    if report.baseline is not None:
        raise UsageError(
            "The report was read beside a baseline: its verdict is about what is new alone.",
            "Make it again without --baseline.",
        )
    day = dt.datetime.fromtimestamp(report.finished / 1e9, dt.UTC).date()
    judged_by = policy.FilePolicy(day=day.isoformat(), policy=said, own=own)
    again = policy.judged(report, judged_by)
    if (again.verdict, again.decision) != (report.verdict, report.decision):
        raise UsageError(
            f"By this policy the report is {again.verdict} and {again.decision}, and it says {report.verdict} and "
            f"{report.decision}.",
            "Give the policy that it was judged by: --policy, --own-policy.",
        )
    of_it = [path for path in recordings if scan_of(path) == report.id]
    if recordings[0] not in of_it:
        raise UsageError(f"{recordings[0]} is not the recording of this report's scan.", "Give that one.")
    return Source(again, judged_by, tuple(of_it))


@contextlib.contextmanager
def of_scan(store: Store, view: View, scan_id: uuid.UUID, settings: Settings) -> Iterator[Source | None]:
    """Of a server's scan, as the policies and states of today see it, its recordings at hand while the block lasts;
    None where the view does not see it. NoBundleError: there is nothing to make one of, and why."""
    with store.read() as session:
        found = _judged(session, view, scan_id)
    if found is None:
        yield None
        return
    with _recordings(store, settings, found[0]) as recordings:
        yield Source(*found, recordings)


def _judged(session: Session, view: View, scan_id: uuid.UUID) -> tuple[Report, policy.AnyPolicy] | None:
    scan = scans.get(session, view, scan_id)
    if scan is None:
        return None
    data = scans.report(session, view, scan_id)
    if data is None:
        raise NoBundleError(f"The scan is {scan.status}: there is no verdict yet.", "Wait for its end.")
    report = from_json(data)
    if report.status is ScanStatus.FAILED:
        raise NoBundleError("The scan failed: there is no verdict.", "Scan it again.")
    standing = Standing(session)
    own_row = session.get(OwnSayRow, scan_id)
    own = None if own_row is None else wire.from_bytes(Policy, own_row.said.encode())
    asked = inputs(standing, scan.project_id, report, own)
    texts = policies.texts(session, standing.chains.of(scan.project_id))
    said = policy.Standing(texts, asked).policy()
    return policy.judged(report, said), said


@contextlib.contextmanager
def _recordings(store: Store, settings: Settings, report: Report) -> Iterator[list[Path]]:
    """Those of the scan that was run; NoBundleError where there is none."""
    if kept.where(settings) is None:
        raise NoBundleError(
            "This server keeps no recordings, so nobody could come to the verdict again.",
            "Set PACKAGE_HUNTER_RECORDINGS_BYTES, and scan again with --fresh.",
        )
    with kept.fetched(store, settings, uuid.UUID(report.known_from or report.id)) as found:
        if not found:
            raise NoBundleError(
                "The recording of this scan is not kept: it is older than those that are, or was made before they "
                "were.",
                "Scan again with --fresh; PACKAGE_HUNTER_RECORDINGS_BYTES says how many bytes are kept.",
            )
        yield found


def write(source: Source, out: IO[bytes], key: Ed25519PrivateKey) -> str:
    """Write the bundle; the SHA-256 (hex) of what is signed. NoBundleError where a recording cannot be judged again."""
    kept_beside = [kept_in(path) for path in source.recordings]
    known = [one.surroundings for one in kept_beside if one.surroundings is not None]
    if len(known) < len(kept_beside) or any(one.closing is None for one in kept_beside):
        raise NoBundleError(_NO_SURROUNDINGS, "Scan again with --record.")
    rules = known[0].rules if known else ()
    small = {
        archive.REPORT: json.dumps(to_json(source.report), separators=(",", ":")).encode(),
        archive.POLICY: policy.written(source.policy),
        **{archive.rules_name(n): text.encode() for n, (_, text) in enumerate(rules)},
    }
    large = {archive.recording_name(n): path for n, path in enumerate(source.recordings)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in small.items()}
    recorded = {name: _file_digest(path) for name, path in large.items()}
    _same_scan(source.report, kept_beside, list(recorded.values()))
    digests |= recorded
    payload = statement.written(
        subject_of(source.report, digests), predicate_of(source.report, source.policy, known, digests)
    )
    first = {archive.ATTESTATION: signing.sign(payload, key), archive.KEY: public_text(key.public_key())}
    archive.write(out, first | small, large)
    return hashlib.sha256(payload).hexdigest()


def _file_digest(path: Path) -> str:
    with given.open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same_scan(report: Report, kept_beside: Sequence[Kept], digests: Sequence[str]) -> None:
    """Nothing is signed that is of two scans."""
    told = identity.told(report, kept_beside, digests)
    if told:
        raise NoBundleError(
            f"The report is not of the scan that the recordings are of. {' '.join(told[:5])}",
            "Give the report of the scan as it was made, and all recordings that were made with it.",
        )


def predicate_of(
    report: Report, judged_by: policy.AnyPolicy, around: Sequence[Surroundings], digests: Mapping[str, str]
) -> dict[str, Any]:
    """What is signed of a report, by which policy, beside recordings that keep this (none: there is none). ``digests``
    are SHA-256 (hex) by the name in the bundle."""
    scan = {
        "id": report.id,
        "started": rfc3339(report.started),
        "finished": rfc3339(report.finished),
        "target": report.target.purl or report.target.name,
        **({"known_from": report.known_from} if report.known_from else {}),
        **({"depth": str(report.depth)} if report.depth else {}),
    }
    made: dict[str, Any] = {
        "scan": scan,
        "program": {"name": "package-hunter", "version": __version__},
        "verdict": str(report.verdict),
        "decision": str(report.decision),
        "day": judged_by.day,
        "report": _listed(archive.REPORT, digests),
        "policy": _listed(archive.POLICY, digests),
        "rules": [
            _listed(archive.rules_name(n), digests, {"loaded_as": name})
            for n, (name, _) in enumerate(around[0].rules if around else ())
        ],
        "recordings": [
            _listed(archive.recording_name(n), digests, {"world": one.world} | _hurried(one))
            for n, one in enumerate(around)
        ],
    }
    if around:
        name, digest = around[0].image
        made["image"] = statement.described(name, digest)
    return made


def _listed(name: str, digests: Mapping[str, str], said: Mapping[str, str] | None = None) -> dict[str, Any]:
    return statement.described(name, digests[name], said)


def _hurried(one: Surroundings) -> dict[str, str]:
    return {"time": "hurried"} if one.hurried else {}


def subject_of(report: Report, digests: Mapping[str, str]) -> list[dict[str, Any]]:
    """The target by its digest. A folder has none: then the packages that were installed are named by theirs, and where
    not one has any, the report itself."""
    target = report.target
    if target.sha256:
        return [statement.described(target.purl or target.name, target.sha256)]
    named = []
    for package in report.packages:
        found = _integrity(package.integrity)
        if found:
            named.append({"name": package.purl, "digest": found})
    return named[:1_000] or [statement.described(f"report of {target.name}", digests[archive.REPORT])]


def _integrity(text: str | None) -> dict[str, str]:
    """Digests (hex, by algorithm) of an integrity as lock files write it: ``sha512-BASE64`` or ``sha256:HEX``."""
    found = {}
    for part in (text or "").split():
        name, dash, value = part.partition("-")
        try:
            if dash and name in ("sha1", "sha256", "sha384", "sha512"):
                found[name] = base64.b64decode(value, validate=True).hex()
            elif part.startswith("sha256:"):
                found["sha256"] = bytes.fromhex(part[7:]).hex()
        except ValueError:
            continue  # a lock file is the project's: what is no digest names nothing
    return found


def to_file(source: Source, target: Path, key: Ed25519PrivateKey) -> str:
    """Write the bundle to a file, whole or not at all; see `write`. UsageError."""
    fresh = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.absolute().parent, prefix=f".{target.name}.", delete=False
        ) as file:
            fresh = Path(file.name)
            digest = write(source, file, key)
        fresh.replace(target)
        fresh = None
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", "Check the folder and the disk."
        ) from error
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
    return digest
