"""Whether the history is what was sealed: what was changed, removed, put elsewhere or forged is told with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.audit.chain import START, Seal, digest, signed
from package_hunter.store.database import now_ms
from package_hunter.store.history_tables import HistoryRow, SealRow

ALARM_MS = 60_000
"""An entry is sealed within a second or two; one that waits so long has a sealer that does not work, or had none."""
_MAX_SHUFFLED = 200
_MAX_TOLD = 1_000


@dataclass(slots=True)
class Verified:
    """What was looked at, and what is wrong with it (sentences)."""

    entries: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)

    def tell(self, problem: str) -> None:
        """Up to a limit: a chain under another key has one at each place."""
        if len(self.problems) < _MAX_TOLD:
            self.problems.append(problem)


def verify(
    session: Session, public: Mapping[str, Ed25519PublicKey] | None, kept: Sequence[Mapping[str, Any]] = ()
) -> Verified:
    """Look through all of it. ``public`` None: digests only, no signatures. ``kept``: seals that were kept elsewhere
    (position, digest), which must be there."""
    found = Verified()
    wanted = {int(seal["position"]): str(seal["digest"]) for seal in kept}
    odd: list[tuple[SealRow, HistoryRow, str]] = []
    position, previous = 0, START
    for seal, row in _in_order(session):
        if seal.position != position + 1:
            found.tell(f"Positions {position + 1} to {seal.position - 1}: removed.")
        _check(found, seal, row, previous, public, odd)
        kept_digest = wanted.pop(seal.position, None)
        if kept_digest not in (None, seal.digest):
            found.tell(f"Position {seal.position}: not what the checkpoint says: forged anew.")
        position, previous = seal.position, seal.digest
        found.entries += 1
    for at in sorted(wanted):
        found.tell(f"Positions {position + 1} to {at}: removed from the end; a checkpoint has them.")
    _tell_odd(found, odd)
    _tell_unsealed(found, session)
    return found


def _in_order(session: Session) -> Iterator[tuple[SealRow, HistoryRow | None]]:
    query = (
        select(SealRow, HistoryRow)
        .outerjoin(HistoryRow, HistoryRow.id == SealRow.entry_id)
        .order_by(SealRow.position)
        .execution_options(yield_per=500)
    )
    for found in session.execute(query):
        yield found[0], found[1]


def _check(
    found: Verified,
    seal: SealRow,
    row: HistoryRow | None,
    previous: str,
    public: Mapping[str, Ed25519PublicKey] | None,
    odd: list[tuple[SealRow, HistoryRow, str]],
) -> None:
    at = f"Position {seal.position}"
    if public is not None:
        _check_signature(found, seal, public)
    if row is None:
        found.tell(f"{at}: entry {seal.entry_id} is removed.")
    elif digest(row, Seal(seal.position, previous)) != seal.digest:
        odd.append((seal, row, previous))


def _check_signature(found: Verified, seal: SealRow, public: Mapping[str, Ed25519PublicKey]) -> None:
    at = f"Position {seal.position}"
    key = public.get(seal.key)
    if key is None:
        found.tell(f"{at}: forged, or sealed by a key that is not known here ({seal.key[:40]}).")
    elif not signed(key, seal.digest, seal.signature):
        found.tell(f"{at}: forged: the signature is not the sealer's.")


def _tell_odd(found: Verified, odd: list[tuple[SealRow, HistoryRow, str]]) -> None:
    """An entry that is not what was sealed there was changed, or is that of another place."""
    few = odd[:_MAX_SHUFFLED]
    for seal, row, _ in odd:
        places = [
            other.position
            for other, _, before in few
            if other is not seal and digest(row, Seal(other.position, before)) == other.digest
        ]
        if places:
            found.tell(
                f"Position {seal.position}: reordered: entry {row.id} belongs to position {places[0]}."
            )
        else:
            found.tell(
                f"Position {seal.position}: entry {row.id} is changed, or follows another than before."
            )


def _tell_unsealed(found: Verified, session: Session) -> None:
    query = (
        select(HistoryRow)
        .outerjoin(SealRow, SealRow.entry_id == HistoryRow.id)
        .where(SealRow.position.is_(None))
        .order_by(HistoryRow.id)
    )
    for row in session.scalars(query.execution_options(yield_per=500)):
        found.unsealed += 1
        if row.time < now_ms() - ALARM_MS:
            found.tell(f"Entry {row.id} ({row.action}) was never sealed.")
