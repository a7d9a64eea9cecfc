"""The files of a release, each with what is known of it: `GET /api/v1/packages/{purl}`.

A verdict belongs to a digest. It is *malicious* where a record or a scan says so, *suspicious* where a scan saw
something, *no_findings* where a whole scan held the file and blamed it for nothing, *judged by sibling* where this host
cannot run it but ran another file of the release with the same code (`siblings`), else *inconclusive* or *unknown*.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.orm import Session, aliased

from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.inventory.names import Name, digest_of, name_of
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
_SAID = 20  # of a file, what scans saw
_CONDEMNED = select(Condemned).where(Condemned.base == bindparam("base"), Condemned.withdrawn.is_(None))
_LISTS, _HOLDINGS = 40, 400  # that have a file, and by which they are held, that are looked at: the newest
_SOME = 10  # lists that have a file, where any will do
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
    condemned = session.scalars(_CONDEMNED, {"base": name.base}).all()
    read = _read(session, view, name)
    found: dict[tuple[str, str], File] = {}
    for version, digest in _known(_held(session, view, name), read, name, condemned):
        found.setdefault((version, digest), File(version, digest))
        if len(found) >= MAX_FILES:
            break
    listed = sorted(found.values(), key=lambda f: (f.version, f.digest))
    members = _members(session, view, {digest for _, digest in read})
    seen = _seen(session, view, {file.digest for file in listed if file.digest})
    for file in listed:
        file.name = members[file.digest].name if file.digest in members else ""
        said = [*_records(condemned, name.base, file), *seen.get(file.digest, ())]
        _judge(file, said, _scans(session, view, name.base, file))
    for file in listed:
        _by_sibling(file, members, listed)
    return listed


def file(session: Session, view: View, purl: str, digest: str) -> File:
    """The file of this digest, of a release (the purl has its version); UsageError. It says what `files` says of it, in
    a few milliseconds, since of many scans that held it it looks at some; a file of which those say too little is
    looked for as `files` does."""
    name, digest = name_of(purl), digest_of(digest)
    if not name.version:
        raise UsageError("A file is of one version.", "Give the purl with its version, or no digest.")
    found = File(name.version, digest)
    condemned = session.scalars(_CONDEMNED, {"base": name.base}).all()
    said = [*_records(condemned, name.base, found), *_seen(session, view, {digest}).get(digest, ())]
    _judge(found, said, _some_scans(session, view, name.base, found))
    if found.verdict not in ("unknown", "inconclusive"):
        return found
    return next((one for one in files(session, view, purl) if one.digest == digest), found)


def _known(
    held: Sequence[Any], read: Sequence[Any], name: Name, condemned: Sequence[Condemned]
) -> Iterator[tuple[str, str]]:
    yield from ((version, digest or "") for version, digest in (*held, *read))
    if name.version and _public(name, condemned):
        yield name.version, ""


def _held(session: Session, view: View, name: Name) -> Sequence[Any]:
    """Version and digest of what lists hold that somebody has."""
    # Whether anybody holds a list is asked of each list once: of a package that all have, there are many holdings. (Of
    # EXISTS PostgreSQL makes a join, and reads every holding that there is.)
    some: Any = select(literal(1)).select_from(Holding).where(Holding.list == Component.list)
    held = scoped(some, view, Holding.project_id).limit(1).scalar_subquery()
    query: Any = (
        select(Component.version, ComponentDigest.digest)
        .outerjoin(ComponentDigest, ComponentDigest.component_id == Component.id)
        .where(Component.base == name.base, held.is_not(None))
    )
    wanted = query.where(Component.version == name.version) if name.version else query
    return session.execute(wanted.distinct().limit(MAX_FILES)).all()


def _read(session: Session, view: View, name: Name) -> Sequence[Any]:
    """Version and digest of files whose members were read."""
    query: Any = select(ReleaseFile.version, ReleaseFile.digest).where(ReleaseFile.base == name.base)
    wanted = query.where(ReleaseFile.version == name.version) if name.version else query
    return session.execute(scoped(wanted, view, ReleaseFile.project_id).distinct().limit(MAX_FILES)).all()


def _public(name: Name, condemned: Sequence[Condemned]) -> bool:
    """Whether a public record speaks of this version, whoever asks."""
    public = (row for row in condemned if row.origin == "osv")
    return any(named(name.version, row.base, json.loads(row.versions)) for row in public)


def _judge(file: File, said: Sequence[tuple[str, str]], scans: Sequence[Any]) -> None:
    file.because = [what for _, what in said]
    file.scans = [scan.id for scan in scans][:20]
    grades = {grade for grade, _ in said}
    whole = any(scan.verdict in _WHOLE for scan in scans)
    rest = "no_findings" if whole and file.digest else "inconclusive" if scans else "unknown"
    file.verdict = next((g for g in ("malicious", "suspicious") if g in grades), rest)


def _records(condemned: Sequence[Condemned], base: str, file: File) -> Iterator[tuple[str, str]]:
    for row in condemned:
        digests = json.loads(row.digests)
        hit = file.digest in digests if digests else named(file.version, base, json.loads(row.versions))
        if hit and (row.origin == "osv" or file.digest):
            source = row.record if row.origin == "osv" else "a scan"
            yield "malicious", f"{source}: {row.said}"


def _seen(session: Session, view: View, digests: Set[str]) -> dict[str, list[tuple[str, str]]]:
    """What scans saw of each file, the newest first, of each so many."""
    if not digests:
        return {}
    order = func.row_number().over(partition_by=FileVerdict.digest, order_by=Scan.created.desc())
    query: Any = (
        select(FileVerdict.digest, FileVerdict.verdict, FileVerdict.what, order.label("place"))
        .join(Scan, Scan.id == FileVerdict.scan_id)
        .where(FileVerdict.digest.in_(digests))
    )
    said = scoped(query, view, Scan.project_id).subquery().c
    found: dict[str, list[tuple[str, str]]] = {}
    for digest, verdict, what in session.execute(
        select(said.digest, said.verdict, said.what).where(said.place <= _SAID).order_by(said.place)
    ):
        found.setdefault(digest, []).append((verdict, what))
    return found


def _scans(session: Session, view: View, base: str, file: File) -> list[Any]:
    """Finished scans that held the very file, the newest first."""
    held = _holdings(view, base, file).subquery()
    found = (
        select(Scan.id, Scan.verdict)
        .where(Scan.id.in_(select(held.c.scan_id)), Scan.status == ScanStatus.FINISHED.value)
        .order_by(Scan.created.desc())
        .limit(100)
    )
    return list(session.execute(found))


def _some_scans(session: Session, view: View, base: str, file: File) -> list[Any]:
    """Of the finished scans that held the very file some, the newest first."""
    lists = _lists(base, file).limit(_SOME)
    query = select(Holding.scan_id).where(Holding.source == "scan", Holding.list.in_(lists))
    held = scoped(query, view, Holding.project_id).order_by(Holding.created.desc()).limit(_SAID).subquery()
    found = select(Scan.id, Scan.verdict).where(
        Scan.id.in_(select(held.c.scan_id)), Scan.status == ScanStatus.FINISHED.value
    )
    return list(session.execute(found.order_by(Scan.created.desc())))


def _lists(base: str, file: File) -> Any:
    """The lists that name the very file."""
    lists: Any = select(Component.list).where(
        Component.exact, Component.base == base, Component.version == file.version
    )
    if not file.digest:
        return lists
    named = lists.join(ComponentDigest, ComponentDigest.component_id == Component.id)
    return named.where(ComponentDigest.digest == file.digest)


def _holdings(view: View, base: str, file: File) -> Any:
    """The newest by which scans held it, of the lists that were held last: a list is asked for its newest alone, out
    of an index, since what all projects have nightly is held many thousand times."""
    scanned: Any = select(Holding.created).where(Holding.source == "scan", Holding.list == Component.list)
    newest = scoped(scanned, view, Holding.project_id).order_by(Holding.created.desc()).limit(1)
    last = _lists(base, file).order_by(newest.scalar_subquery().desc().nulls_last()).limit(_LISTS)
    query = select(Holding.scan_id).where(Holding.source == "scan", Holding.list.in_(last))
    return scoped(query, view, Holding.project_id).order_by(Holding.created.desc()).limit(_HOLDINGS)


def _members(session: Session, view: View, digests: Set[str]) -> dict[str, Members]:
    """Those of each file, out of one project's row: they are the same in all."""
    if not digests:
        return {}
    other = aliased(ReleaseFile)
    first = select(other.project_id).where(other.digest == ReleaseFile.digest).order_by(other.project_id)
    one = scoped(first, view, other.project_id).limit(1).scalar_subquery()
    query = select(ReleaseFile).where(ReleaseFile.digest.in_(digests), ReleaseFile.project_id == one)
    return {
        row.digest: Members(
            row.name, row.version, row.runs_here, json.loads(row.members), frozenset(json.loads(row.native))
        )
        for row in session.scalars(query)
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
