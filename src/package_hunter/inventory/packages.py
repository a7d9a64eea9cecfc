"""The files of a release, each with what is known of it: `GET /api/v1/packages/{purl}`.

A verdict belongs to a digest. It is *malicious* where a record or a scan says so, *suspicious* where a scan saw
something, *no_findings* where a whole scan held the file and blamed it for nothing, *judged by sibling* where this host
cannot run it but ran another file of the release with the same code (`siblings`), else *inconclusive* or *unknown*.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.inventory.names import Name, name_of
from package_hunter.inventory.siblings import Members, sibling_of
from package_hunter.inventory.versions import named
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.store.inventory_tables import (
    Component,
    ComponentDigest,
    Condemned,
    FileVerdict,
    Holding,
    ReleaseFile,
)
from package_hunter.store.models import Scan
from package_hunter.store.scoping import scoped

MAX_FILES = 500
_HOLDINGS = 400  # of a file that are looked at, the newest
_WHOLE = (Verdict.NO_FINDINGS.value, Verdict.SUSPICIOUS.value)


@dataclass(slots=True)
class File:
    """A file: its digest (empty: a version of which no digest is known), and what is known. ``verdict`` is malicious,
    suspicious, no_findings, judged_by_sibling, inconclusive or unknown; ``because`` are sentences; ``scans`` those that
    saw it; ``native`` the members of which nothing is known, where a sibling was judged."""

    version: str
    digest: str
    verdict: str = "unknown"
    name: str = ""
    because: list[str] = field(default_factory=list)
    scans: list[uuid.UUID] = field(default_factory=list)
    sibling: str | None = None
    native: list[str] = field(default_factory=list)


def files(session: Session, view: View, purl: str) -> list[File]:
    """Those of a release (of every version, where the purl has none) that the view knows of; UsageError."""
    name = name_of(purl)
    found: dict[tuple[str, str], File] = {}
    for version, digest in _known(session, view, name):
        found.setdefault((version, digest), File(version, digest))
        if len(found) >= MAX_FILES:
            break
    listed = sorted(found.values(), key=lambda f: (f.version, f.digest))
    members = _members(session, view, name)
    for file in listed:
        file.name = members[file.digest].name if file.digest in members else ""
        _judge(session, view, name.base, file)
    for file in listed:
        _by_sibling(file, members, listed)
    return listed


def _known(session: Session, view: View, name: Name) -> Iterator[tuple[str, str]]:
    # whether anybody holds a list is asked of each list once: of a package that all have, there are many holdings
    holds: Any = select(literal(1)).select_from(Holding).where(Holding.list == Component.list)
    held: Any = (
        select(Component.version, ComponentDigest.digest)
        .outerjoin(ComponentDigest, ComponentDigest.component_id == Component.id)
        .where(Component.base == name.base, scoped(holds, view, Holding.project_id).exists())
    )
    read: Any = select(ReleaseFile.version, ReleaseFile.digest).where(ReleaseFile.base == name.base)
    for query, version in (
        (held, Component.version),
        (scoped(read, view, ReleaseFile.project_id), ReleaseFile.version),
    ):
        wanted = query.where(version == name.version) if name.version else query
        rows = session.execute(wanted.distinct().limit(MAX_FILES))
        yield from ((row[0], row[1] or "") for row in rows)
    if name.version and _public(session, name):
        yield name.version, ""


def _public(session: Session, name: Name) -> bool:
    """Whether a public record speaks of this version, whoever asks."""
    query = select(Condemned).where(
        Condemned.base == name.base, Condemned.origin == "osv", Condemned.withdrawn.is_(None)
    )
    return any(named(name.version, row.base, json.loads(row.versions)) for row in session.scalars(query))


def _judge(session: Session, view: View, base: str, file: File) -> None:
    said = [*_records(session, view, base, file), *_seen(session, view, file)]
    file.because = [what for _, what in said]
    scans = _scans(session, view, base, file)
    file.scans = [scan.id for scan in scans][:20]
    grades = {grade for grade, _ in said}
    whole = any(scan.verdict in _WHOLE for scan in scans)
    rest = "no_findings" if whole and file.digest else "inconclusive" if scans else "unknown"
    file.verdict = next((g for g in ("malicious", "suspicious") if g in grades), rest)


def _records(session: Session, view: View, base: str, file: File) -> Iterator[tuple[str, str]]:
    query = select(Condemned).where(Condemned.base == base, Condemned.withdrawn.is_(None))
    for row in session.scalars(query):
        digests = json.loads(row.digests)
        hit = file.digest in digests if digests else named(file.version, base, json.loads(row.versions))
        if hit and (row.origin == "osv" or file.digest):
            source = row.record if row.origin == "osv" else "a scan"
            yield "malicious", f"{source}: {row.said}"


def _seen(session: Session, view: View, file: File) -> Iterator[tuple[str, str]]:
    query: Any = select(FileVerdict.verdict, FileVerdict.what).join(Scan, Scan.id == FileVerdict.scan_id)
    query = query.where(FileVerdict.digest == file.digest).order_by(Scan.created.desc()).limit(20)
    yield from session.execute(scoped(query, view, Scan.project_id))


def _scans(session: Session, view: View, base: str, file: File) -> list[Any]:
    """Finished scans that held the very file, the newest first."""
    query: Any = (
        select(Holding.scan_id)
        .join(Component, Component.list == Holding.list)
        .where(Holding.source == "scan", Component.exact)
        .where(Component.base == base, Component.version == file.version)
    )
    if file.digest:
        query = query.join(ComponentDigest, ComponentDigest.component_id == Component.id)
        query = query.where(ComponentDigest.digest == file.digest)
    # the newest holdings first, out of their index alone; then the scans of those few
    held = (
        scoped(query, view, Holding.project_id).order_by(Holding.created.desc()).limit(_HOLDINGS).subquery()
    )
    found = (
        select(Scan.id, Scan.verdict)
        .where(Scan.id.in_(select(held.c.scan_id)), Scan.status == ScanStatus.FINISHED.value)
        .order_by(Scan.created.desc())
        .limit(100)
    )
    return list(session.execute(found))


def _members(session: Session, view: View, name: Name) -> dict[str, Members]:
    query = scoped(select(ReleaseFile).where(ReleaseFile.base == name.base), view, ReleaseFile.project_id)
    return {
        row.digest: Members(
            row.name, row.version, row.runs_here, json.loads(row.members), frozenset(json.loads(row.native))
        )
        for row in session.scalars(query.limit(MAX_FILES))
    }


def _by_sibling(file: File, members: dict[str, Members], every: Iterable[File]) -> None:
    mine = members.get(file.digest)
    if mine is None or mine.runs_here or file.verdict not in ("unknown", "inconclusive"):
        return
    for other in every:
        theirs = members.get(other.digest)
        if theirs is None or other.version != file.version or other.verdict == "unknown":
            continue
        found = sibling_of(mine, theirs)
        if found is None or other.verdict == "inconclusive":
            continue
        file.sibling, file.native = other.digest, found
        file.verdict = "judged_by_sibling" if other.verdict == "no_findings" else other.verdict
        rest = f" Nothing is known of its {len(found)} native members." if found else ""
        what = f"Not run here; its code is that of {theirs.name or other.digest}, which is {other.verdict}.{rest}"
        file.because.append(what)
        return
