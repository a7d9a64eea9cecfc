"""Which issue is about which finding: kept, so that there is one, whatever is delivered twice or in another order."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from package_hunter.store.database import Store
from package_hunter.store.notice_tables import MAX_TARGET, IssueRow


@dataclass(frozen=True, slots=True)
class IssueBook:
    """Of one delivery: its destination, project and finding. ``time`` is the notice's (ms since the epoch). Implements
    `kinds.base.Issues`."""

    store: Store
    destination: uuid.UUID
    project: uuid.UUID
    fingerprint: str
    time: int

    def known(self) -> str | None:
        """See Issues."""
        row = self._row()
        return None if row is None else row.remote

    def settled_later(self) -> bool:
        """See Issues."""
        row = self._row()
        return row is not None and not row.open and row.changed > self.time

    def note(self, remote: str | None, url: str | None, is_open: bool) -> None:
        """See Issues."""
        with self.store.write() as session:
            row = session.get(IssueRow, self._key(), with_for_update=True)
            if row is None:
                row = IssueRow(
                    destination_id=self.destination, project_id=self.project, fingerprint=self.fingerprint
                )
                session.add(row)
            row.remote, row.open, row.changed = remote or row.remote, is_open, self.time
            row.url = (url or row.url or "")[:MAX_TARGET] or None

    def _row(self) -> IssueRow | None:
        with self.store.read() as session:
            return session.get(IssueRow, self._key())

    def _key(self) -> tuple[uuid.UUID, uuid.UUID, str]:
        return self.destination, self.project, self.fingerprint


class NoBook:
    """Of a delivery that is about no finding."""

    def known(self) -> str | None:
        """See Issues."""
        return None

    def settled_later(self) -> bool:
        """See Issues."""
        return False

    def note(self, remote: str | None, url: str | None, is_open: bool) -> None:
        """See Issues."""
