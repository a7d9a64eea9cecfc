"""Scans, listed: by filters, newest first, a page at a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.inventory_tables import Component, Holding
from package_hunter.store.models import Scan
from package_hunter.store.scoping import scoped

MAX_PAGE = 500
_SKIPPED = 1_000  # malformed rows that a list passes over


@dataclass(frozen=True, slots=True)
class ScanFilters:
    """Which scans; what is None is not asked. ``package``: base (a purl without version) and version (empty: any) of
    what was scanned, or of what the scan found installed; ``since`` and ``until``: when it was accepted, ms since the
    epoch, the end excluded; ``submitter``: an account."""

    status: ScanStatus | None = None
    verdict: Verdict | None = None
    decision: Decision | None = None
    ecosystem: str | None = None
    package: tuple[str, str] | None = None
    submitter: str | None = None
    depth: DepthName | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Some scans; ``next`` is where the following ones begin, None at the end."""

    rows: Sequence[Scan]
    next: str | None


def page(
    session: Session, view: View, filters: ScanFilters, limit: int = 50, before: str | None = None
) -> ScanPage:
    """Scans that the view sees, newest first, without malformed rows. UsageError where ``before`` is no
    `ScanPage.next`."""
    limit = min(limit, MAX_PAGE)
    query = scoped(select(Scan).where(*_wanted(filters)), view, Scan.project_id)
    query = query.order_by(Scan.created.desc(), Scan.id.desc())
    if before is not None:
        query = query.where(tuple_(Scan.created, Scan.id) < tuple_(*_position(before)))
    found: Sequence[Scan | None] = session.scalars(query.limit(limit + 1)).all()
    if not all(map(_sound, found)):
        found = session.scalars(query.limit(limit + 1 + _SKIPPED)).all()
    rows = [scan for scan in found if scan is not None and _sound(scan)]
    shown = rows[:limit]
    return ScanPage(shown, f"{shown[-1].created}-{shown[-1].id}" if len(rows) > limit else None)


def _sound(scan: Scan | None) -> bool:
    return scan is not None and isinstance(scan.created, int)  # see types.py


def _position(text: str) -> tuple[int, uuid.UUID]:
    created, _, scan_id = text.partition("-")
    try:
        if created.isascii() and created.isdigit() and len(created) <= 15 and len(scan_id) == 36:
            return int(created), uuid.UUID(scan_id)
    except ValueError:
        pass
    raise UsageError("`before` is no place in this list.", "Give `next` of the page before.")


def _wanted(filters: ScanFilters) -> list[Any]:
    asked: list[tuple[object, Any]] = [
        (filters.status, Scan.status == filters.status),
        (filters.verdict, Scan.verdict == filters.verdict),
        (filters.decision, Scan.decision == filters.decision),
        (filters.ecosystem, Scan.ecosystem == filters.ecosystem),
        (filters.submitter, Scan.submitter == filters.submitter),
        (filters.depth, Scan.depth == filters.depth),
    ]
    found = [condition for value, condition in asked if value is not None]
    if filters.since is not None:
        found.append(Scan.created >= filters.since)
    if filters.until is not None:
        found.append(Scan.created < filters.until)
    if filters.package is not None:
        found.append(Scan.id.in_(_of_package(*filters.package)))
    return found


def _of_package(base: str, version: str) -> Any:
    """Ids of the scans one of whose components is the package (a target is its own component), and of those without a
    result that were submitted as it."""
    wanted = [Component.base == base, *([Component.version == version] if version else [])]
    holding = (
        select(Holding.scan_id)
        .join(Component, Component.list == Holding.list)
        .where(and_(*wanted), Holding.source == "scan", Holding.scan_id.is_not(None))
    )
    named = Scan.purl == f"{base}@{version}" if version else _any_version(base)
    return union_all(holding, select(Scan.id).where(Scan.status != ScanStatus.FINISHED, named))


def _any_version(base: str) -> Any:
    return or_(Scan.purl == base, Scan.purl.startswith(f"{base}@", autoescape=True))
